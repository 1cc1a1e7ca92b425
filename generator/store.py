"""Candidates on disk: pictures for a person to choose from, each with the request that makes it again.

``build/candidates/NNN/<key>.png`` and ``<key>.json``, which is written last: what has no JSON is not there. What came to nothing
leaves ``<key>.reject.json``, so that nobody tries it twice. Claims are locks on single bytes of one file: they go with the process
that holds them, however it ends, and leave nothing behind.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from generator.model import Error
from generator.project import writing

REJECT = ".reject.json"
CLAIMS = ".claims"
PART = ".part"
"""How the name of a file ends that is being written."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that was made: where it lies, and what its JSON says.

    ``request`` is what decides its pixels, ``made`` how it went (seconds, device, versions, measurements).
    """

    key: str
    radical: int
    model: str
    mode: str
    style: str
    request: Mapping[str, Any]
    picture: Mapping[str, Any]
    made: Mapping[str, Any]
    folder: Path

    @property
    def path(self) -> Path:
        """The PNG."""
        return self.folder / str(self.picture["file"])

    @property
    def original(self) -> Path:
        """What the model or service gave, if that is more than pixels (an SVG, a file with content credentials), else the PNG."""
        return self.folder / str(self.picture.get("original", self.picture["file"]))


@dataclass(frozen=True, slots=True)
class Reject:
    """A picture that came to nothing, and why."""

    key: str
    radical: int
    model: str
    mode: str
    style: str
    request: Mapping[str, Any]
    rejected: Mapping[str, str]
    made: Mapping[str, Any]


def _keep(path: Path, content: bytes) -> None:
    """Write a file and see that it is on the disk: whole under its name, or not there."""
    part = path.with_name(f".{path.name}{PART}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _json(value: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(value, ensure_ascii=False, indent=1)}\n".encode()


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of candidates."""

    root: Path

    def folder(self, radical: int) -> Path:
        """Where the candidates of a radical lie."""
        return self.root / f"{radical:03d}"

    def has(self, radical: int, key: str) -> bool:
        """True if the candidate was made."""
        return (self.folder(radical) / f"{key}.json").exists()

    def has_reject(self, radical: int, key: str) -> bool:
        """True if the request came to nothing before."""
        return (self.folder(radical) / f"{key}{REJECT}").exists()

    def add(self, key: str, facts: Mapping[str, Any], png: bytes, original: bytes = b"", ending: str = "") -> Candidate:
        """Store a candidate: its files first, then the JSON that says they are there.

        *facts*: radical, model, mode, style, request, made. *original* is what the model gave, if that is more than the pixels.
        """
        folder = self.folder(facts["radical"])
        picture = {"file": f"{key}.png", "sha256": hashlib.sha256(png).hexdigest()}
        if original:
            name = f"{key}.original{ending}"
            _keep(folder / name, original)
            picture |= {"original": name, "original_sha256": hashlib.sha256(original).hexdigest()}
        _keep(folder / picture["file"], png)
        _keep(folder / f"{key}.json", _json({"key": key, **facts, "picture": picture}))
        return self.candidate(folder / f"{key}.json")

    def reject(self, key: str, facts: Mapping[str, Any], code: str, message: str) -> None:
        """Record that a request came to nothing, and why."""
        path = self.folder(facts["radical"]) / f"{key}{REJECT}"
        _keep(path, _json({"key": key, **facts, "rejected": {"code": code, "message": message}}))

    def candidate(self, path: Path) -> Candidate:
        """The candidate of a JSON file."""
        return Candidate(**read(path), folder=path.parent)

    def candidates(self, radical: int | None = None) -> Iterator[Candidate]:
        """All candidates, or those of a radical, in order of their names."""
        for path in self._files(radical):
            if not path.name.endswith(REJECT):
                yield self.candidate(path)

    def rejects(self, radical: int | None = None) -> Iterator[Reject]:
        """All requests that came to nothing, or those of a radical, in order of their names."""
        for path in self._files(radical):
            if path.name.endswith(REJECT):
                yield Reject(**read(path))

    def _files(self, radical: int | None) -> Iterator[Path]:
        folders = sorted(self.root.glob("[0-9][0-9][0-9]")) if radical is None else [self.folder(radical)]
        for folder in folders:
            yield from sorted(path for path in folder.glob("[0-9a-f]*.json"))

    @contextmanager
    def claims(self) -> Iterator["Claims"]:
        """The claims of this process; they end with it."""
        path = self.root / CLAIMS
        with writing(path):
            self.root.mkdir(parents=True, exist_ok=True)
            file = path.open("ab")
        with file:
            yield Claims(file)


@dataclass(frozen=True, slots=True)
class Claims:
    """Locks on single bytes of a file, far beyond its end: one for every key. Other processes see them, this one does not."""

    file: IO[bytes]

    def take(self, key: str) -> bool:
        """True if nobody else is at work on the key; it is ours then."""
        with writing(Path(self.file.name)):  # there are folders of other machines that have no locks
            try:
                fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte(key))
            except (BlockingIOError, PermissionError):
                return False
        return True

    def is_free(self, key: str) -> bool:
        """True if nobody else is at work on the key."""
        if free := self.take(key):
            self.give_back(key)
        return free

    def give_back(self, key: str) -> None:
        """Let others have the key."""
        fcntl.lockf(self.file, fcntl.LOCK_UN, 1, _byte(key))


def _byte(key: str) -> int:
    """The byte that stands for a key: two keys of millions hardly ever share one, and then one of them waits."""
    return int(key[:15], 16)


def read(path: Path) -> dict[str, Any]:
    """What a file of JSON says; :class:`Error` for one that is torn."""
    try:
        return json.loads(path.read_bytes())  # type: ignore[no-any-return]
    except (OSError, ValueError) as error:
        raise Error(f"{path}: cannot be read ({error}), delete it to have it made again") from None


def store(build: Path) -> Store:
    """The candidates of a project, by its folder of everything built."""
    return Store(build / "candidates")
