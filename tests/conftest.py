"""Fixtures that every part of the suite shares."""

import os
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SHARED_ROOT = PROJECT_ROOT.parent / "shared"


def _require(path: Path, variable: str, what: str) -> Path:
    if path.exists():
        return path
    reason = f"{what} is not at {path}"
    if os.environ.get(variable):
        pytest.fail(f"{reason}, and {variable} is set")
    pytest.skip(reason)


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
