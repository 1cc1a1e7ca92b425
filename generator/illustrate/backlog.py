"""What a run over a cluster has still to ask for: requests that wait, in tasks as workers get them, and those that others are at."""

import hashlib
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from generator.illustrate.requests import BUSY, EXHAUSTED, THERE, Request, canonical, claim
from generator.store import Claims, Store

Pair = tuple[Request, Request]
"""A request, and the try of it that is to be made now."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is asked for at once: requests of one model, and how frugally (see :data:`generator.illustrate.making.FRUGAL`)."""

    pairs: tuple[Pair, ...]
    frugality: int

    @property
    def first(self) -> Request:
        """The first request: all have its model and settings."""
        return self.pairs[0][0]

    @property
    def keys(self) -> list[str]:
        """What is to be made."""
        return [one.key for _, one in self.pairs]

    @property
    def name(self) -> str:
        """What the scheduler calls it: the same for the same pictures."""
        first, *others = self.keys
        digest = hashlib.sha256(canonical(self.keys).encode()).hexdigest()[: len(first)] if others else first
        return f"picture-{digest}-{self.frugality}"


class Backlog:
    """Requests of one model that are neither done nor with the cluster. What goes out is claimed; what comes back is free again.

    ``exhausted``: how many came to nothing with every seed; ``elsewhere``: how many somebody else has made meanwhile.
    """

    def __init__(self, store: Store, claims: Claims, requests: Sequence[Request]) -> None:
        self.store, self.claims = store, claims
        self.waiting, self.busy, self.alone = deque(requests), list[Request](), set[str]()
        self.exhausted, self.elsewhere = 0, 0

    def group(self, most: int, flying: Collection[str]) -> list[Pair]:
        """The next requests that can be made, at most so many; *flying* are the keys that the cluster is at."""
        pairs: list[Pair] = []
        taken = set(flying)
        while self.waiting and len(pairs) < most:
            if pairs and not self.alone.isdisjoint((pairs[0][0].key, self.waiting[0].key)):
                break
            request = self.waiting.popleft()
            one = claim(self.store, self.claims, request, taken)
            if isinstance(one, Request):
                pairs.append((request, one))
                taken.add(one.key)
            elif one == BUSY:
                self.busy.append(request)
            else:
                self.elsewhere += one == THERE
                self.exhausted += one == EXHAUSTED
        return pairs

    def free(self, pairs: Sequence[Pair]) -> None:
        """Let others have them."""
        for _, one in pairs:
            self.claims.give_back(one.key)

    def back(self, pairs: Sequence[Pair]) -> None:
        """Let requests wait again, before all others."""
        self.free(pairs)
        self.waiting.extendleft(request for request, _ in reversed(pairs))

    def split(self, pairs: Sequence[Pair]) -> None:
        """Let requests wait again, each for a task of its own."""
        self.alone |= {request.key for request, _ in pairs}
        self.back(pairs)

    def look_again(self) -> None:
        """See whether those that others were at are there by now."""
        self.waiting.extend(self.busy)
        self.busy = []

    def clear(self) -> None:
        """Leave out what is left."""
        self.waiting.clear()
        self.busy = []
