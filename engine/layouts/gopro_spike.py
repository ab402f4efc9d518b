"""GoPro-spike: frames and spikes in two trees beside each other.

    GOPRO_Large/{train,test}_GT_blurred/<clip>/<frame>.png
    GOPRO_Large/{train,test}_GT/<clip>/<frame>.png
    GOPRO_Large_spike_seq/{train,test}/<clip>/spike/<frame>.dat
    GOPRO_Large_spike_seq/config.yaml

The sidecar of the public set says 250 × 400 beside files of 360 × 640, so the layout's own geometry
goes to the recording as a second opinion. Each file covers exactly its frame's exposure.
"""

from pathlib import Path

from engine.geometry import Size
from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    find_alignment_log,
    find_sidecar,
    folders_in,
    pictures_in,
    recordings_in,
)

FRAMES_TREE = "GOPRO_Large"
SPIKE_TREE = "GOPRO_Large_spike_seq"
SPLITS = ("train", "test")
SPIKE_SIZE = Size(360, 640)
RATE_HZ = 1920.0
"""240 frames a second, interpolated by eight."""


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the clip at `path`: its blurry, sharp or spike folder, in either tree."""
    found = _clip_of(path)
    if found is None:
        return None
    root, split, clip = found
    frames = pictures_in(root / FRAMES_TREE / f"{split}_GT_blurred" / clip)
    spike_clip = root / SPIKE_TREE / split / clip
    spikes = spike_clip / "spike" if recordings_in(spike_clip / "spike") else None
    if not frames:
        return None
    return SequenceFiles(
        layout="gopro-spike",
        name=clip,
        frames=frames,
        references=pictures_in(root / FRAMES_TREE / f"{split}_GT" / clip),
        spikes=spikes,
        spike_size=SPIKE_SIZE,
        spike_rate_hz=RATE_HZ,
        gamma=1.0,  # the public spikes integrate 8-bit code values
        alignment=find_alignment_log(spike_clip) if spike_clip.is_dir() else None,
        sidecar=find_sidecar(spike_clip, root / SPIKE_TREE),
    )


def list_sequences(root: Path) -> list[Path]:
    """Return the clips of the set whose root, frames tree, spike tree or split `root` is."""
    for base in (root, root.parent, root.parent.parent):
        tree = base / FRAMES_TREE
        if tree.is_dir() and (base / SPIKE_TREE).is_dir():
            break
    else:
        return []
    wanted = [split for split in SPLITS if root.name.startswith(split)] or SPLITS
    splits = [tree / f"{split}_GT_blurred" for split in wanted]
    return [
        clip
        for split in splits
        if split.is_dir()
        for clip in folders_in(split)
        if recognise(clip) is not None
    ]


def _clip_of(path: Path) -> tuple[Path, str, str] | None:
    """Root, split and clip of a folder inside the set."""
    path = path.absolute()
    if path.name == "spike":
        path = path.parent
    group, tree = path.parent, path.parent.parent
    for split in SPLITS:
        in_frames = tree.name == FRAMES_TREE and group.name in (f"{split}_GT_blurred", f"{split}_GT")
        if in_frames or (tree.name == SPIKE_TREE and group.name == split):
            return tree.parent, split, path.name
    return None
