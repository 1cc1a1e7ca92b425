"""Candidates on disk: pictures for a person to choose from, each with the request that makes it again.

``build/candidates/NNN/<key>.png`` and ``<key>.json``, which is written last: what has no JSON is not there. What came to nothing
leaves ``<key>.reject.json``, so that nobody tries it twice. Files of other names are somebody else's; a JSON that is torn or says
something else is passed over, and so is one whose PNG somebody took away: nothing fails for it. Claims are locks on single bytes
of one file: they go with the process that holds them, however it ends, and leave nothing behind.
"""

import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from generator.model import Error
from generator.project import writing

REJECT = ".reject.json"
NAME = re.compile(r"[0-9a-f]{20}(\.reject)?\.json")
"""What the JSON of a candidate or a reject is called."""
BROKEN, DAMAGED = "broken", "damaged"
"""Of a JSON: it cannot be read. Of another file: it is missing, or has another size than what was stored."""
CLAIMS = ".claims"
PART = ".part"
"""How the name of a file ends that is being written."""

_ASKED = {"prompt": str, "seed": int}
_SAYS = {"key": str, "radical": int, "model": str, "mode": str, "style": str, "request": _ASKED}
_MADE = {"seconds?": (int, float), "measured?": {}}
_PICTURE = {"file": str, "sha256": str, "bytes?": int, "original?": str, "original_sha256?": str, "original_bytes?": int}
_SIZES = {"file": "bytes", "original": "original_bytes"}
"""Where a candidate's JSON names a file, and where it has its size."""
CANDIDATE = _SAYS | {"made": _MADE, "picture": _PICTURE}
"""What the JSON of a candidate says at least: types by name, a question mark at what may be missing. What else it says is let be."""
REJECTED = _SAYS | {"made": {}, "rejected": {"code": str, "message": str}}
"""The same for one that came to nothing."""


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

    @property
    def damaged(self) -> list[Path]:
        """Its files that are missing, or have another size than what was stored."""
        kept = [(self.picture[name], self.picture.get(size)) for name, size in _SIZES.items() if name in self.picture]
        found = [(path, _size(path), stored) for name, stored in kept for path in [self.folder / name]]
        return [path for path, size, stored in found if not size or size != (stored or size)]


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


def _size(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


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
        """True if the candidate was made: nothing is read, for thousands are asked after."""
        folder = self.folder(radical)
        return bool(_size(folder / f"{key}.json") and _size(folder / f"{key}.png"))

    def has_reject(self, radical: int, key: str) -> bool:
        """True if the request came to nothing before."""
        return bool(_size(self.folder(radical) / f"{key}{REJECT}"))

    def add(self, key: str, facts: Mapping[str, Any], png: bytes, original: bytes = b"", ending: str = "") -> Candidate:
        """Store a candidate: its files first, then the JSON that says they are there.

        *facts*: radical, model, mode, style, request, made. *original* is what the model gave, if that is more than the pixels.
        """
        folder = self.folder(facts["radical"])
        picture: dict[str, Any] = {"file": f"{key}.png", "sha256": hashlib.sha256(png).hexdigest(), "bytes": len(png)}
        if original:
            name = f"{key}.original{ending}"
            _keep(folder / name, original)
            picture |= {"original": name, "original_sha256": hashlib.sha256(original).hexdigest(), "original_bytes": len(original)}
        _keep(folder / picture["file"], png)
        _keep(folder / f"{key}.json", _json({"key": key, **facts, "picture": picture}))
        return _candidate(folder / f"{key}.json")

    def reject(self, key: str, facts: Mapping[str, Any], code: str, message: str) -> None:
        """Record that a request came to nothing, and why."""
        path = self.folder(facts["radical"]) / f"{key}{REJECT}"
        _keep(path, _json({"key": key, **facts, "rejected": {"code": code, "message": message}}))

    def candidates(self, radical: int | None = None) -> Iterator[Candidate]:
        """All candidates, or those of a radical, in order of their names."""
        found = (_recorded(path) for path in self._files(radical) if not path.name.endswith(REJECT))
        return (one for one in found if isinstance(one, Candidate) and _size(one.path))

    def rejects(self, radical: int | None = None) -> Iterator[Reject]:
        """All requests that came to nothing, or those of a radical, in order of their names."""
        found = (_recorded(path) for path in self._files(radical) if path.name.endswith(REJECT))
        return (one for one in found if isinstance(one, Reject))

    def faults(self, radical: int | None = None) -> Iterator[tuple[str, Path]]:
        """What is not as it was stored, :data:`BROKEN` or :data:`DAMAGED`, and the file; by sizes, for digests of thousands take long."""
        for path in self._files(radical):
            one = _recorded(path)
            if one is None:
                yield BROKEN, path
            elif isinstance(one, Candidate):
                yield from ((DAMAGED, file) for file in one.damaged)

    def _files(self, radical: int | None) -> Iterator[Path]:
        folders = sorted(self.root.glob("[0-9][0-9][0-9]")) if radical is None else [self.folder(radical)]
        for folder in folders:
            yield from sorted(path for path in folder.glob("*.json") if NAME.fullmatch(path.name))

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
    except (OSError, ValueError, RecursionError) as error:
        raise Error(f"{path}: cannot be read ({error}), delete it to have it made again") from None


def _recorded(path: Path) -> Candidate | Reject | None:
    """What a JSON was stored for; None if it is torn, or is not what was stored."""
    try:
        return Reject(**_parts(path, REJECTED)) if path.name.endswith(REJECT) else _candidate(path)
    except Error:
        return None


def _candidate(path: Path) -> Candidate:
    """The candidate of a JSON file."""
    parts = _parts(path, CANDIDATE)
    key, picture = parts["key"], parts["picture"]
    original = picture.get("original", picture["file"])
    if picture["file"] != f"{key}.png" or not original.startswith(f"{key}.") or "/" in original:
        raise Error(f"{path}: names files of other candidates, delete it to have it made again")
    return Candidate(**parts, folder=path.parent)


def _parts(path: Path, shape: Mapping[str, Any]) -> dict[str, Any]:
    """What the JSON of a candidate or a reject says, without what is not known here; :class:`Error` if that is something else."""
    said = read(path)
    if not _fits(said, shape) or (f"{said['radical']:03d}", said["key"]) != (path.parent.name, path.name.partition(".")[0]):
        raise Error(f"{path}: does not say what it should, delete it to have it made again")
    return {name: said[name] for name in shape}


def _fits(value: Any, shape: Any) -> bool:
    """True if a value of JSON is of a type, or has parts of the types."""
    if not isinstance(shape, Mapping):
        return isinstance(value, shape)
    if not isinstance(value, dict):
        return False
    parts = [(name.removesuffix("?"), name.endswith("?"), inner) for name, inner in shape.items()]
    return all(_fits(value[name], inner) if name in value else may_lack for name, may_lack, inner in parts)


def store(build: Path) -> Store:
    """The candidates of a project, by its folder of everything built."""
    return Store(build / "candidates")
