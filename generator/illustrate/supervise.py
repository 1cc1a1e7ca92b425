"""The parent: a child process for every chunk of a model's requests, watched so that none takes the machine down.

A child that dies costs at most what it had in hand: the rest goes to another one, which spends more time and less memory if it was
memory that the first one died of.
"""

import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from generator.illustrate.children import STOPPED, Child, available, excess, memory_of
from generator.illustrate.making import FRUGAL, Here
from generator.illustrate.money import Ledger
from generator.illustrate.requests import Request, outstanding
from generator.illustrate.worker import Task
from generator.store import Store

CHUNK = 50
"""Requests that a child gets unless told otherwise: memory that a library leaks comes back with its end."""
STRIKES = 3
"""How many children in a row may die without having made a picture before the rest of a model is given up."""
HOPELESS = 10
"""How many pictures of a model in a row may fail before the rest is given up."""
ADVICE = "give it more with --memory, take a smaller model, or let it make smaller pictures with --allow-smaller"
TICK = 0.25
PATIENCE = 2.0
"""Seconds between two looks at what another run has claimed."""


@dataclass(frozen=True, slots=True)
class News:
    """What there is to show: how many pictures are done of how many, and what is at hand."""

    done: int
    radical: int = 0
    model: str = ""
    note: str = ""
    memory: int = 0


@dataclass(slots=True)
class Tally:
    """How a run went. ``done``: how many requests are over, made or not; ``failed``: by what went wrong; ``given_up``: models, and why;
    ``unfit``: number formats that give no pictures.
    """

    done: int = 0
    made: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    given_up: dict[str, str] = field(default_factory=dict)
    crowded: set[str] = field(default_factory=set)
    unfit: set[tuple[str, str]] = field(default_factory=set)
    exhausted: int = 0
    spent: int = 0
    seconds: float = 0.0
    peak: int = 0
    deaths: int = 0
    limited: bool = False
    interrupted: bool = False

    def __iadd__(self, other: "Tally") -> "Tally":
        """Take in how another run went, which came after."""
        for name in ("done", "made", "exhausted", "spent", "seconds", "deaths"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.rejected += other.rejected
        self.failed += other.failed
        self.given_up |= other.given_up
        self.peak = max(self.peak, other.peak)
        self.limited, self.interrupted = self.limited or other.limited, self.interrupted or other.interrupted
        return self


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run may go.

    ``here``: what children may use; ``devices``: one for each that works at the same time; ``frugalities``: how many there are on
    the device; ``images``: files of conditioning images by sha256; ``prices``: US dollars a picture by model, kept to by the
    ``ledger``; ``chunk``: how many requests a child gets; ``probe``: whether the number format of a request is to be tried first,
    and ``probed``: who wants to know how that went.
    """

    here: Here
    devices: tuple[str, ...]
    frugalities: int
    images: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, float | None] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=lambda: Ledger(None))
    chunk: int = CHUNK
    probe: Callable[[Request], bool] = lambda _: False
    probed: Callable[[Request, str], None] = lambda _, __: None


class Run:
    """One run over requests: chunks to children, and what they say to a :class:`Tally`."""

    def __init__(self, store: Store, requests: Sequence[Request], terms: Terms, show: Callable[[News], None]) -> None:
        self.store, self.terms, self.show = store, terms, show
        self.events: queue.Queue[tuple[Child, dict[str, Any]]] = queue.Queue()
        self.children: dict[str, Child] = {}
        self.tally = Tally()
        self.frugality, self.strikes, self.failures = Counter[str](), Counter[str](), Counter[str]()
        self.settled: set[str] = set()
        self.left = [request for request in requests if outstanding(store, request)]
        self.chunks: deque[tuple[Request, ...]] = deque()
        self.watched = 0.0

    def go(self) -> Tally:
        """Make everything that is left. Ctrl-C ends it; what is on the disk stays."""
        began = time.monotonic()
        try:
            with self.store.claims() as claims:
                while self.left:
                    free = (request for request in self.left if claims.is_free(_at_hand(self.store, request)))
                    self.chunks = deque(chunked(free, self.terms.chunk))
                    if not self.chunks:
                        self.show(News(self.tally.done, note="waiting for another run"))
                        time.sleep(PATIENCE)
                    self._pass()
                    for request in self.left:
                        if not outstanding(self.store, request):
                            self._over(request.key)  # another run may have made it
                    self.left = [request for request in self.left if request.key not in self.settled]
        except KeyboardInterrupt:
            self.tally.interrupted = True
        finally:
            for child in self.children.values():
                child.stop()
                child.process.wait()
        self.tally.seconds = time.monotonic() - began
        return self.tally

    def _pass(self) -> None:
        """Give out all chunks, and hear of all children until none is left."""
        while self.chunks or self.children:
            for device in self.terms.devices:
                while self.chunks and device not in self.children:
                    self._start(device)
            with suppress(queue.Empty):
                self._heard(*self.events.get(timeout=TICK))
            self._watch()

    def _start(self, device: str) -> None:
        chunk = self.chunks.popleft()
        allowance = self.terms.ledger.take(self._price(chunk), len(chunk))
        if not allowance:
            self.tally.limited = True
            self.settled |= {request.key for request in chunk}
            return
        real = device.partition("#")[0]
        here = replace(self.terms.here, device=real, frugality=self.frugality[chunk[0].line])
        probe = self.terms.probe(chunk[0])
        images = {request.condition: self.terms.images[request.condition] for request in chunk if request.condition}
        task = Task(chunk, images, here, self.store.root, allowance if self._price(chunk) else None, probe)
        self.children[device] = Child(task, self.events)

    def _price(self, chunk: Sequence[Request]) -> float | None:
        """What a picture of a chunk costs."""
        return self.terms.prices.get(chunk[0].model)

    def _watch(self) -> None:
        """Stop a child that takes too much, the youngest first."""
        if time.monotonic() < self.watched + TICK:
            return
        self.watched = time.monotonic()
        for device, child in list(self.children.items())[::-1]:
            taken = memory_of(child)
            self.tally.peak = max(self.tally.peak, taken)
            if not child.is_ready:
                self.show(News(self.tally.done, model=child.model, note=child.tail[-1] if child.tail else "loading", memory=taken))
            limit = self.terms.here.memory if device.startswith("cpu") else 0  # the libraries keep to it elsewhere
            if not child.doomed and (why := excess(taken, limit, available())):
                child.stop(why)
                return

    def _heard(self, child: Child, event: dict[str, Any]) -> None:
        getattr(self, f"_{event.pop('event').replace(' ', '_')}")(child, **event)

    def _ready(self, child: Child, seconds: float) -> None:
        child.is_ready = True
        self.show(News(self.tally.done, model=child.model, note="loaded"))

    def _probed(self, child: Child, verdict: str) -> None:
        first = child.task.requests[0]
        self.terms.probed(first, verdict)
        if verdict == "nan":
            self.tally.unfit.add((first.model, str(first.settings["dtype"])))
            self._drop(first.line)

    def _begun(self, child: Child, radical: int, keys: Sequence[str]) -> None:
        child.spent += len(keys)
        self.tally.spent += len(keys)
        self.show(News(self.tally.done, radical, child.model, memory=memory_of(child)))

    def _made(self, child: Child, key: str, radical: int, seconds: float, memory: int) -> None:
        self.tally.made += 1
        self.failures[child.task.requests[0].line] = 0
        self.tally.peak = max(self.tally.peak, memory)
        self._settle(child, key)
        self.show(News(self.tally.done, radical, child.model, memory=memory))

    def _there(self, child: Child, key: str) -> None:
        self._settle(child, key)

    def _busy(self, child: Child, key: str) -> None:
        """Another run is at it: it is looked for again when this pass is over."""

    def _rejected(self, child: Child, key: str, radical: int, code: str, seconds: float, memory: int) -> None:
        self.tally.rejected[code] += 1
        self.strikes[child.task.requests[0].line] = 0

    def _given_up(self, child: Child, key: str, radical: int) -> None:
        self.tally.exhausted += 1
        self._settle(child, key)

    def _failed(self, child: Child, key: str, radical: int, message: str, seconds: float, memory: int) -> None:
        self.tally.failed[message] += 1
        self._settle(child, key)
        line = child.task.requests[0].line
        self.failures[line] += 1
        if self.failures[line] == HOPELESS:
            self.tally.given_up[child.model] = f"{child.model}: {HOPELESS} failed one after the other, the rest was not asked for"
            self._drop(line)

    def _over(self, key: str) -> None:
        self.tally.done += key not in self.settled
        self.settled.add(key)

    def _settle(self, child: Child, key: str) -> None:
        self._over(key)
        self.strikes[child.task.requests[0].line] = 0

    def _done(self, child: Child) -> None:
        child.is_finished = True

    def _memory(self, child: Child, message: str) -> None:
        child.doomed = child.doomed or message

    def _error(self, child: Child, message: str) -> None:
        self.tally.given_up[child.model] = message
        self._drop(child.task.requests[0].line)

    def _ended(self, child: Child, status: int) -> None:
        device = next(name for name, other in self.children.items() if other is child)
        del self.children[device]
        line = child.task.requests[0].line
        self.terms.ledger.give_back(self._price(child.task.requests), (child.task.allowance or child.spent) - child.spent)
        if child.is_finished:
            return
        if child.doomed:
            self._more_frugal(child, line)
        else:
            self._died(child, line, status)

    def _requeue(self, child: Child) -> None:
        rest = tuple(request for request in child.task.requests if request.key not in self.settled)
        if rest:
            self.chunks.appendleft(rest)

    def _more_frugal(self, child: Child, line: str) -> None:
        """Give what is left of a chunk to a child that takes less memory, if there is a way to."""
        self.strikes[line] += 1
        if self.frugality[line] > child.task.here.frugality:
            self._requeue(child)  # another one had no room either, a moment before
        elif self.frugality[line] + 1 < self.terms.frugalities:
            self.frugality[line] += 1
            self.show(News(self.tally.done, model=child.model, note=f"{child.doomed}; goes on {FRUGAL[self.frugality[line]]}"))
            self._requeue(child)
        elif self.strikes[line] < STRIKES and child.doomed == STOPPED:
            self._requeue(child)  # it may have been something else that took the memory
        else:
            self.tally.crowded.add(child.model)
            frugal = FRUGAL[self.frugality[line]]
            self.tally.given_up[child.model] = f"{child.model}: {child.doomed}, {frugal}; {ADVICE}"
            self._drop(line)

    def _died(self, child: Child, line: str, status: int) -> None:
        self.strikes[line] += 1
        self.tally.deaths += 1
        if self.strikes[line] < STRIKES:
            self._requeue(child)
            return
        ended = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        said = f": {child.tail[-1]}" if child.tail else ""
        self.tally.given_up[child.model] = f"{child.model}: {ended} {STRIKES} times without a picture{said}"
        self._drop(line)

    def _drop(self, line: str) -> None:
        """Leave out what is left of a model, and stop those that are at it."""
        self.settled |= {request.key for request in self.left if request.line == line}
        self.chunks = deque(chunk for chunk in self.chunks if chunk[0].line != line)
        for child in self.children.values():
            if child.task.requests[0].line == line:
                child.is_finished = True
                child.stop()


def chunked(requests: Iterable[Request], most: int = CHUNK) -> Iterable[tuple[Request, ...]]:
    """Requests in chunks, each of one model and mode."""
    chunk: list[Request] = []
    line = ""
    for request in requests:
        if chunk and (len(chunk) == most or request.line != line):
            yield tuple(chunk)
            chunk = []
        line = line if chunk else request.line
        chunk.append(request)
    if chunk:
        yield tuple(chunk)


def _at_hand(store: Store, request: Request) -> str:
    """The key of what is to be made of a request now."""
    one = outstanding(store, request)
    return one.key if one else request.key


def run(store: Store, requests: Sequence[Request], terms: Terms, show: Callable[[News], None]) -> Tally:
    """Make those requests that are not there yet, and say how that went."""
    return Run(store, requests, terms, show).go()
