"""Ranking: the order in which candidates are shown. Nothing is deleted; what something speaks against comes last.

``build/candidates/NNN/ranking.json`` has the keys in order, with scores and flags, and what was measured for it. It follows from
the candidates alone and can be deleted at any time.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from generator.illustrate import legible
from generator.illustrate.examine import GLYPH, Flag, alike, flags, measured, possible
from generator.illustrate.scorers import Means, Scorer, Unreadable, combined, opened, ready
from generator.project import Project, put
from generator.store import Candidate, Store

RANKING = "ranking.json"
SCHEMA = 1
"""Part of every ranking; one with another number is made anew."""
DUPLICATE = "duplicate"
"""The code of a picture that looks like one before it."""
UNREADABLE = "unreadable"
"""The code of a picture whose file is torn: it comes after all others."""

Entry = dict[str, Any]
"""What ``ranking.json`` says of a candidate: key, score, scores by scorer, flags, and measurements that its own JSON lacks."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in its place. ``score``: from 0 to 1, among the pictures of one prompt; None if it was not ranked yet."""

    candidate: Candidate
    score: float | None
    scores: Mapping[str, float]
    flags: tuple[Flag, ...]
    measured: Mapping[str, Any]


def path(store: Store, radical: int) -> Path:
    """Where the ranking of a radical lies."""
    return store.folder(radical) / RANKING


def read(store: Store, radical: int) -> list[Ranked]:
    """The candidates of a radical in order; those that were not ranked yet come last, by their keys."""
    return ordered(list(store.candidates(radical)), _before(store, radical))


def ordered(candidates: Sequence[Candidate], before: Mapping[str, Any]) -> list[Ranked]:
    """Candidates of a radical in the order of its ranking."""
    entries = {entry["key"]: entry for entry in before.get("candidates", ())}
    places = {key: place for place, key in enumerate(entries)}
    found = sorted(candidates, key=lambda one: (places.get(one.key, len(places)), one.key))
    return [_ranked(one, entries.get(one.key, {})) for one in found]


def _ranked(candidate: Candidate, entry: Mapping[str, Any]) -> Ranked:
    told = tuple(Flag(*flag) for flag in entry.get("flags", ()))
    known = {**candidate.made.get("measured", {}), **entry.get("measured", {})}
    return Ranked(candidate, entry.get("score"), entry.get("scores", {}), told, known)


def _before(store: Store, radical: int) -> dict[str, Any]:
    """What a radical's ranking says; nothing where it is not there or not whole."""
    try:
        found = json.loads(path(store, radical).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA and _are_entries(found.get("candidates")) else {}


def _are_entries(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(entry, dict) and "key" in entry for entry in found)


@dataclass
class _Radical:
    """A radical's candidates while they are ranked, in order of their keys."""

    number: int
    candidates: list[Candidate]
    before: dict[str, Any]
    scores: dict[str, dict[str, float]] = field(default_factory=dict)

    @cached_property
    def unreadable(self) -> dict[str, Flag]:
        """Why pictures cannot be read, by key: those of another size than what was stored, until others are found."""
        told = "has another size than what was stored, delete {0}.json to have it made again"
        return {one.key: Flag(UNREADABLE, f"{one.path}: {told.format(one.key)}") for one in self.candidates if one.path in one.damaged}

    @contextmanager
    def reading(self, one: Candidate) -> Iterator[None]:
        """Takes note of a picture that turns out not to be readable."""
        try:
            yield
        except Unreadable as error:
            self.unreadable[one.key] = Flag(UNREADABLE, str(error))

    @property
    def readable(self) -> list[Candidate]:
        """The candidates that are not known not to be readable."""
        return [one for one in self.candidates if one.key not in self.unreadable]

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """What was known of candidates before."""
        return {entry["key"]: entry for entry in self.before.get("candidates", ())}

    @cached_property
    def added(self) -> dict[str, dict[str, Any]]:
        """Measurements that the candidates' own JSON lacks, by key."""
        return {one.key: dict(self.entries.get(one.key, {}).get("measured", {})) for one in self.candidates}

    def known(self, one: Candidate) -> dict[str, Any]:
        """Everything measured of a candidate."""
        return {**one.made.get("measured", {}), **self.added[one.key], "mode": one.mode}

    def measure(self, forms: legible.Masks | None) -> None:
        """Measure what is missing, each picture decoded once at most."""
        names = set(possible())
        if forms and self.before.get("forms") != forms.digest:
            for found in self.added.values():
                found.pop("legible", None)
        for one in self.readable:
            known = self.known(one)
            asks = forms is not None and one.mode == GLYPH and "legible" not in known
            if not names <= known.keys() or asks:
                with self.reading(one):
                    picture = opened(one)
                    self.added[one.key] |= measured(picture, known)
                    if forms and asks:
                        self.added[one.key]["legible"] = asdict(forms.read(picture, self.number))

    def score(self, using: Mapping[str, Scorer]) -> None:
        """Give every candidate its scores; those that were given on the same basis before are taken."""
        last = self.before.get("scorers", {})
        same = {name for name, scorer in using.items() if scorer.basis and last.get(name) == scorer.basis}
        for one in self.readable:
            with self.reading(one):
                self.scores[one.key] = dict(self._scores(one, using, same))

    def _scores(self, one: Candidate, using: Mapping[str, Scorer], same: Collection[str]) -> Iterator[tuple[str, float]]:
        old, known = self.entries.get(one.key, {}).get("scores", {}), self.known(one)
        for name, scorer in using.items():
            value = old[name] if name in same and name in old else scorer.score(one, known)
            if value is not None:
                yield name, value

    def totals(self) -> dict[str, float]:
        """One score for each candidate that can be read, by key."""
        groups: dict[tuple[str, str], list[str]] = {}
        for one in self.readable:
            groups.setdefault((one.mode, one.request["prompt"]), []).append(one.key)
        shares = ((group, combined([self.scores[key] for key in group])) for group in groups.values())
        return {key: total for group, found in shares for key, total in zip(group, found, strict=True)}

    def ranking(self, using: Mapping[str, Scorer], doubles: Mapping[tuple[int, str], Flag], forms: str) -> dict[str, Any]:
        """What is to be written: the better ones first, those that are flagged after the others, and at last what cannot be read."""
        totals = self.totals()
        entries: list[Entry] = [
            {
                "key": one.key,
                "score": totals.get(one.key, 0.0),
                "scores": self.scores.get(one.key, {}),
                "flags": list(filter(None, [self.unreadable.get(one.key), *flags(self.known(one)), doubles.get((self.number, one.key))])),
                "measured": self.added[one.key],
            }
            for one in self.candidates
        ]
        entries.sort(key=lambda entry: (entry["key"] in self.unreadable, bool(entry["flags"]), -entry["score"], entry["key"]))
        bases = {name: scorer.basis for name, scorer in using.items()}
        return {"schema": SCHEMA, "radical": self.number, "forms": forms, "scorers": bases, "candidates": entries}


def _doubles(found: Sequence[_Radical]) -> dict[tuple[int, str], Flag]:
    """The candidates, by radical and key, that look like one before them, of the same radical or of another one."""
    every = [(each.number, one.key, str(each.known(one).get("phash") or "")) for each in found for one in each.readable]
    first = alike([hashed for _, _, hashed in every])
    pairs = [(every[index], every[other]) for index, other in enumerate(first) if other is not None]
    return {(number, key): Flag(DUPLICATE, f"looks like {of:03d}/{like}") for (number, key, _), (of, like, _) in pairs}


def _written(file: Path, ranking: Mapping[str, Any]) -> bool:
    """Write a ranking if it is another one than before; True if so."""
    content = f"{json.dumps(ranking, ensure_ascii=False, indent=1)}\n".encode()
    if file.is_file() and file.read_bytes() == content:
        return False
    put(file, content)
    return True


def rank(project: Project, store: Store, radicals: Collection[int], means: Means | None = None) -> int:
    """Put the candidates of radicals in order; how many rankings changed. What was measured and scored before is taken.

    Pictures that look the same are looked for among the candidates of all radicals: the first one, by radical and key, is let be.
    """
    every: dict[int, list[Candidate]] = {}
    for one in store.candidates():
        every.setdefault(one.radical, []).append(one)
    found = [_Radical(number, candidates, _before(store, number)) for number, candidates in sorted(every.items())]
    asked = [each for each in found if each.number in radicals]
    forms = legible.masks(project) if any(one.mode == GLYPH for each in asked for one in each.candidates) else None
    using = ready(means or Means())
    for each in asked:
        each.measure(forms)
        each.score(using)
    doubles = _doubles(found)
    return sum(_written(path(store, each.number), each.ranking(using, doubles, forms.digest if forms else "")) for each in asked)
