"""What all services have in common: keys that stay secret, and what an answer or its lack means for a picture."""

import importlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.bitmaps import decoded
from generator.illustrate.making import Failed, Job, Made, Maker, Outcome, Spoilt, needed
from generator.model import Error, brief

if TYPE_CHECKING:
    from generator.illustrate.retrying import Failure
    from generator.illustrate.sessions import Session

EXTRA = "providers"
REFUSALS = ("moderation_blocked", "content_policy_violation", "content_filter")
"""Codes in the body of an answer by which services refuse to draw something."""
MOVED = "sends on to another address{said}, correct its url in models.yml"
UNUSABLE = {
    401: "does not accept the key{said}, set {variable} to one that is valid",
    402: "wants to be paid{said}, see to the account's credit",
    403: "does not let this key use {model}{said}, ask for access there or choose another model",
    404: "knows no model {model}{said}, correct its repo in models.yml",
    **dict.fromkeys((301, 302, 303, 307, 308), MOVED),
}
"""What to say of statuses by which a model cannot be used at all."""
TROUBLES = {
    "unwanted": "{words}",
    "silent": "gives no answer in time",
    "broken": "breaks off{said}",
    "other": "gives an answer that is none{said}",
}
"""What to say of other reasons why there is no picture."""
KEYLESS = "wants a key{said}, set {variable}; it is sent by https alone, or within this machine"
KEYLIKE = re.compile(r"\b(?:sk-|hf_|AIza)[\w*.-]{4,}")
"""What looks like a key, as services abridge it in their messages."""
SHORTEST = 8
"""Letters of a key that is one; a server of one's own may be content with a word that stands in every other text."""
SIGNATURES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp"}
"""How files begin, and how their names end."""


class Refused(Exception):
    """The service will not draw this, and why."""


def library(name: str) -> Any:
    """A service's library. :class:`Error` if it is not installed."""
    package = name.replace(".", "-")
    for module in ("httpx2", "tenacity", name):  # an older release of the library may be there that uses another client
        try:
            found = importlib.import_module(module)
        except ImportError:
            raise needed(package if module == name else module, EXTRA) from None
    return found


def secret(variables: Sequence[str], url: str) -> str:
    """The key from the first of the environment's variables that is set.

    It is sent by https alone, or within this machine; where it is not sent, or not set for this machine, it is empty.
    :class:`Error` if it is missing.
    """
    from generator.illustrate.sessions import address, is_here

    if address(url).scheme == "http" and not is_here(url):
        return ""
    value = next((found for name in variables if (found := os.environ.get(name, "").strip())), "")
    if not value and not is_here(url):
        raise Error(f"{variables[0]}: is not set, the environment should hold a key of the service in it")
    if not (value.isascii() and value.isprintable()):
        raise Error(f"{variables[0]}: holds characters that no key has, copy the key again")
    return value


@dataclass(frozen=True, slots=True)
class Service:
    """A service that is asked for pictures of one model. ``variable`` names the environment's variable that the key stands in."""

    session: "Session"
    model: str
    variable: str
    key: str = field(repr=False)

    def plain(self, text: str) -> str:
        """A text of the service in one line, without anything that is or looks like a key."""
        line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        return KEYLIKE.sub("…", line.replace(self.key, "…") if len(self.key) >= SHORTEST else line)

    def outcome(self, ask: Callable[[], Made]) -> Outcome:
        """Ask for a picture, again where that may help. :class:`Error` if the model cannot be used at all."""
        from generator.illustrate.retrying import failure, tried

        self.session.asked = 0
        try:
            return self.examined(tried(self.session, ask))
        except Error:
            raise
        except Refused as refusal:
            return Spoilt("refused", f"{self.session.host}: refuses ({brief(self.plain(str(refusal)))})")
        except Exception as error:  # noqa: BLE001  # libraries raise what they like, and its text may have the key in it
            return self.judged(failure(error))

    def fetched(self, url: str) -> bytes:
        """The picture at an address that the service gave. It is paid for: only this is tried again, not the request."""
        from generator.illustrate.retrying import failure, tried
        from generator.illustrate.sessions import Unwanted

        try:
            return tried(self.session, lambda: self.session.fetched(url))
        except Exception as error:  # noqa: BLE001  # the address is whatever the service says
            found = failure(error)
            raise Unwanted(
                found.words if found.kind == "unwanted" else f"gave an address without a picture ({found.status or found.kind})"
            ) from None

    def examined(self, made: Made) -> Outcome:
        """What was made, if it is a picture."""
        try:
            decoded(made.original)
        except Error as error:
            return Failed(f"{self.session.host}: the picture {error}")
        ending = next(ending for start, ending in SIGNATURES.items() if made.original.startswith(start))
        told = {name: self.plain(value) for name, value in made.facts.items()}
        return Made(made.original, made.original, ending, {"service": self.session.host, **told})

    def judged(self, failure: "Failure") -> Outcome:
        """What a failure means for the picture. :class:`Error` if it means that the model cannot be used at all."""
        host, words = self.session.host, brief(self.plain(failure.words))
        told = {"said": f" ({words})" if words else "", "words": words, "model": self.model, "variable": self.variable}
        if any(f'"{code}"' in failure.body for code in REFUSALS):
            return Spoilt("refused", f"{host}: refuses{told['said']}")
        if failure.status in UNUSABLE:
            text = KEYLESS if failure.status == 401 and not self.key else UNUSABLE[failure.status]
            raise Error(f"{host}: {text.format(**told)}") from None
        if failure.kind == "unreachable":
            raise Error(f"{host}: cannot be reached{told['said']}, check the address and the network") from None
        if failure.kind == "other" and not self.session.asked:  # the library did not even ask
            raise Error(f"models.yml: {self.model}: is not asked as {host} takes it{told['said']}, correct its call") from None
        return Failed(f"{host}: {TROUBLES.get(failure.kind, 'answers {status}{said}').format(**told, status=failure.status)}")


def maker(service: Service, ask: Callable[[Job], Made]) -> Maker:
    """What makes the pictures of jobs, one after the other."""
    return Maker(lambda jobs: [service.outcome(lambda job=job: ask(job)) for job in jobs])  # type: ignore[misc]


def made(content: bytes, facts: Mapping[str, str | None]) -> Made:
    """A picture as the service gave it, yet to be examined."""
    return Made(content, content, "", {name: value for name, value in facts.items() if value})
