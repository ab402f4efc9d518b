"""Examples on disk, packed into a few files that load fast.

A shard is an .npz file (a ZIP archive of arrays, readable with numpy alone): for clip n the members
`n.blurry`, `n.reference`, `n.counts` and `n.windows`, since format 2 also `n.moments` and `n.latents` where
there are any (sharp pictures at other moments than the centre, which `n.reference` shows), and one `about`
with a JSON text. Shards stay well under 64 MB, so that they can be carried one by one.
"""

import contextlib
import io
import json
import multiprocessing
import os
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.errors import ExportError, SequenceError
from engine.export import make_folder, write_text_atomically
from engine.geometry import Size
from training.clip_set import ClipShape
from training.example import Example
from training.picture_shelf import PictureShelf
from training.simulated_data import LATER_FIELDS, PLANAR, Recipe, make_example

SHARD_FORMAT = 2
READ_FORMATS = (1, 2)
"""The first one knew no moments."""
ARRAYS = ("blurry", "reference", "counts", "windows")
MOMENT_ARRAYS = ("moments", "latents")
SHARD_PATTERN = "clips-*.npz"
NOTE_NAME = "generation.json"
CLIPS_PER_SHARD = 32
"""About 25 MB of clips of 5 frames of 128 × 128, and under 64 MB of half as large again."""
COMPRESSION_LEVEL = 1


@dataclass(frozen=True)
class Generation:
    """A run that packs simulated examples, of which every shard is a part."""

    recipe: Recipe
    pictures: tuple[str, ...]
    seed: int
    clips: int

    @property
    def shards(self) -> int:
        return -(-self.clips // CLIPS_PER_SHARD)

    def numbers(self, shard: int) -> range:
        return range(shard * CLIPS_PER_SHARD, min((shard + 1) * CLIPS_PER_SHARD, self.clips))


class PackedClips:
    """The examples of a folder of shards, in the order of the files' names.

    Raises SequenceError when there are none or a shard cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        shards = shards_in(self.folder)
        if not shards:
            raise SequenceError(
                "there are no packed clips here",
                path=self.folder,
                expected=SHARD_PATTERN,
                advice="Make them with: python -m training generate --out FOLDER",
            )
        self._places: list[tuple[Path, int]] = []
        self._told: list[tuple[float, str]] = []
        self._shapes: list[ClipShape] = []
        self.findings: tuple[str, ...] = ()
        for shard in shards:
            for place, clip in enumerate(_about(shard)["clips"]):
                self._places.append((shard, place))
                self._told.append((float(clip["gamma"]), str(clip["name"])))
                self._shapes.append(ClipShape(Size(*clip["frame_size"]), Size(*clip["spike_size"])))

    def __len__(self) -> int:
        return len(self._places)

    def shape(self, index: int) -> ClipShape:
        return self._shapes[index]

    def example(self, index: int, draw: int) -> Example:  # noqa: ARG002 (the same at every draw)
        path, place = self._places[index]
        try:
            # Opened anew each time: a handle that forked workers share would share its position too.
            with zipfile.ZipFile(path) as archive:
                there = set(archive.namelist())
                arrays = {
                    name: np.lib.format.read_array(io.BytesIO(archive.read(f"{place}.{name}.npy")))
                    for name in (*ARRAYS, *MOMENT_ARRAYS)
                    if name in ARRAYS or f"{place}.{name}.npy" in there
                }
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise _unreadable(path, error) from error
        gamma, name = self._told[index]
        return Example(**arrays, gamma=gamma, name=f"{path.stem} {place}: {name}")


def write_shard(path: Path, examples: Iterable[Example]) -> int:
    """Write examples as one shard, whole or not at all; return its bytes. Raises ExportError."""
    temporary = path.with_name(f".{path.name}.{_part_suffix()}")
    clips = []
    try:
        with zipfile.ZipFile(
            temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL
        ) as archive:
            for place, example in enumerate(examples):
                for name in (*ARRAYS, *MOMENT_ARRAYS):
                    if getattr(example, name) is None:
                        continue
                    with archive.open(f"{place}.{name}.npy", "w") as member:
                        np.lib.format.write_array(member, getattr(example, name))
                clips.append(
                    {
                        "frame_size": _pair(example.frame_size),
                        "spike_size": _pair(example.spike_size),
                        "frames": len(example.blurry),
                        "bins": example.counts.shape[1],
                        "moments": 0 if example.moments is None else example.moments.shape[1],
                        "gamma": example.gamma,
                        "name": example.name,
                    }
                )
            archive.writestr("about.json", json.dumps({"format": SHARD_FORMAT, "clips": clips}))
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ExportError(
            f"cannot write the clips: {error.strerror or error}",
            path=path,
            advice="Choose a folder that can be written and has room",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return path.stat().st_size


def generate(
    out: Path,
    generation: Generation,
    *,
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Simulate a folder of shards with several processes; return how many clips it now holds.

    What is there already is kept, so a stopped run continues and a longer one completes a shorter one, whose
    last shard it makes anew. Raises ExportError when `out` cannot be written or holds clips of another
    recipe, FrameError for unreadable pictures, SequenceError for a shard that cannot be read.
    """
    make_folder(out)
    _claim(out, generation)
    wanted = {shard: len(generation.numbers(shard)) for shard in range(generation.shards)}
    missing = [shard for shard, clips in wanted.items() if _clips_in(_shard_path(out, shard)) < clips]
    # Clips of a shard that is made anew count when it is done.
    done = generation.clips - sum(wanted[shard] for shard in missing)
    report = progress or (lambda _done, _total: None)
    report(done, generation.clips)
    for clips in _made_shards(out, generation, missing, workers):
        done += clips
        report(done, generation.clips)
    return sum(_clips_in(path) for path in shards_in(out))


def shards_in(folder: Path) -> list[Path]:
    """Return the files of packed clips in a folder, in the order of their clips."""
    return sorted(folder.glob(SHARD_PATTERN))


def _made_shards(out: Path, generation: Generation, shards: Sequence[int], workers: int) -> Iterator[int]:
    """Make shards, and yield the clips of each as it is done."""
    if workers <= 1:
        for shard in shards:
            yield _make_shard(out, generation, shard)
        return
    # Fresh processes: forked ones would inherit OpenCV's and numba's threads in an unknown state.
    context = multiprocessing.get_context("spawn")
    workers = min(workers, max(1, len(shards)))
    with ProcessPoolExecutor(workers, context, initializer=_begin_worker, initargs=(out,)) as pool:
        futures = [pool.submit(_make_shard, out, generation, shard) for shard in shards]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _begin_worker(out: Path) -> None:
    # One thread each: the processes share the cores among themselves.
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, args=(out,), daemon=True).start()


def _end_with_parent(out: Path) -> None:
    """End this process as soon as the one that started it is gone, however that ended.

    Nobody would wait for its clips, and between two shards it would wait for orders forever.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    for unfinished in out.glob(f".*.{_part_suffix()}"):
        unfinished.unlink(missing_ok=True)
    os._exit(1)


def _make_shard(out: Path, generation: Generation, shard: int) -> int:
    pictures: Sequence[Any] = ()
    if generation.pictures:
        pictures = PictureShelf([Path(path) for path in generation.pictures])
    numbers = generation.numbers(shard)

    def examples() -> Iterator[Example]:
        for number in numbers:
            yield make_example(generation.recipe, pictures, generation.seed, number)

    write_shard(_shard_path(out, shard), examples())
    return len(numbers)


def _claim(out: Path, generation: Generation) -> None:
    """Note down what the folder holds, or check that it is the same."""
    note = out / NOTE_NAME
    # How many is left open: a longer run adds clips to the same ones.
    told = json.loads(json.dumps({**asdict(generation), "clips": None}))
    try:
        found = _with_former_recipe(json.loads(note.read_text("utf-8")))
    except FileNotFoundError:
        write_text_atomically(note, json.dumps(told, indent=1))
        return
    except ValueError:
        found = None
    except OSError as error:
        raise ExportError(
            "cannot be read", path=note, found=error.strerror, advice="Choose another folder"
        ) from error
    if found != told:
        raise ExportError(
            "this folder holds clips of another recipe, seed or pictures",
            path=out,
            advice="Choose another folder, or delete this one",
        )


def _with_former_recipe(note: Any) -> Any:
    """Complete a note from before recipes could ask for all they can now: they asked for none of it."""
    if isinstance(note, dict) and isinstance(note.get("recipe"), dict):
        former = json.loads(json.dumps(asdict(PLANAR)))
        note["recipe"] = {**{name: former[name] for name in LATER_FIELDS}, **note["recipe"]}
    return note


def _shard_path(out: Path, shard: int) -> Path:
    return out / f"clips-{shard:05d}.npz"


def _part_suffix() -> str:
    """Return how the names of this process's unfinished files end."""
    return f"{os.getpid()}.part"


def _clips_in(shard: Path) -> int:
    return len(_about(shard)["clips"]) if shard.exists() else 0


def _about(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read("about.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error
    if about.get("format") not in READ_FORMATS:
        raise SequenceError(
            "these clips are packed in another format",
            path=path,
            found=str(about.get("format")),
            expected=" or ".join(str(known) for known in READ_FORMATS),
        )
    return about


def _unreadable(path: Path, error: Exception) -> SequenceError:
    return SequenceError(
        f"cannot read these packed clips: {error}", path=path, advice="Delete the file and generate it again"
    )


def _pair(size: Size) -> tuple[int, int]:
    return size.height, size.width
