"""What the libraries of diffusion raise, said in one line: what is wrong, and what would be right."""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from generator.illustrate.making import OutOfMemory, needed
from generator.model import Error

FULL = ("out of memory", "can't allocate memory", "Invalid buffer size", "ALLOC_FAILED", "bad_alloc")
"""What messages of a device without room have in common."""
HUB = "https://huggingface.co"
LONGEST = 240
"""Letters of a message that are repeated."""

OFFLINE = "was not downloaded before and the hub cannot be reached, see that this machine is online"
NAMED = "is no name of a repository, write owner/name, or a folder as ./folder"
CAUSES = {
    "GatedRepoError": "is gated, accept its licence at {hub}/{repo} and set HF_TOKEN to a token of your account",
    "RevisionNotFoundError": "has no revision {revision}, give one of {hub}/{repo}/commits",
    "RepositoryNotFoundError": "is not on the hub, see that the name is right (and HF_TOKEN, if it is a private one)",
    "ENOSPC": "cannot be downloaded, the disk is full: make room, or set HF_HOME to a folder on another disk",
    "No space left": "cannot be downloaded, the disk is full: make room, or set HF_HOME to a folder on another disk",
    "EACCES": "cannot be downloaded ({line}), set HF_HOME to a folder where you may write",
    "EROFS": "cannot be downloaded ({line}), set HF_HOME to a folder where you may write",
    "HFValidationError": NAMED,
    "neither a valid local path": NAMED,
    "OfflineModeIsEnabled": "was not downloaded before and HF_HUB_OFFLINE is set, unset it for once",
    "SafetensorError": "has corrupt weights ({line}), {again}",
    "Cannot copy out of meta tensor": "has incomplete weights, {again}",
    "no file named model_index.json": "holds no pipeline of diffusers (model_index.json), name a repository that does",
    "no file named config.json": "lacks a part that its pipeline needs ({line}), see that the pipeline is the right one",
    "such modeling files": "has no such variant of its weights ({line}), leave variant out or name another one",
    "not a valid JSON": "has a broken configuration ({line}), delete it and have it downloaded again",
    "no file named": "has no weights as safetensors where they should be, and nothing else is loaded ({line})",
    "necessary `safetensors` weights": "has no weights as safetensors where they should be, and nothing else is loaded ({line})",
    "RemoteEntryNotFoundError": "does not have the file ({line}), see {hub}/{repo}/tree/{revision}",
    "LocalEntryNotFoundError": OFFLINE,
    "TransportError": OFFLINE,
    "ConnectionError": OFFLINE,
    "HfHubHTTPError": "could not be had from the hub ({line}), try again later",
    "ImportError": "needs a package that is missing ({line}), install it",
}
"""By the name of an exception's class, of its error number, or by words of its message; what says most comes first."""


def is_local(repo: str) -> bool:
    """True for a folder: ``./mine``, ``../mine``, ``/mine``."""
    return repo.startswith(("./", "../", "/"))


@contextmanager
def told(spec: Mapping[str, Any], doing: str = "cannot be loaded") -> Iterator[None]:
    """Whatever a library raises over the weights *spec* (``repo``, ``revision``) becomes an :class:`Error` of one line.

    Where the device has no room, it becomes an :class:`OutOfMemory`.
    """
    try:
        yield
    except (Error, OutOfMemory):
        raise
    except Exception as error:  # noqa: BLE001  # libraries raise what they like
        if full(error):
            raise OutOfMemory(line(error)) from None
        raise Error(f"{spec.get('repo')}: {cause(error, spec) or f'{doing} ({line(error)})'}") from None


@contextmanager
def imported() -> Iterator[None]:
    """A package that is missing or damaged becomes an :class:`Error` of one line."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise needed((error.name or "torch").partition(".")[0], "diffusion") from None
    except (ImportError, OSError, RuntimeError) as error:
        raise Error(f"torch: a package that it needs cannot be used ({line(error)}), install them again") from None


def full(error: BaseException) -> bool:
    """True if an exception says that the device has no room."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(words in str(error) for words in FULL))


def cause(error: BaseException, spec: Mapping[str, Any]) -> str:
    """What an exception comes from and what would help, or nothing if that is not known."""
    signs = [(sign, line(each)) for each in _chain(error) for sign in _signs(each)]
    for known, message in CAUSES.items():
        if said := next((text for sign, text in signs if sign == known), None):
            again = "put the whole file there" if is_local(str(spec.get("repo"))) else "delete them and have them downloaded again"
            return message.format(line=said, hub=HUB, repo=spec.get("repo"), revision=spec.get("revision", "main"), again=again)
    return ""


@contextmanager
def written() -> Iterator[None]:
    """What a library says of the system when it cannot write becomes the :class:`OSError` that it came from."""
    try:
        yield
    except Exception as error:
        if found := re.search(r"\(os error ([0-9]+)\)", str(error)):
            raise OSError(int(found[1]), os.strerror(int(found[1]))) from None
        raise


def line(error: BaseException) -> str:
    """An exception's message, as much of it as fits into a line."""
    said = " ".join(str(error).split())
    said = said.partition(". ")[0].rstrip(".") or type(error).__name__
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _signs(error: BaseException) -> set[str]:
    """What an exception is known by in :data:`CAUSES`."""
    names = {kind.__name__ for kind in type(error).__mro__} | {errno.errorcode.get(getattr(error, "errno", None) or 0, "")}
    return names | {words for words in CAUSES if " " in words and words in str(error)}
