"""How our threads share the processor with whatever else runs on the machine."""

import os


def let_waiting_threads_sleep() -> None:
    """Make OpenMP threads sleep, not spin, while they wait for each other. Call before torch is imported.

    Where another process keeps one of two cores busy, spinning threads wait for one that cannot run: a clip
    of 480 × 640 takes 100 s instead of 28 s. On an idle machine it makes no difference that can be measured.
    A policy that the user has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
