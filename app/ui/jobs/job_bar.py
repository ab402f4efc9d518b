"""The row that says how spikes become a picture, and how far the running restoration is."""

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QWidget,
)
from superqt import QElidingLabel

from app.state.jobs.job import JobState, JobStatus
from app.ui.parts.wording import format_seconds, unchanged_count, unchanged_groups, unchanged_reason
from engine.restoration.evidence import is_restored

CODE_VALUES = 1.0
LINEAR_LIGHT = 2.2
PROGRESS_STEPS = 1000
ROOMY_PX = 420
"""A bar less wide than this leaves out what it says beside the choice."""


class JobBar(QFrame):
    """Gamma on the left, the job in the middle, Cancel on the right."""

    gamma_chosen = Signal(float)

    def __init__(self, cancel: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "strip")
        self.label = QLabel(self.tr("Spikes integrate"))
        self.label.setProperty("role", "muted")
        self.gamma = QComboBox()
        self.gamma.setToolTip(
            self.tr(
                "What the spikes add up. Code values (gamma 1): most synthetic sets.\n"
                "Linear light (gamma 2.2): a real sensor beside an ordinary camera's frames."
            )
        )
        self.gamma.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.gamma.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.gamma.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.gamma.activated.connect(lambda row: self.gamma_chosen.emit(self.gamma.itemData(row)))
        self.text = QElidingLabel()
        self.text.setProperty("role", "muted")
        self.text.setMinimumWidth(60)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setMinimumWidth(60)
        self.progress.setMaximumWidth(320)
        self.cancel = QToolButton()
        self.cancel.setDefaultAction(cancel)
        self.cancel.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 3, 8, 3)
        layout.setSpacing(8)
        layout.addWidget(self.label)
        layout.addWidget(self.gamma)
        layout.addSpacing(8)
        layout.addWidget(self.text, 3)
        layout.addWidget(self.progress, 1)
        layout.addWidget(self.cancel)
        policy = self.cancel.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.cancel.setSizePolicy(policy)
        self.show_status(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.label.setVisible(self.width() >= ROOMY_PX)

    def show_gamma(self, gamma: float, known: bool, *, enabled: bool) -> None:
        """Show the sequence's gamma; an assumed one says so."""
        choices = {
            CODE_VALUES: self.tr("code values (γ 1)"),
            LINEAR_LIGHT: self.tr("linear light (γ 2.2)"),
        }
        choices.setdefault(gamma, f"γ {gamma:g}")
        self.gamma.setEnabled(enabled)
        with QSignalBlocker(self.gamma):
            self.gamma.clear()
            for value, name in sorted(choices.items()):
                assumed = value == gamma and not known
                self.gamma.addItem(name + (self.tr(", assumed") if assumed else ""), value)
            self.gamma.setCurrentIndex(sorted(choices).index(gamma))

    def show_status(self, status: JobStatus | None) -> None:
        """Show a job, running or ended; None before the first."""
        running = status is not None and not status.state.is_over
        self.progress.setVisible(running)
        self.cancel.setVisible(running)
        if status is None:
            self.text.setText("")
            return
        waits = status.state is JobState.STARTING and status.frames_done == 0
        self.progress.setRange(0, 0 if waits else PROGRESS_STEPS)
        self.progress.setValue(round(status.fraction * PROGRESS_STEPS))
        self.text.setText(describe(status))
        about = (status.problem, *unchanged_groups(status.unchanged), status.layout, *status.remarks)
        self.text.setToolTip("\n".join(filter(None, (describe(status), *about))))


def describe(status: JobStatus) -> str:
    """Return a job in one line."""
    count, unchanged = len(status.wanted), len(status.unchanged)
    if unchanged == 0 or not status.state.is_over:
        return _describe_progress(status)
    told = unchanged_count(unchanged, count)
    if count == 1:
        moment, reason = status.unchanged[0]
        told = QCoreApplication.translate("JobBar", "Frame {number} is unchanged: {reason}").format(
            number=moment.frame + 1, reason=unchanged_reason(reason)
        )
    if unchanged == count:
        return told
    if status.state is not JobState.FINISHED:
        return f"{_describe_progress(status)} · {told}"
    reasons = dict(status.unchanged)
    done = QCoreApplication.translate("JobBar", "Deblurred {done} of {count} frames in {time}").format(
        done=sum(is_restored(reasons.get(moment)) for moment in status.wanted),
        count=count,
        time=format_seconds(status.elapsed_seconds),
    )
    return f"{done} · {told}"


def _describe_progress(status: JobStatus) -> str:
    count = len(status.wanted)
    one = QCoreApplication.translate("JobBar", "frame {number}").format(number=status.frames.start + 1)
    what = one if count == 1 else QCoreApplication.translate("JobBar", "{count} frames").format(count=count)
    if status.is_region:
        what = QCoreApplication.translate("JobBar", "a part of {what}").format(what=what)
    after = {
        "done": status.frames_done,
        "what": what if count > 1 else QCoreApplication.translate("JobBar", "1 frame"),
    }
    match status.state:
        case JobState.QUEUED:
            return QCoreApplication.translate("JobBar", "Waiting to deblur {what}").format(what=what)
        case JobState.PAUSED:
            return QCoreApplication.translate("JobBar", "Paused after {done} of {what}").format(**after)
        case JobState.STARTING:
            return QCoreApplication.translate("JobBar", "Starting to deblur {what} …").format(what=what)
        case JobState.RUNNING:
            tiles = QCoreApplication.translate("JobBar", "{done} of {total} tiles")
            parts = [
                QCoreApplication.translate("JobBar", "Deblurring {what}").format(what=what),
                tiles.format(done=status.tiles_done, total=status.tiles_total),
            ]
            if count > 1:
                parts.append(
                    QCoreApplication.translate("JobBar", "{count} done").format(count=status.frames_done)
                )
            left = status.seconds_left
            if left is not None:
                parts.append(
                    QCoreApplication.translate("JobBar", "{time} left").format(time=format_seconds(left))
                )
            return " · ".join(parts)
        case JobState.CANCELLING:
            return QCoreApplication.translate("JobBar", "Cancelling …")
        case JobState.FINISHED:
            seconds = format_seconds(status.elapsed_seconds)
            return QCoreApplication.translate("JobBar", "Deblurred {what} in {time}").format(
                what=what, time=seconds
            )
        case JobState.CANCELLED:
            return QCoreApplication.translate("JobBar", "Cancelled after {done} of {what}").format(**after)
        case JobState.FAILED:
            return QCoreApplication.translate("JobBar", "Failed after {done} of {what}").format(**after)
