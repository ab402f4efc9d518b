"""Arrays in `.npy` and `.npz` files: their shapes without their contents, their contents in pieces.

Nothing is unpickled: an array of Python objects is refused.
"""

import contextlib
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.recording.foreign_kinds import NPY_MAGIC
from engine.recording.signature import quote

_DAMAGES = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    tokenize.TokenError,  # as before, a header that is not Python
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # an encrypted archive
)
"""What reading a damaged file raises."""
_CHECKED_BYTES = 1 << 20
_ENCRYPTED = 0x1
_LOCAL_HEADER = struct.Struct("<26xHH")
"""Of a member of an archive: the lengths of its name and of what else comes before its content."""


@dataclass(frozen=True)
class StoredArray:
    """One array of a file, described by its header."""

    path: Path
    key: str
    """Name inside a `.npz`, empty for a `.npy`."""
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    fortran_order: bool

    def chunks(self, rows: int, shape: tuple[int, ...]) -> Iterator[NDArray[np.generic]]:
        """Yield the array in the order of its file, `rows` at a time; RecordingError where it is cut short.

        shape: its axes as they follow each other in the file, the slowest one first.
        """
        row_shape = shape[1:]
        row_bytes = math.prod(row_shape) * self.dtype.itemsize
        with _telling(self.path), _opened(self.path, self.key) as file:
            _read_header(file)
            for start in range(0, shape[0], rows):
                count = min(rows, shape[0] - start)
                content = _read_exactly(file, count * row_bytes, self)
                yield np.frombuffer(content, self.dtype).reshape(count, *row_shape)

    def place(self) -> int | None:
        """Return where the content begins in the file; None where it is compressed and lies nowhere as it is.

        Members of a `.npz` are read once, to see that they are whole. Errors as of `load`.
        """
        with _telling(self.path):
            if not self.key:
                with self.path.open("rb") as file:
                    _read_header(file)
                    return file.tell()
            with zipfile.ZipFile(self.path) as archive:
                member = archive.getinfo(f"{self.key}.npy")
                if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED:
                    return None
                with archive.open(member) as content:
                    _read_header(content)
                    header_bytes = content.tell()
                    while content.read(_CHECKED_BYTES):
                        pass
            return _place_of(self.path, member) + header_bytes

    def contents(self, most_bytes: int) -> Iterator[bytes]:
        """Yield the bytes of the array in the order of its file. Errors as of `load`."""
        left = math.prod(self.shape) * self.dtype.itemsize
        with _telling(self.path), _opened(self.path, self.key) as file:
            _read_header(file)
            while left > 0:
                content = _read_exactly(file, min(left, most_bytes), self)
                left -= len(content)
                yield content
            file.read(1)  # at the end of a member its checksum is looked at

    def load(self) -> NDArray[np.generic]:
        """Return the whole array."""
        with _telling(self.path), _opened(self.path, self.key) as file:
            return npy.read_array(file, allow_pickle=False)

    def map(self) -> NDArray[np.generic]:
        """Return a `.npy` array mapped into memory, read-only."""
        with _telling(self.path):
            return npy.open_memmap(self.path, mode="r")


def list_arrays(path: Path, head: bytes) -> list[StoredArray]:
    """Describe the arrays of a `.npy` or `.npz` file whose first bytes are `head`.

    Raises RecordingError where the file is damaged or holds Python objects.
    """
    if head.startswith(NPY_MAGIC):
        return [_describe(path, "")]
    with _telling(path), zipfile.ZipFile(path) as archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    if not keys:
        raise RecordingError(
            "the archive holds no arrays",
            path=path,
            found=f"first bytes {quote(head)}",
            expected="a .npz file",
        )
    return [_describe(path, key) for key in keys]


def _describe(path: Path, key: str) -> StoredArray:
    with _telling(path), _opened(path, key) as file:
        shape, fortran_order, dtype = _read_header(file)
        stored_bytes = _length_bytes(path, key)
    if dtype.hasobject:
        raise RecordingError(
            f"array {key!r} holds Python objects, which are never loaded" if key else "Python objects",
            path=path,
            expected="numbers",
            advice="Save the array again with a number type.",
        )
    wanted_bytes = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted_bytes > stored_bytes:
        raise RecordingError(
            "the array is cut short, or its header is damaged",
            path=path,
            found=f"{stored_bytes} bytes",
            expected=f"more than {wanted_bytes} bytes, for shape {shape} of {dtype}",
            advice="Copy or record it again.",
        )
    return StoredArray(path, key, shape, dtype, fortran_order)


@contextlib.contextmanager
def _opened(path: Path, key: str) -> Iterator[IO[bytes]]:
    if not key:
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as member:
        yield member


def _place_of(path: Path, member: zipfile.ZipInfo) -> int:
    """Return where the content of a member that is not compressed begins in its archive."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        name_bytes, extra_bytes = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    return member.header_offset + _LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)


def _length_bytes(path: Path, key: str) -> int:
    if not key:
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return archive.getinfo(f"{key}.npy").file_size


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    version = npy.read_magic(file)
    reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return reader(file)


def _read_exactly(file: IO[bytes], wanted: int, stored: StoredArray) -> bytes:
    content = file.read(wanted)
    if len(content) < wanted:
        raise RecordingError(
            "the array is cut short",
            path=stored.path,
            found=f"{len(content)} bytes in the last piece",
            expected=f"{wanted} bytes, for shape {stored.shape} of {stored.dtype}",
            advice="Copy or record it again.",
        )
    return content


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn what reading a damaged file raises into a RecordingError."""
    try:
        yield
    except _DAMAGES as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RecordingError(
            f"the array cannot be read ({reason})",
            path=path,
            found=f"{path.stat().st_size} bytes" if path.exists() else None,
            advice="Copy or record it again; it may be truncated.",
        ) from error
