"""What `evaluate` compares: methods, networks and folders of results, each giving a picture a frame."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.commands.frames import Progress, restore_each
from engine.commands.method_choice import MethodChoice
from engine.errors import FrameError, as_engine_error
from engine.file_names import composed
from engine.findings import Finding
from engine.geometry import Span
from engine.layouts.listing import pictures_in
from engine.moment import Moment
from engine.pictures import read_picture
from engine.restoration.events import FrameFailed, FrameRestored
from engine.restoration.evidence import check_any_evidence
from engine.restoration.memory import is_out_of_memory
from engine.restoration.method_names import NETWORK
from engine.restoration.methods import Method
from engine.restoration.offered_methods import find_method, is_offered
from engine.restoration.options import ComputeOptions
from engine.restoration.restoration import Restoration
from engine.sequence import Sequence


@dataclass(frozen=True)
class Candidate:
    """One version of the frames: computed by a method, or read from a folder."""

    name: str
    method: Method | None
    folder: Path | None = None
    findings: tuple[Finding, ...] = ()
    """What the user should know about the method."""

    def pictures(
        self,
        sequence: Sequence,
        frames: Span,
        *,
        options: ComputeOptions,
        progress: Progress,
        should_stop: Callable[[], bool],
    ) -> Iterator[FrameRestored | FrameFailed]:
        """Yield this version of `frames`, or why a frame has none.

        Raises MethodError where a method knows nothing of any of them.
        """
        if self.method is not None:
            check_any_evidence(sequence, range(frames.start, frames.stop), self.method.fewest_planes)
            restoration = Restoration.of_frames(sequence, frames, self.method, options)
            for event in restore_each(restoration, progress=progress, should_stop=should_stop):
                if isinstance(event, FrameRestored | FrameFailed):
                    yield event
            return
        assert self.folder is not None
        pictures = {composed(path.stem): path for path in pictures_in(self.folder)}
        for done, frame in enumerate(range(frames.start, frames.stop)):
            progress(done, len(frames))
            step: FrameRestored | FrameFailed
            try:
                picture = read_picture(_named(pictures, sequence.frame_name(frame), self.folder))
                step = FrameRestored(Moment(frame), picture, 0.0)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                step = FrameFailed(frame, as_engine_error(error))
            yield step


def candidate(text: str, beside: MethodChoice, compute: ComputeOptions) -> Candidate:
    """Return what `text` names: a folder of results, a method, or a network by file or name.

    A file is a model of the method `beside` where that takes such files. It falls back where that does.

    Raises EngineError where it is none of these.
    """
    if Path(text).is_dir():
        return Candidate(text, None, Path(text))
    if is_offered(text):
        method, findings = replace(beside, name=text, model=None).make(compute)
    else:
        same = Path(text).suffix.lower() in find_method(beside.name).load().model_suffixes
        method, findings = replace(beside, name=beside.name if same else NETWORK, model=text).make(compute)
    return Candidate(text, method, findings=findings)


def _named(pictures: dict[str, Path], name: str, folder: Path) -> Path:
    if composed(name) in pictures:
        return pictures[composed(name)]
    raise FrameError(
        "there is no picture of this frame among the results",
        path=folder,
        expected=f"{name}.png",
        advice="Restore all frames into this folder, or choose the ones it has with --frames",
    )
