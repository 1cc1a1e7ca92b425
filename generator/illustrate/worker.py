"""A process that makes the pictures of one model: ``python -m generator.illustrate.worker``.

It reads one line of JSON (a :class:`Task`) and then does nothing but work until its input ends, which it does when its parent is
gone. It says what happens in lines of JSON. Whatever it took of memory comes back when it ends.
"""

import json
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import Any

from generator.illustrate.finish import Product, finish
from generator.illustrate.making import Failed, Here, Job, Maker, Outcome, OutOfMemory, Spoilt
from generator.illustrate.providers import providers
from generator.illustrate.requests import EXHAUSTED, Request, claim, packed, unpacked
from generator.model import Error
from generator.store import Claims, Store

Say = Callable[..., None]
"""Tells the parent of an event: its name, and what there is to say of it."""
LOG = "log.jsonl"
"""What happened, beside the candidates, a line each: to be read after a night."""
SILENT = ("there", "busy")
"""What the log leaves out."""
PAYS = 1.05
"""How much faster a batch of twice the size has to be."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is to do.

    ``images``: the file of the conditioning image by sha256. ``allowance``: how many pictures may be made, retries included; None
    without a limit. ``probe``: see first whether the number format gives pictures on the device.
    """

    requests: tuple[Request, ...]
    images: Mapping[str, str]
    here: Here
    candidates: Path
    allowance: int | None = None
    probe: bool = False

    def job(self, request: Request) -> Job:
        """A request with its conditioning image."""
        return Job(request, Path(self.images[request.condition]).read_bytes() if request.condition else b"")


def dumped(task: Task) -> str:
    """A task as a line of JSON."""
    here = asdict(task.here) | {"folder": str(task.here.folder), "scratch": str(task.here.scratch)}
    parts = {"requests": [packed(request) for request in task.requests], "images": dict(task.images), "here": here}
    return json.dumps(parts | {"candidates": str(task.candidates), "allowance": task.allowance, "probe": task.probe}) + "\n"


def parsed(line: str) -> Task:
    """The task of a line."""
    told = json.loads(line)
    here = told["here"] | {"folder": Path(told["here"]["folder"]), "scratch": Path(told["here"]["scratch"])}
    requests = tuple(unpacked(request) for request in told["requests"])
    return Task(requests, told["images"], Here(**here), Path(told["candidates"]), told["allowance"], told["probe"])


def facts(request: Request, made: Mapping[str, Any]) -> dict[str, Any]:
    """What the JSON of a candidate says besides its key and its file."""
    asked = {name: getattr(request, name) for name in ("radical", "model", "mode", "style")}
    return asked | {"request": request.decisive, "made": dict(made)}


class Batches:
    """How many pictures to make at once: twice as many for as long as that pays, measured on the pictures themselves."""

    def __init__(self, most: int, steady: bool = False) -> None:
        self.most, self.size, self.rates = most, most if steady else 1, dict[int, float]()
        self.steady = steady

    def took(self, count: int, seconds: float) -> None:
        """Take note of a batch; the second one of a size (the first warms up) decides what size the next ones have."""
        if self.steady or count < self.size or self.rates.get(self.size):
            return
        if self.size not in self.rates:
            self.rates[self.size] = 0.0
            return
        self.rates[self.size] = count / max(seconds, 1e-9)
        if not self._pays():
            self.size //= 2
        elif self.size * 2 <= self.most:
            self.size *= 2

    def bound(self, most: int) -> None:
        """No more than so many from now on."""
        self.most, self.size = most, min(self.size, most)

    def _pays(self) -> bool:
        return self.size == 1 or self.rates[self.size] > PAYS * self.rates[self.size // 2]


def peak() -> int:
    """Bytes of memory that this process had at most, and the device with it where it is CUDA's."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    torch = sys.modules.get("torch")
    return max(most, torch.cuda.max_memory_reserved() if torch and torch.cuda.is_available() else 0)


@dataclass(slots=True)
class _Work:
    """What is at hand of a task."""

    task: Task
    maker: Maker
    store: Store
    claims: Claims
    say: Say
    pool: Executor
    batches: Batches
    spent: int = 0

    def next(self, request: Request) -> Request | None:
        """What is to be made of a request now; it is claimed. None, and said why, if that is nothing."""
        one = claim(self.store, self.claims, request)
        if isinstance(one, Request):
            return one
        self.say(one, key=request.key, **({"radical": request.radical} if one == EXHAUSTED else {}))
        return None

    def make(self, asked: Sequence[Request], group: Sequence[Request]) -> Iterator[Request]:
        """Make a group, and give those of the requests *asked* that are to be tried again."""
        self.say("begun", radical=group[0].radical, keys=[request.key for request in group])
        self.spent += len(group)
        began = time.monotonic()
        outcomes = self.asked_of(group)
        seconds = (time.monotonic() - began) / len(group)
        known = {"seconds": round(seconds, 3), "device": self.task.here.device, "memory": peak()}
        kept = self.pool.map(self.keep, group, outcomes, repeat(known))  # what packs and stores a picture lets others run beside it
        for first, request, result in zip(asked, group, kept, strict=True):
            self.tell(first, result, known)
            if isinstance(result, Spoilt):
                yield first
            self.claims.give_back(request.key)

    def asked_of(self, group: Sequence[Request]) -> list[Outcome]:
        """What the maker makes of a group, in halves from now on where it has no room for all at once."""
        with suppress(OutOfMemory):
            return self.maker.make([self.task.job(request) for request in group])
        if len(group) == 1:
            raise OutOfMemory("had no room for one picture")
        self.batches.bound(half := len(group) // 2)
        return self.asked_of(group[:half]) + self.asked_of(group[half:])

    def keep(self, request: Request, outcome: Outcome, known: Mapping[str, Any]) -> Product | Spoilt | Failed:
        """Store what came of a request."""
        result = product(request, outcome, known)
        if isinstance(result, Product):
            self.store.add(request.key, facts(request, result.made), result.png, result.original, result.ending)
        elif isinstance(result, Spoilt):
            self.store.reject(request.key, facts(request, known), result.code, result.message)
        return result

    def tell(self, first: Request, result: Product | Spoilt | Failed, known: Mapping[str, Any]) -> None:
        """Say what came of a request."""
        told = {"key": first.key, "radical": first.radical, "seconds": known["seconds"], "memory": known["memory"]}
        if isinstance(result, Product):
            self.say("made", **told)
        elif isinstance(result, Spoilt):
            self.say("rejected", code=result.code, **told)
        else:
            self.say("failed", message=result.message, **told)


def product(request: Request, outcome: Outcome, known: Mapping[str, Any]) -> Product | Spoilt | Failed:
    """What comes of an outcome: a finished picture, if it is one."""
    if isinstance(outcome, Spoilt | Failed):
        return outcome
    return finish(request, outcome, known)


def work(task: Task, maker: Maker, say: Say) -> None:
    """Make all pictures of a task that are not there, each on the disk before the next is begun."""
    store, left, batches = Store(task.candidates), deque(task.requests), Batches(maker.most, maker.steady)
    with store.claims() as claims, ThreadPoolExecutor() as pool:
        at_hand = _Work(task, maker, store, claims, say, pool, batches)
        while left:
            room = batches.size if task.allowance is None else min(batches.size, task.allowance - at_hand.spent)
            if room <= 0:
                return
            asked, group = list[Request](), list[Request]()
            while left and len(group) < room:
                first = left.popleft()
                if one := at_hand.next(first):
                    asked.append(first)
                    group.append(one)
            if group:
                began = time.monotonic()
                left.extendleft(at_hand.make(asked, group))
                batches.took(len(group), time.monotonic() - began)


def run(task: Task, say: Say) -> None:
    """Load the model of a task and do it. Whatever the model has no room for or cannot do is said, not raised."""
    try:
        began = time.monotonic()
        settings = task.requests[0].settings
        maker = providers[settings["provider"]](settings, task.here)
        say("ready", seconds=time.monotonic() - began)
        if task.probe:
            from generator.illustrate import engine

            verdict = engine.probe_image(maker, task.job(task.requests[0]))
            say("probed", verdict=verdict)
            if verdict == "nan":
                return
        work(task, maker, say)
        say("done")
    except OutOfMemory as error:
        say("memory", message=str(error))
    except Error as error:
        say("error", message=str(error))


def _until_orphaned() -> None:
    """End this process at once when its input ends: its parent stopped it, or is no more."""
    while os.read(0, 1):  # not by way of sys.stdin, which Python closes when it ends: it aborts where a thread is still reading
        pass
    os._exit(0)


def main() -> None:
    """Do the task on the input's first line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    told = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is not for the parent's ears
    task = parsed(sys.stdin.buffer.readline().decode())
    log = os.open(task.candidates / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def say(event: str, **words: Any) -> None:
        told.write(json.dumps({"event": event, **words}) + "\n")
        if event not in SILENT:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            line = {"at": now, "by": os.getpid(), "model": task.requests[0].model, "event": event, **words}
            with suppress(OSError):  # a full disk: the picture says so
                os.write(log, (json.dumps(line) + "\n").encode())  # in one piece, beside what others write

    threading.Thread(target=_until_orphaned, daemon=True).start()
    run(task, say)


if __name__ == "__main__":
    main()
