"""Open arrays of unpacked planes, in `.npy` and `.npz`; and folders of them."""

import dataclasses
from pathlib import Path

from engine.errors import GeometryError, RecordingError
from engine.findings import Finding
from engine.geometry import Size
from engine.recording.arrays import StoredArray, list_arrays
from engine.recording.claims import check_side
from engine.recording.folder import FolderRecording
from engine.recording.opening import Given, first_answer
from engine.recording.recording import Recording, RecordingInfo
from engine.recording.sidecar import CORRECT, Sidecar, find_sidecar
from engine.recording.signature import checked_head
from engine.recording.unpacked import MappedPlanes, PackedPlanes, drop_single_axis, pack_array

PLANE_KEYS = ("spk", "spike", "spikes", "planes")
OTHER_FILE = "Check that it is the recording of this sequence"


def array_of_planes(arrays: list[StoredArray]) -> StoredArray | None:
    """Return the array of a file that holds planes, None where none does or several might."""
    possible = {
        array.key: array
        for array in arrays
        if drop_single_axis(array.shape) is not None and array.dtype.kind in "buif"
    }
    named = [possible[key] for key in PLANE_KEYS if key in possible]
    if named:
        return named[0]
    return next(iter(possible.values())) if len(possible) == 1 else None


def open_planes(stored: StoredArray, given: Given, sidecar: Sidecar) -> Recording:
    """Open an array of planes: mapped where that can be, else read and packed."""
    shape = _shape(stored)
    info = _planes_info(stored, shape, given, sidecar)
    if stored.key or stored.fortran_order:
        return PackedPlanes(info, pack_array(stored, shape))
    return MappedPlanes(info, stored.map().reshape(shape))


def open_array_folder(folder: Path, paths: tuple[Path, ...], given: Given) -> FolderRecording:
    """Open files of unpacked planes as the parts of one recording."""
    sidecar = find_sidecar(folder)
    parts: list[tuple[StoredArray, tuple[int, int, int]]] = []
    for path in paths:
        planes = array_of_planes(list_arrays(path, checked_head(path)))
        if planes is None:
            raise RecordingError(
                "this part of the folder holds no planes", path=path, expected="an array (planes, H, W)"
            )
        parts.append((planes, _shape(planes)))
    first = parts[0][1]
    for planes, shape in parts:
        if shape[1:] != first[1:]:
            raise GeometryError(
                "the recordings of this folder are not of one geometry",
                path=planes.path,
                found=str(Size(*shape[1:])),
                expected=f"{Size(*first[1:])}, as in {paths[0].name}",
                advice="Keep recordings of one size in a folder.",
            )
    counts = tuple(shape[0] for _, shape in parts)
    info = dataclasses.replace(
        _planes_info(parts[0][0], first, given, sidecar),
        path=folder,
        format="folder",
        planes=sum(counts),
        bytes=sum(path.stat().st_size for path in paths),
    )
    stored = {planes.path: planes for planes, _ in parts}
    unsaid = Sidecar()
    return FolderRecording(
        info,
        paths,
        counts,
        lambda path, _: open_planes(stored[path], dataclasses.replace(given, flip=info.flip), unsaid),
    )


def _shape(stored: StoredArray) -> tuple[int, int, int]:
    shape = drop_single_axis(stored.shape)
    assert shape is not None, "only arrays of planes come here"
    return shape


def _planes_info(
    stored: StoredArray, shape: tuple[int, int, int], given: Given, sidecar: Sidecar
) -> RecordingInfo:
    path = stored.path
    planes, height, width = shape
    for name, said, found in (("height", given.height, height), ("width", given.width, width)):
        if check_side(said, name, path) not in (None, found):
            raise GeometryError(
                f"the array has another {name} than was given",
                path=path,
                found=f"{name} {found}, shape {stored.shape}",
                expected=f"{name} {said}",
                advice="Leave height and width out: the file states them.",
            )
    rate_hz, rate_source = first_answer((given.rate_hz, "given"), (sidecar.rate_hz, "sidecar"))
    flip, flip_source = first_answer((given.flip, given.flip_source), (sidecar.flip, "sidecar"))
    return RecordingInfo(
        path=path,
        format="unpacked",
        height=height,
        width=width,
        planes=planes,
        bytes=path.stat().st_size,
        rate_hz=rate_hz,
        flip=bool(flip),  # Arrays usually have their top row first, unlike `.dat` files.
        known_by={
            "height": "file",
            "width": "file",
            "planes": "file",
            "rate_hz": rate_source,
            "flip": flip_source,
        },
        warnings=sidecar.warnings + _contradictions(Size(height, width), planes, given, sidecar),
    )


def _contradictions(size: Size, planes: int, given: Given, sidecar: Sidecar) -> tuple[Finding, ...]:
    warnings: tuple[Finding, ...] = ()
    if sidecar.size not in (None, size):
        warnings += (
            Finding(
                f"{sidecar.path} says {sidecar.size}, but the file has {size}; the file was believed", CORRECT
            ),
        )
    if given.layout_size not in (None, size):
        warnings += (
            Finding(f"the data set's layout says {given.layout_size}, but the file has {size}", OTHER_FILE),
        )
    if given.layout_planes not in (None, planes):
        warnings += (
            Finding(
                f"the data set's layout says {given.layout_planes} planes, but there are {planes}", OTHER_FILE
            ),
        )
    return warnings
