"""The queue: all jobs of the window in the order of their turns, and what can be done with the chosen one."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.jobs.job import JobState, JobStatus
from app.state.jobs.queue import JobQueue
from app.ui.jobs.queue_delegate import QueueDelegate
from app.ui.jobs.queue_model import STATUS, QueueModel
from app.ui.parts.theme import Theme
from app.ui.window.actions import StudioActions

ACTIONS = ("pause_job", "cancel_job", "retry_job", "job_up", "job_down", "clear_jobs")
BUTTON_PX = 18


class QueuePanel(QWidget):
    """A list over a row of buttons; without jobs, a line that says how to make one."""

    def __init__(
        self, queue: JobQueue, actions: StudioActions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._queue = queue
        self._actions = actions
        self._chosen: int | None = None
        self.model = QueueModel(queue)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(QueueDelegate(theme))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setAccessibleName(self.tr("Jobs"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.list.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.list.setDragDropOverwriteMode(False)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.hint = QLabel(self.tr("Nothing is being deblurred. Jobs appear here, and go on while you work."))
        self.hint.setProperty("role", "muted")
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.hint.setContentsMargins(12, 10, 12, 10)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(6, 2, 6, 4)
        buttons.setSpacing(2)
        for key in ACTIONS:
            if key == "clear_jobs":
                buttons.addStretch(1)
            buttons.addWidget(self._button(key))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.hint, 1)
        layout.addWidget(self.list, 1)
        layout.addLayout(buttons)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.list.selectionModel().currentChanged.connect(self._on_choice)
        self.model.modelReset.connect(self._refresh)
        queue.list_changed.connect(self._refresh)
        self._refresh()

    @property
    def chosen(self) -> JobStatus | None:
        """The job that buttons and keys mean: the one chosen in the list, else the one that is at work."""
        for status in self._queue.statuses:
            if status.number == self._chosen:
                return status
        waiting = (status for status in self._queue.statuses if not status.state.is_over)
        return self._queue.active or next(waiting, None)

    def pause_or_resume(self) -> None:
        status = self.chosen
        if status is None:
            return
        if status.state is JobState.PAUSED:
            self._queue.resume(status.number)
        else:
            self._queue.pause(status.number)

    def cancel(self) -> None:
        """Cancel the chosen job; one that is over leaves the list."""
        status = self.chosen
        if status is None:
            return
        if status.state.is_over:
            self._queue.remove(status.number)
        else:
            self._queue.cancel(status.number)

    def retry(self) -> None:
        """Try the chosen job again, else the last one that failed."""
        status = self._retryable()
        if status is not None:
            self._queue.retry(status.number)

    def move_job(self, rows: int) -> None:
        if self.chosen is not None:
            self._queue.move(self.chosen.number, rows)

    def _retryable(self) -> JobStatus | None:
        failed = (JobState.FAILED, JobState.CANCELLED)
        if self.chosen is not None and self.chosen.state in failed:
            return self.chosen
        over = (status for status in reversed(self._queue.statuses) if status.state is JobState.FAILED)
        return next(over, None)

    def _button(self, key: str) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(self._actions[key])
        button.setIconSize(QSize(BUTTON_PX, BUTTON_PX))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _on_choice(self) -> None:
        status = self.list.currentIndex().data(STATUS)
        if status is not None:
            self._chosen = status.number
        self._refresh()

    def _refresh(self) -> None:
        statuses, status = self._queue.statuses, self.chosen
        row = self.model.row_of(self._chosen)
        if row >= 0 and self.list.currentIndex().row() != row:
            self.list.setCurrentIndex(self.model.index(row))
        self.list.setVisible(bool(statuses))
        self.hint.setVisible(not statuses)
        is_open = status is not None and not status.state.is_over
        can_wait = status is not None and status.state in (
            JobState.QUEUED,
            JobState.STARTING,
            JobState.RUNNING,
            JobState.PAUSED,
        )
        self._actions.enable(
            {
                "pause_job": can_wait,
                "cancel_job": status is not None and status.state is not JobState.CANCELLING,
                "retry_job": self._retryable() is not None,
                "job_up": is_open,
                "job_down": is_open,
                "clear_jobs": any(status.state.is_over for status in statuses),
            }
        )
