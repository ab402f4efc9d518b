from pathlib import Path

import pytest

from app.state.export.export_names import FrameFacts, TemplateError, file_name, file_paths

FACTS = FrameFacts("0007", "街 street", 6, "network", 43.25)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{name}", "0007.png"),
        ("{sequence}_{number:05d}", "街 street_00007.png"),
        ("{index}-{method}", "6-network.png"),
        ("{time_ms:.1f}ms", "43.2ms.png"),
        ("{method}/{name}", "network/0007.png"),
        ("{{x}}{number}", "{x}7.png"),
    ],
)
def test_templates(template, expected):
    assert file_name(template, FACTS, ".png") == expected


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("", "no file name"),
        ("   ", "no file name"),
        ("../{name}", "no file name"),
        ("/{name}", "no file name"),
        ("{name", "braces"),
        ("{what}", "There is no {what}"),
        ("{name.__class__}", "There is no"),
        ("{name!r}", "There is no"),
        ("{0}", "There is no"),
        ("{name:d}", "cannot be written"),
        ("{name}:{number}", "cannot have :"),
        ("a\tb", "cannot have"),
        ("長" * 200, "too long"),
    ],
)
def test_what_gives_no_name_says_why(template, words):
    with pytest.raises(TemplateError, match=words):
        file_name(template, FACTS, ".png")


def test_two_frames_of_one_name_are_refused_also_in_capitals():
    frames = [FrameFacts(name, "s", n, "m", 0.0) for n, name in enumerate(("a", "A", "b"))]
    with pytest.raises(TemplateError, match="Frames 1 and 2"):
        file_paths(Path("out"), "{name}", frames, ".png")
    assert file_paths(Path("out"), "{name}_{index}", frames, ".tif")[2] == Path("out/b_2.tif")
