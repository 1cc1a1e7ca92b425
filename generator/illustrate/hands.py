"""What runs on a Dask worker: a model that stays loaded, and the pictures that are asked of it.

A worker process has one model at hand, and one picture (or batch) is made at a time, however many threads it has; scaling, measuring
and encoding go on beside the next one.
"""

import gc
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generator.illustrate.finish import Product
from generator.illustrate.making import Failed, Here, Job, Maker, Outcome, Spoilt
from generator.illustrate.providers import providers
from generator.illustrate.worker import Batches, peak, product
from generator.model import Error

NAN = "nan"
"""The verdict of a probe image after which no more are made."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a request; ``known``: how it was made (``seconds``, ``device``, ``memory``)."""

    what: Product | Spoilt | Failed
    known: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of some requests, in their order. ``verdict``: of the probe image, if there was one; after ``nan`` there is no more."""

    verdict: str
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model, what it was loaded for, and how many pictures it makes at once."""

    line: str
    here: Here
    maker: Maker
    batches: Batches


class _Hand:
    """What this process has at hand: nothing, or one model."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loaded: _Loaded | None = None

    def take(self, job: Job, here: Here) -> _Loaded:
        """The model of a job, loaded if it is not yet; the one that was there before is gone by then."""
        line = job.request.line
        if self.loaded is None or (self.loaded.line, self.loaded.here) != (line, here):
            self.drop()
            settings = job.request.settings
            maker = providers[settings["provider"]](settings, here)
            self.loaded = _Loaded(line, here, maker, Batches(maker.most, maker.steady))
        return self.loaded

    def drop(self) -> None:
        """Have nothing, and give its memory back."""
        self.loaded = None
        gc.collect()
        torch = sys.modules.get("torch")
        if torch and torch.cuda.is_available():
            torch.cuda.empty_cache()
        if torch and torch.backends.mps.is_available():
            torch.mps.empty_cache()


_hand = _Hand()


def made(jobs: Sequence[Job], here: Here, probe: bool) -> Answer:
    """Make pictures of one model; with *probe*, see first whether its number format gives any.

    :class:`Error` where the model cannot be used on this worker, which it names;
    :class:`~generator.illustrate.making.OutOfMemory` where there is no room.
    """
    from distributed import get_worker

    worker = get_worker()
    folder = here.folder if here.folder.is_dir() else Path.cwd()
    mine = replace(here, folder=folder, scratch=Path(worker.local_directory), threads=here.threads or worker.state.nthreads)
    try:
        with _hand.lock:
            verdict, outcomes = _outcomes(jobs, mine, probe)
    except Error as error:
        raise Error(f"{worker.address}: {error}") from None
    results = []
    for job, (outcome, seconds) in zip(jobs, outcomes, strict=verdict != NAN):
        known = {"seconds": round(seconds, 3), "device": here.device, "memory": peak()}
        results.append(Result(product(job.request, outcome, known), known))
    return Answer(verdict, tuple(results))


def _outcomes(jobs: Sequence[Job], here: Here, probe: bool) -> tuple[str, list[tuple[Outcome, float]]]:
    """The verdict of the probe image, and what the model gave with the seconds that each took."""
    try:
        loaded = _hand.take(jobs[0], here)
        if probe:
            from generator.illustrate import engine

            verdict = engine.probe_image(loaded.maker, jobs[0])
            return verdict, [] if verdict == NAN else list(_each(loaded, jobs))
        return "", list(_each(loaded, jobs))
    except BaseException:
        _hand.drop()  # what failed may be half broken, and its memory is wanted
        raise


def _each(loaded: _Loaded, jobs: Sequence[Job]) -> Iterator[tuple[Outcome, float]]:
    left = list(jobs)
    while left:
        group, left = left[: loaded.batches.size], left[loaded.batches.size :]
        began = time.monotonic()
        outcomes = loaded.maker.make(group)
        seconds = time.monotonic() - began
        loaded.batches.took(len(group), seconds)
        yield from ((outcome, seconds / len(group)) for outcome in outcomes)
