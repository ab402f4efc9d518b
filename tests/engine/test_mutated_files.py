"""A few hundred damaged files, and every one that once went wrong, through every reader."""

import importlib.util
import sys
from pathlib import Path

FUZZ = Path(__file__).parents[1] / "fuzz" / "mutated_files.py"
FILES = 400
ONCE_WRONG = ()


def _fuzz():
    spec = importlib.util.spec_from_file_location("mutated_files", FUZZ)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_damaged_files_are_read_or_refused_in_one_line():
    counts, failed = _fuzz().search(0, FILES, processes=1)
    assert failed == []
    assert counts["read"] + counts["refused"] == FILES


def test_files_that_once_went_wrong_are_read_or_refused(tmp_path):
    fuzz = _fuzz()
    made = fuzz.kinds()
    came = {seed: fuzz.run(seed, made, tmp_path) for seed in ONCE_WRONG}
    assert set(came.values()) <= {"read", "refused"}, came
