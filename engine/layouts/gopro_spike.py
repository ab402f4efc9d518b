"""GoPro-spike: frames and spikes in two trees beside each other.

    GOPRO_Large/{train,test}_GT_blurred/<clip>/<frame>.png
    GOPRO_Large/{train,test}_GT/<clip>/<frame>.png
    GOPRO_Large_spike_seq/{train,test}/<clip>/spike/<frame>.dat
    GOPRO_Large_spike_seq/config.yaml

The sidecar of the public set says 250 × 400 beside files of 360 × 640, so the layout's own geometry
goes to the recording as a second opinion. Each file covers exactly its frame's exposure.
"""

from pathlib import Path

from engine.errors import UnreadFramesError
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
from engine.layouts.unread import spike_folder_unread, spikes_unread, unread_in

FRAMES_TREE = "GOPRO_Large"
SPIKE_TREE = "GOPRO_Large_spike_seq"
SPLITS = ("train", "test")
SPIKE_SIZE = Size(360, 640)
RATE_HZ = 1920.0
"""240 frames a second, interpolated by eight."""


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the clip at `path`: its blurry, sharp or spike folder, in either tree.

    Raises UnreadFramesError where its blurry frames are of kinds that are not read.
    """
    found = _clip_of(path)
    if found is None:
        return None
    root, split, clip = found
    blurry = inside(root / FRAMES_TREE / f"{split}_GT_blurred", clip)
    sharp = inside(root / FRAMES_TREE / f"{split}_GT", clip)
    frames, unread = pictures_in(blurry), unread_in(blurry)
    spike_clip = inside(root / SPIKE_TREE / split, clip)
    spikes = spike_clip / "spike" if recordings_in(spike_clip / "spike") else None
    about_spikes = (
        *spike_folder_unread(spike_clip / "spike", f"{spike_clip.name}/spike/"),
        *(spikes_unread(spike_clip) if spikes is None else ()),
    )
    if not frames and (unread.frames or (spikes and (unread.links or unread.others or unread.folders))):
        raise unread.error()
    if not frames and spikes is None:
        return None
    return SequenceFiles(
        layout="gopro-spike",
        name=clip,
        frames=frames,
        lost_frames=unread.lost,
        references=pictures_in(sharp),
        spikes=spikes,
        spike_size=SPIKE_SIZE,
        spike_rate_hz=RATE_HZ,
        gamma=1.0,  # the public spikes integrate 8-bit code values
        alignment=find_alignment_log(spike_clip) if spike_clip.is_dir() else None,
        sidecar=find_sidecar(spike_clip, root / SPIKE_TREE),
        findings=(
            *unread.findings(f"{blurry.parent.name}/{blurry.name}/"),
            *unread_in(sharp).findings(f"{sharp.parent.name}/{sharp.name}/"),
            *about_spikes,
        ),
        about_spikes=about_spikes,
    )


def list_sequences(root: Path) -> list[Path]:
    """Return the clips of the set whose root, frames tree, spike tree or split `root` is."""
    root = root.absolute()
    base, wanted = root, list(SPLITS)
    if root.parent.name in (FRAMES_TREE, SPIKE_TREE):
        base, wanted = root.parent.parent, [split for split in SPLITS if root.name.startswith(split)]
    elif root.name in (FRAMES_TREE, SPIKE_TREE):
        base = root.parent
    trees = [base / FRAMES_TREE / f"{split}_GT_blurred" for split in wanted]
    if not any(tree.is_dir() for tree in trees):
        trees = [base / SPIKE_TREE / split for split in wanted]
    folders = [clip for tree in trees if tree.is_dir() for clip in folders_in(tree)]
    return [clip for clip in folders if _is_clip(clip)]


def _is_clip(folder: Path) -> bool:
    try:
        return recognise(folder) is not None
    except UnreadFramesError:
        return True


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
