"""What `evaluate` compares: methods, networks and folders of results, each giving a picture a frame."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.commands.frames import FrameFailure, Progress, restore_each
from engine.commands.method_choice import MethodChoice
from engine.errors import EngineError, FrameError
from engine.file_names import composed
from engine.geometry import Span
from engine.layouts.listing import pictures_in
from engine.pictures import read_picture
from engine.restore.method_names import NETWORK, SPIKE_RATIO
from engine.restore.methods import Method
from engine.restore.run import FrameResult
from engine.restore.settings import RestoreSettings, settle
from engine.sequence import Sequence


@dataclass(frozen=True)
class Candidate:
    """One version of the frames: computed by a method, or read from a folder."""

    name: str
    method: Method | None
    folder: Path | None = None

    def pictures(
        self,
        sequence: Sequence,
        frames: Span,
        *,
        settings: RestoreSettings,
        progress: Progress,
        should_stop: Callable[[], bool],
    ) -> Iterator[FrameResult | FrameFailure]:
        """Yield this version of `frames`, or why a frame has none."""
        if self.method is not None:
            layout = settle(sequence.frame_size, len(sequence), self.method, settings)
            yield from restore_each(
                sequence, frames, self.method, layout=layout, progress=progress, should_stop=should_stop
            )
            return
        assert self.folder is not None
        pictures = {composed(path.stem): path for path in pictures_in(self.folder)}
        for done, frame in enumerate(range(frames.start, frames.stop)):
            progress(done, len(frames))
            try:
                yield FrameResult(
                    frame, read_picture(_named(pictures, sequence.frame_name(frame), self.folder)), 0.0
                )
            except EngineError as error:
                yield FrameFailure(frame, error)


def candidate(text: str, beside: MethodChoice) -> Candidate:
    """Return what `text` names: a folder of results, a method, or a network by file or name.

    Networks compute where and how the one `beside` does.

    Raises EngineError where it is none of these.
    """
    if Path(text).is_dir():
        return Candidate(text, None, Path(text))
    if text in (SPIKE_RATIO, NETWORK):
        return Candidate(text, replace(beside, name=text, model=None).make()[0])
    return Candidate(text, replace(beside, name=NETWORK, model=text).make()[0])


def _named(pictures: dict[str, Path], name: str, folder: Path) -> Path:
    if composed(name) in pictures:
        return pictures[composed(name)]
    raise FrameError(
        "there is no picture of this frame among the results",
        path=folder,
        expected=f"{name}.png",
        advice="Restore all frames into this folder, or choose the ones it has with --frames",
    )
