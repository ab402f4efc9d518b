"""Open arrays of unpacked planes, in `.npy` and `.npz`; and folders of them."""

import dataclasses
import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import GeometryError, RecordingError
from engine.findings import Finding
from engine.geometry import Size
from engine.recording.array_end import end_of_mapped, end_of_packed
from engine.recording.arrays import StoredArray, list_arrays
from engine.recording.axes import axes_of
from engine.recording.axis_claims import SettledAxes, settle_axes
from engine.recording.folder import FolderRecording
from engine.recording.opening import (
    Given,
    claims_of,
    doubt_rate,
    first_answer,
    with_end,
    with_part_ends,
)
from engine.recording.packing import pack_in_order, pack_stored
from engine.recording.planes import unpack_planes
from engine.recording.recording import AxisOrder, Recording, RecordingInfo, Source
from engine.recording.sidecar import CORRECT, Sidecar, find_sidecar
from engine.recording.signature import checked_head
from engine.recording.unpacked import MappedPlanes, PackedPlanes, Planes3D, three_axes
from engine.recording.written_end import WrittenEnd

PLANE_KEYS = ("spk", "spike", "spikes", "planes")
OTHER_FILE = "Check that it is the recording of this sequence"
ENDS_READ_BYTES = 256 << 20
"""The ends of a folder's `.npz` are looked for in so much of them: all that is packed must be unpacked."""


@dataclasses.dataclass(frozen=True)
class PlaneArray:
    """An array of planes in a file, whose axes are not yet known."""

    stored: StoredArray
    shape: Planes3D
    """As the file says it, without single axes."""

    @property
    def path(self) -> Path:
        return self.stored.path

    @property
    def is_mapped(self) -> bool:
        return not self.stored.key

    @property
    def _file_shape(self) -> Planes3D:
        a, b, c = self.shape
        return (c, b, a) if self.stored.fortran_order else (a, b, c)

    @cached_property
    def mapped(self) -> NDArray[np.generic]:
        """The array itself, of `shape`."""
        return self.stored.map().reshape(self.shape, order="F" if self.stored.fortran_order else "C")

    @cached_property
    def packed(self) -> NDArray[np.uint8]:
        """The array packed by what comes first in its file."""
        return pack_stored(self.stored, self._file_shape)

    def let_go(self) -> None:
        """Keep no packed planes: they are an eighth of the array, and read again where they are asked for."""
        self.__dict__.pop("packed", None)

    def sample(self, box: tuple[slice, slice, slice]) -> NDArray[np.bool_]:
        """Return the spikes in a box of the array, (a, b, c)."""
        if self.is_mapped:
            return np.asarray(self.mapped[box] != 0)
        ordered = box[::-1] if self.stored.fortran_order else box
        _, second, third = self._file_shape
        spikes = unpack_planes(self.packed[ordered[0]], Size(second, third), flip=False)
        found = spikes[:, ordered[1], ordered[2]].view(np.bool_)
        return found.transpose() if self.stored.fortran_order else found

    def planes(self, order: AxisOrder) -> NDArray[np.generic]:
        """Return a mapped array as (planes, H, W)."""
        return self.mapped.transpose(axes_of(order))

    def packed_planes(self, order: AxisOrder) -> NDArray[np.uint8]:
        """Return an array that cannot be mapped as packed planes (planes, plane_bytes)."""
        time, rows, columns = axes_of(order)
        if self.stored.fortran_order:
            time, rows, columns = 2 - time, 2 - rows, 2 - columns
        return pack_in_order(self.packed, self._file_shape, (time, rows, columns))


def plane_array(arrays: Sequence[StoredArray]) -> PlaneArray | None:
    """Return the array of a file that holds planes, None where none does or several might."""
    possible = {
        array.key: PlaneArray(array, shape)
        for array in arrays
        if (shape := three_axes(array.shape)) is not None and array.dtype.kind in "buif"
    }
    named = [possible[key] for key in PLANE_KEYS if key in possible]
    if named:
        return named[0]
    return next(iter(possible.values())) if len(possible) == 1 else None


def open_planes(array: PlaneArray, given: Given, sidecar: Sidecar) -> Recording:
    """Open an array of planes: mapped where that can be, else read and packed."""
    axes = _settled(array, given, sidecar)
    info = _info(array, axes, given, sidecar)
    if array.is_mapped:
        planes = array.planes(axes.order)
        return MappedPlanes(with_end(info, end_of_mapped(info.path, planes)), planes)
    packed = array.packed_planes(axes.order)
    return PackedPlanes(with_end(info, end_of_packed(packed)), packed)


def open_array_folder(folder: Path, paths: tuple[Path, ...], given: Given) -> FolderRecording:
    """Open files of unpacked planes as the parts of one recording."""
    sidecar = find_sidecar(folder)
    arrays: list[PlaneArray] = []
    for path in paths:
        array = plane_array(list_arrays(path, checked_head(path)))
        if array is None:
            raise RecordingError(
                "this part of the folder holds no planes", path=path, expected="an array (planes, H, W)"
            )
        arrays.append(array)
    axes = _settled_by_parts(arrays, given, sidecar)
    size = axes.size(arrays[0].shape)
    for array in arrays:
        if axes.size(array.shape) != size:
            raise GeometryError(
                "the recordings of this folder are not of one geometry",
                path=array.path,
                found=str(axes.size(array.shape)),
                expected=f"{size}, as in {paths[0].name}",
                advice="Keep recordings of one size in a folder.",
            )
    ends = _part_ends(arrays, axes)
    counts = tuple(end.planes for end in ends)
    info = with_part_ends(
        dataclasses.replace(
            _info(arrays[0], axes, given, sidecar),
            path=folder,
            format="folder",
            planes=sum(counts),
            bytes=sum(path.stat().st_size for path in paths),
        ),
        paths,
        ends,
    )
    stored = {array.path: array for array in arrays}

    def open_part(path: Path, planes: int) -> Recording:
        # Anew, so that what it holds goes with it.
        array = dataclasses.replace(stored[path])
        part = dataclasses.replace(info, path=path, format="unpacked", planes=planes)
        if array.is_mapped:
            return MappedPlanes(part, array.planes(axes.order))
        return PackedPlanes(part, array.packed_planes(axes.order))

    return FolderRecording(info, paths, counts, open_part)


def _settled(array: PlaneArray, given: Given, sidecar: Sidecar) -> SettledAxes:
    claims = claims_of(sidecar, given)
    axes = settle_axes(array.path, array.shape, given.height, given.width, claims, array.sample)
    return axes.lying(array.shape) if given.lying else axes


def _settled_by_parts(arrays: list[PlaneArray], given: Given, sidecar: Sidecar) -> SettledAxes:
    """Settle the axes of parts by the first whose values tell: some may be dark."""
    tried = []
    for at in dict.fromkeys((0, len(arrays) // 2, len(arrays) - 1)):
        axes = _settled(arrays[at], given, sidecar)
        if axes.source != "unknown":
            return axes
        if at > 0:  # the end of the first is looked for next
            arrays[at].let_go()
        tried.append(axes)
    return tried[0]


def _part_ends(arrays: list[PlaneArray], axes: SettledAxes) -> list[WrittenEnd]:
    ends = []
    left = ENDS_READ_BYTES
    for array in arrays:
        planes = axes.planes(array.shape)
        if array.is_mapped:
            mapped = dataclasses.replace(array).planes(axes.order)
            ends.append(end_of_mapped(array.path, mapped))
        elif left > 0:
            left -= math.prod(array.shape) * array.stored.dtype.itemsize
            ends.append(end_of_packed(array.packed_planes(axes.order)))
        else:
            ends.append(WrittenEnd(planes))
        array.let_go()
    return ends


def _info(array: PlaneArray, axes: SettledAxes, given: Given, sidecar: Sidecar) -> RecordingInfo:
    size, planes = axes.size(array.shape), axes.planes(array.shape)
    rate_hz, rate_source = first_answer((given.rate_hz, "given"), (sidecar.rate_hz, "sidecar"))
    flip, flip_source = first_answer((given.flip, given.flip_source), (sidecar.flip, "sidecar"))
    source: Source = "file" if axes.order == "THW" else axes.source
    return RecordingInfo(
        path=array.path,
        format="unpacked",
        height=size.height,
        width=size.width,
        planes=planes,
        bytes=array.path.stat().st_size,
        rate_hz=rate_hz,
        flip=bool(flip),  # Arrays usually have their top row first, unlike `.dat` files.
        axes=axes.order,
        known_by={
            "height": source,
            "width": source,
            "planes": source,
            "rate_hz": rate_source,
            "flip": flip_source,
            "axes": axes.source,
        },
        warnings=(
            *sidecar.warnings,
            *axes.warnings,
            *_contradictions(size, planes, given, sidecar),
            *doubt_rate(rate_hz, rate_source),
        ),
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
