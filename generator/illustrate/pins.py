"""Revisions: weights are taken at one commit, and those in a folder by what is in them, so that a key always means the same pixels.

A branch is looked up once, at its first use; ``build/candidates/revisions.json`` keeps the commit from then on.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from generator.illustrate.causes import is_local, told
from generator.model import Error
from generator.project import put
from generator.store import read

PINS = "revisions.json"
COMMIT = re.compile("[0-9a-f]{40}")
CONFIGS = ["model_index.json", "config.json"]
"""What is fetched to learn the commit of a branch: next to nothing."""


def weights(settings: Any) -> Iterator[tuple[str, str]]:
    """Every repository that settings name, at any depth, with its revision."""
    if isinstance(settings, Mapping):
        if "repo" in settings:
            yield str(settings["repo"]), str(settings.get("revision", "main"))
        settings = settings.values()
    if not isinstance(settings, str) and hasattr(settings, "__iter__"):
        for part in settings:
            yield from weights(part)


def digest(folder: Path) -> str:
    """What is in a folder of weights: the sha256 of its files' names and contents. Gigabytes are read once, until they change."""
    if not folder.is_dir():
        raise Error(f"{folder}: is not a folder, give the one that has the model's model_index.json")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return _digest(folder, tuple((path, (told := path.stat()).st_size, told.st_mtime_ns) for path in files))


@cache
def _digest(folder: Path, files: tuple[tuple[Path, int, int], ...]) -> str:
    found = hashlib.sha256()
    for path, _, _ in files:
        with path.open("rb") as file:
            found.update(f"{path.relative_to(folder).as_posix()} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return found.hexdigest()


def replaced(settings: Any, pins: Mapping[tuple[str, str], str]) -> Any:
    """The settings with every revision that has a pin replaced by it."""
    if isinstance(settings, Mapping):
        made = {key: replaced(value, pins) for key, value in settings.items()}
        which = (str(made.get("repo")), str(made.get("revision", "main")))
        return made | ({"revision": pins[which]} if which in pins else {})
    if isinstance(settings, list | tuple):
        return [replaced(part, pins) for part in settings]
    return settings


def looked_up(repo: str, revision: str) -> str:
    """The commit of a branch on the hub, or, without a connection, of what was fetched from there before."""
    from huggingface_hub import snapshot_download

    with told({"repo": repo, "revision": revision}):
        return Path(snapshot_download(repo, revision=revision, allow_patterns=CONFIGS)).name


def pinned(settings: dict[str, Any], root: Path, candidates: Path, look_up: bool = True) -> dict[str, Any]:
    """The settings with a commit, or a digest, for every revision; without *look_up*, for those that are known.

    *root*: where folders of models begin.
    """
    path = candidates / PINS
    kept = read(path) if path.is_file() else {}
    found: dict[tuple[str, str], str] = {}
    for repo, revision in dict.fromkeys(weights(settings)):
        if is_local(repo):
            found[repo, revision] = digest(root / repo)
        elif not COMMIT.fullmatch(revision):
            name = f"{repo}@{revision}"
            if look_up and name not in kept:
                kept[name] = looked_up(repo, revision)
                put(path, f"{json.dumps(kept, indent=1, sort_keys=True)}\n".encode())
            found[repo, revision] = kept.get(name, revision)
    return replaced(settings, found)  # type: ignore[no-any-return]
