"""X4K-spike: one recording a clip, frames named by their place in it.

    <split>_blurry_<e>/<group>/<clip>/<frame>.png     blurred over e planes, e is 33 or 65
    <split>_fullRGB/<group>/<clip>/<frame>.png        every sharp frame
    <split>_spike_2xds/<group>/<clip>/spike.dat       one plane an original frame, at half size

Names count in fours: `0001.png` is original frame 4 · 1, `0001_002.png` is 4 · 1 + 2 + 1.
"""

import re
from pathlib import Path

from engine.alignment import AlignmentWindow
from engine.findings import Finding, option
from engine.geometry import Size
from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    find_alignment_log,
    find_sidecar,
    folders_in,
    inside,
    pictures_in,
    recordings_in,
)
from engine.layouts.unread import spikes_unread, unread_in

RATE_HZ = 4000.0
"""1000 frames a second, interpolated by four."""
SPIKE_SIZES = {"train": Size(384, 384), "val": Size(256, 256), "test": Size(256, 256)}
_BLURRY = re.compile(r"(?P<split>\w+?)_blurry_(?P<exposure>\d+)")
_OTHER = re.compile(r"(?P<split>\w+?)_(fullRGB|spike_2xds)")
_FRAME = re.compile(r"(\d+)(?:_(\d+))?")


def original_index(stem: str) -> int | None:
    """Return the place of a frame among the original frames: `0001_002` is 7."""
    name = _FRAME.fullmatch(stem)
    if name is None:
        return None
    fours, rest = name.groups()
    return 4 * int(fours) + (0 if rest is None else int(rest) + 1)


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the clip at `path`, a folder in any of the three trees.

    From the sharp or spike tree the shortest exposure that is there is taken. Raises UnreadFramesError where
    the blurry frames are of kinds that are not read.
    """
    path = path.absolute()
    tree = path.parent.parent
    clip = path.relative_to(tree)
    blurry, other = _BLURRY.fullmatch(tree.name), _OTHER.fullmatch(tree.name)
    if blurry is None and other is not None and tree.parent.is_dir():
        options = [
            match
            for folder in folders_in(tree.parent)
            if (match := _BLURRY.fullmatch(folder.name)) and match["split"] == other["split"]
        ]
        options.sort(key=lambda match: int(match["exposure"]))
        there = [match for match in options if pictures_in(_clip(tree.parent / match.string, clip))]
        unread = [match for match in options if unread_in(_clip(tree.parent / match.string, clip)).frames]
        blurry = next(iter((*there, *unread)), None)
    if blurry is None:
        return None
    folder = _clip(tree.parent / blurry.string, clip)
    frames = pictures_in(folder)
    if not frames:
        if unread_in(folder).frames:
            raise unread_in(folder).error()
        return None
    return _describe(tree.parent, blurry["split"], int(blurry["exposure"]), clip, frames)


def _clip(tree: Path, clip: Path) -> Path:
    """The folder of a clip in one of the trees: <tree>/<group>/<clip>."""
    return inside(inside(tree, clip.parent.name), clip.name)


def _describe(root: Path, split: str, exposure: int, clip: Path, frames: tuple[Path, ...]) -> SequenceFiles:
    spike_folder = _clip(root / f"{split}_spike_2xds", clip)
    sharp = _clip(root / f"{split}_fullRGB", clip)
    recordings = recordings_in(spike_folder)
    spikes = next(
        (path for path in recordings if path.stem == "spike"), recordings[0] if recordings else None
    )
    about_spikes = spikes_unread(spike_folder, spikes)
    indices = [original_index(frame.stem) for frame in frames]
    strange = [frame.name for frame, index in zip(frames, indices, strict=True) if index is None]
    windows = None
    if not strange:
        known = [index for index in indices if index is not None]
        windows = tuple(AlignmentWindow(i - exposure // 2, i + exposure // 2 + 1) for i in known)
    return SequenceFiles(
        layout="x4k-spike",
        name=f"{clip.parent.name}_{clip.name}",
        frames=frames,
        references=pictures_in(sharp),
        extra_references_expected=True,
        spikes=spikes,
        spike_size=SPIKE_SIZES.get(split),
        spike_rate_hz=RATE_HZ,
        gamma=1.0,  # the public spikes integrate 8-bit code values
        windows=windows,
        alignment=find_alignment_log(spike_folder) if spike_folder.is_dir() else None,
        sidecar=find_sidecar(spike_folder, spike_folder.parent, spike_folder.parent.parent, root),
        findings=(
            *_about_names(strange),
            *unread_in(frames[0].parent).findings(f"{clip.parent.name}/{clip.name}/"),
            *unread_in(sharp).findings(f"{sharp.parent.parent.name}/{clip.parent.name}/{clip.name}/"),
            *about_spikes,
        ),
        about_spikes=about_spikes,
    )


def _about_names(strange: list[str]) -> tuple[Finding, ...]:
    if not strange:
        return ()
    return (
        Finding(
            f"names that say no exposure in this set: {strange[0]}",
            f"Name frames as 0001.png or 0001_002.png, or give {option('alignment')}",
        ),
    )


def list_sequences(root: Path) -> list[Path]:
    """Return the blurry clips of every split and exposure in `root`, or of the tree that `root` is."""
    trees = [root] if _BLURRY.fullmatch(root.name) else folders_in(root)
    return [
        clip
        for tree in trees
        if _BLURRY.fullmatch(tree.name)
        for group in folders_in(tree)
        for clip in folders_in(group)
        if pictures_in(clip) or unread_in(clip).frames
    ]
