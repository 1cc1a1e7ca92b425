"""The whole pass as a user runs it, killed at every point: nothing torn, nothing lost, nothing made twice but what was in hand."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from common import ROOT

pytestmark = pytest.mark.diffusion

COUNT = 60
COMMAND = [sys.executable, "-m", "generator.cli", "illustrate", "1-15", "--model", "demo", "--count", "4", "--seed", "7"]
PATIENCE = 240


def started(folder: Path, *more: str) -> "subprocess.Popen[str]":
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "models.yml", folder)
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *more], cwd=folder, env=environment, text=True, start_new_session=True, **pipes)  # type: ignore[call-overload, no-any-return]


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def pictures(folder: Path) -> dict[str, str]:
    """The sha256 of every picture by its name; the pictures, the JSON and nothing torn."""
    candidates = folder / "build" / "candidates"
    assert not [path for path in candidates.rglob("*") if path.name.endswith((".part", ".tmp"))]
    found = {path.relative_to(candidates).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in candidates.glob("*/*.png")}
    for name, digest in found.items():
        told = json.loads((candidates / name).with_suffix(".json").read_bytes())
        assert told["picture"]["sha256"] == digest
    return {name: digest for name, digest in found.items() if not name.startswith("conditions")}


def log(folder: Path) -> list[dict[str, object]]:
    """The lines of the log, as far as they are written."""
    path = folder / "build" / "candidates" / "log.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def executions(folder: Path) -> int:
    """How many pictures were begun."""
    return sum(len(line["keys"]) for line in log(folder) if line["event"] == "begun")  # type: ignore[arg-type]


def until(folder: Path, count: int, process: "subprocess.Popen[str]") -> None:
    """Wait until so many pictures were begun."""
    deadline = time.monotonic() + PATIENCE
    while executions(folder) < count:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def workers(folder: Path) -> set[int]:
    """The processes that made pictures."""
    return {line["by"] for line in log(folder)}  # type: ignore[misc]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is made when nobody is killed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    status, out, err = ended(started(folder))
    assert status == 0, err
    assert f"{COUNT} made" in out
    assert "its pictures noise" in out
    found = pictures(folder)
    print(f"\n0 killed: {executions(folder)} executions of {COUNT}")
    assert executions(folder) == COUNT
    assert len(set(found.values())) == COUNT, "every picture is another one"
    return found


def test_two_runs_at_once_share_the_work_and_one_worker_is_killed(undisturbed: dict[str, str], tmp_path: Path) -> None:
    runs = [started(tmp_path), started(tmp_path)]
    until(tmp_path, 20, runs[0])
    os.kill(min(workers(tmp_path)), signal.SIGKILL)
    results = [ended(run) for run in runs]
    assert [status for status, _, _ in results] == [0, 0], results
    assert pictures(tmp_path) == undisturbed
    print(f"\n2 runs, 1 worker killed: {executions(tmp_path)} executions of {COUNT}")
    assert executions(tmp_path) <= COUNT + 1, "nothing is made by both"
    assert len(workers(tmp_path)) >= 3


def test_everything_killed_again_and_again(undisturbed: dict[str, str], tmp_path: Path) -> None:
    run = started(tmp_path)
    until(tmp_path, 1, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()

    run = started(tmp_path)
    until(tmp_path, 25, run)
    os.kill(run.pid, signal.SIGKILL)  # the parent alone
    run.communicate()
    deadline = time.monotonic() + 10
    while any(map(alive, workers(tmp_path))):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.02)
    assert executions(tmp_path) < COUNT

    run = started(tmp_path)
    until(tmp_path, 45, run)
    os.killpg(run.pid, signal.SIGINT)
    status, _out, err = ended(run)
    assert (status, "Traceback" in err) == (130, False)
    assert "the same command goes on from here" in err
    assert 0 < len(pictures(tmp_path)) < COUNT

    status, _, err = ended(started(tmp_path))
    assert status == 0, err
    assert pictures(tmp_path) == undisturbed
    print(f"\nall killed, parent killed, stopped by Ctrl-C: {executions(tmp_path)} executions of {COUNT}")
    assert executions(tmp_path) <= COUNT + 3
