"""Elsewhere: the requests of a run on the workers of a Dask cluster, of which nothing is needed but a connection to its scheduler.

Conditioning images go out with the requests, and pictures come back to this process, which stores them: no disk is shared. What is
here is not asked for again. A worker that dies costs what it had in hand another try, an exception costs its request.
For who may use a cluster see :mod:`generator.illustrate.connection`.
"""

import queue
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generator.illustrate import hands
from generator.illustrate.backlog import Backlog, Pair, Task
from generator.illustrate.connection import REACHED, START, connected
from generator.illustrate.finish import Product
from generator.illustrate.hands import NAN, Answer, Result
from generator.illustrate.making import FRUGAL, Job, OutOfMemory, Spoilt
from generator.illustrate.requests import Request, outstanding
from generator.illustrate.supervise import PATIENCE, STRIKES, News, Tally, Terms
from generator.illustrate.worker import facts
from generator.model import Error
from generator.store import Claims, Store

LOST = 300.0
"""Seconds to wait for a worker when all are gone."""
TICK = 1.0
"""Seconds between two looks at who is there."""
SENT = 20.0
"""Seconds to wait for pictures that are done before seeing whether their worker is still there."""
AHEAD = 2
"""Tasks of a worker: one at hand and one that waits."""
TOGETHER = {"cuda": 16}
"""Pictures of a task, by device, where several may be made at once; a worker finds out how many pay."""


@dataclass(eq=False, slots=True)
class Flight:
    """A task that is with the cluster."""

    task: Task
    future: Any


class Run:
    """One run over requests, a model after the other: tasks to the cluster, and what comes of them to the store."""

    def __init__(
        self, client: Any, store: Store, claims: Claims, requests: Sequence[Request], terms: Terms, show: Callable[[News], None]
    ) -> None:
        self.client, self.store, self.claims, self.terms, self.show = client, store, claims, terms, show
        self.left = [request for request in requests if outstanding(store, request)]
        self.tally = Tally()
        self.backlog = Backlog(store, claims, [])
        self.flying: dict[str, Flight] = {}
        self.landed: queue.Queue[Flight] = queue.Queue()
        self.frugality, self.strikes = 0, 0
        self.workers, self.looked, self.seen = 0, 0.0, time.monotonic()

    def go(self) -> Tally:
        """Make everything that is left. Ctrl-C ends it; what is on the disk stays."""
        lines: dict[str, list[Request]] = {}
        for request in self.left:
            lines.setdefault(request.line, []).append(request)
        try:
            for line in lines.values():
                self._line(line)
        except KeyboardInterrupt:
            self.tally.interrupted = True
        finally:
            self._drop()
        return self.tally

    def _line(self, requests: Sequence[Request]) -> None:
        """Make the requests of one model to the last one, so that no worker has to load it again for a straggler."""
        self.backlog, self.frugality, self.strikes = Backlog(self.store, self.claims, requests), 0, 0
        while self.backlog.waiting or self.backlog.busy or self.flying:
            self._look()
            self._send()
            if self.flying:
                self._hear()
            elif self.tally.limited:
                break
            elif self.backlog.waiting:
                time.sleep(TICK)  # there is no connection at the moment
            elif self.backlog.busy:
                self.show(News(self.tally.done, note="waiting for another run"))
                time.sleep(PATIENCE)
                self.backlog.look_again()
        self.tally.exhausted += self.backlog.exhausted
        self.tally.done += self.backlog.exhausted + self.backlog.elsewhere

    def _look(self) -> None:
        """See how many workers there are; :class:`Error` where there are none for long, or no scheduler any more."""
        now = time.monotonic()
        if now < self.looked + TICK:
            return
        self.looked, self.workers = now, self._counted()
        if self.client.status == "closed":
            raise Error("--scheduler: the connection to it is lost, the same command goes on from here when it is there again")
        if self.workers:
            self.seen = now
            return
        self.show(News(self.tally.done, note="no workers, waiting for one"))
        if now > self.seen + LOST:
            raise Error(f"--scheduler: there has been no worker for {LOST:.0f} s, {START}; the same command goes on from here")

    def _counted(self) -> int:
        if self.client.status != "running":
            return 0
        try:
            return len(self.client.nthreads(callback_timeout=REACHED))
        except (OSError, RuntimeError):  # the connection was lost a moment ago
            return 0

    def _send(self) -> None:
        """Give out as many tasks as keep the workers busy."""
        most = 1 if self.frugality else TOGETHER.get(self.terms.here.device.partition(":")[0], 1)
        while self.client.status == "running" and len(self.flying) < AHEAD * max(1, self.workers):
            flying = [key for flight in self.flying.values() for key in flight.task.keys]
            if not (pairs := self._affordable(self.backlog.group(most, flying))):
                return
            task = Task(tuple(pairs), self.frugality)
            here = replace(self.terms.here, frugality=self.frugality)
            jobs = [self._job(one) for _, one in pairs]
            flight = Flight(task, self.client.submit(hands.made, jobs, here, self.terms.probe(task.first), key=task.name))
            self.flying[task.name] = flight
            self._await(flight)

    def _affordable(self, pairs: list[Pair]) -> list[Pair]:
        """As many of the pairs as there is money for; the others wait."""
        if not pairs:
            return []
        count = self.terms.ledger.take(self.terms.prices.get(pairs[0][0].model), len(pairs))
        self.tally.spent += count
        self.tally.limited |= count < len(pairs)
        self.backlog.back(pairs[count:])
        return pairs[:count]

    def _job(self, request: Request) -> Job:
        return Job(request, Path(self.terms.images[request.condition]).read_bytes() if request.condition else b"")

    def _await(self, flight: Flight) -> None:
        flight.future.add_done_callback(lambda _: self.landed.put(flight))

    def _hear(self) -> None:
        """Take in what came of a task, if one is done."""
        try:
            flight = self.landed.get(timeout=TICK)
        except queue.Empty:
            return
        task, future = flight.task, flight.future
        if self.flying.get(task.name) is not flight:
            return
        answer = _fetched(future)
        if answer is None and future.status in ("finished", "pending"):  # the worker that had it is gone: it is made again
            self._await(flight)
            return
        error = future.exception() if future.status == "error" else None
        del self.flying[task.name]
        future.release()
        if answer:
            self._answered(task, answer)
        elif error:
            self._failed(task, error)
        else:
            self.backlog.back(task.pairs)  # the scheduler was away for a moment

    def _answered(self, task: Task, answer: Answer) -> None:
        first = task.first
        if answer.verdict:
            self.terms.probed(first, answer.verdict)
        if answer.verdict == NAN:
            self.tally.unfit.add((first.model, str(first.settings["dtype"])))
            self._drop()
        else:
            for pair, result in zip(task.pairs, answer.results, strict=True):
                self._keep(*pair, result)
        self.backlog.free(task.pairs)

    def _keep(self, request: Request, one: Request, result: Result) -> None:
        """Store what came of a request; it is asked for again if that was nothing."""
        what, memory = result.what, result.known["memory"]
        self.tally.peak = max(self.tally.peak, memory)
        if isinstance(what, Spoilt):
            self.store.reject(one.key, facts(one, result.known), what.code, what.message)
            self.tally.rejected[what.code] += 1
            self.backlog.waiting.appendleft(request)
            return
        self.tally.done += 1
        if isinstance(what, Product):
            self.store.add(one.key, facts(one, what.made), what.png, what.original, what.ending)
            self.tally.made += 1
            self.strikes = 0
        else:
            self.tally.failed[what.message] += 1
        self.show(News(self.tally.done, one.radical, one.model, f"{self.workers} workers", memory))

    def _failed(self, task: Task, error: BaseException) -> None:
        from distributed import KilledWorker

        model, radical = task.first.model, task.first.radical
        if isinstance(error, OutOfMemory):
            self._more_frugal(task, str(error))
        elif isinstance(error, Error):
            self._give_up(task, str(error))
        elif len(task.pairs) > 1:  # it may be the fault of one
            self.backlog.split(task.pairs)
        elif isinstance(error, KilledWorker):
            self.strikes += 1
            self._lose(task, f"all {error.allowed_failures + 1} workers that were to make radical {radical} died")
            if self.strikes == STRIKES:
                self._give_up(task, f"{model}: workers die of it, {STRIKES} pictures in a row came to nothing")
        else:
            self._lose(task, f"{type(error).__name__}: {error}")

    def _lose(self, task: Task, message: str) -> None:
        """Do without the picture of a task."""
        self.backlog.free(task.pairs)
        self.tally.failed[f"{task.first.model}: {message}"] += 1
        self.tally.done += 1

    def _more_frugal(self, task: Task, message: str) -> None:
        """Go on with less memory, if there is a way to."""
        model = task.first.model
        if task.frugality < self.frugality:  # that is done already
            self.backlog.back(task.pairs)
        elif self.frugality + 1 < self.terms.frugalities:
            self.frugality += 1
            self.show(News(self.tally.done, model=model, note=f"{message}; goes on {FRUGAL[self.frugality]}"))
            self.backlog.back(task.pairs)
        else:
            self.tally.crowded.add(model)
            self._give_up(task, f"{model}: {message}, {FRUGAL[self.frugality]}")

    def _give_up(self, task: Task, message: str) -> None:
        self.tally.given_up[task.first.model] = message
        self.backlog.free(task.pairs)
        self._drop()

    def _drop(self) -> None:
        """Leave out what is left of a model."""
        for flight in self.flying.values():
            self.backlog.free(flight.task.pairs)
        if self.client.status == "running":
            self.client.cancel([flight.future for flight in self.flying.values()])
        self.flying = {}
        self.backlog.clear()


def _fetched(future: Any) -> Answer | None:
    """What came of a task; None if that is nothing, or cannot be had at the moment."""
    with suppress(Exception):  # of whatever kind: what has become of the future says what to do
        return future.result(timeout=SENT) if future.status == "finished" else None
    return None


def run(address: str, store: Store, requests: Sequence[Request], terms: Terms, show: Callable[[News], None]) -> Tally:
    """Have those requests made that are not there yet by the workers of a scheduler, and say how that went.

    :class:`Error` where the scheduler cannot be reached or is lost; what is on the disk by then stays.
    """
    began = time.monotonic()
    if all(outstanding(store, request) is None for request in requests):
        return Tally()
    with connected(address) as client, store.claims() as claims:
        tally = Run(client, store, claims, requests, terms, show).go()
    tally.seconds = time.monotonic() - began
    return tally
