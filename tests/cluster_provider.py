"""A provider without torch for the workers of a test's cluster: ``dask worker --preload cluster_provider``, with ``tests`` on the path.

What it does is said by the prompt; every execution leaves a line in the file ``executions`` of the folder that the worker started in.
"""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from generator.illustrate import examine
from generator.illustrate.making import Failed, Here, Job, Made, Maker, Outcome, OutOfMemory, Spoilt
from generator.illustrate.providers import providers
from generator.illustrate.requests import APART
from generator.model import Error


def dask_setup(_: Any) -> None:
    """What a worker does when it starts: nothing is measured of squares, which takes most of their time."""
    examine.measured = lambda _: {}  # type: ignore[assignment]


LOADED, EXECUTIONS = "loaded", "executions"


def note(name: str, text: str) -> None:
    """Add a line to a file that several processes write to."""
    file = os.open(Path.cwd() / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{text}\n".encode())
    os.close(file)


def outcome(job: Job) -> Outcome:
    """What the prompt asks for, or squares whose colours follow from prompt and seed."""
    request = job.request
    note(EXECUTIONS, f"{os.getpid()} {request.radical} {request.seed}")
    time.sleep(request.settings.get("wait", 0))
    word = request.prompt.partition(" ")[0]
    if word == "raise":
        raise ValueError("no such thing can be drawn")
    if word == "die":
        os._exit(1)
    if word == "fail":
        return Failed("nobody knows what that is")
    if (word == "spoil" and request.seed < APART) or word == "never":
        return Spoilt("black", "nothing to be seen")
    if word == "nan":
        return Made(np.full((2, 2, 3), np.nan, np.float32))
    seed = [request.seed, *request.prompt.encode(), *job.condition]
    return Made(np.kron(np.random.default_rng(seed).random((2, 2, 3), np.float32), np.ones((256, 256, 1), np.float32)))


@providers
def squares(settings: Mapping[str, Any], here: Here) -> Maker:
    """Coloured squares."""
    note(LOADED, f"{os.getpid()} {settings.get('name')} {here.frugality} {here.threads}")
    if settings.get("name") == "broken":
        raise Error("squares: are all gone, get new ones")

    def make(jobs: Sequence[Job]) -> list[Outcome]:
        if here.frugality < settings.get("frugal", 0):
            raise OutOfMemory("no room for squares")
        return [outcome(job) for job in jobs]

    return Maker(make, settings.get("most", 1))


@providers
def burning(settings: Mapping[str, Any], here: Here) -> Maker:
    """A square for a fixed amount of work on one core, by which throughput can be measured."""

    def make(jobs: Sequence[Job]) -> list[Outcome]:
        for _ in jobs:
            sum(n * n % 7 for n in range(settings["work"]))
        return [outcome(job) for job in jobs]

    return Maker(make)
