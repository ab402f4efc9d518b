"""A short walk of the random user of `tests/fuzz`, in a process of its own; longer ones are run by hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("seed", [3])
def test_a_random_user_breaks_nothing(seed, tmp_path):
    program = PROJECT_ROOT / "tests" / "fuzz" / "random_user.py"
    ended = subprocess.run(
        [sys.executable, str(program), "--minutes", "0.2", "--seed", str(seed)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
