"""What providers and those who call them say to each other: jobs, what may be used, and what comes of it.

A provider gets the settings that its requests share and what it may use, loads what it needs, and gives a :class:`Maker`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.illustrate.requests import Request
from generator.model import Error


@dataclass(frozen=True, slots=True)
class Job:
    """A request with its conditioning image (a PNG), if it has one."""

    request: Request
    condition: bytes = b""


@dataclass(frozen=True, slots=True)
class Here:
    """What a provider may use.

    ``device``: ``cuda``, ``cuda:1``, ``mps`` or ``cpu``. ``memory``: bytes that it may take, 0 without a limit. ``frugality``: how
    much time is to be given for memory (see :data:`FRUGAL`). ``threads``: of the processor, 0 for the library's choice.
    ``folder``: the project's folder, where paths of models begin; ``scratch``: a folder for what is built once.
    """

    device: str
    memory: int
    frugality: int
    threads: int
    folder: Path
    scratch: Path


FRUGAL = ("as it is", "one at a time", "with its parts moved to the device in turn")
"""What each frugality means."""


@dataclass(frozen=True, slots=True)
class Made:
    """A picture. ``pixels``: an array (height, width, 3) of floats from 0 to 1, or the bytes of a PNG, JPEG or WebP file.

    ``original``: what the model gave, with its ``ending``, if that is more than pixels. ``facts`` go into the JSON.
    """

    pixels: Any
    original: bytes = b""
    ending: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A picture that came to nothing for good, such as one that a safety checker blanked: recorded, and tried with another seed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A picture that could not be made this time, such as one that a service had no answer for: reported, and tried at the next run."""

    message: str


Outcome = Made | Spoilt | Failed


@dataclass(frozen=True, slots=True)
class Maker:
    """What makes pictures: of jobs in order, the outcomes in the same order.

    ``most`` is how many it can take at once; it gets as many as pays, which is measured, or as many as there are if it is ``steady``.
    """

    make: Callable[[Sequence[Job]], list[Outcome]]
    most: int = 1
    steady: bool = False


class OutOfMemory(Exception):
    """The device has no room; the same jobs may fit when made more frugally."""


def needed(package: str, extra: str) -> Error:
    """What to say where a package of an extra is missing."""
    return Error(f"{package}: is not installed, it comes with pip install 'bushu[{extra}]' (in a checkout: make illustrate)")
