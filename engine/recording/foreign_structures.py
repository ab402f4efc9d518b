"""Files of other kinds that a few fixed bytes would not tell from planes: what else must fit."""

import pickletools
import re
import zipfile
import zlib
from collections.abc import Callable
from itertools import takewhile

from engine.recording.foreign_kinds import (
    AS_FRAMES,
    CHOOSE,
    CONVERT_PICTURE,
    CONVERT_VIDEO,
    DOWNLOAD,
    EMPTY_ZIP_MAGIC,
    EXPORT_TOPIC,
    METAVISION,
    SAVE_ARRAY,
    SAVE_FROM_MATLAB,
    UNPACK,
    ZIP_MAGIC,
    ForeignKind,
    Probe,
)

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


def _of_hdf5(probe: Probe) -> ForeignKind | None:
    """HDF5 at byte 0, 512, 1024, 2048, … up to 1 MiB: MATLAB 7.3 writes text of its own before it."""
    offsets = (0, *(512 << power for power in range(12)))
    begins = zip(offsets, probe.at_each(offsets, len(HDF5_MAGIC)), strict=False)
    offset = next((offset for offset, found in begins if found == HDF5_MAGIC), None)
    if offset is None:
        return None
    if probe.head.startswith(b"MATLAB 7.3"):
        return ForeignKind("a MATLAB 7.3 file (HDF5)", SAVE_FROM_MATLAB)
    after = f" after {offset} bytes" if offset else ""
    return ForeignKind(f"an HDF5 file{after}", SAVE_ARRAY)


def _of_matlab(probe: Probe) -> ForeignKind | None:
    head = probe.head
    version = re.match(rb"MATLAB (\d\.\d) MAT-file", head)
    if version is not None:
        return ForeignKind(f"a MATLAB {version[1].decode()} file", SAVE_FROM_MATLAB)
    if head[124:128] in (b"\x00\x01IM", b"\x01\x00MI") and re.match(rb"[ -~]{4}[ -~\t\r\n\x00]{112}", head):
        return ForeignKind("a MATLAB 5.0 file", SAVE_FROM_MATLAB)
    for order in ("little", "big"):
        kind, rows, columns, imaginary, name = (
            int.from_bytes(head[at : at + 4], order) for at in range(0, 20, 4)
        )
        thousands, tens, ones = kind // 1000, kind // 10 % 100, kind % 10
        if not (thousands <= 4 and tens <= 5 and ones <= 2 and rows and columns and imaginary <= 1):
            continue
        if (
            3 <= name <= 64
            and 20 + name + rows * columns * (8, 4, 4, 2, 2, 1)[tens] <= probe.size
            and re.fullmatch(rb"[A-Za-z]\w*\x00", head[20 : 20 + name])
        ):
            return ForeignKind("a MATLAB 4 file", SAVE_FROM_MATLAB)
    return None


def _of_event_camera(probe: Probe) -> ForeignKind | None:
    """AEDAT, and Prophesee's files: lines of text that begin with %, then events."""
    head = probe.head
    if head.startswith(b"#!AER-DAT"):
        version = re.match(rb"\d(\.\d)?", head[9:])
        return ForeignKind(
            f"an AEDAT {version[0].decode()} event file" if version else "an AEDAT event file",
            "Convert it with dv-processing, aedat or jAER and save t, x, y, p with numpy.savez.",
        )
    if re.match(rb"%[ \t]?[ -~]{2,}\r?\n", head) is None:
        return None
    lines = takewhile(lambda line: line.startswith(b"%"), head.split(b"\n"))
    header = b"\n".join(lines)
    evt = re.search(rb"\bevt[ =]*(\d)\.?(\d?)", header, re.IGNORECASE)
    if evt is not None:
        encoding = f"{int(evt[1])}.{int(evt[2] or b'0')}"
        return ForeignKind(f"a Prophesee event file (EVT {encoding})", METAVISION)
    if b"Data file containing" in header:
        return ForeignKind("a Prophesee event file (CD events, .dat)", METAVISION)
    return None if _is_text(head) else ForeignKind("a Prophesee event file", METAVISION)


def _of_database(probe: Probe) -> ForeignKind | None:
    head = probe.head
    if head.startswith(b"SQLite format 3\x00"):
        is_bag = b"serialization_format" in head or (b"topics" in head and b"messages" in head)
        is_bag = is_bag or probe.path.suffix.lower() == ".db3"
        what = "a ROS 2 bag (SQLite)" if is_bag else "an SQLite database"
        return ForeignKind(what, EXPORT_TOPIC if is_bag else CHOOSE)
    if head[16:20] in (b"\xde\xc0\xef\xbe", b"\xbe\xef\xc0\xde") and not any(head[:8]):
        return ForeignKind("an LMDB database", SAVE_ARRAY)
    return None


def _of_archive(probe: Probe) -> ForeignKind | None:
    """gzip, zlib, raw LZMA and tar: marks too short to go by, and what must follow them."""
    head = probe.head
    # The flags and the operating system have few values.
    if head.startswith(b"\x1f\x8b\x08") and head[3:4] < b"\x20" and head[9:10] in _GZIP_SYSTEMS:
        return ForeignKind("a gzip archive", UNPACK)
    if re.match(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", head):
        return ForeignKind("a bzip2 archive", UNPACK)
    if head.startswith(b"\x5d\x00\x00") and head[5:14] == b"\xff" * 8 + b"\x00":
        return ForeignKind("an LZMA archive", UNPACK)
    if head[:1] == b"\x78" and _inflates(probe):
        return ForeignKind("data packed with zlib", UNPACK)
    said = re.fullmatch(rb" *([0-7]{1,7})[ \x00]*", head[148:156])
    if len(head) >= 512 and said is not None:
        total = sum(head[:148]) + 8 * ord(" ") + sum(head[156:512])
        if int(said[1], 8) == total and any(head[:100]):
            return ForeignKind("a tar archive", UNPACK)
    return None


_GZIP_SYSTEMS = tuple(bytes([system]) for system in (*range(14), 255))


def _inflates(probe: Probe) -> bool:
    """Whether the first bytes are a whole zlib stream, or the beginning of one that fills the file."""
    inflater = zlib.decompressobj()
    if len(probe.head) < 64:
        return False
    try:
        produced = inflater.decompress(probe.head, 1 << 20)
    except zlib.error:
        return False
    whole = probe.size <= len(probe.head)
    return bool(produced) and (inflater.eof and not inflater.unused_data if whole else not inflater.eof)


def _of_zip(probe: Probe) -> ForeignKind | None:
    """A zip archive without arrays; one with arrays is a .npz, and a damaged one is told by its reader."""
    if not probe.head.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)):
        return None
    try:
        with zipfile.ZipFile(probe.path) as archive:
            names = archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return None
    if any(name.endswith(".npy") for name in names):
        return None
    if any(name.endswith("data.pkl") for name in names):
        return ForeignKind("the weights of a network (PyTorch)")
    if "[Content_Types].xml" in names:
        return ForeignKind("an Office document")
    if "mimetype" in names or "META-INF/MANIFEST.MF" in names:
        return ForeignKind("a document or program in a zip archive")
    files = [name for name in names if not name.endswith("/")]
    inside = f" but {', '.join(files[:3])}{', …' if len(files) > 3 else ''}" if files else ""
    return ForeignKind(f"a zip archive with no arrays{inside}", UNPACK if files else CHOOSE)


def _of_video(probe: Probe) -> ForeignKind | None:
    head = probe.head
    mp4 = _of_mp4(probe)
    if mp4 is not None:
        return mp4
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ForeignKind("a WebM video" if b"webm" in head[:64] else "a Matroska video", AS_FRAMES)
    if head.startswith((b"RIFF", b"RF64")) and head[8:12] in (b"AVI ", b"WEBP", b"WAVE"):
        return {
            b"AVI ": ForeignKind("an AVI video (RIFF)", AS_FRAMES),
            b"WEBP": ForeignKind("a WebP picture (RIFF)", CONVERT_PICTURE),
            b"WAVE": ForeignKind("a sound file (RIFF)"),
        }[head[8:12]]
    if _is_transport_stream(probe, 188, 0) or _is_transport_stream(probe, 192, 4):
        return ForeignKind("an MPEG transport stream (video)", AS_FRAMES)
    if _PROGRAM_STREAM.match(head) or _MPEG_SEQUENCE.match(head):
        return ForeignKind("an MPEG video", AS_FRAMES)
    if _H264.match(head):
        return ForeignKind("an H.264 video", CONVERT_VIDEO)
    return None


_PROGRAM_STREAM = re.compile(
    rb"\x00\x00\x01\xba(?:[\x44-\x47\x4c-\x4f\x54-\x57\x5c-\x5f\x64-\x67\x6c-\x6f\x74-\x77\x7c-\x7f]"
    rb".{8}[\xf8-\xff]\xff{0,7}\x00\x00\x01|[\x21-\x2f].{7}\x00\x00\x01)",
    re.DOTALL,
)
"""A pack header with its marker bits, of MPEG-2 or MPEG-1, and the next start code where it ends."""
_MPEG_SEQUENCE = re.compile(
    rb"\x00\x00\x01\xb3.{3}[\x11-\x48].{4}(?:.{64}|.{128})?\x00\x00\x01[\xb2\xb5\xb8]", re.DOTALL
)
"""A sequence header and the start code after it."""
_H264 = re.compile(
    rb"(?:\x00?\x00\x00\x01\x09[\x10\x30\x50\x70\x90\xb0\xd0\xf0])?\x00?\x00\x00\x01[\x27\x47\x67]"
    rb"[\x2c\x42\x4d\x58\x64\x6e\x7a\xf4][\x00-\xfc][\x0a-\x3e].{2,100}?\x00\x00\x01[\x28\x48\x68]",
    re.DOTALL,
)
"""A sequence parameter set of a known profile and level, then a picture parameter set."""


def _of_mp4(probe: Probe) -> ForeignKind | None:
    """MP4, QuickTime and pictures of their family: a box whose name and length make sense."""
    head, name = probe.head, probe.head[4:8]
    if name == b"ftyp":
        brand = head[8:12]
        if brand in (b"avif", b"avis"):
            return ForeignKind("an AVIF picture", CONVERT_PICTURE)
        if brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
            return ForeignKind("an HEIC picture", CONVERT_PICTURE)
        if brand == b"crx ":
            return ForeignKind("a camera's raw picture", CONVERT_PICTURE)
        return ForeignKind("an MP4 or QuickTime video", AS_FRAMES)
    if name not in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx"):
        return None
    length = int.from_bytes(head[:4], "big")
    if length == 1:
        length = int.from_bytes(head[8:16], "big")
    following = probe.at(length + 4, 4) if 8 <= length < probe.size else b""
    fits = length == 0 or length >= 8
    if fits and (following == b"" or re.fullmatch(rb"[A-Za-z0-9 \xa9]{4}", following)):
        return ForeignKind("an MP4 or QuickTime video", AS_FRAMES)
    return None


def _is_transport_stream(probe: Probe, packet_bytes: int, first: int) -> bool:
    """Whether packets follow each other: sync bytes, no error flag and something in each."""
    marks = range(first, min(len(probe.head), 20 * packet_bytes) - 3, packet_bytes)
    return len(marks) >= 5 and all(
        probe.head[at] == 0x47 and probe.head[at + 1] < 0x80 and probe.head[at + 3] & 0x30 for at in marks
    )


def _of_picture(probe: Probe) -> ForeignKind | None:
    head = probe.head
    # A bright recording begins with ff now and then: the marker after it has few values.
    if head.startswith(b"\xff\xd8\xff") and head[3:4] in _JPEG_MARKERS:
        return ForeignKind("a JPEG picture", AS_FRAMES)
    # Two letters alone turn up by chance: a bitmap also states its own length, and where its pixels begin.
    if head[:2] == b"BM" and (
        int.from_bytes(head[2:6], "little") == probe.size
        or (head[6:10] == bytes(4) and head[14:18] in (b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"))
    ):
        return ForeignKind("a BMP picture", AS_FRAMES)
    if re.match(rb"P[1-6]\s(?:\s|#[^\n]*\n)*\d+\s(?:\s|#[^\n]*\n)*\d+\s", head) or re.match(
        rb"P7\nWIDTH |P[Ff]\s+\d+\s+\d+\s+-?\d", head
    ):
        return ForeignKind("a PNM picture", CONVERT_PICTURE)
    if head[128:132] == b"DICM":
        return ForeignKind("a DICOM picture", CONVERT_PICTURE)
    if head[344:348] in (b"n+1\x00", b"ni1\x00") and head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c"):
        return ForeignKind("a NIfTI volume", CONVERT_PICTURE)
    return None


_JPEG_MARKERS = tuple(
    bytes([marker]) for marker in (*range(0xC0, 0xD0), *range(0xDB, 0xDE), *range(0xE0, 0xF0), 0xF7, 0xFE)
)


def _of_python(probe: Probe) -> ForeignKind | None:
    """safetensors, and Python's pickle: never loaded, since loading it may run what it likes."""
    head = probe.head
    length = int.from_bytes(head[:8], "little")
    if head[8:10] == b'{"' and 2 <= length <= probe.size - 8 and _is_text(head[8 : 8 + min(length, 4096)]):
        return ForeignKind("the weights of a network (safetensors)")
    pickled = re.match(rb"\x80[\x02-\x05]", head) is not None and probe.at(probe.size - 1, 1) == b"."
    if pickled and _unpickles(head):
        return ForeignKind("a Python pickle", "Load it where it was made and save its array with numpy.save.")
    return None


def _unpickles(head: bytes) -> bool:
    """Whether instructions of a pickle follow each other, at least five or to the end."""
    count = 0
    try:
        for opcode, _, _ in pickletools.genops(head):
            count += 1
            if opcode.name == "STOP" or count >= 8:
                return count >= 3
    except (ValueError, IndexError):
        return count >= 5  # what follows was not read
    return False


def _of_program(probe: Probe) -> ForeignKind | None:
    head = probe.head
    if head[:2] == b"MZ" and probe.at(int.from_bytes(head[0x3C:0x40], "little"), 4) == b"PE\0\0":
        return ForeignKind("a program (Windows)")
    return None


# ------------------------------------------------------------------ text


def _of_text(probe: Probe) -> ForeignKind | None:
    head = probe.head
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        return ForeignKind("a Git LFS pointer: the recording was not downloaded", DOWNLOAD)
    if re.match(rb"(?:[./]|\.git)*/?(?:\.git/)?annex/objects/", head):
        return ForeignKind("a git-annex pointer: the recording was not downloaded", DOWNLOAD)
    text = _as_text(head)
    if text is None:
        return None
    begins = text.lstrip("\ufeff \t\r\n")
    lower = begins[:256].lower()
    if lower.startswith(("<!doctype html", "<html")):
        return ForeignKind("text (a web page)", "Download the recording itself.")
    if lower.startswith("<?xml") or re.match(r"<[a-z!]", lower):
        return ForeignKind("text (XML)")
    if re.match(r"[\[{]\s*[\"\[{\d\-\]}]", begins):
        return ForeignKind("text (JSON)", SAVE_ARRAY)
    number = r"[-+]?\d[\d.eE+-]*"
    lines = begins.splitlines()[:3]
    if len(lines) >= 2 and re.fullmatch(rf"\s*{number}(?:[,;\s]+{number})+[,;\s]*", lines[1]):
        return ForeignKind(
            "a table in text",
            "Where its columns are events, save them as numpy.savez('events.npz', t=…, x=…, y=…).",
        )
    return ForeignKind("text")


def _is_text(head: bytes) -> bool:
    return _as_text(head) is not None


def _as_text(head: bytes) -> str | None:
    """Return the first characters where they are text, None where they are not."""
    if len(head) < 16:
        return None
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _printable(head[: len(head) // 2 * 2].decode("utf-16", "replace")) if len(head) >= 64 else None
    for encoding in ("utf-8", "gb18030"):
        text = _decoded(head, encoding)
        if text is not None and _printable(text) is not None:
            return text
    # Another alphabet, or damage: nearly all of it is what a typewriter writes.
    if len(head) >= 64 and len(head.translate(None, _TYPED)) <= _STRANGE_SHARE * len(head):
        return _printable("".join(chr(byte) for byte in head if byte in _TYPED))
    return None


_TYPED = bytes((*range(32, 127), *b"\r\n\t\f"))
_STRANGE_SHARE = 0.05


def _decoded(head: bytes, encoding: str) -> str | None:
    try:
        return head.decode(encoding)
    except UnicodeDecodeError as error:
        # Only the last character may be cut off.
        return head[: error.start].decode(encoding) if error.start >= len(head) - 3 else None


def _printable(text: str) -> str | None:
    """Return `text` where it can be printed and is no pattern, as stripes are one letter again and again."""
    fits = all(character.isprintable() or character in "\r\n\t\f\ufeff" for character in text)
    return text if fits and len(set(text)) >= (4 if "\n" in text else 8) else None


STRUCTURES: tuple[Callable[[Probe], ForeignKind | None], ...] = (
    _of_hdf5,
    _of_matlab,
    _of_event_camera,
    _of_database,
    _of_archive,
    _of_zip,
    _of_video,
    _of_picture,
    _of_python,
    _of_program,
    _of_text,
)
