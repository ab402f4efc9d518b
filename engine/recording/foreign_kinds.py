"""Files of other kinds that begin with bytes of their own: their names, and what can be done with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.suffixes import (
    PICTURE_SUFFIXES,
    UNREAD_PICTURE_SUFFIXES,
    UNREAD_VIDEO_SUFFIXES,
    VIDEO_SUFFIXES,
)

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"

CHOOSE = "Choose the file with the spikes."
UNPACK = "Unpack it and choose the recording inside."
AS_FRAMES = (
    "It is opened as frames under a usual name of its kind (such as .png, .mp4, .ogv); "
    "choose the file with the spikes."
)
CONVERT_PICTURE = (
    "Pictures of this kind are not read: convert it to PNG or TIFF to open it as a frame, "
    "or choose the file with the spikes."
)
CONVERT_VIDEO = (
    "Videos of this kind are not read: convert it to MP4 (H.264) or PNG files to open it as frames, "
    "or choose the file with the spikes."
)
SAVE_ARRAY = (
    "Save its planes as an array (planes, H, W) in .npy or .npz, or its events as t, x, y, p in .npz, "
    "for example with h5py and numpy.save."
)
SAVE_FROM_MATLAB = (
    "Save its array of planes, or its events t, x, y, as .npy or .npz, for example with scipy.io.loadmat "
    "(h5py for version 7.3) and numpy.save."
)
SAVE_EVENTS = "Convert its events to t, x, y, p in .npz, with the maker's own tools and numpy.savez."
METAVISION = (
    "Convert it to an event list, for example with Prophesee's metavision_file_to_csv, and save t, x, y, p "
    "with numpy.savez."
)
EXPORT_TOPIC = "Export the topic with the events or pictures, and save t, x, y, p of events with numpy.savez."
DOWNLOAD = "Download the recording itself: in its repository, run git lfs pull or git annex get."


@dataclass(frozen=True)
class ForeignKind:
    """What a file is instead of a recording, and what its owner can do."""

    what: str
    """With its article, such as "a PNG picture"."""
    advice: str = CHOOSE


@dataclass(frozen=True)
class Probe:
    """A file of which the first bytes were read."""

    path: Path
    head: bytes

    @cached_property
    def size(self) -> int:
        return self.path.stat().st_size

    def at(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset`, fewer where the file ends; read them where they were not."""
        return next(iter(self.at_each((offset,), count)), b"")

    def at_each(self, offsets: Sequence[int], count: int) -> list[bytes]:
        """Return `count` bytes from every one of ascending `offsets` that lies in the file."""
        found = [self.head[at : at + count] for at in offsets if at + count <= len(self.head)]
        beyond = offsets[len(found) :]
        if not beyond or beyond[0] >= self.size:
            return found
        try:
            with self.path.open("rb", buffering=0) as file:
                for at in beyond:
                    if at >= self.size:
                        break
                    file.seek(at)
                    found.append(file.read(count))
        except OSError:
            pass
        return found


# ------------------------------------------------------------------ fixed bytes at the beginning

MAGICS: tuple[tuple[bytes, ForeignKind], ...] = tuple(
    (magic, ForeignKind(what, advice))
    for advice, kinds in {
        AS_FRAMES: (
            (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
            (b"II*\x00", "a TIFF picture"),
            (b"MM\x00*", "a TIFF picture"),
            (b"II+\x00\x08\x00", "a BigTIFF picture"),
            (b"MM\x00+\x00\x08", "a BigTIFF picture"),
            (b"FLV\x01", "a Flash video"),
            (b"YUV4MPEG2 ", "a YUV4MPEG2 video"),
            (b"\x1f\x07\x00\x3f", "a DV video"),
            (b"\x1f\x07\x00\xbf", "a DV video"),
            (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "an MXF video"),
            (b"OggS\x00", "an Ogg file"),
            (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media video"),
        ),
        CONVERT_PICTURE: (
            (b"GIF87a", "a GIF picture"),
            (b"GIF89a", "a GIF picture"),
            (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
            (b"\xff\x4f\xff\x51\x00", "a JPEG 2000 picture"),
            (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
            (b"\x76\x2f\x31\x01\x02", "an OpenEXR picture"),
            (b"#?RADIANCE", "a Radiance HDR picture"),
            (b"#?RGBE", "a Radiance HDR picture"),
            (b"SDPX", "a DPX picture"),
            (b"XPDS", "a DPX picture"),
            (b"8BPS\x00", "a Photoshop picture"),
            (b"qoif", "a QOI picture"),
            (b"DDS \x7c\x00\x00\x00", "a DDS picture"),
            (b"II\xbc\x01", "a JPEG XR picture"),
            (b"\xc5\xd0\xd3\xc6", "an EPS picture"),
            (b"FUJIFILMCCD-RAW", "a camera's raw picture"),
            (b"IIU\x00", "a camera's raw picture"),
            (b"IIRO", "a camera's raw picture"),
            (b"SIMPLE  =", "a FITS picture"),
            (b"NRRD000", "an NRRD volume"),
            (b"\xda\xce\xbe\x0a", "a Nikon ND2 picture"),
            (b"ZISRAWFILE", "a Zeiss CZI picture"),
        ),
        CONVERT_VIDEO: (
            (b"nut/multimedia container\x00", "a NUT video"),
            (b"DKIF\x00\x00", "an IVF video"),
            (b".RMF\x00", "a RealMedia video"),
            (b"CI\x2c\x00", "a Phantom Cine video"),
            (b"\xed\xfe\x00\x00N\x00o\x00", "a Norpix sequence"),
            (b"\x00\x00\x00\x01\x40\x01\x0c\x01\xff\xff", "an H.265 video"),
        ),
        UNPACK: (
            (b"\x1f\x9d\x90", "a compress (.Z) archive"),
            (b"BZh91AY&SY", "a bzip2 archive"),
            (b"\xfd7zXZ\x00", "an xz archive"),
            (b"\x28\xb5\x2f\xfd", "a zstd archive"),
            (b"\x04\x22\x4d\x18", "an lz4 archive"),
            (b"\x02\x21\x4c\x18", "an lz4 archive"),
            (b"LZIP\x01", "an lzip archive"),
            (b"\xff\x06\x00\x00sNaPpY", "a snappy archive"),
            (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
            (b"Rar!\x1a\x07", "a RAR archive"),
            (b"MSCF\x00\x00\x00\x00", "a Windows cabinet"),
            (b"070701", "a cpio archive"),
            (b"!<arch>\n", "an ar archive"),
        ),
        SAVE_ARRAY: (
            (b"ARROW1\x00\x00", "an Apache Arrow file"),
            (b"FEA1", "a Feather file"),
            (b"PAR1", "a Parquet file"),
            (b"ORC\x0a", "an ORC file"),
            (b"CDF\x01", "a netCDF file"),
            (b"CDF\x02", "a netCDF file"),
            (b"CDF\x05", "a netCDF file"),
            (b"TDSm", "a LabVIEW TDMS file"),
            (b"Octave-1-", "an Octave file"),
            (b"RDX2\n", "an R data file"),
            (b"RDX3\n", "an R data file"),
            (b"\x9e\xa8b2frame\x00", "a Blosc2 array"),
        ),
        SAVE_EVENTS: ((b"Event Stream", "an Event Stream (.es) file"),),
        EXPORT_TOPIC: (
            (b"#ROSBAG V", "a ROS bag"),
            (b"#ROSRECORD V", "a ROS bag"),
            (b"\x89MCAP0\r\n", "a ROS 2 bag (MCAP)"),
        ),
        CHOOSE: (
            (b"%PDF-", "a PDF document"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
            (b"{\\rtf", "an RTF document"),
            (b"\x7fELF", "a program (ELF)"),
            (b"\xcf\xfa\xed\xfe", "a program (Mach-O)"),
            (b"\xca\xfe\xba\xbe", "a program (Mach-O or Java)"),
            (b"GGUF", "the weights of a network (GGUF)"),
            (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "the weights of a network (PyTorch)"),
            (
                b"\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0",
                "a Windows shortcut, not the file it points at",
            ),
            (
                b"\x00\x05\x16\x07\x00\x02\x00\x00",
                "what macOS stores beside a file (AppleDouble), not the file",
            ),
            (b"fLaC\x00", "a sound file"),
            (b"ID3\x03", "a sound file"),
            (b"ID3\x04", "a sound file"),
        ),
    }.items()
    for magic, what in kinds
)


_SUFFIXES = {
    "Copy it again where it should be one.": ("a picture", " ".join(sorted(PICTURE_SUFFIXES))),
    "It is opened as frames where it is one.": ("a video", " ".join(sorted(VIDEO_SUFFIXES))),
    CONVERT_PICTURE: ("a picture", " ".join(sorted(UNREAD_PICTURE_SUFFIXES))),
    CONVERT_VIDEO: ("a video", " ".join(sorted(UNREAD_VIDEO_SUFFIXES))),
    UNPACK: ("an archive", ".zip .gz .tgz .bz2 .xz .zst .lz4 .7z .rar .tar"),
    SAVE_ARRAY: ("an array file", ".h5 .hdf5 .mat .parquet .feather .arrow .nc"),
    SAVE_EVENTS: ("an event file", ".aedat .aedat4 .es"),
    EXPORT_TOPIC: ("a bag", ".bag .db3 .mcap"),
    CHOOSE: (
        "something else",
        ".csv .txt .json .yaml .yml .xml .pdf .pt .pth .pkl .ckpt .safetensors .onnx",
    ),
}


def kind_by_suffix(path: Path) -> ForeignKind | None:
    """Return what the name of a file says that it is, None where it says nothing against a recording."""
    suffix = path.suffix.lower()
    for advice, (what, suffixes) in _SUFFIXES.items():
        if suffix and suffix in suffixes.split():
            return ForeignKind(
                f"{what} by its name ({suffix}), and its bytes are not known",
                f"{advice} Rename it to .dat if it holds packed planes.",
            )
    return None
