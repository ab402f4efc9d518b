import pytest

from app.state.reading.lease import Lease
from app.state.session.session import Session
from engine.errors import GeometryError, OperationCancelled, SequenceError
from engine.geometry import Size
from engine.recording.recording import GeometryCandidate
from engine.source import SequenceSource

GOOD, BAD = SequenceSource("good"), SequenceSource("bad")


@pytest.fixture
def session(pool, files):
    session = Session(pool, opener=files.open)
    yield session
    files.gate.set()
    session.close()


def open_now(session, qtbot, source=GOOD):
    with qtbot.waitSignal(session.opened):
        session.open(source)
    return session.sequence


def test_an_opened_sequence_is_there_with_its_source(session, qtbot):
    sequence = open_now(session, qtbot)
    assert sequence is session.sequence
    assert session.source is GOOD
    assert session.opening is None


def test_a_sequence_that_fails_to_open_leaves_the_one_before_open(session, files, qtbot):
    first = open_now(session, qtbot)
    files.contents["bad"] = SequenceError("nothing is there", path="bad")
    with qtbot.waitSignal(session.failed) as failed:
        session.open(BAD)
    assert "nothing is there" in str(failed.args[0])
    assert session.sequence is first
    assert not first.closed
    assert session.opening is None


def test_the_one_before_is_closed_when_the_next_is_open(session, qtbot):
    first = open_now(session, qtbot)
    open_now(session, qtbot, SequenceSource("other"))
    assert first.closed
    assert not session.sequence.closed


def test_of_two_opened_at_once_only_the_newest_stays(session, files, qtbot):
    files.gate.clear()
    opened = []
    session.opened.connect(lambda: opened.append(session.source))
    session.open(SequenceSource("one"))
    session.open(SequenceSource("two"))
    session.open(GOOD)
    files.gate.set()
    qtbot.waitUntil(lambda: not session.busy)
    assert opened == [GOOD]
    assert [sequence.closed for sequence in files.opened] == [True, False]


def test_an_unknown_geometry_becomes_a_question_with_the_candidates(session, files, qtbot):
    error = GeometryError("nothing says how large a plane is", path="bad")
    error.candidates = (GeometryCandidate(Size(250, 400), 100, 0, 0.9),)
    files.contents["bad"] = error
    with qtbot.waitSignal(session.geometry_needed) as asked:
        session.open(BAD)
    question = asked.args[0]
    assert question.source is BAD
    assert question.candidates[0].size == Size(250, 400)


def test_reopening_changes_only_what_is_said(session, qtbot):
    open_now(session, qtbot, SequenceSource("good", rate_hz=2000.0))
    with qtbot.waitSignal(session.opened):
        session.reopen(gamma=2.2)
    assert session.source == SequenceSource("good", rate_hz=2000.0, gamma=2.2)


def test_closing_while_opening_opens_nothing(session, files, qtbot):
    files.gate.clear()
    session.open(GOOD)
    session.close()
    files.gate.set()
    qtbot.waitUntil(lambda: not session.busy)
    assert session.sequence is None
    assert all(sequence.closed for sequence in files.opened)


def test_a_retired_sequence_closes_after_its_last_reader(files):
    lease = Lease(files.open(GOOD))
    with lease.reading() as sequence:
        with lease.reading():
            lease.retire()
        assert not sequence.closed
    assert sequence.closed
    with pytest.raises(OperationCancelled), lease.reading():
        pass
