from dataclasses import replace

import pytest
from PySide6.QtGui import QAction

from app.state.jobs.jobs import JobState, JobStatus
from app.ui.jobs.job_bar import JobBar, describe, format_seconds
from engine.geometry import Span
from engine.moment import Moment, centres
from engine.restoration.evidence import NO_PLANES, STILL, too_few_planes

RUNNING = JobStatus(
    1,
    centres(Span(0, 12)),
    "spike-ratio",
    1.0,
    JobState.RUNNING,
    tiles_done=18,
    tiles_total=72,
    frames_done=3,
    elapsed_seconds=2.0,
)


@pytest.fixture
def bar(qtbot):
    bar = JobBar(QAction("Cancel"))
    qtbot.addWidget(bar)
    bar.show()
    return bar


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (RUNNING, "Deblurring 12 frames · 18 of 72 tiles · 3 done · 6.0 s left"),
        (replace(RUNNING, state=JobState.QUEUED), "Waiting to deblur 12 frames"),
        (replace(RUNNING, state=JobState.PAUSED), "Paused after 3 of 12 frames"),
        (replace(RUNNING, state=JobState.STARTING), "Starting to deblur 12 frames …"),
        (replace(RUNNING, state=JobState.CANCELLING), "Cancelling …"),
        (replace(RUNNING, state=JobState.CANCELLED), "Cancelled after 3 of 12 frames"),
        (replace(RUNNING, state=JobState.FAILED), "Failed after 3 of 12 frames"),
        (replace(RUNNING, state=JobState.FINISHED, elapsed_seconds=70), "Deblurred 12 frames in 1 min 10 s"),
        (replace(RUNNING, state=JobState.FINISHED, wanted=centres(Span(4, 5))), "Deblurred frame 5 in 2.0 s"),
        (
            replace(
                RUNNING, state=JobState.FINISHED, unchanged=((Moment(1), NO_PLANES), (Moment(2), NO_PLANES))
            ),
            "Deblurred 10 of 12 frames in 2.0 s · 2 of 12 frames unchanged",
        ),
        (
            replace(
                RUNNING,
                state=JobState.FINISHED,
                wanted=centres(Span(0, 2)),
                unchanged=((Moment(0), STILL), (Moment(1), NO_PLANES)),
            ),
            "2 of 2 frames unchanged",
        ),
        (
            replace(
                RUNNING,
                state=JobState.FINISHED,
                wanted=centres(Span(4, 5)),
                unchanged=((Moment(4), NO_PLANES),),
            ),
            "Frame 5 is unchanged: its window holds no planes",
        ),
        (
            replace(RUNNING, state=JobState.CANCELLED, unchanged=((Moment(1), NO_PLANES),)),
            "Cancelled after 3 of 12 frames · 1 of 12 frames unchanged",
        ),
    ],
)
def test_a_job_is_one_line(status, text):
    assert describe(status) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12 ms"), (0.5, "0.5 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (3600, "60 min 00 s")],
)
def test_durations_read_well(seconds, text):
    assert format_seconds(seconds) == text


def test_the_reasons_of_unchanged_frames_are_in_the_tip(bar):
    few, one = too_few_planes(3), too_few_planes(1)
    unchanged = (
        (Moment(1), NO_PLANES),
        (Moment(2), few),
        (Moment(3), NO_PLANES),
        (Moment(4), one),
        (Moment(5), "what a new method says"),
    )
    bar.show_status(replace(RUNNING, state=JobState.FINISHED, unchanged=unchanged))
    lines = bar.text.toolTip().splitlines()
    assert lines[1:] == [
        "Unchanged frame 2, 4: its window holds no planes",
        "Unchanged frame 3: its window holds 3 planes only",
        "Unchanged frame 5: its window holds 1 plane only",
        "Unchanged frame 6: what a new method says",
    ]


def test_progress_and_cancel_are_there_only_while_a_job_runs(bar):
    assert not bar.progress.isVisible()
    bar.show_status(RUNNING)
    assert bar.progress.isVisible()
    assert bar.cancel.isVisible()
    assert bar.progress.value() / bar.progress.maximum() == 18 / 72
    bar.show_status(replace(RUNNING, state=JobState.FINISHED))
    assert not bar.progress.isVisible()
    assert not bar.cancel.isVisible()


def test_gamma_is_shown_and_an_assumed_one_says_so(bar, qtbot):
    bar.show_gamma(1.0, known=False, enabled=True)
    assert bar.gamma.currentText() == "code values (γ 1), assumed"
    bar.show_gamma(1.8, known=True, enabled=True)
    assert [bar.gamma.itemData(row) for row in range(bar.gamma.count())] == [1.0, 1.8, 2.2]
    assert bar.gamma.currentText() == "γ 1.8"
    with qtbot.waitSignal(bar.gamma_chosen) as chosen:
        bar.gamma.activated.emit(2)
    assert chosen.args == [2.2]
