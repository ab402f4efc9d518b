"""Give every reader files that were damaged at random, and see that each is read or refused in one line.

    python tests/fuzz/mutated_files.py --files 100000          # two processes, some minutes
    python tests/fuzz/mutated_files.py --seeds 4711 815        # those again, in this process

Strategy: a case is a number. From it follow the kind of file, its damage and how it is read, so a number is
enough to see a failure again. A case runs in a child process which says what it is at; the parent ends one
that takes too long or dies, notes the number and goes on behind it. A case fails where anything but an
EngineError comes out, where a line goes to standard error, where it takes over 5 s or 1 GB, or where the
process dies.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import re
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

LONGEST_SECONDS = 5.0
MOST_BYTES = 1 << 30
HEIGHT, WIDTH, PLANES = 32, 40, 24
SHOWN = 40


@dataclass(frozen=True)
class Kind:
    """A whole file of some format, and what reads it."""

    name: str
    suffix: str
    content: bytes
    read: Callable[[Path], None]


# ------------------------------------------------------------------ whole files


def kinds() -> list[Kind]:
    """Make one file of every format that is read."""
    made = [*_pictures(), *_videos(), *_recordings(), *_texts()]
    return [*made, *(Kind(f"sequence of {one.name}", one.suffix, one.content, _sequence) for one in made)]


def _scene() -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    waves = np.stack([np.sin(rows / 5 + at) + np.cos(columns / (4 + at)) for at in range(3)], axis=-1)
    return np.round((waves + 2) / 4 * 255).astype(np.uint8)


def _spikes() -> np.ndarray:
    light = np.tile(_scene()[:, :, 0] / 255 * 0.5, (PLANES, 1, 1))
    fired = np.floor(np.cumsum(light, axis=0) + 0.3)
    return np.diff(fired, axis=0, prepend=0).astype(np.uint8)


def _pictures() -> Iterator[Kind]:
    import tifffile
    from PIL import Image

    scene = _scene()
    colour, grey = Image.fromarray(scene), Image.fromarray(scene[:, :, 0])

    def saved(picture: Image.Image, form: str, **options: object) -> bytes:
        file = io.BytesIO()
        picture.save(file, form, **options)
        return file.getvalue()

    def tiff(array: np.ndarray, **options: object) -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, array, **options)
        return file.getvalue()

    deep = scene.astype(np.uint16) * 257
    yield Kind("png", ".png", saved(colour, "PNG"), _picture)
    yield Kind("png grey", ".png", saved(grey, "PNG"), _picture)
    yield Kind("png palette", ".png", saved(colour.convert("P"), "PNG"), _picture)
    yield Kind("png 16", ".png", saved(Image.fromarray(deep[:, :, 0]), "PNG"), _picture)
    yield Kind("jpeg", ".jpg", saved(colour, "JPEG"), _picture)
    yield Kind("jpeg progressive", ".jpg", saved(colour, "JPEG", progressive=True), _picture)
    yield Kind("jpeg cmyk", ".jpg", saved(colour.convert("CMYK"), "JPEG"), _picture)
    yield Kind("bmp", ".bmp", saved(colour, "BMP"), _picture)
    for name, options in {
        "plain": {},
        "lzw": {"compression": "lzw"},
        "deflate": {"compression": "zlib", "predictor": True},
        "packbits": {"compression": "packbits"},
        "zstd": {"compression": "zstd"},
        "jpeg": {"compression": "jpeg"},
        "tiles": {"tile": (16, 16)},
        "planar": {"planarconfig": "separate"},
        "big endian": {"byteorder": ">"},
        "big": {"bigtiff": True},
    }.items():
        colours = np.moveaxis(scene, -1, 0) if name == "planar" else scene
        yield Kind(f"tiff {name}", ".tif", tiff(colours, photometric="rgb", **options), _picture)
    yield Kind("tiff 16", ".tif", tiff(deep, photometric="rgb"), _picture)
    yield Kind("tiff float", ".tif", tiff((scene / 255).astype(np.float32), photometric="rgb"), _picture)
    yield Kind("tiff stack", ".tif", tiff(scene[None].repeat(3, axis=0), photometric="rgb"), _picture)
    yield Kind("tiff imagej", ".tif", tiff(scene[None, :, :, 0].repeat(3, axis=0), imagej=True), _picture)


def _videos() -> Iterator[Kind]:
    import av

    for name, suffix, codec, form in (
        ("h264 mp4", ".mp4", "libx264", "yuv420p"),
        ("h264 ts", ".ts", "libx264", "yuv420p"),
        ("h264 mkv", ".mkv", "libx264", "yuv420p"),
        ("mjpeg avi", ".avi", "mjpeg", "yuvj420p"),
        ("ffv1 mkv", ".mkv", "ffv1", "bgr0"),
        ("prores mov", ".mov", "prores_ks", "yuv422p10le"),
        ("mpeg2 mpg", ".mpg", "mpeg2video", "yuv420p"),
    ):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"made{suffix}"
            with av.open(str(path), "w") as container:
                stream = container.add_stream(codec, rate=25)
                stream.width, stream.height, stream.pix_fmt = WIDTH * 2, HEIGHT * 2, form
                for at in range(8):
                    picture = np.roll(np.kron(_scene(), np.ones((2, 2, 1), np.uint8)), at * 3, axis=1)
                    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
            yield Kind(name, suffix, path.read_bytes(), _video)


def _recordings() -> Iterator[Kind]:
    spikes = _spikes()
    packed = np.packbits(spikes[:, ::-1].reshape(PLANES, -1), axis=1, bitorder="little").tobytes()
    t, y, x = np.nonzero(spikes)

    def npy(array: np.ndarray) -> bytes:
        file = io.BytesIO()
        np.save(file, array)
        return file.getvalue()

    def npz(compress: bool = False, **arrays: np.ndarray) -> bytes:
        file = io.BytesIO()
        (np.savez_compressed if compress else np.savez)(file, **arrays)
        return file.getvalue()

    yield Kind("dat", ".dat", packed, _recording)
    yield Kind("npy planes", ".npy", npy(spikes), _recording)
    yield Kind("npy fortran", ".npy", npy(np.asfortranarray(np.moveaxis(spikes, 0, -1))), _recording)
    yield Kind("npz planes", ".npz", npz(True, spk=spikes), _recording)
    yield Kind("npz events", ".npz", npz(t=t, x=x, y=y), _recording)
    micros = t.astype(np.uint32) * 50
    yield Kind("npz events us", ".npz", npz(True, t=micros, x=x.astype("u2"), y=y.astype("u2")), _recording)
    yield Kind("npy events", ".npy", npy(np.stack([t / 20000, x, y], axis=1)), _recording)


def _texts() -> Iterator[Kind]:
    rows = "".join(f"{at},{at * 0.0004:.6f},{(at + 1) * 0.0004:.6f},7,clip\n" for at in range(3))
    log = f"frame_idx,t0,t1,event_count,seq\n{rows}"
    yield Kind("alignment log", ".csv", log.encode(), _log)
    yield Kind("alignment log utf-16", ".csv", log.encode("utf-16"), _log)
    words = f"spike_h: {HEIGHT}\nspike_w: {WIDTH}\nspike_rate_hz: 20000\nspike_flip: true\ngamma: 1\n"
    yield Kind("sidecar", ".yaml", words.encode(), _sidecar)


# ------------------------------------------------------------------ readers


def _picture(path: Path) -> None:
    from engine.pictures import picture_info, read_picture

    with contextlib.suppress(_engine_error()):
        picture_info(path)
    picture = read_picture(path)
    assert picture.dtype == np.float32
    assert picture.ndim == 3
    assert 0 <= picture.min() <= picture.max() <= 1, "values outside [0, 1]"


def _video(path: Path) -> None:
    from engine.video import VideoFrames

    video = VideoFrames(path)
    try:
        for at in (0, len(video) - 1, len(video) // 2):
            with contextlib.suppress(_engine_error()):
                video.read(at)
    finally:
        video.close()


def _recording(path: Path) -> None:
    from engine.recording import open_recording
    from engine.voxels import voxelize

    for size in ({}, {"height": HEIGHT, "width": WIDTH}):
        with contextlib.suppress(_engine_error()), open_recording(path, **size) as recording:
            planes = recording.info.planes
            voxelize(recording, 0, min(planes, 64), 8)
            recording.read(planes - 1, planes)


def _log(path: Path) -> None:
    from engine.alignment import read_alignment_log

    for rate_hz in (20_000.0, None):
        with contextlib.suppress(_engine_error()):
            read_alignment_log(path, rate_hz)


def _sidecar(path: Path) -> None:
    from engine.layouts.sidecar import read_gamma
    from engine.recording.sidecar import find_sidecar

    beside = path.with_name("config.yaml")
    path.rename(beside)
    find_sidecar(beside.with_name("spike.dat"))
    read_gamma(beside)


def _sequence(path: Path) -> None:
    """Put the file where a sequence has one of its kind, and open that."""
    from PIL import Image

    from engine.sequence import open_sequence

    clip = path.parent / "clip"
    (clip / "blur").mkdir(parents=True)
    spikes = _spikes()
    packed = np.packbits(spikes[:, ::-1].reshape(PLANES, -1), axis=1, bitorder="little")
    for at in range(3):
        Image.fromarray(_scene()).save(clip / "blur" / f"{at + 1:04d}.png")
    (clip / "spike.dat").write_bytes(packed.tobytes())
    (clip / "config.yaml").write_text(f"spike_h: {HEIGHT}\nspike_w: {WIDTH}\nspike_rate_hz: 20000\n")
    if path.suffix in (".dat", ".npy", ".npz"):
        (clip / "spike.dat").unlink()
        path.rename(clip / f"spike{path.suffix}")
    elif path.suffix == ".csv":
        path.rename(clip / "alignment.csv")
    elif path.suffix == ".yaml":
        path.rename(clip / "config.yaml")
    elif path.suffix in (".png", ".jpg", ".bmp", ".tif"):
        (clip / "blur" / "0002.png").unlink()
        path.rename(clip / "blur" / f"0002{path.suffix}")
    else:
        (clip / "spike.dat").rename(clip / "clip.dat")
        clip = path.rename(clip / f"clip{path.suffix}")
    with open_sequence(clip) as sequence:
        for finding in sequence.findings:
            assert finding.remedy, f"no remedy: {finding}"
        for frame in range(min(3, len(sequence))):
            with contextlib.suppress(_engine_error()):
                sequence.frame(frame)
            with contextlib.suppress(_engine_error()):
                sequence.voxels(frame, 4)


def _engine_error() -> type[Exception]:
    from engine.errors import EngineError

    return EngineError


# ------------------------------------------------------------------ damage


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Return the content with a few faults that copying, writing or a hostile hand bring about."""
    data = bytearray(content)
    for _ in range(int(random.integers(1, 4))):
        if not data:
            break
        at, length = int(random.integers(len(data))), int(random.integers(1, 65))
        # Headers are short and decide most: half of all faults hit the first bytes.
        if random.random() < 0.5:
            at = int(random.integers(min(len(data), 256)))
        match int(random.integers(9)):
            case 0:
                data[at] ^= 1 << int(random.integers(8))
            case 1:
                data[at] = int(random.choice([0, 1, 0x7F, 0x80, 0xFF]))
            case 2:
                del data[at:]
            case 3:
                data[at : at + length] = bytes(len(data[at : at + length]))
            case 4:
                data[at : at + length] = random.bytes(length)
            case 5:
                del data[at : at + length]
            case 6:
                data[at:at] = random.bytes(length)
            case 7:
                data[at : at + 4] = int(random.choice([0, 2**31 - 1, 2**31, 2**32 - 1])).to_bytes(4, "little")
            case 8:
                data[at:at] = data[at : at + length * 8]
    return bytes(data)


def case(seed: int, made: list[Kind]) -> tuple[Kind, bytes]:
    """Return the kind of file that a number stands for, and its damaged content."""
    random = np.random.default_rng(seed)
    kind = made[int(random.integers(len(made)))]
    return kind, damaged(kind.content, random)


def run(seed: int, made: list[Kind], folder: Path) -> str:
    """Run one case; return what came out: "read", "refused", or what is wrong."""
    kind, content = case(seed, made)
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path = Path(inside) / f"file{kind.suffix}"
        path.write_bytes(content)
        try:
            kind.read(path)
        except _engine_error() as error:
            text = str(error)
            return "refused" if text and "\n" not in text else f"not one line: {text!r}"
        except Exception as error:  # noqa: BLE001 (this is what is looked for)
            last = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__}: {str(error)[:120]} ({Path(last.filename).name}:{last.lineno})"
    return "read"


# ------------------------------------------------------------------ processes


def _peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _work(first: int, stop: int, step: int, notes: Path) -> None:
    """Run cases and write a line about each that fails; the file `at` says which one is being run."""
    errors = os.open(notes / f"stderr{os.getpid()}", os.O_CREAT | os.O_RDWR | os.O_TRUNC)
    os.dup2(errors, 2)
    made = kinds()
    counts: Counter[str] = Counter()
    position = notes / f"at{first % step}"
    told = os.lseek(2, 0, os.SEEK_END)
    with tempfile.TemporaryDirectory() as folder, (notes / f"failed{first % step}").open("a") as failed:
        for kind in made:  # imports take their time once
            path = Path(tempfile.mkdtemp(dir=folder)) / f"file{kind.suffix}"
            path.write_bytes(kind.content)
            with contextlib.suppress(_engine_error()):
                kind.read(path)
        told = os.lseek(2, 0, os.SEEK_END)
        for seed in range(first, stop, step):
            _replace(position, f"{seed} {time.time()}")
            _forget_peak()
            began = time.perf_counter()
            came = run(seed, made, Path(folder))
            seconds = time.perf_counter() - began
            if came in ("read", "refused") and _peak_bytes() > MOST_BYTES:
                came = f"took {_peak_bytes() >> 20} MiB"
            if came in ("read", "refused") and seconds > LONGEST_SECONDS:
                came = f"took {seconds:.1f} s"
            said = os.lseek(2, 0, os.SEEK_END)
            if came in ("read", "refused") and said > told:
                came = f"wrote to stderr: {os.pread(errors, 160, told)!r}"
            told = said
            counts[came if came in ("read", "refused") else "failed"] += 1
            if came not in ("read", "refused"):
                failed.write(json.dumps([seed, case(seed, made)[0].name, came]) + "\n")
                failed.flush()
            _replace(notes / f"counts{first % step}", json.dumps(counts))
    _replace(position, f"{stop} {time.time()}")


def _replace(path: Path, text: str) -> None:
    """Write whole: the process may end at any moment, and the other one reads."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)


def search(first: int, files: int, processes: int) -> tuple[Counter[str], list[tuple[int, str, str]]]:
    """Run `files` cases from number `first`; return how many were read and refused, and those that failed."""
    context = multiprocessing.get_context("spawn")
    stop = first + files
    totals: Counter[str] = Counter()
    found: list[tuple[int, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder)
        lanes = {first + lane: first + lane for lane in range(processes)}
        running = {}
        while lanes or running:
            for lane, at in list(lanes.items()):
                process = context.Process(target=_work, args=(at, stop, processes, notes))
                process.start()
                running[lane] = process
                del lanes[lane]
            connection.wait([process.sentinel for process in running.values()], timeout=LONGEST_SECONDS / 5)
            for lane, process in list(running.items()):
                position = notes / f"at{lane % processes}"
                at, since = (position.read_text() or "0 0").split() if position.exists() else ("", "0")
                hangs = bool(at) and int(at) < stop and time.time() - float(since) > 3 * LONGEST_SECONDS
                if process.is_alive() and not hangs:
                    continue
                if process.is_alive():
                    process.kill()
                process.join()
                counts = notes / f"counts{lane % processes}"
                if counts.exists():
                    totals.update(json.loads(counts.read_text()))
                    counts.unlink()
                del running[lane]
                if at and int(at) < stop:
                    name = case(int(at), kinds())[0].name
                    found.append((int(at), name, "hangs" if hangs else f"dies: {process.exitcode}"))
                    totals["failed"] += 1
                    position.unlink()
                    if int(at) + processes < stop:
                        lanes[lane] = int(at) + processes
                elif not at:
                    raise SystemExit("the child process could not begin")
        for file in notes.glob("failed*"):
            found += [tuple(json.loads(line)) for line in file.read_text().splitlines()]
    return totals, sorted(found)


def main() -> int:
    """Run what was asked for and print what failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="*", help="run just these, in this process")
    parser.add_argument("--keep", type=Path, help="with --seeds: folder to write the damaged files into")
    given = parser.parse_args()
    if given.seeds:
        made, outcomes = kinds(), set()
        with tempfile.TemporaryDirectory() as folder:
            for seed in given.seeds:
                kind, content = case(seed, made)
                if given.keep is not None:
                    given.keep.mkdir(parents=True, exist_ok=True)
                    (given.keep / f"{seed}{kind.suffix}").write_bytes(content)
                came = run(seed, made, Path(folder))
                outcomes.add(came)
                print(seed, kind.name, f"{zlib.crc32(content):08x}", came, flush=True)
        return 0 if outcomes <= {"read", "refused"} else 1
    began = time.perf_counter()
    counts, found = search(given.first, given.files, given.processes)
    alike: dict[tuple[str, str], list[int]] = {}
    for seed, name, came in found:
        alike.setdefault((name, re.sub(r"\d+", "#", came)[:70]), []).append(seed)
    for (name, came), seeds in sorted(alike.items(), key=lambda one: -len(one[1]))[:SHOWN]:
        print(f"{len(seeds):5d} × {name}: {came}  e.g. {seeds[:3]}")
    print(f"{dict(counts)} of {given.files} in {time.perf_counter() - began:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
