"""Ctrl-C and termination close the window in good order instead of tearing the process down.

Python runs signal handlers between bytecodes only, and an idle Qt loop executes none: the signal's number
arrives on a socket that Qt watches, which wakes the interpreter up.
"""

import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts(QObject):
    """Calls `close` when the process is asked to end."""

    def __init__(self, close: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(lambda *_: self._reader.recv(64))
        self._before = {one: signal.signal(one, lambda *_: close()) for one in SIGNALS}
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def restore(self) -> None:
        """Give the signals back to who had them before."""
        signal.set_wakeup_fd(-1)
        for one, handler in self._before.items():
            signal.signal(one, handler)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()
