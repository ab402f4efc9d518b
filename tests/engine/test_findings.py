import copy
import pickle
import re
from dataclasses import fields

import pytest

from engine.cli import main
from engine.findings import Finding, option
from engine.source import SequenceSource


def test_a_finding_is_its_problem_and_keeps_its_remedy_when_it_travels():
    finding = Finding("3 frames  are\nmissing", "Copy them again")
    assert finding == "3 frames are missing"
    assert finding.sentences == "3 frames are missing. Copy them again"
    for travelled in (pickle.loads(pickle.dumps(finding)), copy.deepcopy(finding)):
        assert (travelled, travelled.remedy) == (finding, "Copy them again")


NOT_TYPED = ("path", "registration")
"""What is no option: the path stands alone, and nine numbers are not typed."""


@pytest.mark.parametrize(
    "name", [field.name for field in fields(SequenceSource) if field.name not in NOT_TYPED]
)
def test_an_option_is_named_as_the_command_line_has_it(name, capsys):
    assert main(["info", "--help"]) == 0
    flag = option(name, words="it").removeprefix("it (").removesuffix(")")
    assert re.search(rf"^  {flag}[ ,]", capsys.readouterr().out, re.MULTILINE)


def test_options_that_belong_together_are_named_together():
    assert option("height", "width") == "height and width (--height and --width)"
    assert option("rate_hz") == "the rate (--rate)"
    assert option("exposure_planes", words="a longer exposure") == "a longer exposure (--exposure-planes)"
