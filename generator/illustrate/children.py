"""Child processes that make pictures: what they say, what they take of the machine's memory, and when that is too much."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import Any

from generator.illustrate.worker import Task, dumped

SPARE = 0.04
"""Share of the machine's memory that must stay available, or the child is stopped …"""
LEAST_SPARE = 300_000_000
"""… and bytes of it."""
BARS = {"TQDM_POSITION": "-1"}
"""Has the hub's library draw progress bars although nobody sees them: their last line is shown while weights are fetched."""
STOPPED = "was stopped before it took the machine's last memory"


class Child:
    """A worker process and what it says."""

    def __init__(self, task: Task, events: "queue.Queue[tuple[Child, dict[str, Any]]]") -> None:
        self.task, self.doomed, self.spent = task, "", 0
        self.is_ready = self.is_finished = False
        self.tail = deque[str](maxlen=20)
        command = [sys.executable, "-P", "-m", "generator.illustrate.worker"]  # -P: not what happens to lie in the current folder
        pipe, seen = subprocess.PIPE, os.environ | BARS
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=seen)
        self.readers = [threading.Thread(target=read, args=(events,), daemon=True) for read in (self._listen, self._overhear)]
        for reader in self.readers:
            reader.start()

    @property
    def model(self) -> str:
        """The model at work."""
        return self.task.requests[0].model

    def _listen(self, events: "queue.Queue[tuple[Child, dict[str, Any]]]") -> None:
        assert self.process.stdin
        assert self.process.stdout
        with suppress(BrokenPipeError):  # it is dead already, which its end will say
            self.process.stdin.write(dumped(self.task).encode())
            self.process.stdin.flush()
        for line in self.process.stdout:
            with suppress(ValueError):  # cut off in the middle: it was killed
                events.put((self, json.loads(line)))
        self.readers[1].join()
        events.put((self, {"event": "ended", "status": self.process.wait()}))

    def _overhear(self, _: object) -> None:
        """Keep the last lines of what libraries say, progress bars too."""
        assert self.process.stderr
        rest = b""
        while piece := self.process.stderr.read1(4096):  # type: ignore[attr-defined]
            *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
            self.tail.extend(text for line in lines if (text := line.decode("utf-8", "replace").strip()))

    def stop(self, why: str = "") -> None:
        """End it at once."""
        self.doomed = self.doomed or why
        self.process.kill()


def memory_of(child: Child) -> int:
    """Bytes that a child has in the machine's memory; 0 when it has ended."""
    import psutil

    try:
        return int(psutil.Process(child.process.pid).memory_info().rss)
    except psutil.Error:
        return 0


def available() -> tuple[int, int]:
    """Bytes of the machine's memory that can be had, and all there are."""
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.available), int(memory.total)


def sized(count: int) -> str:
    """A number of bytes as one says it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def excess(taken: int, limit: int, spare: tuple[int, int]) -> str:
    """Why a child that has *taken* so many bytes must stop; empty if it need not. *spare*: bytes available, and of the machine."""
    if limit and taken > limit:
        return f"took {sized(taken)}, the limit is {sized(limit)}"
    left, total = spare
    return STOPPED if left < max(SPARE * total, LEAST_SPARE) else ""
