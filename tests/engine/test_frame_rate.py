"""A sequence knows how many frames a second it has where something says so, and only there."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.cli import main
from engine.sequence import open_sequence
from tests.engine.videos import film, textured

RATE_HZ = 20_000
PLANE = (24, 64)


def write_frames(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:04d}.png"), textured(number)[:, :, ::-1])


def write_spikes(path: Path, planes: int) -> None:
    rng = np.random.default_rng(3)
    path.write_bytes(np.packbits(rng.random((planes, *PLANE)) < 0.3, axis=-1, bitorder="little").tobytes())


def clip_with_log(folder: Path, starts: list[float], length: float = 0.01) -> Path:
    write_frames(folder / "blur", len(starts))
    write_spikes(folder / "spike.dat", round((starts[-1] + length) * RATE_HZ) + 10)
    rows = [f"{at},{start:.6f},{start + length:.6f},0,a" for at, start in enumerate(starts)]
    (folder / "alignment.csv").write_text("\n".join(["frame_idx,t0,t1,event_count,seq", *rows]) + "\n")
    return folder


def opened(folder: Path, **more: object):  # type: ignore[no-untyped-def]
    return open_sequence(folder, height=PLANE[0], width=PLANE[1], rate_hz=RATE_HZ, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rate",
    [Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120), Fraction(25, 2)],
    ids=str,
)
def test_a_log_of_six_decimals_tells_the_exact_rate(rate: Fraction, tmp_path: Path) -> None:
    folder = clip_with_log(tmp_path / "clip", [float(n / rate) for n in range(12)], length=0.005)
    with opened(folder) as sequence:
        assert sequence.windows_source == "log"
        told = sequence.frame_rate
        assert told is not None
        assert (told.exact, told.known_by, told.is_even) == (rate, "alignment log", True)
        assert sequence.frame_times is None
        assert sequence.sound_tracks == 0


def test_exposures_that_are_not_even_have_an_average(tmp_path: Path) -> None:
    folder = clip_with_log(tmp_path / "clip", [0.0, 0.04, 0.08, 0.16, 0.2])
    with opened(folder) as sequence:
        told = sequence.frame_rate
        assert told is not None
        assert (told.exact, told.is_even) == (Fraction(20), False)


def test_virtual_exposures_follow_their_stride(tmp_path: Path) -> None:
    write_spikes(tmp_path / "spike.dat", 4000)
    with opened(tmp_path / "spike.dat", exposure_planes=400, stride_planes=600) as sequence:
        told = sequence.frame_rate
        assert told is not None
        assert (told.exact, told.text, told.known_by) == (Fraction(100, 3), "100/3", "exposures")


def test_guessed_windows_and_pictures_alone_tell_no_rate(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip" / "blur", 5)
    write_spikes(tmp_path / "clip" / "spike.dat", 2000)
    with opened(tmp_path / "clip") as sequence:
        assert sequence.windows_source == "guess"
        assert sequence.frame_rate is None
    write_frames(tmp_path / "alone", 5)
    with open_sequence(tmp_path / "alone") as sequence:
        assert sequence.frame_rate is None


def test_exposures_without_a_rate_of_planes_tell_none(tmp_path: Path) -> None:
    write_spikes(tmp_path / "spike.dat", 2000)
    with open_sequence(tmp_path / "spike.dat", height=24, width=64, exposure_planes=400) as sequence:
        assert sequence.frame_rate is None


def test_recordings_of_their_own_tell_no_rate(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip" / "blur", 3)
    (tmp_path / "clip" / "spike").mkdir()
    for number in range(3):
        write_spikes(tmp_path / "clip" / "spike" / f"{number:04d}.dat", 100)
    with opened(tmp_path / "clip") as sequence:
        assert sequence.windows_source == "layout"
        assert sequence.frame_rate is None


@pytest.mark.parametrize("uneven", [False, True])
def test_reports_tell_the_rate_of_a_video(
    uneven: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = [0, 3003, 6006, 10_000, 13_000, 20_000] if uneven else [3003 * n for n in range(6)]
    film(tmp_path / "clip.mp4", frames=6, times=times, tick=Fraction(1, 90_000), rate=Fraction(30000, 1001))
    write_spikes(tmp_path / "spike.dat", 1200)
    options = ["--spikes", str(tmp_path / "spike.dat"), "--height", "24", "--width", "64", "--no-flip"]

    arguments = ["restore", str(tmp_path / "clip.mp4"), *options, "--method", "spike-ratio"]
    assert main([*arguments, "--frames", "1:4", "--out", str(tmp_path / "out")]) == 0
    assert main(["info", str(tmp_path / "clip.mp4"), *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert main(["info", str(tmp_path / "clip.mp4"), *options]) == 0

    report = json.loads((tmp_path / "out" / "restore.json").read_text())
    rate = Fraction(5 * 90_000, 20_000) if uneven else Fraction(30000, 1001)
    for facts in (report, told["pace"]):
        assert facts["frame_rate_hz"] == float(rate)
        assert facts["frame_rate"] == str(rate)
        assert facts["frame_rate_from"] == "video"
        assert facts["frame_rate_is_even"] is not uneven
        assert facts["sound_tracks"] == 1
    assert [row["time_seconds"] for row in report["frames"]] == pytest.approx(
        [tick / 90_000 for tick in times[1:4]], abs=1e-12
    )
    text = capsys.readouterr().out
    assert ("22.5 (45/2) frames a second on average" if uneven else "(30000/1001) frames a second") in text


def test_reports_tell_nothing_where_nothing_says_it(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip" / "blur", 3)
    write_spikes(tmp_path / "clip" / "spike.dat", 300)
    arguments = ["restore", str(tmp_path / "clip"), "--height", "24", "--width", "64", "--no-flip"]
    assert main([*arguments, "--method", "spike-ratio", "--out", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "restore.json").read_text())
    assert [
        report[key] for key in ("frame_rate_hz", "frame_rate", "frame_rate_from", "frame_rate_is_even")
    ] == [None] * 4
    assert report["frames"][0]["time_seconds"] is None
