"""The jobs of the queue as rows of a list; dragging a row changes its turn."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QCoreApplication,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)

from app.state.jobs.job import JobState, JobStatus
from app.state.jobs.queue import JobQueue
from app.ui.parts.wording import format_seconds, method_title, unchanged_count, unchanged_groups

translate = QCoreApplication.translate

ROW_TYPE = "application/x-spike-deblur-job"
STATUS = Qt.ItemDataRole.UserRole
AnyIndex = QModelIndex | QPersistentModelIndex


class QueueModel(QAbstractListModel):
    """Row r is the r-th job of the queue; `STATUS` gives its `JobStatus`."""

    def __init__(self, queue: JobQueue) -> None:
        super().__init__(queue)
        self._queue = queue
        self._rows: tuple[JobStatus, ...] = queue.statuses
        queue.list_changed.connect(self._on_list)
        queue.changed.connect(self._on_job)

    def row_of(self, number: int | None) -> int:
        """Return the row of a job, -1 where there is none."""
        return next((row for row, status in enumerate(self._rows) if status.number == number), -1)

    def _on_list(self) -> None:
        rows = self._queue.statuses
        if [status.number for status in rows] == [status.number for status in self._rows]:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _on_job(self, number: int) -> None:
        row = self.row_of(number)
        status = next((status for status in self._queue.statuses if status.number == number), None)
        if row >= 0 and status is not None:
            self._rows = (*self._rows[:row], status, *self._rows[row + 1 :])
            self.dataChanged.emit(self.index(row), self.index(row))

    # ------------------------------------------------------------------ Qt's questions

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        status = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return title(status)
            case Qt.ItemDataRole.ToolTipRole:
                return "\n".join((title(status), details(status), *unchanged_groups(status.unchanged)))
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{title(status)}, {details(status)}"
            case _ if role == STATUS:
                return status
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if not self._rows[index.row()].state.is_over:
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        return flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [ROW_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        if indexes:
            data.setData(ROW_TYPE, QByteArray(str(self._rows[indexes[0].row()].number).encode()))
        return data

    def dropMimeData(self, data: QMimeData, _: Qt.DropAction, row: int, __: int, parent: AnyIndex) -> bool:
        """Move the dragged job before row `row`; False, for the rows follow the queue by themselves."""
        if not data.hasFormat(ROW_TYPE):
            return False
        number = int(bytes(data.data(ROW_TYPE).data()))
        at = self.row_of(number)
        to = row if row >= 0 else (parent.row() if parent.isValid() else len(self._rows))
        if at < 0:
            return False
        first, last = sorted((at, to))
        passed = sum(not status.state.is_over for status in self._rows[first + (at < to) : last])
        self._queue.move(number, passed if to > at else -passed)
        return False


def title(status: JobStatus) -> str:
    """Return what a job restores."""
    frames = status.frames
    if len(frames) == 1:
        what = translate("Queue", "frame {frame}").format(frame=frames.start + 1)
    else:
        what = translate("Queue", "frames {first}–{last}").format(first=frames.start + 1, last=frames.stop)
    return f"{status.name} · {what}" if status.name else what


def details(status: JobStatus) -> str:
    """Return how a job is done and how far it is."""
    method = method_title(status.method)
    counts = {"done": status.frames_done, "count": len(status.wanted)}
    match status.state:
        case JobState.QUEUED:
            if status.frames_done == 0:
                text = translate("Queue", "waiting")
            else:
                text = translate("Queue", "waiting to go on, {done} of {count} frames done").format(**counts)
        case JobState.STARTING:
            text = translate("Queue", "starting …")
        case JobState.RUNNING:
            text = f"{status.fraction:.0%}"
            if status.seconds_left is not None:
                text += translate("Queue", ", {time} left").format(time=format_seconds(status.seconds_left))
        case JobState.PAUSED:
            text = translate("Queue", "paused, {done} of {count} frames done").format(**counts)
        case JobState.CANCELLING:
            text = translate("Queue", "cancelling …")
        case JobState.FINISHED:
            text = translate("Queue", "done in {time}").format(time=format_seconds(status.elapsed_seconds))
        case JobState.CANCELLED:
            text = translate("Queue", "cancelled, {done} of {count} frames done").format(**counts)
        case JobState.FAILED:
            text = status.problem or translate("Queue", "failed")
    parts = [method, text]
    if status.unchanged:
        # what failed comes before it, how long it took after
        at = 2 if status.state is JobState.FAILED else 1
        parts.insert(at, unchanged_count(len(status.unchanged), len(status.wanted)))
    return " · ".join(parts)
