"""Requests: one picture asked for, by everything that decides its pixels."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from generator.store import Claims, Store

SCHEMA = 1
"""Part of every key; another number where the same settings would make other pixels than before."""
SIDE = 512
"""Pixels of a candidate: a square, scaled from the model's native size with a Lanczos filter."""
KEY = 20
"""Hexadecimal digits of a key."""
SEEDS = 2**32
RETRIES = 3
"""How often a picture that came to nothing is tried again with another seed."""
APART = 1_000_003
"""How far apart the seeds of tries are: a prime beyond any count of candidates, so that no try is another one's first."""


@dataclass(frozen=True, slots=True)
class Request:
    """A picture of a radical, asked of a model. Only :attr:`decisive` decides its pixels; the rest says who asked.

    ``settings`` is what the provider needs to make it, by its own names: ``provider``, ``repo``, ``revision``, ``pipeline``,
    ``size``, ``dtype``, ``call`` (the arguments of the call) and so on. ``condition`` is the sha256 of the conditioning image.
    """

    radical: int
    model: str
    mode: str
    style: str
    prompt: str
    negative: str
    seed: int
    settings: Mapping[str, Any]
    condition: str = ""

    @property
    def decisive(self) -> dict[str, Any]:
        """Everything that decides the pixels, and nothing else."""
        parts = {"schema": SCHEMA, "side": SIDE, "prompt": self.prompt, "negative": self.negative, "seed": self.seed}
        return parts | {"settings": dict(self.settings), "condition": self.condition}

    @property
    def key(self) -> str:
        """The request's name: a hash of what decides its pixels."""
        return hashlib.sha256(canonical(self.decisive).encode()).hexdigest()[:KEY]

    @property
    def line(self) -> str:
        """What is loaded to make it: requests of one line are made by one process after the other."""
        return canonical({"settings": dict(self.settings), "model": self.model})


def canonical(value: Any) -> str:
    """JSON with sorted keys and without spaces: the same value, the same text. :class:`ValueError` for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def tries(request: Request) -> Iterator[Request]:
    """The request, and what is asked for in its place if it comes to nothing."""
    for attempt in range(RETRIES + 1):
        yield replace(request, seed=(request.seed + attempt * APART) % SEEDS)


def outstanding(store: Store, request: Request) -> Request | None:
    """What is left to be made of a request: itself, a try with another seed, or nothing."""
    for one in tries(request):
        if store.has(one.radical, one.key):
            return None
        if not store.has_reject(one.radical, one.key):
            return one
    return None


THERE, EXHAUSTED, BUSY, LEFT = "there", "given up", "busy", "left"
"""How a request stands: it was made, came to nothing with every seed, somebody is at it, or it is to be made."""


def state(store: Store, request: Request) -> str:
    """How a request stands, whoever is at it."""
    if outstanding(store, request):
        return LEFT
    return THERE if any(store.has(one.radical, one.key) for one in tries(request)) else EXHAUSTED


def claim(store: Store, claims: Claims, request: Request, taken: Collection[str] = ()) -> Request | str:
    """What is to be made of a request now, claimed; or why that is nothing. *taken*: keys that this process is at."""
    while one := outstanding(store, request):
        if one.key in taken or not claims.take(one.key):
            return BUSY
        if one == outstanding(store, request):
            return one
        claims.give_back(one.key)  # somebody was done with it a moment before
    return state(store, request)


def packed(request: Request) -> dict[str, Any]:
    """A request as JSON carries it."""
    return asdict(request)


def unpacked(value: Mapping[str, Any]) -> Request:
    """The request of :func:`packed`."""
    return Request(**value)
