"""The worker process for real: started, cancelled, killed, orphaned."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.errors import WorkerError
from engine.geometry import Size, Span
from engine.moment import centres
from engine.source import SequenceSource
from engine.worker.blocks import MOST_SLOTS
from engine.worker.client import WorkerClient
from engine.worker.messages import (
    Accepted,
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    JobEnd,
    TileDone,
)

HERE = Path(__file__).resolve().parent
SIZE = Size(12, 16)
SOURCE = SequenceSource("somewhere")
PATIENCE_SECONDS = 30.0
"""For what has no promised time, such as the start of a process on a busy machine."""


@pytest.fixture
def make_client(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    clients = []

    def make(restorer="ScriptedRestorer"):
        clients.append(WorkerClient(restorer=f"scripted_restorer:{restorer}"))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(make_client):
    return make_client()


def submit(client, method="quick", start=0, stop=3):
    return client.submit(SOURCE, centres(Span(start, stop)), method, SIZE)


def listen(client, is_enough):
    """Collect messages until one of them is enough."""
    messages = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not any(map(is_enough, messages)):
        assert time.monotonic() < deadline, f"only {messages} arrived"
        messages += client.poll(timeout_seconds=1.0)
    return messages


def listen_to_end(client, job, *, release=True):
    """Collect the messages of one job up to its end, reading and releasing its pictures on the way."""
    messages = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not messages or not isinstance(messages[-1], JobEnd):
        assert time.monotonic() < deadline, f"only {messages} arrived"
        for message in client.poll(timeout_seconds=1.0):
            if message.job != job:
                continue
            messages.append(message)
            if isinstance(message, FrameDone) and release:
                np.testing.assert_allclose(client.picture(job, message.slot), message.frame / 100)
                client.release(job, message.slot)
    return messages


def is_gone(pid, seconds):
    """Wait until a process that may not be ours has ended."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        try:
            process.wait(0.05)
        except psutil.TimeoutExpired:
            continue
    return False


SHARED_MEMORY = Path("/dev/shm")


def blocks_in_use():
    """Files of the shared memory that this process has mapped; none where the system does not show them."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return set()
    names = (line.split()[-1] for line in maps.read_text(encoding="utf-8").splitlines())
    return {Path(name) for name in names if name.startswith(f"{SHARED_MEMORY}/psm_")}


# ------------------------------------------------------------------ jobs


def test_a_job_brings_every_frame_through_shared_memory(client):
    messages = listen_to_end(client, submit(client, start=2, stop=22))
    assert isinstance(messages[0], Accepted)
    assert [message.frame for message in messages if isinstance(message, FrameDone)] == list(range(2, 22))
    assert isinstance(messages[-1], Finished)
    assert sum(isinstance(message, TileDone) for message in messages) == messages[0].tiles


def test_jobs_queue_up_and_end_in_order(client):
    jobs = [submit(client) for _ in range(3)]
    assert client.open_jobs == tuple(jobs)
    ends = []
    while len(ends) < 3:
        messages = listen(client, lambda message: isinstance(message, JobEnd))
        ends += [message for message in messages if isinstance(message, JobEnd)]
    assert [end.job for end in ends] == jobs
    assert client.open_jobs == ()


def test_the_worker_waits_while_no_slot_is_released_and_still_hears_a_cancel(client):
    job = submit(client, stop=40)
    messages = listen(
        client, lambda message: isinstance(message, FrameDone) and message.frame == MOST_SLOTS - 1
    )
    done = [message for message in messages if isinstance(message, FrameDone)]
    assert len({message.slot for message in done}) == MOST_SLOTS
    assert not any(isinstance(message, FrameDone) for message in client.poll(timeout_seconds=0.3))
    for message in done:
        np.testing.assert_allclose(client.picture(job, message.slot), message.frame / 100)
    client.cancel(job)
    assert listen_to_end(client, job, release=False)[-1] == Cancelled(job)


def test_cancel_ends_a_job_within_one_tile_and_keeps_the_worker(client):
    job = submit(client, "slow", stop=50)
    listen(client, lambda message: isinstance(message, TileDone))
    pid = client.worker_pid
    client.cancel(job)
    said_after = listen_to_end(client, job)
    assert said_after[-1] == Cancelled(job)
    assert sum(isinstance(message, TileDone) for message in said_after) <= 1
    assert isinstance(listen_to_end(client, submit(client))[-1], Finished)
    assert client.worker_pid == pid


def test_a_job_that_is_waiting_for_its_turn_can_be_cancelled(client):
    first, second = submit(client, "slow"), submit(client)
    client.cancel(second)
    messages = listen(client, lambda message: message.job == second)
    assert [message for message in messages if message.job == second] == [Cancelled(second)]
    assert isinstance(messages[-2], Finished)
    assert messages[-2].job == first


def test_an_error_in_the_worker_arrives_with_its_text_and_the_next_job_works(client):
    failed = listen_to_end(client, submit(client, "engine-error"))
    assert failed[-1].message == "weights.safetensors: no weights. Choose another file"
    failed = listen_to_end(client, submit(client, "bug"))
    assert failed[-1].message == "unexpected: ZeroDivisionError: two lines"
    assert "ZeroDivisionError" in failed[-1].details
    assert failed[-1].cause == "error"
    failed = listen_to_end(client, submit(client, "fails-midway"))
    assert [message.frame for message in failed if isinstance(message, FrameDone)] == [0]
    assert failed[-1].message == "the second frame is bad"
    assert isinstance(listen_to_end(client, submit(client))[-1], Finished)


def test_a_restorer_that_cannot_be_made_fails_the_job(make_client):
    client = make_client("make_broken")
    assert "no such device" in listen_to_end(client, submit(client))[-1].message
    client = make_client("NotThere")
    assert "NotThere" in listen_to_end(client, submit(client))[-1].message


def test_the_worker_itself_imports_nothing_heavy(make_client):
    client = make_client("RestorerTellingItsModules")
    assert listen_to_end(client, submit(client))[-1].message == "quick: []"


@pytest.mark.parametrize(("users", "found"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_of_the_worker_sleep_unless_the_user_says_otherwise(
    make_client, monkeypatch, users, found
):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if users:
        monkeypatch.setenv("OMP_WAIT_POLICY", users)
    client = make_client("RestorerTellingHowThreadsWait")
    assert f"threads wait: {found}" in listen_to_end(client, submit(client))[-1].message


# ------------------------------------------------------------------ death


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_kill_9_in_the_middle_is_reported_within_two_seconds_and_the_next_job_works(client):
    job, waiting = submit(client, "slow", stop=50), submit(client)
    listen(client, lambda message: isinstance(message, TileDone))
    os.kill(client.worker_pid, signal.SIGKILL)
    killed_at = time.monotonic()
    failed = listen_to_end(client, job)[-1]
    assert time.monotonic() - killed_at < 2
    assert isinstance(failed, Failed)
    assert failed.cause == "worker-died"
    assert "SIGKILL" in failed.message
    assert client.open_jobs == ()
    client.poll()
    with pytest.raises(WorkerError, match="given back"):
        client.picture(waiting, 0)
    assert isinstance(listen_to_end(client, submit(client))[-1], Finished)


def test_a_worker_that_leaves_in_the_middle_is_reported_with_its_exit_code(client):
    job = submit(client, "dies")
    failed = listen_to_end(client, job)[-1]
    assert failed.cause == "worker-died"
    assert "exit code 7" in failed.message
    assert isinstance(listen_to_end(client, submit(client))[-1], Finished)


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="this system cannot wait without reaping")
def test_a_worker_that_died_idle_is_replaced_without_a_word(client):
    listen_to_end(client, submit(client))
    pid = client.worker_pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    messages = listen_to_end(client, submit(client))
    assert isinstance(messages[-1], Finished)
    assert client.worker_pid != pid


def test_kill_ends_a_worker_that_does_not_listen(client):
    job, other = submit(client, "stubborn"), submit(client)
    listen(client, lambda message: isinstance(message, TileDone))
    pid = client.worker_pid
    client.cancel(job)
    client.kill()
    assert is_gone(pid, 2)
    messages = client.poll()
    assert Cancelled(job) in messages
    assert any(isinstance(m, Failed) and m.job == other and m.cause == "worker-died" for m in messages)
    client.kill()
    assert isinstance(listen_to_end(client, submit(client))[-1], Finished)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches process groups on POSIX only")
def test_ctrl_c_in_the_terminal_is_left_to_the_client(client):
    client.start()
    os.kill(client.worker_pid, signal.SIGINT)
    job = submit(client, "slow", stop=2)
    listen(client, lambda message: isinstance(message, TileDone))
    os.kill(client.worker_pid, signal.SIGINT)
    assert isinstance(listen_to_end(client, job)[-1], Finished)


# ------------------------------------------------------------------ leaving nothing behind


def test_close_ends_the_worker_and_gives_the_memory_back(client):
    job = submit(client, "stubborn")
    listen(client, lambda message: isinstance(message, TileDone))
    pid, blocks = client.worker_pid, blocks_in_use()
    assert blocks or not SHARED_MEMORY.exists()
    client.close()
    assert is_gone(pid, 2)
    assert not any(block.exists() for block in blocks)
    client.close()
    with pytest.raises(WorkerError, match="closed"):
        submit(client)
    with pytest.raises(WorkerError, match="given back"):
        client.picture(job, 0)


def test_pictures_stay_until_they_are_released_and_not_longer(client):
    job = submit(client, stop=1)
    blocks = blocks_in_use()
    done = next(m for m in listen_to_end(client, job, release=False) if isinstance(m, FrameDone))
    client.poll()
    assert client.picture(job, done.slot).shape == (12, 16, 3)
    client.release(job, done.slot)
    client.release(job, done.slot)
    client.poll()
    assert not any(block.exists() for block in blocks)
    with pytest.raises(WorkerError, match="given back"):
        client.picture(job, done.slot)
    client.release(job, done.slot)


def test_making_a_client_starts_nothing(client):
    assert client.worker_pid is None
    assert client.poll() == []
    client.kill()
    client.cancel(1)
    with pytest.raises(WorkerError, match="at least one moment"):
        submit(client, start=3, stop=3)
    assert client.worker_pid is None


PROGRAM = """
import os, signal, sys
sys.path.insert(0, {here!r})
from engine.geometry import Size, Span
from engine.moment import centres
from engine.source import SequenceSource
from engine.worker.blocks import MOST_SLOTS
from engine.worker.client import WorkerClient
from engine.worker.messages import JobEnd, TileDone

def main():
    client = WorkerClient(restorer="scripted_restorer:ScriptedRestorer")
    client.submit(SequenceSource("x"), centres(Span(0, 500)), "slow", Size(12, 16))
    while not any(isinstance(message, TileDone) for message in client.poll(10)):
        pass
    print(client.worker_pid, flush=True)
    if os.path.isdir("/dev/shm"):
        maps = open("/proc/self/maps").read()
        print(*(name for name in os.listdir("/dev/shm") if name in maps), flush=True)
    {end}

if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.mark.parametrize(
    ("end", "expected_code"),
    [
        ("client.close()", 0),
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGKILL)",
            -9,
            marks=pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9"),
        ),
    ],
    ids=["closed", "forgotten", "left in the middle", "killed"],
)
def test_a_program_that_ends_takes_its_worker_and_its_memory_with_it(tmp_path, end, expected_code):
    """The program is a file with a main guard, as a console script is."""
    program = tmp_path / "a program.py"
    program.write_text(PROGRAM.format(here=str(HERE), end=end), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert ended.returncode == expected_code
    pid, *blocks = ended.stdout.split()
    assert blocks or not SHARED_MEMORY.exists()
    assert is_gone(int(pid), 2)
    deadline = time.monotonic() + 5  # after a kill the memory goes with the resource tracker, a moment later
    while any((SHARED_MEMORY / block).exists() for block in blocks):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    if expected_code >= 0:
        assert ended.stderr == ""


def test_a_worker_that_yields_has_a_lower_priority_than_the_window() -> None:
    nice = []
    for yields in (False, True):
        with WorkerClient(restorer="scripted_restorer:ScriptedRestorer", yields=yields) as client:
            client.start()
            assert client.worker_pid is not None
            process = psutil.Process(client.worker_pid)
            deadline = time.monotonic() + 20
            while yields and process.nice() == psutil.Process().nice() and time.monotonic() < deadline:
                time.sleep(0.01)
            nice.append(process.nice())
    assert nice[0] == psutil.Process().nice()
    assert nice[1] != nice[0]
