"""Fixtures that tests of the engine share."""

import pytest

from engine.model import cpu_kernels


@pytest.fixture(params=["compiled kernels", "torch alone"])
def cpu_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way that the network goes when it restores on a CPU."""
    if request.param == "torch alone":
        monkeypatch.setattr(cpu_kernels, "KERNELS", None)
    elif cpu_kernels.KERNELS is None:
        pytest.skip("no kernels were compiled for this processor")
    return str(request.param)
