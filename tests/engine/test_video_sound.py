"""Videos keep the rate, the times and the sound of the one that they are made of."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import ExportError
from engine.geometry import Span
from engine.video import VideoFrames
from engine.video.writing import Quality, write_video
from tests.engine.videos import HZ, encode, film, textured


def write_part(
    source: Path, out: Path, frames: Span, quality: Quality = "good", *, with_times: bool = False
) -> list[str]:
    """Write some frames of a video with their sound; return what is said about that."""
    video = VideoFrames(source)
    own = video.frame_times
    times = None
    if with_times:
        assert own is not None
        times = [own.at(frame) - own.at(frames.start) for frame in range(frames.start, frames.stop + 1)]
    assert video.frame_rate is not None
    sound = video.sound_of(frames)
    pictures = (video.read(frame) for frame in range(frames.start, frames.stop))
    write_video(out, pictures, video.frame_rate, quality, times=times, sound=sound)
    video.close()
    return [] if sound is None else [str(finding) for finding in sound.findings]


def heard(path: Path, track: int = 0) -> tuple[float, NDArray[np.float64]]:
    """When a track begins after the first frame, and its samples, by a plain pass of PyAV."""
    pieces, begins = [], None
    with av.open(str(path)) as video:
        pictures = video.streams.video[0]
        assert pictures.time_base is not None
        zero = (pictures.start_time or 0) * pictures.time_base
        for frame in video.decode(video.streams.audio[track]):
            assert isinstance(frame, av.AudioFrame)
            values = frame.to_ndarray().astype(np.float64)
            if not frame.format.is_planar:
                values = values.reshape(-1, frame.layout.nb_channels).T
            scale = {"s16": 2.0**15, "s32": 2.0**31}.get(frame.format.name.removesuffix("p"), 1.0)
            if begins is None:
                assert frame.pts is not None
                begins = float(frame.pts * frame.time_base - zero)
            pieces.append(values[0] / scale)
    assert begins is not None
    return begins, np.concatenate(pieces)


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as video:
        return [bytes(packet) for packet in video.demux(video.streams.audio[0]) if packet.size]


def times_in(path: Path) -> list[Fraction]:
    """When frames are shown, by decoding them in order."""
    with av.open(str(path)) as video:
        stamps = [frame.pts * frame.time_base for frame in video.decode(video=0) if frame.pts is not None]
    return [stamp - stamps[0] for stamp in stamps]


def stated_rate(path: Path) -> Fraction | None:
    with av.open(str(path)) as video:
        return video.streams.video[0].average_rate


# ------------------------------------------------------------------ rates and times

RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(60000, 1001),
    Fraction(120),
    Fraction(15, 2),
    Fraction(2997, 100),
]


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("quality", ["good", "lossless"])
def test_a_rate_is_kept_exactly(rate: Fraction, quality: Quality, tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", rate=rate, frames=50, sounds=())
    video = VideoFrames(source)
    assert video.frame_rate == rate
    assert video.frame_times is not None
    assert video.frame_times.is_even
    video.close()
    out = tmp_path / ("out.mp4" if quality == "good" else "out.mkv")

    write_part(source, out, Span(10, 40), quality, with_times=True)

    stated = stated_rate(out)
    assert stated is not None
    # Matroska keeps the length of a frame in nanoseconds, of which libav makes a fraction of small numbers.
    assert stated == rate or (out.suffix == ".mkv" and abs(1 / stated - 1 / rate) < Fraction(1, 10**9))
    again = VideoFrames(out)
    assert again.frame_rate == rate
    assert len(again) == 30
    again.close()


UNEVEN = [0, 3000, 6000, 12000, 13500, 20000, 23001, 30000, 31111, 40000]


def test_times_that_are_not_even_are_kept_to_the_tick(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", frames=10, times=UNEVEN, tick=Fraction(1, 90_000), sounds=("aac",))
    video = VideoFrames(source)
    assert video.frame_times is not None
    assert not video.frame_times.is_even
    assert video.frame_rate == Fraction(9 * 90_000, 40_000)
    video.close()

    write_part(source, tmp_path / "out.mp4", Span(2, 9), with_times=True)
    write_part(source, tmp_path / "out.mkv", Span(2, 9), "lossless", with_times=True)

    expected = [Fraction(tick - UNEVEN[2], 90_000) for tick in UNEVEN[2:9]]
    assert times_in(tmp_path / "out.mp4") == expected
    rounded = times_in(tmp_path / "out.mkv")
    assert all(abs(one - other) <= Fraction(1, 1000) for one, other in zip(rounded, expected, strict=True))


def test_frames_that_are_left_out_leave_the_others_at_their_times(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", rate=Fraction(30000, 1001), frames=20)
    video = VideoFrames(source)
    chosen, own = (2, 3, 7, 8, 15), video.frame_times
    assert own is not None
    times = [own.at(frame) - own.at(2) for frame in (*chosen, 16)]

    write_video(
        tmp_path / "out.mp4",
        map(video.read, chosen),
        own.rate,
        times=times,
        sound=video.sound_of(Span(2, 16)),
    )

    video.close()
    assert times_in(tmp_path / "out.mp4") == [Fraction(1001 * n, 30_000) for n in (0, 1, 5, 6, 13)]
    _, samples = heard(tmp_path / "out.mp4")
    assert len(samples) / HZ == pytest.approx(14 * 1001 / 30_000, abs=1024 / HZ)


def test_a_video_of_one_frame(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", frames=1)
    write_part(source, tmp_path / "out.mp4", Span(0, 1), with_times=True)
    assert times_in(tmp_path / "out.mp4") == [0]
    assert stated_rate(tmp_path / "out.mp4") == 25
    assert heard(tmp_path / "out.mp4")[0] == 0


@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_a_bare_stream_has_the_rate_that_its_codec_names_or_none(codec: str, tmp_path: Path) -> None:
    """libav takes 25 for any: that is no rate of the file's."""
    name = "h264" if codec == "libx264" else "mjpeg"
    form = "yuv420p" if codec == "libx264" else "yuvj420p"
    path = encode(
        tmp_path / f"v.{name}", [textured(n) for n in range(6)], codec, form, rate=30, container=name
    )
    video = VideoFrames(path)
    assert video.frame_rate == (30 if codec == "libx264" else None)
    assert video.sound_of(Span(0, 2)) is None
    video.close()


def y4m(path: Path, rate: str, frames: int = 4) -> Path:
    """Write a header as the format's manual page has it, and grey pictures."""
    header = f"YUV4MPEG2 W64 H48{rate} Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + frames * (b"FRAME\n" + bytes([128]) * (64 * 48 * 3 // 2)))
    return path


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        (" F30000:1001", Fraction(30000, 1001)),
        (" F1:1000", Fraction(1, 1000)),
        (" F0:0", None),
        (" F0:1", None),
        (" F30:0", None),
        (" F-25:1", None),
        ("", None),
    ],
)
def test_y4m_has_the_rate_of_its_header_or_none(said: str, rate: Fraction | None, tmp_path: Path) -> None:
    """libav takes 25 where the header says that the rate is not known."""
    video = VideoFrames(y4m(tmp_path / "v.y4m", said))
    assert len(video) == 4
    assert video.frame_rate == rate
    assert (video.frame_times is None) == (rate is None) == (video.times_seconds is None)
    assert not video.findings
    video.close()


@pytest.mark.parametrize("said", [" F1000000000:1", " F1:1000000000"])
def test_a_rate_that_no_video_has_is_not_used_and_said(said: str, tmp_path: Path) -> None:
    video = VideoFrames(y4m(tmp_path / "v.y4m", said))
    assert video.frame_rate is None
    assert video.frame_times is None
    assert video.times_seconds is None
    assert any("frames a second: its times are not used" in finding for finding in video.findings)
    video.close()


@pytest.mark.parametrize(
    "times", [[Fraction(1), Fraction(2)], [Fraction(0)], [Fraction(0), Fraction(2), Fraction(1)]]
)
def test_times_that_do_not_ascend_from_0_are_refused(times: list[Fraction], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="ascend"):
        write_video(tmp_path / "v.mp4", [textured(0)] * 2, 10, times=times)
    assert list(tmp_path.iterdir()) == []


def test_more_pictures_than_times_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="more pictures than times"):
        write_video(tmp_path / "v.mp4", [textured(0)] * 3, 10, times=[Fraction(0), Fraction(1), Fraction(2)])
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------ sound


def difference(source: Path, out: Path, at_frame: Fraction, *, skip: int = 0, near: int = 60) -> float:
    """The largest difference between samples of the exported sound and the source's at the same moments.

    `near` is how many samples the clocks of containers may be apart.
    """
    source_begins, whole = heard(source)
    begins, part = heard(out)
    place = round((float(at_frame) + begins - source_begins) * HZ)
    length = min(len(part), len(whole) - place) - 1100
    return min(
        float(np.abs(part[skip:length] - whole[place + lag + skip : place + lag + length]).max())
        for lag in range(-near, near + 1)
        if place + lag >= 0
    )


@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "ac3", "alac", "flac", "libopus"])
@pytest.mark.parametrize("frames", [Span(0, 60), Span(20, 45)], ids=str)
def test_sound_is_copied_for_just_that_stretch_in_sync(codec: str, frames: Span, tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    source = film(tmp_path / "source.mp4", rate=rate, sounds=(codec,))

    findings = write_part(source, tmp_path / "out.mp4", frames)

    assert findings == []
    theirs = packets(source)
    assert all(packet in theirs for packet in packets(tmp_path / "out.mp4"))
    begins, samples = heard(tmp_path / "out.mp4")
    assert abs(begins) < 1e-3
    one_packet = 4608 if codec in ("alac", "flac") else 1536
    length = len(frames) / float(rate) * HZ
    assert -1 - (1200 if frames.stop == 60 else 0) <= len(samples) - length <= one_packet + 1200
    off = difference(source, tmp_path / "out.mp4", frames.start / rate, near=0 if codec != "libopus" else 60)
    assert off < (0.03 if codec == "libopus" else 1e-4)


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".mov"])
def test_sound_of_other_containers_is_copied(suffix: str, tmp_path: Path) -> None:
    source = film(tmp_path / f"source{suffix}", frames=100)

    findings = write_part(source, tmp_path / "out.mp4", Span(30, 80))

    assert findings == []
    assert difference(source, tmp_path / "out.mp4", Fraction(30, 25)) < 1e-4
    assert stated_rate(tmp_path / "out.mp4") == 25


@pytest.mark.parametrize("codec", ["aac", "flac", "pcm_s16le", "mp2", "libopus"])
def test_matroska_takes_every_sound(codec: str, tmp_path: Path) -> None:
    source = film(tmp_path / "source.mkv", sounds=(codec,), frames=80)

    findings = write_part(source, tmp_path / "out.mkv", Span(20, 60), "lossless")

    theirs = packets(source)
    ours = packets(tmp_path / "out.mkv")
    assert ours
    joined = b"".join(theirs)
    assert all(packet in (theirs if codec != "pcm_s16le" else joined) for packet in ours)
    begins, samples = heard(tmp_path / "out.mkv")
    assert 0 <= begins < 0.1
    if codec == "pcm_s16le":  # cut to the sample
        assert (begins, len(samples)) == (0, 40 * HZ // 25)
    converging = codec in ("aac", "mp2", "libopus")
    assert [("faint" in finding) for finding in findings] == [True] * converging
    skip = {"libopus": 6000, "aac": 2048, "mp2": 2048}.get(codec, 0)
    limit = 0.2 if codec == "libopus" else 1e-3
    assert difference(source, tmp_path / "out.mkv", Fraction(20, 25), skip=skip) < limit


@pytest.mark.parametrize(("codec", "suffix"), [("pcm_s16le", ".avi"), ("pcm_s16be", ".mov"), ("mp2", ".ts")])
def test_sound_that_mp4_does_not_take_is_coded_anew_and_said(codec: str, suffix: str, tmp_path: Path) -> None:
    source = film(tmp_path / f"source{suffix}", sounds=(codec,))

    findings = write_part(source, tmp_path / "out.mp4", Span(10, 50))

    assert len(findings) == 1
    assert f"coded anew as AAC: MP4 does not take {codec}" in findings[0]
    begins, part = heard(tmp_path / "out.mp4")
    source_begins, whole = heard(source)
    place = round((10 / 25 + begins - source_begins) * HZ)
    length = round(40 / 25 * HZ) - 2048
    assert abs(len(part) - 40 / 25 * HZ) <= 1024
    one, other = part[2048:length], whole[place + 2048 : place + length]
    assert np.corrcoef(one, other)[0, 1] > 0.999


def test_what_matroska_does_not_take_is_kept_to_the_sample_as_flac(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = film(tmp_path / "source.mov", sounds=("pcm_s16be",))
    monkeypatch.setattr("engine.video.sound._goes_as_it_is", lambda *_: False)

    findings = write_part(source, tmp_path / "out.mkv", Span(10, 50), "lossless")

    assert "coded anew as FLAC" in findings[0]
    begins, part = heard(tmp_path / "out.mkv")
    assert begins == 0
    assert len(part) == 40 * HZ // 25
    np.testing.assert_array_equal(part, heard(source)[1][10 * HZ // 25 : 50 * HZ // 25])


def test_all_tracks_are_kept(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", sounds=("aac", "ac3"))

    assert write_part(source, tmp_path / "out.mp4", Span(5, 40)) == []

    with av.open(str(tmp_path / "out.mp4")) as video:
        assert [stream.codec_context.name for stream in video.streams.audio] == ["aac", "ac3"]
    for track in (0, 1):
        _, part = heard(tmp_path / "out.mp4", track)
        _, whole = heard(source, track)
        np.testing.assert_allclose(part[:60_000], whole[9_600:69_600], atol=1e-4)


def test_a_video_without_sound_stays_without(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", sounds=())

    assert write_part(source, tmp_path / "out.mp4", Span(0, 5)) == []

    with av.open(str(tmp_path / "out.mp4")) as video:
        assert len(video.streams) == 1


def test_sound_that_begins_later_keeps_its_place(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", frames=60, sound_from=1.0, seconds=1.4)

    assert write_part(source, tmp_path / "out.mp4", Span(10, 60)) == []

    assert heard(tmp_path / "out.mp4")[0] == pytest.approx(0.6, abs=0.03)
    assert difference(source, tmp_path / "out.mp4", Fraction(10, 25)) < 1e-4


def test_frames_without_any_sound_are_said_to_be_silent(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", frames=60, seconds=0.5)

    findings = write_part(source, tmp_path / "out.mp4", Span(30, 60))

    assert len(findings) == 1
    assert "has nothing between 1.200 and 2.400 s" in findings[0]


def test_a_source_that_is_gone_or_changed_costs_the_sound_alone(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4")
    video = VideoFrames(source)
    pictures = [video.read(number) for number in range(3)]
    gone, changed = video.sound_of(Span(0, 3)), video.sound_of(Span(0, 3))
    video.close()
    assert gone is not None
    assert changed is not None
    source.rename(tmp_path / "elsewhere.mp4")
    write_video(tmp_path / "out.mp4", pictures, 25, sound=gone)
    film(tmp_path / "source.mp4", frames=7)
    write_video(tmp_path / "out2.mp4", pictures, 25, sound=changed)

    assert [str(one) for one in gone.findings] == [
        "the sound of source.mp4 is left out: it is no longer there"
    ]
    assert "has changed since it was opened" in changed.findings[0]
    for name in ("out.mp4", "out2.mp4"):
        assert len(times_in(tmp_path / name)) == 3


def test_sound_that_breaks_off_is_said(tmp_path: Path) -> None:
    source = film(tmp_path / "source.ts", frames=200)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 55 // 100])
    video = VideoFrames(source)
    last = len(video)
    video.close()

    write_part(source, tmp_path / "out.mp4", Span(0, last))

    begins, samples = heard(tmp_path / "out.mp4")
    assert begins == pytest.approx(0, abs=1e-3)
    assert len(samples) > HZ


def test_damaged_packets_are_counted_and_left_out_where_sound_is_coded_anew(tmp_path: Path) -> None:
    source = film(tmp_path / "source.ts", sounds=("mp2",), frames=100)
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as video:
        spots = [p.pos for p in video.demux(video.streams.audio[0]) if p.size and p.pos][20:24]
    for spot in spots:
        data[spot + 30 : spot + 170] = bytes(140)
    source.write_bytes(bytes(data))

    findings = write_part(source, tmp_path / "out.mp4", Span(0, 100))

    assert "coded anew" in findings[0]
    begins, samples = heard(tmp_path / "out.mp4")
    assert begins == 0
    assert len(samples) == pytest.approx(4 * HZ, abs=3000)
    _, whole = heard(film(tmp_path / "whole.ts", sounds=("mp2",), frames=100))
    late = slice(3 * HZ, 3 * HZ + 20_000)  # what follows the damage is in its place
    best = max(
        np.corrcoef(samples[late], whole[late.start + lag : late.stop + lag])[0, 1]
        for lag in range(-2200, 2200, 1)
    )
    assert best > 0.99


def test_a_container_that_refuses_the_sound_costs_the_sound_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = film(tmp_path / "source.mkv", sounds=("pcm_s16le",))
    monkeypatch.setattr("engine.video.sound._goes_as_it_is", lambda *_: True)
    video = VideoFrames(source)
    sound = video.sound_of(Span(0, 4))
    assert sound is not None
    monkeypatch.setattr("engine.video.sound_tracks.CopiedTrack.__init__", refuse_late)

    write_video(tmp_path / "out.mp4", [video.read(n) for n in range(4)], 25, sound=sound)

    video.close()
    assert len(sound.findings) == 1
    assert "left out: its codec does not go into this file" in sound.findings[0]
    assert len(times_in(tmp_path / "out.mp4")) == 4


def refuse_late(
    _self: object, _source: object, output: av.container.OutputContainer, *_: object, **__: object
) -> None:
    """Add a stream whose codec cannot be opened, as the header shows."""
    stream = output.add_stream("aac", rate=HZ)
    stream.codec_context.sample_rate = 12_345


def test_a_stopped_export_leaves_no_file(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4")
    video = VideoFrames(source)

    def pictures() -> Iterator[NDArray[np.uint8]]:
        yield textured(0)
        raise KeyError("stopped")

    folder = tmp_path / "out"
    with pytest.raises(KeyError, match="stopped"):
        write_video(folder / "out.mp4", pictures(), 25, sound=video.sound_of(Span(0, 9)))
    video.close()
    assert list(folder.iterdir()) == []


def test_long_sound_is_read_from_where_it_is_needed(tmp_path: Path) -> None:
    """The stretch begins after the margin to which is sought."""
    source = film(tmp_path / "source.mp4", rate=Fraction(10), frames=120)

    assert write_part(source, tmp_path / "out.mp4", Span(75, 100)) == []

    assert difference(source, tmp_path / "out.mp4", Fraction(75, 10), near=0) < 1e-4
    stamps = times_in(tmp_path / "out.mp4")
    assert {b - a for a, b in pairwise(stamps)} == {Fraction(1, 10)}
