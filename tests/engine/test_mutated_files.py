"""A hundred damaged files, and every one that once went wrong, through every reader.

`tests/fuzz/mutated_files.py` makes as many more as are asked for.
"""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "fuzz" / "mutated_files.py"
FILES = 100
ONCE_WRONG = (76,)


ASKED = [("--files", str(FILES), "--processes", "1")]
if ONCE_WRONG:
    ASKED.append(("--seeds", *map(str, ONCE_WRONG)))


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked[0])
def test_damaged_files_are_read_or_refused_in_one_line(asked):
    came = subprocess.run([sys.executable, FUZZ, *asked], capture_output=True, text=True, timeout=300)
    assert came.returncode == 0, came.stdout + came.stderr
