"""The same bytes from another process, with another hash seed, time zone, locale and folder."""

import os
import subprocess
import sys
from pathlib import Path

from common import DATA, contents


def test_two_processes_draw_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    odd = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "generator.cli", "--project", str(DATA), "render", "--out", str(tmp_path)]
    subprocess.run(command, env=odd, cwd=tmp_path, check=True, capture_output=True)
    assert contents(tmp_path) == contents(drawn)
