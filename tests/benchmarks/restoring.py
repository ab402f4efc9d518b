"""Measure restoring: what tiles cost, whether they show, how soon the first one is there, and memory.

    python tests/benchmarks/restoring.py                     # everything; about five minutes on two cores
    python tests/benchmarks/restoring.py memory --frames 500
    python tests/benchmarks/restoring.py tiles seams first cancel

The baselines are one pass over the whole picture, and for the cost of overlap the plain grid of tiles.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

import resources
from engine.geometry import Size, Span
from engine.moment import centres
from engine.restoration.events import FrameRestored, TileRestored
from engine.restoration.methods import make_method
from engine.restoration.network_method import NetworkMethod
from engine.restoration.options import ComputeOptions
from engine.restoration.plan import plan
from engine.restoration.run import run_clips
from engine.restoration.settings import settle
from engine.sequence import PASSING_CACHE_BYTES, open_sequence
from engine.source import SequenceSource
from engine.worker.client import WorkerClient
from engine.worker.messages import Cancelled, FrameDone, JobEnd, TileDone

HD = Size(720, 1280)
SPIKES = Size(360, 640)
PLANES_A_FRAME = 32
CITY = Path(resources.__file__).parent / "samples" / "city"
SEAM_PX = 8
"""How near to a border of tiles counts as at the border."""


class NothingComputed(NetworkMethod):
    """Reads, cuts, prepares and blends as the network does, and gives the frames back."""

    def restore_batch(self, prepared, regions):
        for region in regions:
            self._spikes_of(prepared, region)
        return np.stack([prepared.frames[(slice(None), *region.slices)] for region in regions])


def overlap_cost() -> None:
    frames, overlap = Span(0, 6), 32
    method = make_method("network")
    print("Overlap, 720p, overlap 32: pixels computed for each of the result")
    for edge in (256, 384):
        naive = naive_cost(HD, edge, overlap)
        even = plan(HD, frames, edge, overlap, 6, 2, multiple=8)
        memory = method.memory_bytes(Size(edge, edge), 6) / (1 << 30)
        settings = ComputeOptions(overlap_px=overlap, memory_gb=memory, clip_frames=6)
        layout = settle(HD, 6, method, settings)
        auto = layout.plan(HD, frames, method)
        space = auto.overlap_cost / (sum(map(len, auto.clips)) / len(frames))
        print(
            f"  tiles of {edge}: plain grid {naive:.2f}, even cut {even.overlap_cost:.2f}, "
            f"auto within their memory {space:.2f} (tiles of {layout.tile})"
        )


def naive_cost(size: Size, edge: int, overlap: int) -> float:
    """Tiles of one size at a constant step, the last ones pushed back to the edge of the picture."""
    pieces = [-(-max(0, length - edge) // (edge - overlap)) + 1 for length in (size.height, size.width)]
    return pieces[0] * pieces[1] * edge * edge / size.pixels


def restored(sequence, method, work) -> np.ndarray:
    steps = run_clips(sequence, work, method)
    return np.stack([step.picture for step in steps if isinstance(step, FrameRestored)])


def tiles_and_seams(*, show_tiles: bool, show_seams: bool) -> None:
    method = make_method("network", device="cpu")
    with open_sequence(CITY) as sequence:
        size, frames = sequence.frame_size, Span(0, method.clip_frames)

        def timed(tile):
            work = plan(
                size, frames, tile, method.overlap_px, method.clip_frames, 0, multiple=method.multiple_px
            )
            began = time.perf_counter()
            pictures = restored(sequence, method, work)
            return work, pictures, time.perf_counter() - began

        timed(128)  # first use compiles
        _, whole, seconds_whole = timed(2048)
        print(f"Tiles, {size}, {len(frames)} frames, default network, CPU")
        print(f"  one pass: {seconds_whole:.1f} s")
        for edge in (160, 256, 384):
            work, pictures, seconds = timed(edge)
            if show_tiles:
                print(
                    f"  tiles of {edge}: {seconds:.1f} s, {work.tiles_total / seconds:.2f} tiles a second, "
                    f"overlap {work.overlap_cost:.2f}, {seconds / seconds_whole / work.overlap_cost:.2f} of "
                    "the one pass's time a pixel"
                )
            if show_seams:
                at_border, elsewhere = seam_difference(work, np.abs(pictures - whole).mean(axis=(0, 3)))
                print(
                    f"  tiles of {edge}: difference to one pass {at_border * 255:.4f} levels at borders, "
                    f"{elsewhere * 255:.4f} elsewhere: {at_border / elsewhere:.2f}"
                )


def seam_difference(work, difference) -> tuple[float, float]:
    """Return the mean difference near the edges of tiles inside the picture, and of the rest."""
    near = np.zeros(difference.shape, bool)
    for row in work.rows:
        for edge in (row.start, row.stop):
            if 0 < edge < work.size.height:
                near[max(0, edge - SEAM_PX) : edge + SEAM_PX] = True
    for column in work.columns:
        for edge in (column.start, column.stop):
            if 0 < edge < work.size.width:
                near[:, max(0, edge - SEAM_PX) : edge + SEAM_PX] = True
    return float(difference[near].mean()), float(difference[~near].mean())


def hd_sequence(root: Path, frames: int) -> Path:
    """Write a sequence of 720p: one picture under many names, and a sparse recording."""
    folder = root / "clip"
    (folder / "blur").mkdir(parents=True)
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (HD.height // 16, HD.width // 16, 3), dtype=np.uint8)
    first = folder / "blur" / "00000.png"
    Image.fromarray(small).resize((HD.width, HD.height), Image.Resampling.BICUBIC).save(first)
    for index in range(1, frames):
        os.link(first, folder / "blur" / f"{index:05d}.png")
    plane = np.packbits(random.random(SPIKES.pixels) < 0.3, bitorder="little").tobytes()
    with (folder / "spike.dat").open("wb") as file:
        for _ in range(PLANES_A_FRAME * 8):
            file.write(plane)
        file.truncate(len(plane) * PLANES_A_FRAME * frames)
    (folder / "config.yaml").write_text(
        f"spike_h: {SPIKES.height}\nspike_w: {SPIKES.width}\nspike_rate_hz: 1000\n"
        f"exposure_planes: {PLANES_A_FRAME}\nstride_planes: {PLANES_A_FRAME}\n"
    )
    return folder


def first_tile() -> None:
    """From the request to the first tile on the client's side, the worker awake and the model loaded."""
    with tempfile.TemporaryDirectory() as root, WorkerClient() as client:
        source = SequenceSource(str(hd_sequence(Path(root), 12)))
        region = (200, 500, 456, 756)
        print("First visible tile of a 256-pixel region of 720p, default network, CPU")
        for name in ("worker cold, network not loaded", "worker warm", "another frame"):
            frame = 8 if name == "another frame" else 3
            began = time.perf_counter()
            job = client.submit(source, centres([frame]), "network", HD, region=region)
            first = wait(client, job, TileDone, began)
            whole = wait(client, job, JobEnd, began)
            print(f"  {name}: {first:.2f} s; the region's frame {whole:.2f} s")
            if name == "worker cold, network not loaded":
                began = time.perf_counter()
                job = client.submit(source, centres([frame]), "network", HD, region=region)
                print(f"  the same once more, kept: {wait(client, job, JobEnd, began):.3f} s")
                region = (200, 500, 456, 757)  # another region: not kept


def wait(client, job, kind, began, after_tile=0) -> float:
    """Wait for a message of `kind`, or a tile after `after_tile`, and return the seconds since `began`."""
    while True:
        for message in client.poll(timeout_seconds=0.5):
            if isinstance(message, FrameDone):
                client.release(message.job, message.slot)
            is_new = not isinstance(message, TileDone) or message.tiles_done > after_tile
            if message.job == job and isinstance(message, kind) and is_new:
                return time.perf_counter() - began


def cancel_latency() -> None:
    latencies, tile_seconds = [], []
    with tempfile.TemporaryDirectory() as root, WorkerClient() as client:
        source = SequenceSource(str(hd_sequence(Path(root), 12)))
        for delay in (0.2, 0.9, 1.7):
            job = client.submit(source, centres(Span(0, 5)), "network", HD)
            wait(client, job, TileDone, time.perf_counter())
            began = time.perf_counter()
            wait(client, job, TileDone, began, after_tile=1)
            tile_seconds.append(time.perf_counter() - began)
            time.sleep(delay)
            began = time.perf_counter()
            client.cancel(job)
            latencies.append(wait(client, job, Cancelled, began))
    print(
        f"Cancel, 720p, default network, CPU: {min(latencies):.2f} to {max(latencies):.2f} s; "
        f"a tile takes {statistics.median(tile_seconds):.2f} s"
    )


def memory(frames: int) -> None:
    """Resident memory over a long sequence, everything done but the network's arithmetic."""
    process = psutil.Process()
    method = make_method("network", device="cpu")
    method.__class__ = NothingComputed
    with (
        tempfile.TemporaryDirectory() as root,
        open_sequence(hd_sequence(Path(root), frames), cache_bytes=PASSING_CACHE_BYTES) as sequence,
    ):
        work = plan(
            HD,
            Span(0, frames),
            384,
            method.overlap_px,
            method.clip_frames,
            method.clip_overlap,
            multiple=method.multiple_px,
        )
        print(f"Memory, {frames} frames of 720p, {len(work.clips)} clips")
        began, after_first, highest, done = time.perf_counter(), 0, 0, 0
        next_report = 1
        for step in run_clips(sequence, work, method):
            if isinstance(step, TileRestored):
                continue
            done += 1
            resident = process.memory_info().rss
            if done == method.clip_frames:
                after_first = resident
            highest = max(highest, resident)
            if done >= next_report:
                print(f"  {done:5d} frames: {resident / 1e6:.0f} MB, {time.perf_counter() - began:.0f} s")
                next_report *= 2
        print(f"  growth after the first clip: {(highest - after_first) / 1e6:.0f} MB (at most 300)")


PARTS = ("overlap", "tiles", "seams", "first", "cancel", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all without")
    parser.add_argument("--frames", type=int, default=2000)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {unknown}")
    options.parts = options.parts or list(PARTS)
    if "overlap" in options.parts:
        overlap_cost()
    if {"tiles", "seams"} & set(options.parts):
        tiles_and_seams(show_tiles="tiles" in options.parts, show_seams="seams" in options.parts)
    if "first" in options.parts:
        first_tile()
    if "cancel" in options.parts:
        cancel_latency()
    if "memory" in options.parts:
        memory(options.frames)


if __name__ == "__main__":
    main()
