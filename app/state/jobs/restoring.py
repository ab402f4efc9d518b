"""With what is restored: method, network, device and tiles, as the user has chosen them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.settings import Settings
from app.state.jobs.found_methods import FoundMethod, look_for_methods
from app.state.notices import describe
from app.state.reading.lane import Lane
from engine.errors import EngineError
from engine.geometry import Size
from engine.model_description import ModelDescription
from engine.model_files import SUFFIXES, bundled_models, describe_model
from engine.restoration.method_names import NETWORK
from engine.restoration.method_names import SPIKE_RATIO as RATIO
from engine.restoration.options import ComputeOptions
from engine.restoration.own_methods import RATIO_DESCRIPTION

if TYPE_CHECKING:
    from engine.voxels import VoxelSpec

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")

Stamp = tuple[int, int]


@dataclass(frozen=True)
class Restorer:
    """One line of the list of methods."""

    title: str
    method: str
    model: str | None = None
    """File of the model; None for the method's own and for methods without."""
    about: ModelDescription | None = None
    """What is known of it; None where that is nothing."""
    card: tuple[str, ...] = ()
    """What it says, for people."""
    problem: str = ""
    """Why it cannot be used."""


class Restoring(QObject):
    """The choice, kept in the settings; and what there is to choose from."""

    changed = Signal()
    found_changed = Signal()
    """The methods of packages were looked for."""
    problem_found = Signal(object)
    """An EngineError of a package whose method cannot be used, once each."""

    def __init__(
        self, settings: Settings, parent: QObject | None = None, pool: ThreadPoolExecutor | None = None
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._found: tuple[FoundMethod, ...] = ()
        self._has_looked = False
        self._described: dict[Path, tuple[Stamp | None, ModelDescription | EngineError]] = {}
        """What networks' files say of themselves."""
        self._learned: dict[tuple[str, str], tuple[Stamp | None, ModelDescription]] = {}
        """What the worker has found out about models whose files do not say it, by method and file."""
        self._told: set[str] = set()
        self._looking = None if pool is None else Lane(pool, self)
        if self._looking is not None:
            self._looking.answered.connect(lambda _, found: self._on_found(found))

    @property
    def found(self) -> tuple[FoundMethod, ...]:
        """The methods of packages that can be chosen; none before they were looked for."""
        return tuple(one for one in self._found if one.description is not None)

    @property
    def restorers(self) -> tuple[Restorer, ...]:
        """Return what there is to restore with: the ratio, networks, the methods of packages."""
        ratio = Restorer(
            self.tr("Spike ratio"),
            RATIO,
            about=RATIO_DESCRIPTION,
            card=(self.tr("No training, no model: from each frame and its spikes alone"),),
        )
        bundled = [self._network(path, bundled=True) for path in bundled_models()]
        added = [self._network(Path(model), bundled=False) for model in self._settings.models]
        others = [one for method in self._found for one in self._restorers_of(method)]
        there = (ratio, *bundled, *added, *others)
        if any(one.method == self._settings.method for one in there):
            return there
        return (*there, self._missing(self._settings.method))

    @property
    def chosen(self) -> Restorer:
        """Return what is restored with now."""
        restorers = self.restorers
        for one in restorers:
            if one.method == self._settings.method and (one.model or "") == self._settings.model:
                return one
        return next((one for one in restorers if one.method == self._settings.method), restorers[0])

    @property
    def takes(self) -> "VoxelSpec | None":
        """How the chosen network takes voxels, or where none is chosen, the one chosen last.

        None where it takes none, or that is not known.
        """
        chosen = self.chosen
        if chosen.method == NETWORK or (chosen.about is not None and chosen.about.voxels is not None):
            return None if chosen.about is None else chosen.about.voxels
        networks = [one for one in self.restorers if one.method == NETWORK]
        networks.sort(key=lambda one: (one.model or "") != self._settings.model)
        about = networks[0].about if networks else None
        return None if about is None else about.voxels

    @property
    def model_suffixes(self) -> tuple[str, ...]:
        """Of files that `add_model` takes now: those of networks, and of the chosen method."""
        return tuple(dict.fromkeys((*SUFFIXES, *self._suffixes_of(self._settings.method))))

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
        """Add a model from a file and choose it: one of the chosen method's, where that takes such files,
        else a network. Raises CheckpointError where it is none.
        """
        method = self._settings.method
        if path.suffix.lower() in self._suffixes_of(method):
            models = self._settings.models_of.setdefault(method, [])
            if str(path) not in models:
                models.append(str(path))
            self._settings.model = str(path)
            self.look_for_methods()
            self.changed.emit()
            return
        describe_model(path)
        if str(path) not in self._settings.models:
            self._settings.models.append(str(path))
        self.choose(self._network(path, bundled=False))

    def forget_model(self, model: str) -> None:
        """Take an added model off the list; its file stays."""
        for models in (self._settings.models, self._settings.models_of.get(self._settings.method, [])):
            if model in models:
                models.remove(model)
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

    # ------------------------------------------------------------------ what there is

    def look_for_methods(self) -> None:
        """Look in a thread what packages offer; `found_changed` tells the end."""
        if self._looking is not None:
            models = {name: tuple(files) for name, files in self._settings.models_of.items()}
            self._looking.request("methods", lambda _: look_for_methods(models))

    def learn(self, method: str, model: str | None, about: ModelDescription) -> None:
        """Take what the worker has found out about a model by loading it."""
        learned = (_stamp(Path(model or "")), about)
        said = next((one.about for one in self.restorers if (one.method, one.model) == (method, model)), None)
        if said is not None and not said.is_complete and about.is_complete:
            self._learned[method, model or ""] = learned
            self.changed.emit()

    def _on_found(self, found: tuple[FoundMethod, ...]) -> None:
        self._found, self._has_looked = found, True
        self.found_changed.emit()
        self.changed.emit()
        for one in found:
            for problem in one.problems.values():
                if str(problem) not in self._told:
                    self._told.add(str(problem))
                    self.problem_found.emit(problem)

    def _suffixes_of(self, method: str) -> tuple[str, ...]:
        return next((one.model_suffixes for one in self._found if one.name == method), ())

    def _restorers_of(self, method: FoundMethod) -> list[Restorer]:
        """Return a method of a package, with each of its models."""
        description = method.description
        if description is None:
            return [Restorer(method.name, method.name, problem=describe(method.problems[""]).line)]
        added = self._settings.models_of.get(method.name, [])
        listed: list[Restorer] = []
        for model in ["", *added] if not description.needs_model else added:
            title = method.title if not model else f"{method.title} ({Path(model).name})"
            about, problem = method.models.get(model), method.problems.get(model)
            about = self._known_now(method.name, model, about)
            listed.append(
                Restorer(
                    title,
                    method.name,
                    model or None,
                    about,
                    (description.summary, *_card(about), method.package),
                    "" if problem is None else describe(problem).line,
                )
            )
        if not listed:
            text = self.tr("It needs a model: add one from a file ({suffixes})")
            wanted = text.format(suffixes=", ".join(description.model_suffixes))
            return [Restorer(method.title, method.name, card=(description.summary,), problem=wanted)]
        return listed

    def _missing(self, method: str) -> Restorer:
        """Return a method that was chosen once, and of which nothing is known, or not yet."""
        gone = self.tr("There is no such method any more: install its package again, or choose another")
        return Restorer(method, method, problem=gone if self._has_looked else "")

    def _network(self, path: Path, *, bundled: bool) -> Restorer:
        model = None if bundled else str(path)
        about = self._describe(path)
        if isinstance(about, EngineError):
            return Restorer(path.stem, NETWORK, model, problem=describe(about).line)
        title = self.tr("Network {name}").format(name=about.title)
        title += "" if bundled else f" ({path.name})"
        return Restorer(title, NETWORK, model, about, (*self._about_input(about), *_card(about)))

    def _about_input(self, about: ModelDescription) -> list[str]:
        """Say what a network takes, or that nobody knows yet."""
        if not about.is_complete:
            text = self.tr("Its file does not say how it takes spikes: known once it has restored a frame")
            return [text]
        if about.voxels is None:
            text = self.tr("Takes {frames} frames at a time, and no spikes")
            return [text.format(frames=about.clip_frames)]
        text = self.tr("Takes {frames} frames at a time, and their spikes in {bins} bins ({transform})")
        voxels = about.voxels
        return [text.format(frames=about.clip_frames, bins=voxels.bins, transform=voxels.transform)]

    def _describe(self, path: Path) -> ModelDescription | EngineError:
        """Return what a network's file says, read again where it changed, or what the worker has told."""
        stamp = _stamp(path)
        known = self._described.get(path)
        if known is None or known[0] != stamp or stamp is None:
            about: ModelDescription | EngineError
            try:
                about = describe_model(path)
            except EngineError as error:
                about = error
            known = self._described[path] = (stamp, about)
        said = known[1]
        if isinstance(said, EngineError):
            return said
        return self._known_now(NETWORK, str(path), said) or said

    def _known_now(self, method: str, model: str, said: ModelDescription | None) -> ModelDescription | None:
        """Return what the worker has found out about a model, where its file says nothing and is the same."""
        learned = self._learned.get((method, model))
        if said is None or said.is_complete or learned is None or learned[0] != _stamp(Path(model)):
            return said
        return learned[1]


def _card(about: ModelDescription | None) -> tuple[str, ...]:
    if about is None:
        return ()
    return (*about.lines, *(finding.sentences for finding in about.findings))


def _stamp(path: Path) -> Stamp | None:
    """Return time of change and size of a file, None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
