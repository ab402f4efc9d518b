"""Fixtures that every part of the suite shares."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The networks here are so small that a second thread only costs: it spins while it waits, for as long as
# whatever else keeps the other core busy. Read when torch is imported, here and in the processes that tests
# start; the tests of what threads do set their number themselves.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# How long an example takes is a matter of the machine and of what else it does.
settings.register_profile("anywhere", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("anywhere")

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SHARED_ROOT = PROJECT_ROOT.parent / "shared"


def _require(path: Path, variable: str, what: str) -> Path:
    if path.exists():
        return path
    reason = f"{what} is not at {path}"
    if os.environ.get(variable):
        pytest.fail(f"{reason}, and {variable} is set")
    pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a GPU where there is none, or fail where there must be one."""
    if item.get_closest_marker("gpu") is None:
        return
    import torch

    if not torch.cuda.is_available():
        if os.environ.get("SPIKE_DEBLUR_REQUIRE_GPU"):
            pytest.fail("there is no CUDA device, and SPIKE_DEBLUR_REQUIRE_GPU is set")
        pytest.skip("there is no CUDA device")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of recordings and textures that nobody here made."""
    return _require(SHARED_ROOT / "data", "SPIKE_DEBLUR_REQUIRE_SHARED", "the shared development data")


@pytest.fixture(scope="session")
def shared_golden() -> Path:
    """Folder of reference vectors for the network."""
    return _require(SHARED_ROOT / "golden", "SPIKE_DEBLUR_REQUIRE_SHARED", "the set of reference vectors")


@pytest.fixture(scope="session")
def sample_path() -> Path:
    """The bundled sequence."""
    return PROJECT_ROOT / "resources" / "samples" / "city"
