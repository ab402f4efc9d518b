"""10, 12 and 14 bits in 16: said, scaled where something else agrees, and never against the caller."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from engine.errors import FrameError, SequenceError
from engine.sequence import Sequence, open_sequence

HEIGHT, WIDTH, PLANES = 24, 32, 40


def scene() -> np.ndarray:
    """Values in [0, 1]: a ramp with texture, up to nearly white."""
    ramp = np.linspace(0.05, 0.97, WIDTH)[None] * np.linspace(0.6, 1, HEIGHT)[:, None]
    return np.clip(ramp + np.random.default_rng(0).normal(0, 0.01, ramp.shape), 0, 1)


def spikes_of(light: np.ndarray, gain: float, planes: int) -> np.ndarray:
    """Ideal integrate-and-fire: `gain` spikes a plane where the light is 1."""
    charge = np.random.default_rng(1).random(light.shape)
    fired = np.zeros((planes, *light.shape), np.uint8)
    for plane in range(planes):
        charge += light * gain
        fired[plane] = charge >= 1
        charge -= fired[plane]
    return fired


def made(
    folder: Path,
    white: int,
    *,
    reference: int | None = None,
    gain: float | None = 0.5,
    light: float = 1.0,
    suffix: str = "png",
    frames: int = 3,
) -> Path:
    """Frames with `white` for 1, references likewise (255 as bytes), and spikes of the same light."""
    values = scene() * light
    for name, top in (("blur", white), ("sharp", reference)):
        if top is None:
            continue
        (folder / name).mkdir(parents=True)
        samples = np.round(values * top).astype(np.uint8 if top == 255 else np.uint16)
        for number in range(1, frames + 1):
            path = folder / name / f"{number:04d}.{suffix}"
            if suffix == "png":
                path.write_bytes(imagecodecs.png_encode(samples))
            else:
                tifffile.imwrite(path, samples, photometric="minisblack")
    if gain is not None:
        np.save(folder / "spike.npy", spikes_of(values, gain, frames * PLANES))
    return folder


def about_white(sequence: Sequence) -> list[str]:
    return [finding.sentences for finding in sequence.findings if "white" in finding]


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize(("bits", "white"), [(10, 1023), (12, 4095), (14, 16383)])
def test_a_white_level_that_is_said_is_white(tmp_path: Path, suffix: str, bits: int, white: int) -> None:
    folder = made(tmp_path, white, reference=white, suffix=suffix)
    with open_sequence(folder, white=white) as sequence:
        assert np.abs(sequence.frame(1)[:, :, 0] - scene()).max() <= 0.51 / white
        reference = sequence.reference(1)
        assert reference is not None
        assert np.abs(reference[:, :, 2] - scene()).max() <= 0.51 / white
        assert about_white(sequence) == []
        assert bits == white.bit_length()


@pytest.mark.parametrize("white", [1023, 4095, 16383])
def test_without_anything_that_agrees_it_is_said_and_nothing_scaled(tmp_path: Path, white: int) -> None:
    with open_sequence(made(tmp_path, white, reference=white, gain=None)) as sequence:
        said = about_white(sequence)
        assert len(said) == 2
        assert all(f"--white {white}" in text for text in said)
        assert np.abs(sequence.frame(0)[:, :, 0] - scene() * white / 65535).max() < 1e-5


@pytest.mark.parametrize("white", [1023, 4095, 16383])
def test_a_reference_of_8_bits_settles_it(tmp_path: Path, white: int) -> None:
    with open_sequence(made(tmp_path, white, reference=255, gain=None)) as sequence:
        (said,) = about_white(sequence)
        assert f"taken to be {white}" in said
        assert "--white 65535" in said
        assert np.abs(sequence.frame(0)[:, :, 0] - scene()).max() <= 0.51 / white


@pytest.mark.parametrize("white", [1023, 4095])
def test_spikes_that_would_fire_too_often_settle_frames_and_references_alike(
    tmp_path: Path, white: int
) -> None:
    with open_sequence(made(tmp_path, white, reference=white, gain=0.5)) as sequence:
        assert all("spikes a plane" in text for text in about_white(sequence))
        reference = sequence.reference(0)
        assert reference is not None
        assert np.abs(sequence.frame(0)[:, :, 0] - scene()).max() <= 0.51 / white
        assert np.abs(reference[:, :, 0] - scene()).max() <= 0.51 / white


@pytest.mark.parametrize("reference", [255, 65535, None])
def test_an_honest_dark_picture_stays_dark(tmp_path: Path, reference: int | None) -> None:
    """A scene of a sixteenth of the light: dark frames, dark references, rare spikes."""
    folder = made(tmp_path, 65535, reference=reference, light=0.06)
    with open_sequence(folder) as sequence:
        assert np.abs(sequence.frame(0)[:, :, 0] - scene() * 0.06).max() < 1e-4
        assert (about_white(sequence) == []) == (reference == 255)


def test_a_level_that_is_said_counts_more_than_what_agrees(tmp_path: Path) -> None:
    folder = made(tmp_path, 4095, reference=255)
    with open_sequence(folder, white=65535) as sequence:
        assert np.abs(sequence.frame(0)[:, :, 0] - scene() * 4095 / 65535).max() < 1e-5
        (said,) = about_white(sequence)
        assert "not used for the reference pictures: they have 8 bits" in said


def test_a_later_picture_above_the_level_fails_by_name(tmp_path: Path) -> None:
    folder = made(tmp_path, 4095, reference=255, frames=5)
    samples = np.round(scene() * 9000).astype(np.uint16)
    (folder / "blur" / "0002.png").write_bytes(imagecodecs.png_encode(samples))
    with open_sequence(folder) as sequence:
        sequence.frame(0)
        with pytest.raises(FrameError, match=rf"0002\.png.*above the white level.*{samples.max()}.*4095"):
            sequence.frame(1)


@pytest.mark.parametrize(
    ("sample", "fitting", "too_low"), [(5000, (16383, 65535), 8191), (16384, (65535,), 16383)]
)
def test_a_level_that_was_found_is_never_called_a_given_one(
    tmp_path: Path, sample: int, fitting: tuple[int, ...], too_low: int
) -> None:
    folder = made(tmp_path, 4095, reference=255, frames=5)
    samples = np.round(scene() * 4095).astype(np.uint16)
    samples[3, 4] = sample
    (folder / "blur" / "0002.png").write_bytes(imagecodecs.png_encode(samples))
    with open_sequence(folder) as sequence:
        with pytest.raises(FrameError, match=r"level found from 3 frames \(4095\) is too low") as failed:
            sequence.frame(1)
        assert failed.value.advice is not None
        assert all(f"--white {level} " in failed.value.advice for level in fitting)
        assert str(too_low) not in failed.value.advice
    for level in fitting:
        with open_sequence(folder, white=level) as sequence:
            assert sequence.frame(1)[3, 4, 0] == pytest.approx(sample / level)


def test_a_sample_above_a_given_level_says_nothing_of_a_guess(tmp_path: Path) -> None:
    folder = made(tmp_path, 4095, reference=255)
    with open_sequence(folder, white=1023) as sequence, pytest.raises(FrameError) as failed:
        sequence.frame(1)
    assert "found from" not in str(failed.value)
    assert "--white 4095 " in (failed.value.advice or "")


@pytest.mark.parametrize("layout", ["upper bits", "bytes repeated", "all bits"])
def test_dark_pictures_whose_bits_fill_the_file_are_not_doubted(tmp_path: Path, layout: str) -> None:
    folder = made(tmp_path, 65535, gain=None)
    ten_bits = np.round(scene() * 0.1 * 1023).astype(np.uint16)
    samples = {
        "upper bits": ten_bits << 6,
        "bytes repeated": (ten_bits >> 2) * 257,
        "all bits": np.round(scene() * 65535).astype(np.uint16),
    }[layout]
    for path in (folder / "blur").iterdir():
        path.write_bytes(imagecodecs.png_encode(samples))
    with open_sequence(folder) as sequence:
        assert about_white(sequence) == []
        np.testing.assert_allclose(sequence.frame(0)[:, :, 0], samples / 65535, atol=1e-6)


def test_files_that_state_their_depth_are_not_doubted(tmp_path: Path) -> None:
    """12 bits a sample, packed and written by hand: two samples in three bytes."""
    (tmp_path / "blur").mkdir()
    samples = np.round(scene() * 4095).astype(int)
    ones = (samples[:, :, None] >> np.arange(11, -1, -1)) & 1
    data = np.packbits(ones.astype(np.uint8).reshape(HEIGHT, -1), axis=1).tobytes()
    path = tmp_path / "blur" / "0001.tif"
    with path.open("wb") as file:
        tags = [(256, 4, WIDTH), (257, 4, HEIGHT), (258, 3, 12), (259, 3, 1), (262, 3, 1)]
        tags += [(273, 4, 8 + 2 + 12 * 9 + 4), (277, 3, 1), (278, 4, HEIGHT), (279, 4, len(data))]
        file.write(b"II*\0" + (8).to_bytes(4, "little") + (9).to_bytes(2, "little"))
        for code, kind, value in tags:
            file.write(
                b"".join(n.to_bytes(size, "little") for n, size in ((code, 2), (kind, 2), (1, 4), (value, 4)))
            )
        file.write(bytes(4) + data)
    with open_sequence(tmp_path) as sequence:
        assert about_white(sequence) == []
        np.testing.assert_allclose(sequence.frame(0)[:, :, 0], samples / 4095, atol=1e-6)
        assert sequence.bit_depth == 16


@pytest.mark.parametrize("white", [0, -5, 70000])
def test_a_level_that_no_sample_has_is_an_error(tmp_path: Path, white: int) -> None:
    with pytest.raises(SequenceError, match="white"):
        open_sequence(made(tmp_path, 4095), white=white)


def test_inverted_grey_is_scaled_before_it_is_inverted(tmp_path: Path) -> None:
    (tmp_path / "blur").mkdir()
    samples = np.round(scene() * 4095).astype(np.uint16)
    tifffile.imwrite(tmp_path / "blur" / "a.tif", 4095 - samples, photometric="miniswhite")
    with open_sequence(tmp_path, white=4095) as sequence:
        np.testing.assert_allclose(sequence.frame(0)[:, :, 0], samples / 4095, atol=1e-6)
