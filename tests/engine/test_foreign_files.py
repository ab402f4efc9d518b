"""Files of other kinds under a recording's name, most written by the libraries that write such files."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import struct
import tarfile
import zipfile
import zlib

import av
import imagecodecs
import numpy as np
import pytest
import safetensors.numpy
import scipy.io
import tifffile
import torch
from PIL import Image

from engine.errors import EngineError, RecordingError
from engine.recording import guess_geometry, open_recording
from engine.recording.readings import look_at
from engine.recording.signature import foreign_kind
from engine.sequence import open_sequence

SIZE = {"height": 48, "width": 64}
RANDOM = np.random.default_rng(0)
NOISE = RANDOM.integers(0, 256, 60_000, dtype=np.uint8).tobytes()
PLANES = (RANDOM.random((20, 48, 64)) < 0.2).astype(np.uint8)
PICTURE = np.repeat(np.linspace(0, 255, 64 * 48).astype(np.uint8).reshape(48, 64, 1), 3, axis=2)


def pillow(name, **options):
    written = io.BytesIO()
    Image.fromarray(PICTURE).save(written, name, **options)
    return written.getvalue()


def tiff(**options):
    written = io.BytesIO()
    tifffile.imwrite(written, PICTURE, photometric="rgb", **options)
    return written.getvalue()


def video(container, codec, pixels="yuv420p", **options):
    written = io.BytesIO()
    with av.open(written, "w", format=container, **options) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for at in range(30):
            picture = av.VideoFrame.from_ndarray(np.roll(PICTURE, at, axis=1), format="rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return written.getvalue()


def matlab(**options):
    written = io.BytesIO()
    scipy.io.savemat(written, {"spikes": PLANES[0].astype(float)}, **options)
    return written.getvalue()


def archive(names, content=NOISE[:2000]):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as out:
        for name in names:
            out.writestr(name, content)
    return written.getvalue()


def tar(form):
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=form) as out:
        entry = tarfile.TarInfo("clip/spike.dat")
        entry.size = len(NOISE)
        out.addfile(entry, io.BytesIO(NOISE))
    return written.getvalue()


def v7_tar():
    """A header as it was before there was a magic."""
    header = bytearray(tar(tarfile.USTAR_FORMAT))
    header[257:512] = bytes(255)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    return bytes(header)


def torch_file(**options):
    written = io.BytesIO()
    torch.save({"weight": torch.zeros(300)}, written, **options)
    return written.getvalue()


def hdf5(user_block):
    """The superblock of an HDF5 file, version 0, after a block of the user's own."""
    block = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    addresses = struct.pack("<QQQQ", user_block, 2**64 - 1, user_block + len(NOISE), 2**64 - 1)
    return bytes(user_block) + block + addresses + NOISE


def matlab_7_3():
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024 HDF5 schema 1.00 ."
    return text.ljust(124) + b"\0\2IM" + bytes(384) + hdf5(0)


def parquet():
    return b"PAR1" + NOISE + struct.pack("<I", 100) + b"PAR1"


def program():
    head = bytearray(NOISE[:512])
    head[:2], head[0x3C:0x40], head[0x80:0x84] = b"MZ", (0x80).to_bytes(4, "little"), b"PE\0\0"
    return bytes(head)


EVT3 = b"% camera_integrator_name Prophesee\n% evt 3.0\n% geometry 1280x720\n% end\n"
EVT21 = b"% Date 2023-04-11 12:00:00\n% evt 2.1\n% format EVT21;height=720;width=1280\n% end\n"
EVT2 = b"% Date 2014-07-02 17:46:46\n% format EVT2\n% integrator_name Prophesee\n"
CD = b"% Data file containing CD events.\n% Version 2\n% Height 480\n% Width 640\n\x0c\x08"
AEDAT2 = (
    b"#!AER-DAT2.0\r\n# This is a raw AE data file\r\n# Data format is int32 address, int32 timestamp\r\n"
)
AEDAT31 = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"
CINE = struct.pack("<2sHHHiIiI", b"CI", 44, 0, 1, 0, 100, 0, 100)
MAT4 = struct.pack("<5i", 50, 64, 48, 0, 7) + b"spikes\0" + NOISE
DICOM = bytes(128) + b"DICM\x02\x00\x00\x00UL\x04\x00"
NIFTI = struct.pack("<i", 348) + bytes(340) + b"n+1\0" + NOISE
LMDB = bytes(8) + b"\x00\x00\x08\x00\x00\x00\x00\x00\xde\xc0\xef\xbe\x01\x00\x00\x00" + bytes(4096)
ROS_BAG = b"#ROSBAG V2.0\nE\0\0\0\x11\0\0\0chunk_count=\x01\0\0\0" + bytes(4096)
ARROW = b"ARROW1\0\0\xff\xff\xff\xff\x10\x01\x00\x00"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 2534400\n"
ANNEX = b"/annex/objects/SHA256E-s2534400--" + b"4d7a" * 16 + b".dat\n"

BAG_TABLES = (
    "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT)",
    "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)",
)

KINDS = {
    "Prophesee EVT 3": (EVT3 + NOISE, r"a Prophesee event file \(EVT 3\.0\).*metavision_file_to_csv"),
    "Prophesee EVT 2.1": (EVT21 + NOISE, r"a Prophesee event file \(EVT 2\.1\)"),
    "Prophesee EVT 2": (EVT2 + NOISE, r"a Prophesee event file \(EVT 2\.0\)"),
    "Prophesee raw without a format": (b"% Date 2016-01-01\n% serial 7\n" + NOISE, "a Prophesee event file"),
    "Prophesee CD": (CD + NOISE, "a Prophesee event file.*CD.*metavision_file_to_csv"),
    "Prophesee without events": (EVT3, "a Prophesee event file"),
    "AEDAT 2": (AEDAT2 + NOISE, r"an AEDAT 2\.0 event file"),
    "AEDAT 3.1": (AEDAT31 + NOISE, r"an AEDAT 3\.1 event file"),
    "AEDAT 4": (b"#!AER-DAT4.0\r\n" + NOISE, r"an AEDAT 4\.0 event file.*numpy\.savez"),
    "Event Stream": (b"Event Stream\x02\x00\x00\x01" + NOISE, "an Event Stream"),
    "ROS bag": (ROS_BAG, "a ROS bag.*Export the topic"),
    "old ROS bag": (b"#ROSRECORD V1.2\n" + NOISE, "a ROS bag.*Export the topic"),
    "MCAP": (b"\x89MCAP0\r\n\x01" + NOISE, r"a ROS 2 bag \(MCAP\)"),
    "MATLAB 7.3": (matlab_7_3(), r"a MATLAB 7\.3 file \(HDF5\).*numpy\.save"),
    "MATLAB 7.3, cut short": (matlab_7_3()[:300], r"a MATLAB 7\.3 file"),
    "MATLAB 5": (lambda: matlab(), r"a MATLAB 5\.0 file.*scipy"),
    "MATLAB 5 of another writer": (b"written by hand".ljust(124) + b"\0\1IM" + NOISE, r"a MATLAB 5\.0 file"),
    "MATLAB 4": (MAT4, "a MATLAB 4 file"),
    "MATLAB 4 by scipy": (lambda: matlab(format="4"), "a MATLAB 4 file"),
    "HDF5": (hdf5(0), "an HDF5 file,.*h5py"),
    "HDF5 after 512": (hdf5(512), "an HDF5 file after 512 bytes"),
    "HDF5 after 1024": (hdf5(1024), "an HDF5 file after 1024 bytes"),
    "HDF5 after 2048": (hdf5(2048), "an HDF5 file after 2048 bytes"),
    "HDF5 after 8192": (hdf5(8192), "an HDF5 file after 8192 bytes"),
    "HDF5 after 65536": (hdf5(65536), "an HDF5 file after 65536 bytes"),
    "netCDF": (b"CDF\x01\x00\x00\x00\x00\x00\x00\x00\x0a" + NOISE, "a netCDF file"),
    "Parquet": (lambda: parquet(), "a Parquet file"),
    "Arrow": (ARROW + NOISE, "an Apache Arrow file"),
    "LMDB": (LMDB, "an LMDB database"),
    "gzip": (lambda: gzip.compress(NOISE), "a gzip archive.*Unpack it"),
    "gzip with a name": (b"\x1f\x8b\x08\x08\x12\x34\x56\x65\x02\x03spike.dat\0" + NOISE, "a gzip archive"),
    "bzip2": (lambda: bz2.compress(NOISE), "a bzip2 archive"),
    "xz": (lambda: lzma.compress(NOISE), "an xz archive"),
    "lzma": (lambda: lzma.compress(NOISE, lzma.FORMAT_ALONE), "an LZMA archive"),
    "zlib": (lambda: zlib.compress(PLANES.tobytes()), "packed with zlib"),
    "zlib of noise": (lambda: zlib.compress(NOISE, 1), "packed with zlib"),
    "zstd": (lambda: imagecodecs.zstd_encode(NOISE), "a zstd archive"),
    "lz4": (lambda: imagecodecs.lz4f_encode(NOISE), "an lz4 archive"),
    "compress": (b"\x1f\x9d\x90" + NOISE, "a compress"),
    "7-zip": (b"7z\xbc\xaf\x27\x1c\x00\x04" + NOISE, "a 7-zip archive"),
    "RAR": (b"Rar!\x1a\x07\x01\x00" + NOISE, "a RAR archive"),
    "tar": (lambda: tar(tarfile.USTAR_FORMAT), "a tar archive"),
    "tar of GNU": (lambda: tar(tarfile.GNU_FORMAT), "a tar archive"),
    "tar of POSIX": (lambda: tar(tarfile.PAX_FORMAT), "a tar archive"),
    "tar of long ago": (lambda: v7_tar(), "a tar archive"),
    "zip": (
        lambda: archive(["clip/0001.dat", "clip/0002.dat"]),
        r"a zip archive with no arrays but clip/0001\.dat",
    ),
    "empty zip": (lambda: archive([]), "a zip archive with no arrays,"),
    "Word": (lambda: archive(["[Content_Types].xml", "word/document.xml"]), "an Office document"),
    "OpenDocument": (lambda: archive(["mimetype", "content.xml"]), "a document"),
    "old Word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + NOISE, "an Office document"),
    "PyTorch": (lambda: torch_file(), "the weights of a network"),
    "PyTorch of long ago": (
        lambda: torch_file(_use_new_zipfile_serialization=False),
        "the weights of a network",
    ),
    "safetensors": (
        lambda: safetensors.numpy.save({"weight": np.zeros(300, np.float32)}),
        r"network \(safetensors\)",
    ),
    "pickle": (lambda: pickle.dumps({"spikes": PLANES}), "a Python pickle.*numpy.save"),
    "pickle of protocol 2": (lambda: pickle.dumps({"spikes": PLANES}, 2), "a Python pickle"),
    "pickled list": (lambda: pickle.dumps(list(range(5000)), 5), "a Python pickle"),
    "PNG": (lambda: pillow("PNG"), "a PNG picture"),
    "JPEG": (lambda: pillow("JPEG"), "a JPEG picture"),
    "GIF": (lambda: pillow("GIF"), "a GIF picture"),
    "BMP": (lambda: pillow("BMP"), "a BMP picture"),
    "BMP, cut short": (lambda: pillow("BMP")[:-50], "a BMP picture"),
    "WebP": (lambda: pillow("WEBP"), "a WebP picture"),
    "JPEG 2000": (lambda: pillow("JPEG2000"), "a JPEG 2000 picture"),
    "JPEG 2000 stream": (
        lambda: imagecodecs.jpeg2k_encode(PICTURE, codecformat="j2k"),
        "a JPEG 2000 picture",
    ),
    "AVIF": (lambda: pillow("AVIF"), "an AVIF picture"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + NOISE, "an HEIC picture"),
    "JPEG XL": (b"\0\0\0\x0cJXL \r\n\x87\n" + NOISE, "a JPEG XL picture"),
    "QOI": (lambda: pillow("QOI"), "a QOI picture"),
    "DDS": (lambda: pillow("DDS"), "a DDS picture"),
    "PPM": (lambda: pillow("PPM"), "a PNM picture"),
    "PGM with a comment": (b"P5\n# made by hand\n64 48\n255\n" + NOISE[:3072], "a PNM picture"),
    "PFM": (b"PF\n64 48\n-1.0\n" + NOISE, "a PNM picture"),
    "TIFF": (lambda: tiff(), "a TIFF picture"),
    "TIFF of the other order": (lambda: tiff(byteorder=">"), "a TIFF picture"),
    "BigTIFF": (lambda: tiff(bigtiff=True), "a BigTIFF picture"),
    "BigTIFF of the other order": (lambda: tiff(bigtiff=True, byteorder=">"), "a BigTIFF picture"),
    "OpenEXR": (b"\x76\x2f\x31\x01\x02\x00\x00\x00channels\0chlist\0" + NOISE, "an OpenEXR picture"),
    "DPX": (b"SDPX\x00\x00\x08\x00V1.0\0" + NOISE, "a DPX picture"),
    "FITS": (b"SIMPLE  =                    T / conforms".ljust(80) + NOISE, "a FITS picture"),
    "DICOM": (DICOM + NOISE, "a DICOM picture"),
    "NIfTI": (NIFTI, "a NIfTI volume"),
    "PDF": (lambda: pillow("PDF"), "a PDF document"),
    "MP4": (lambda: video("mp4", "mpeg4"), "an MP4 or QuickTime video.*frames"),
    "MP4 for streaming": (
        lambda: video("mp4", "mpeg4", options={"movflags": "frag_keyframe+empty_moov"}),
        "an MP4 or QuickTime video",
    ),
    "QuickTime": (lambda: video("mov", "mpeg4"), "an MP4 or QuickTime video"),
    "QuickTime with its data first": (b"\0\0\0\x08wide\0\0\xea\x68mdat" + NOISE, "an MP4 or QuickTime video"),
    "QuickTime that begins with moov": (
        struct.pack(">I4sI4s", 1000, b"moov", 108, b"mvhd") + NOISE[:984] + b"\0\0\xff\xffmdat",
        "an MP4 or QuickTime video",
    ),
    "Matroska": (lambda: video("matroska", "mpeg4"), "a Matroska video"),
    "WebM": (lambda: video("webm", "libvpx"), "a WebM video"),
    "AVI": (lambda: video("avi", "mjpeg", "yuvj420p"), "an AVI video"),
    "transport stream": (lambda: video("mpegts", "mpeg2video"), "an MPEG transport stream"),
    "transport stream of a camcorder": (
        lambda: video("mpegts", "mpeg2video", options={"mpegts_m2ts_mode": "1"}),
        "an MPEG transport stream",
    ),
    "program stream": (lambda: video("vob", "mpeg2video"), "an MPEG video"),
    "program stream of MPEG-1": (lambda: video("mpeg", "mpeg1video"), "an MPEG video"),
    "MPEG-2 without a container": (lambda: video("mpeg2video", "mpeg2video"), "an MPEG video"),
    "MPEG-1 without a container": (lambda: video("mpeg1video", "mpeg1video"), "an MPEG video"),
    "H.264 without a container": (lambda: video("h264", "libx264"), "an H.264 video"),
    "H.265 without a container": (lambda: video("hevc", "libx265"), "an H.265 video"),
    "Flash": (lambda: video("flv", "flv"), "a Flash video"),
    "YUV4MPEG2": (lambda: video("yuv4mpegpipe", "wrapped_avframe"), "a YUV4MPEG2 video"),
    "NUT": (lambda: video("nut", "rawvideo"), "a NUT video"),
    "DV": (b"\x1f\x07\x00\xbf\xf8\x78\x78\x78" + NOISE, "a DV video"),
    "MXF": (lambda: video("mxf", "mpeg2video"), "an MXF video"),
    "Ogg": (lambda: video("ogg", "libvpx"), "an Ogg file"),
    "Windows Media": (lambda: video("asf", "wmv2"), "a Windows Media video"),
    "IVF": (lambda: video("ivf", "libvpx"), "an IVF video"),
    "Phantom Cine": (CINE + NOISE, "a Phantom Cine video"),
    "Norpix": (b"\xed\xfe\0\0" + "Norpix seq\n".encode("utf-16-le") + NOISE, "a Norpix sequence"),
    "Git LFS": (LFS, "a Git LFS pointer: the recording was not downloaded.*git lfs pull"),
    "git-annex": (ANNEX, "a git-annex pointer: the recording was not downloaded.*git annex get"),
    "events in text": (b"0.000001,12,40,1\n0.000002,13,41,0\n" * 99, "a table in text.*numpy.savez"),
    "events in text with a heading": (b"t x y p\n10 12 40 1\n20 13 41 0\n" * 99, "a table in text"),
    "JSON": (json.dumps({"spikes": [1, 2, 3] * 99}).encode(), r"text \(JSON\)"),
    "XML": (b'<?xml version="1.0"?>\n<clip><plane/></clip>\n', r"text \(XML\)"),
    "web page": (b"<!DOCTYPE html>\n<html><body>Not found</body></html>\n", r"text \(a web page\)"),
    "text of China": ("脉冲相机的说明，不是数据。\n".encode("gbk") * 9, "text"),
    "text of the West": ("Zeit in µs, Größe in Bildpunkten\n".encode("latin-1") * 9, "text"),
    "events in text, damaged": (b"10 12 40 1\n20 13 41 0\n" * 99 + b"\0\xff30 1 2 1\n", "a table in text"),
    "text of Windows": ("Zeilen über Spikes\r\n".encode("utf-16") * 9, "text"),
    "Linux program": (b"\x7fELF\x02\x01\x01\x00" + NOISE, r"a program \(ELF\)"),
    "Windows program": (lambda: program(), r"a program \(Windows\)"),
    "shortcut": (
        b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F" + NOISE,
        "a Windows shortcut, not the file it points at",
    ),
    "AppleDouble": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + NOISE, "AppleDouble"),
}


@pytest.fixture
def foreign(request, tmp_path):
    """A file of the kind named, under the name of a recording; and what it is called."""
    content, what = KINDS[request.param]
    content = content if isinstance(content, bytes) else content()
    path = tmp_path / "spike.dat"
    path.write_bytes(content)
    return path, what


@pytest.mark.parametrize("foreign", KINDS, indirect=True)
def test_a_file_of_another_kind_is_refused_by_its_name(foreign):
    path, what = foreign
    with pytest.raises(RecordingError, match=f"this is (an? |the |text|data |what )?.*{what}"):
        open_recording(path)
    with pytest.raises(RecordingError, match=what) as caught:
        open_recording(path, **SIZE)
    assert caught.value.found.startswith("first bytes ")
    assert caught.value.advice


@pytest.mark.parametrize(
    ("tables", "what"), [(BAG_TABLES, r"a ROS 2 bag \(SQLite\)"), (BAG_TABLES[1:], "an SQLite database")]
)
def test_a_database_is_told_from_a_bag(tmp_path, tables, what):
    path = tmp_path / "spike.dat"
    database = sqlite3.connect(path)
    for table in tables:
        database.execute(table)
    database.close()
    with pytest.raises(RecordingError, match=what):
        open_recording(path, **SIZE)


@pytest.mark.parametrize("foreign", ["Prophesee EVT 3", "MATLAB 7.3", "HDF5 after 65536"], indirect=True)
def test_whoever_asks_is_told_alike(foreign, tmp_path):
    path, what = foreign
    (tmp_path / "config.yaml").write_text("spike_h: 48\nspike_w: 64\n")
    for ask in (open_recording, look_at, guess_geometry):
        with pytest.raises(RecordingError, match=what):
            ask(path)
    folder = tmp_path / "spike"
    folder.mkdir()
    PLANES.tofile(folder / "0001.dat")
    path.rename(folder / "0002.dat")
    with pytest.raises(RecordingError, match=rf"0002\.dat: .*{what}"):
        open_recording(folder, **SIZE)


@pytest.mark.parametrize(
    "name",
    [
        *("clip.mp4", "a.hdf5", "events.aedat4", "0001.TIF", "spike.dat.gz", "log.csv"),
        *("clip.VOB", "clip.ts", "clip.3gp", "clip.ogv", "clip.dv", "clip.ivf", "0001.heic", "0001.dng"),
    ],
)
def test_a_name_that_speaks_against_it_is_believed_where_the_bytes_say_nothing(tmp_path, name):
    (tmp_path / name).write_bytes(NOISE)
    with pytest.raises(RecordingError, match=r"by its name.*Rename it to \.dat"):
        open_recording(tmp_path / name, **SIZE)


USUAL_NAMES = {
    "PNG": "0001.png",
    "JPEG": "0001.jpg",
    "BMP": "0001.bmp",
    "TIFF": "0001.tif",
    "TIFF of the other order": "0001.tif",
    "BigTIFF": "0001.tiff",
    "MP4": "clip.mp4",
    "MP4 for streaming": "clip.mp4",
    "QuickTime": "clip.mov",
    "Matroska": "clip.mkv",
    "WebM": "clip.webm",
    "AVI": "clip.avi",
    "transport stream": "clip.ts",
    "transport stream of a camcorder": "clip.m2ts",
    "program stream": "clip.vob",
    "program stream of MPEG-1": "clip.mpg",
    "MPEG-2 without a container": "clip.mpg",
    "Flash": "clip.flv",
    "YUV4MPEG2": "clip.y4m",
    "MXF": "clip.mxf",
    "Ogg": "clip.ogv",
    "Windows Media": "clip.wmv",
}


@pytest.mark.parametrize("foreign", USUAL_NAMES, indirect=True)
def test_what_is_said_to_open_as_frames_opens_as_frames(foreign, request, tmp_path):
    path, _ = foreign
    with pytest.raises(RecordingError, match="opened as frames under a usual name"):
        open_recording(path)
    folder = tmp_path / "clip"
    folder.mkdir()
    named = path.rename(folder / USUAL_NAMES[request.node.callspec.params["foreign"]])
    source = folder if named.stem == "0001" else named
    with open_sequence(str(source)) as sequence:
        assert len(sequence) > 0


@pytest.mark.parametrize(
    ("foreign", "name"),
    [
        ("GIF", "0001.gif"),
        ("WebP", "0001.webp"),
        ("JPEG 2000", "0001.jp2"),
        ("AVIF", "0001.avif"),
        ("HEIC", "0001.heic"),
        ("OpenEXR", "0001.exr"),
        ("PPM", "0001.ppm"),
        ("DICOM", "0001.dcm"),
        ("IVF", "clip.ivf"),
        ("H.264 without a container", "clip.h264"),
        ("H.265 without a container", "clip.hevc"),
        ("Phantom Cine", "clip.cine"),
    ],
    indirect=["foreign"],
)
def test_what_is_not_read_is_to_be_converted(foreign, name, tmp_path):
    path, _ = foreign
    with pytest.raises(RecordingError, match=r"not read: convert it to (PNG or TIFF|MP4)"):
        open_recording(path)
    folder = tmp_path / "clip"
    folder.mkdir()
    named = path.rename(folder / name)
    with pytest.raises(EngineError):
        open_sequence(str(folder if named.stem == "0001" else named))


def test_an_array_is_an_array_whatever_its_name(tmp_path):
    np.save(tmp_path / "a.npy", PLANES)
    (tmp_path / "a.npy").rename(tmp_path / "a.mat")
    assert open_recording(tmp_path / "a.mat").info.planes == 20


# ------------------------------------------------------------------ planes are never foreign


@pytest.mark.parametrize("density", [0.0005, 0.005, 0.03, 0.12, 0.5, 0.88, 0.97, 0.995])
def test_random_planes_of_any_density_are_taken_for_nothing_else(tmp_path, density):
    """10 000 planes in all, each as if a recording began with it."""
    path = tmp_path / "spike.dat"
    random = np.random.default_rng(round(1e6 * density))
    bits = random.random((1250, 8 * 600)) < density
    for plane in np.packbits(bits, axis=1, bitorder="little"):
        path.write_bytes(plane.tobytes())
        assert foreign_kind(path, plane.tobytes()) is None


@pytest.mark.parametrize("period", [1, 2, 3, 4, 8, 47, 94, 188, 192, 376, 512])
def test_patterns_that_repeat_are_taken_for_nothing_else(tmp_path, period):
    """Still scenes repeat their planes, stripes their bytes: any byte, sync bytes of videos too."""
    path = tmp_path / "spike.dat"
    random = np.random.default_rng(period)
    patterns = [np.full(period, byte, np.uint8) for byte in range(256)]
    patterns += [random.integers(0, 256, period, dtype=np.uint8) & random.integers(0, 256, period, np.uint8)]
    for pattern in patterns:
        content = np.tile(pattern, 8192 // period + 1).tobytes()
        path.write_bytes(content)
        assert foreign_kind(path, content[:8192]) is None, content[:8]


def test_two_letters_alone_are_no_other_kind(tmp_path):
    """Planes that happen to begin with the shorter marks, and go on as planes do."""
    path = tmp_path / "spike.dat"
    marks = (
        b"BM",
        b"MZ",
        b"\x1f\x8b",
        b"BZh",
        b"\x78\x9c",
        b"\xff\xd8",
        b"\x80\x02",
        b"\x80\x04",
        b"PK",
    )
    marks += (
        b"P5",
        b"% ",
        b"#!",
        b"\x0b\x77",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\x00\x00\x01",
        b"\x5d\x00\x00",
        b"G",
    )
    for mark in marks:
        for tail in (NOISE[:4000], bytes(4000), b"\xff" * 4000, NOISE[:30]):
            path.write_bytes(mark + tail)
            assert foreign_kind(path, mark + tail) is None, (mark, tail[:4])


@pytest.mark.shared
def test_real_recordings_are_recordings(shared_data):
    for path in (*shared_data.glob("real/*.dat"), *shared_data.glob("spikezoo/*.dat")):
        assert foreign_kind(path, path.read_bytes()[:8192]) is None
