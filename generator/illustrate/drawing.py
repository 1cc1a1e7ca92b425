"""Language models that draw: asked to write SVG, told what is wrong with it, and asked again, a bounded number of times.

What is taken is in the form in which ``bushu adopt`` stores drawings, and went through the same refusals: whatever an answer says,
it is a picture of the allowed elements or nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from generator import cards, illustrations, project, provenance, raster, store
from generator.illustrate import conversation
from generator.illustrate.chat import Answer, Chat, Silent
from generator.illustrate.making import Failed, Here, Job, Made, Maker, Outcome, Spoilt
from generator.illustrate.requests import SIDE, Request
from generator.illustrations import Look
from generator.model import Error, Radical
from generator.svg import SVG
from generator.vocabulary import ADVICE

BATCH, REPAIRS = 10, 3
"""Radicals a batch, and how often drawings are asked for again, unless the profile's ``call`` says otherwise."""
ENDING = ".svg"
SHRINK = 8
"""How much smaller pictures are kept of which only the look matters: many may be known."""
FOR_PEOPLE = re.compile(r",? or give --crop.*")
"""What a finding says that helps at the command line alone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a drawing looks like that was taken, and of which radical it is."""

    radical: int
    look: Look


def _look(picture: bytes) -> Look:
    """A candidate's PNG from afar."""
    return Look(raster.opened(picture, SIDE).reduce(SHRINK))


def known(candidates: store.Store) -> list[Seen]:
    """What the drawings look like that lie among the candidates."""
    found = []
    for candidate in candidates.candidates():
        if candidate.original.suffix == ENDING:
            with suppress(OSError, SyntaxError, ValueError):  # a file that somebody took away or broke looks like nothing
                found.append(Seen(candidate.radical, _look(candidate.path.read_bytes())))
    return found


def form(drawing: str, radical: Radical, facts: provenance.Facts) -> bytes:
    """A drawing in the form in which it would be adopted. :class:`Error` lists what is wrong with it."""
    content = drawing.encode("utf-8", "replace")
    try:
        return illustrations.normalised(content, radical, cards.title(radical), facts, crop=False).content
    except Error as error:
        raise Error("\n".join(dict.fromkeys([FOR_PEOPLE.sub("", str(error)), *_strangers(content)]))) from None


def _strangers(content: bytes) -> Iterator[str]:
    """All elements of a drawing that may not be there, of which the refusal names the first: a repair should do for all."""
    try:
        root = provenance.parsed(content)
    except Error:
        return
    for name in sorted({str(element.tag).removeprefix(SVG) for element in root.iter() if element is not root}):
        if advice := ADVICE.get(name):
            yield f"<{name}> {advice}"


def _copied(whose: str) -> str:
    return f"shows the same picture as {whose}, draw what its own brief says in a way of its own"


@dataclass(slots=True)
class _Batch:
    """What was asked for, by label: what is taken of it, and what was drawn last and found of the rest."""

    asked: Mapping[str, Request]
    taken: dict[str, tuple[Made, Seen]] = field(default_factory=dict)
    drawn: dict[str, str] = field(default_factory=dict)
    findings: dict[str, str] = field(default_factory=dict)

    @property
    def left(self) -> dict[str, Request]:
        """What is still asked for."""
        return {label: request for label, request in self.asked.items() if label not in self.taken}

    def take(self, new: dict[str, tuple[Made, Seen]]) -> None:
        """Take drawings. Of two that are alike both are to be drawn again: who knows which it shows; of one radical, the later one."""
        together = self.taken | new
        copies: set[str] = set()
        for one, other in combinations(together, 2):
            first, second = together[one][1], together[other][1]
            if first.look.is_like(second.look):
                of_both = {one: other, other: one} if first.radical != second.radical else {other: one}
                copies |= of_both.keys()
                self.findings |= {label: _copied(twin) for label, twin in of_both.items()}
        self.taken = {label: pair for label, pair in together.items() if label not in copies}

    def outcomes(self, failed: Failed | None = None) -> list[Outcome]:
        """What became of everything that was asked for; *failed* says why the rest was not asked for again."""
        spoilt = {label: Spoilt("drawing", "; ".join(text.splitlines())) for label, text in self.findings.items()}
        return [self.taken[label][0] if label in self.taken else failed or spoilt[label] for label in self.asked]


@dataclass(slots=True)
class _Easel:
    """What is at hand to draw with. ``seen`` grows with what is taken."""

    chat: Chat
    radicals: Sequence[Radical]
    repairs: int
    seen: list[Seen]

    def make(self, jobs: Sequence[Job]) -> list[Outcome]:
        """One batch with its repairs: at most ``repairs`` + 1 questions."""
        batch = _Batch(conversation.labelled([job.request for job in jobs]))
        try:
            for repairs in range(self.repairs + 1):
                if left := batch.left:
                    answer = self.chat.ask(conversation.messages(left, batch.drawn, batch.findings), jobs[0].request.seed)
                    self._look_through(answer, batch, repairs)
            return batch.outcomes()
        except Silent as silent:
            return batch.outcomes(Failed(str(silent)))
        except Error as error:
            if not batch.taken:
                raise
            return batch.outcomes(Failed(str(error)))  # the next question raises it again, and nothing is lost
        finally:
            self.seen += [seen for _, seen in batch.taken.values()]

    def _look_through(self, answer: Answer, batch: _Batch, repairs: int) -> None:
        """Take of an answer what can be taken, and note what is found of the rest."""
        drawn = conversation.drawings(answer.text, batch.left)
        batch.drawn |= drawn
        new = {}
        for label, request in batch.left.items():
            try:
                original = self._formed(request, drawn.get(label, ""), answer.is_cut)
                png = raster.png(original, SIDE)
                seen = Seen(request.radical, _look(png))
                self._refuse_seen(seen)
                new[label] = Made(png, original, ENDING, {"repairs": repairs, "answered_by": answer.model}), seen
            except Error as error:
                batch.findings[label] = str(error)
        batch.take(new)

    def _formed(self, request: Request, drawing: str, is_cut: bool) -> bytes:
        """A drawing as it would be adopted, with where it is from. :class:`Error` if it is refused."""
        if not drawing:
            raise Error(f"is not in the answer{', which was cut off' if is_cut else ''}, give it under its label")
        if not conversation.is_whole(drawing):
            raise Error("was cut off before its </svg>, or has another <svg> in it: draw it whole, with fewer shapes")
        facts = provenance.stated([("model", self.chat.model), ("prompt", request.prompt)])
        return form(drawing, self.radicals[request.radical - 1], facts)

    def _refuse_seen(self, new: Seen) -> None:
        """:class:`Error` for what is a near-duplicate of a drawing that was taken before."""
        for other in self.seen:
            if new.look.is_like(other.look):
                raise Error(_copied(f"radical {other.radical}" if other.radical != new.radical else "another drawing of this radical"))


def _count(call: dict[str, Any], name: str, default: int, least: int, where: str) -> int:
    """A whole number of the profile's ``call`` that is ours, taken out of it."""
    value = call.pop(name, default)
    if type(value) is not int or value < least:
        raise Error(f"{where}: call.{name}: {value!r}, should be a whole number from {least}")
    return value


def maker(settings: Mapping[str, Any], here: Here) -> Maker:
    """The provider ``svg``: ``repo`` is the model's name at the endpoint ``url``.

    Of ``call``, ``batch`` (1: one at a time) and ``repairs`` are ours, the rest goes to the endpoint. :class:`Error` for what it
    does not take, and for a missing key; whether the endpoint is there shows at the first question.
    """
    call, where = dict(settings.get("call", {})), f"models.yml: {settings['repo']}"
    batch, repairs = _count(call, "batch", BATCH, 1, where), _count(call, "repairs", REPAIRS, 0, where)
    chat, data = Chat(settings, call), project.load(here.folder)
    return Maker(_Easel(chat, data.radicals, repairs, known(store.store(data.build))).make, batch, steady=True)
