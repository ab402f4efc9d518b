"""With what is restored: method, network, device and tiles, as the user has chosen them."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.settings import METHODS, Settings
from app.state.notices import describe
from engine.errors import EngineError
from engine.geometry import Size
from engine.model_files import ModelFile, bundled_models, describe_model
from engine.restoration.options import ComputeOptions

RATIO, NETWORK = METHODS
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Restorer:
    """One line of the list of methods."""

    title: str
    method: str
    model: str | None = None
    """File of the network; None for the bundled one and for methods without."""
    card: tuple[str, ...] = ()
    problem: str = ""
    """Why it cannot be used."""


class Restoring(QObject):
    """The choice, kept in the settings."""

    changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings

    @property
    def restorers(self) -> tuple[Restorer, ...]:
        """Return what there is to restore with: the ratio, the bundled networks, those that were added."""
        ratio = Restorer(
            self.tr("Spike ratio"),
            RATIO,
            card=(self.tr("No training, no model: from each frame and its spikes alone"),),
        )
        bundled = [self._network(path, bundled=True) for path in bundled_models()]
        added = [self._network(Path(model), bundled=False) for model in self._settings.models]
        return (ratio, *bundled, *added)

    @property
    def chosen(self) -> Restorer:
        """Return what is restored with now."""
        restorers = self.restorers
        for one in restorers:
            if one.method == self._settings.method and (one.model or "") == self._settings.model:
                return one
        return next((one for one in restorers if one.method == self._settings.method), restorers[0])

    @property
    def options(self) -> ComputeOptions:
        """Return device, precision and cut for the worker."""
        settings = self._settings
        tile = settings.tile_px
        return ComputeOptions(
            settings.device,
            settings.precision,  # type: ignore[arg-type]  # the settings let in no other
            Size(tile, tile) if tile else None,
            clip_frames=settings.clip_frames or None,
            memory_gb=settings.memory_gb or None,
        )

    def choose(self, restorer: Restorer) -> None:
        """Restore with this from now on."""
        self._settings.method, self._settings.model = restorer.method, restorer.model or ""
        self.changed.emit()

    def choose_method(self, method: str) -> None:
        """Restore by this method, with the network chosen last where it is one."""
        self._settings.method = method
        self.changed.emit()

    def add_model(self, path: Path) -> None:
        """Add a network from a file and choose it. Raises CheckpointError where it is none."""
        describe_model(path)
        if str(path) not in self._settings.models:
            self._settings.models.append(str(path))
        self.choose(self._network(path, bundled=False))

    def forget_model(self, model: str) -> None:
        """Take an added network off the list; its file stays."""
        if model in self._settings.models:
            self._settings.models.remove(model)
        if self._settings.model == model:
            self._settings.model = ""
        self.changed.emit()

    def set_options(
        self, *, device: str, precision: str, tile_px: int, clip_frames: int, memory_gb: float
    ) -> None:
        """Choose where and how it is computed; 0 leaves a number to the worker."""
        settings = self._settings
        settings.device, settings.precision = device or "auto", precision
        settings.tile_px, settings.clip_frames, settings.memory_gb = tile_px, clip_frames, memory_gb
        self.changed.emit()

    def _network(self, path: Path, *, bundled: bool) -> Restorer:
        try:
            about: ModelFile = describe_model(path)
        except EngineError as error:
            return Restorer(path.stem, NETWORK, None if bundled else str(path), problem=describe(error).line)
        title = self.tr("Network {name}").format(name=about.name)
        title += "" if bundled else f" ({path.name})"
        return Restorer(title, NETWORK, None if bundled else str(path), about.lines)
