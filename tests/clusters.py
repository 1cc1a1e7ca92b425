"""A Dask cluster on this machine: a scheduler and workers, each a process of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from common import ROOT

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH")]))}
"""With which they find Bushu as it is here, and the provider of the tests."""


class Cluster:
    """A scheduler and workers, each a process of its own without a nanny that would start it again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workers = folder, list[subprocess.Popen[bytes]]()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self._start("scheduler", "--host", self.address, "--no-show")

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        return subprocess.Popen(command, cwd=self.folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def grow(self, count: int) -> None:
        """Have so many workers, and wait until they are there."""
        from distributed import Client

        self.workers = [worker for worker in self.workers if worker.poll() is None]
        words = ("worker", self.address, "--host", "127.0.0.1", "--nthreads", "1", "--nworkers", "1", "--no-nanny", "--death-timeout", "20")
        self.workers += [self._start(*words, "--preload", "cluster_provider") for _ in range(count - len(self.workers))]
        with Client(self.address, timeout=30, set_as_default=False) as client:
            deadline = time.monotonic() + 60
            while len(client.nthreads()) != len(self.workers):
                assert time.monotonic() < deadline, "the workers do not start"
                time.sleep(0.05)

    def executions(self) -> list[list[str]]:
        """Process, radical and seed of each execution so far; they are forgotten."""
        return self._lines("executions")

    def loaded(self) -> list[list[str]]:
        """Process, name, frugality and threads of each time something was loaded so far; they are forgotten."""
        return self._lines("loaded")

    def _lines(self, name: str) -> list[list[str]]:
        path = self.folder / name
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.split() for line in lines]

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
