"""Fixtures that every part of the suite shares."""

import os
import sys
import tomllib
from collections.abc import Iterator
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


class Packages:
    """Packages on the path of this process and of those that it starts, as if somebody had installed them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._paths: list[str] = []
        self._modules = set(sys.modules)

    def install_lab_method(self) -> None:
        """Install the package in `tests/third_party/lab_method` by what its pyproject.toml says."""
        place = PROJECT_ROOT / "tests" / "third_party" / "lab_method"
        project = tomllib.loads((place / "pyproject.toml").read_text("utf-8"))["project"]
        lines = [f"{name} = {value}" for name, value in project["entry-points"][GROUP].items()]
        self.install(project["name"], "\n".join([f"[{GROUP}]", *lines]), version=project["version"])
        self._add(place)

    def install(
        self, name: str, entry_points: str, version: str = "1.0", modules: dict[str, str] | None = None
    ) -> None:
        """Install a package with this text for its entry points, and modules of these contents."""
        place = self._folder / name
        info = place / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(entry_points)
        for module, content in (modules or {}).items():
            (place / f"{module}.py").write_text(content)
        self._add(place)

    def forget(self) -> None:
        """Let go of what was imported of them."""
        for module in set(sys.modules) - self._modules:
            file = getattr(sys.modules[module], "__file__", None)
            if file is not None and any(Path(file).is_relative_to(path) for path in self._paths):
                del sys.modules[module]

    def _add(self, path: Path) -> None:
        self._paths.append(str(path))
        self._monkeypatch.syspath_prepend(path)
        self._monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*reversed(self._paths), str(PROJECT_ROOT)]))


GROUP = "spike_deblur.methods"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    installed = Packages(tmp_path / "site packages", monkeypatch)
    yield installed
    installed.forget()
