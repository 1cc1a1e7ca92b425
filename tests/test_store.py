"""Candidates on disk: whole or not there, found again, claimed by one process at a time."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generator.illustrate.requests import KEY, Request, outstanding, packed, tries, unpacked
from generator.illustrate.worker import facts
from generator.model import Error
from generator.store import NAME, Store

REQUEST = Request(62, "demo", "text", "gouache", "a halberd", "text", 7, {"provider": "demo", "size": 64, "call": {"guidance_scale": 3.0}})
HOLD = """
import sys
from pathlib import Path
from generator.store import Store
with Store(Path(sys.argv[1])).claims() as claims:
    print(all(claims.take(key) for key in sys.argv[2:]), flush=True)
    sys.stdin.read()
"""


def add(store: Store, request: Request = REQUEST, png: bytes = b"png", **more: object) -> None:
    store.add(request.key, facts(request, {"seconds": 1.5}), png, **more)  # type: ignore[arg-type]


def test_a_candidate_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    add(store, original=b"<svg/>", ending=".svg")
    (found,) = store.candidates()
    assert (found.key, found.radical, found.model, found.request["seed"], found.made["seconds"]) == (REQUEST.key, 62, "demo", 7, 1.5)
    assert found.path == tmp_path / "062" / f"{REQUEST.key}.png"
    assert found.path.read_bytes() == b"png"
    assert found.original.read_bytes() == b"<svg/>"
    assert found.original.suffix == ".svg"
    digests = [found.picture[name] for name in ("sha256", "original_sha256")]
    assert digests == [hashlib.sha256(content).hexdigest() for content in (b"png", b"<svg/>")]
    assert list(store.candidates(62)) == [found]
    assert not list(store.candidates(63))


def test_what_came_to_nothing_is_remembered_and_is_no_candidate(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.reject(REQUEST.key, facts(REQUEST, {}), "black", "no value above 0.000")
    assert store.has_reject(62, REQUEST.key)
    assert not store.has(62, REQUEST.key)
    assert not list(store.candidates())
    assert [one.rejected["code"] for one in store.rejects()] == ["black"]


def test_a_picture_without_its_json_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    add(store)
    (tmp_path / "062" / f"{REQUEST.key}.json").unlink()
    assert not store.has(62, REQUEST.key)
    add(store, png=b"again")
    assert [one.path.read_bytes() for one in store.candidates()] == [b"again"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Error, match=r"cannot be written \(No space left on device\)"):
        add(Store(tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_every_file_is_on_the_disk_before_the_next_and_the_json_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    replaced = Path.replace

    def replace(path: Path, target: Path) -> Path:
        assert path.name == f".{target.name}.part", "what is half written is no candidate"
        done.append(target.suffix)
        return replaced(path, target)

    monkeypatch.setattr(os, "fsync", lambda handle: done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"))
    monkeypatch.setattr(Path, "replace", replace)
    add(Store(tmp_path), original=b"<svg/>", ending=".svg")
    assert done == [word for ending in (".svg", ".png", ".json") for word in ("file", ending, "folder")]


def test_a_folder_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(37, "No locks available")

    with Store(tmp_path).claims() as claims:
        monkeypatch.setattr("fcntl.lockf", none)
        with pytest.raises(Error, match=r"\.claims: cannot be written \(No locks available\)"):
            claims.take(REQUEST.key)


def said(store: Store, **changes: Any) -> str:
    """The JSON of a candidate with changes; without what is changed to None."""
    found = json.loads((store.folder(62) / f"{REQUEST.key}.json").read_bytes())
    return json.dumps({name: value for name, value in (found | changes).items() if value is not None})


BROKEN: dict[str, Callable[[Store], str]] = {
    "empty": lambda store: "",
    "torn": lambda store: '{"key": ',
    "deep": lambda store: "[" * 100_000,
    "object": lambda store: "{}",
    "list": lambda store: "[]",
    "null": lambda store: "null",
    "no picture": lambda store: said(store, picture=None),
    "no model": lambda store: said(store, model=None),
    "no prompt": lambda store: said(store, request={"seed": 1}),
    "words for a number": lambda store: said(store, radical="62"),
    "words for parts": lambda store: said(store, made="today"),
    "measured words": lambda store: said(store, made={"measured": []}),
    "another key": lambda store: said(store, key="0" * 20),
    "another radical": lambda store: said(store, radical=63),
    "another file": lambda store: said(store, picture={"file": "../a.png", "sha256": ""}),
    "another original": lambda store: said(
        store, picture={"file": f"{REQUEST.key}.png", "sha256": "", "original": f"{REQUEST.key}./../../a.svg"}
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_json_that_says_something_else_stops_nothing_and_is_named(tmp_path: Path, kind: str) -> None:
    add(store := Store(tmp_path), original=b"<svg/>", ending=".svg")
    add(store, other := replace(REQUEST, seed=8))
    store.reject("0" * 20, facts(REQUEST, {}), "black", "no value above 0.000")
    path = store.folder(62) / f"{REQUEST.key}.json"
    path.write_text(BROKEN[kind](store))
    (torn := store.folder(62) / f"{'1' * 20}.reject.json").write_text('{"key": "')
    assert [one.key for one in store.candidates()] == [other.key]
    assert [one.key for one in store.rejects(62)] == ["0" * 20]
    assert sorted(store.faults()) == sorted(store.faults(62)) == [("broken", each) for each in sorted([path, torn])]
    assert store.has(62, REQUEST.key) == bool(path.read_bytes())
    path.unlink()
    assert not store.has(62, REQUEST.key)
    add(store)
    assert store.has(62, REQUEST.key)
    assert len(list(store.candidates(62))) == 2


def test_what_a_later_version_adds_is_let_be(tmp_path: Path) -> None:
    add(store := Store(tmp_path))
    store.reject("0" * 20, facts(REQUEST, {}), "black", "no value above 0.000")
    (before,), (reject,) = store.candidates(), store.rejects()
    for path in store.folder(62).glob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_bytes()) | {"later": {"more": 1}}))
    assert ([before], [reject]) == (list(store.candidates()), list(store.rejects()))
    assert not list(store.faults())


def test_files_of_others_are_passed_over(tmp_path: Path) -> None:
    add(store := Store(tmp_path))
    found = list(store.candidates())
    for name in ("foo", "abc", "ranking", REQUEST.key[:-1], f"{REQUEST.key}0", REQUEST.key.upper(), f"{REQUEST.key}.old"):
        (store.folder(62) / f"{name}.json").write_text("{}")
    assert list(store.candidates()) == found
    assert not list(store.rejects())
    assert not list(store.faults())


def test_a_candidate_without_its_picture_is_not_there(tmp_path: Path) -> None:
    add(store := Store(tmp_path))
    (one,) = store.candidates()
    for spoil in (one.path.unlink, one.path.touch):
        spoil()
        assert not store.has(62, REQUEST.key)
        assert outstanding(store, REQUEST) == REQUEST
        assert not list(store.candidates())
        assert list(store.faults()) == [("damaged", one.path)]
    add(store)
    assert list(store.candidates()) == [one]
    assert outstanding(store, REQUEST) is None
    assert not list(store.faults())


def test_files_of_another_size_are_named(tmp_path: Path) -> None:
    add(store := Store(tmp_path), original=b"<svg/>", ending=".svg")
    (one,) = store.candidates()
    one.path.write_bytes(b"pn")
    one.original.unlink()
    assert list(store.candidates()) == [one], "something is there"
    assert list(store.faults()) == [("damaged", one.path), ("damaged", one.original)]
    assert one.damaged == [one.path, one.original]


def test_a_reject_of_nothing_is_tried_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.reject(REQUEST.key, facts(REQUEST, {}), "black", "no value above 0.000")
    (store.folder(62) / f"{REQUEST.key}.reject.json").write_bytes(b"")
    assert outstanding(store, REQUEST) == REQUEST


def test_a_claim_holds_against_other_processes_until_its_own_dies(tmp_path: Path) -> None:
    keys = [one.key for one in tries(REQUEST)]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), *keys[:2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline().strip() == "True"
    with Store(tmp_path).claims() as claims:
        assert [claims.take(key) for key in keys] == [False, False, True, True]
        assert not claims.is_free(keys[0])
        holder.kill()
        holder.wait()
        assert [claims.is_free(key) for key in keys[:2]] == [True, True]
        assert [claims.take(key) for key in keys[:2]] == [True, True]
    holder.stdout.close()
    assert [path.name for path in tmp_path.iterdir()] == [".claims"]
    assert (tmp_path / ".claims").stat().st_size == 0


def test_who_asks_whether_a_key_is_free_does_not_claim_it(tmp_path: Path) -> None:
    others = "0" * 15, "0" * 14 + "1"
    with Store(tmp_path).claims() as claims:
        assert claims.is_free(others[0])
        assert claims.take(others[1])
        command = [sys.executable, "-c", HOLD, str(tmp_path)]
        free = [subprocess.check_output([*command, key], stdin=subprocess.DEVNULL, text=True).strip() for key in others]
    assert free == ["True", "False"]


def test_candidates_come_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number, seed in ((99, 1), (2, 5), (2, 3), (2, 9), (2, 1), (2, 7)):
        add(store, replace(REQUEST, radical=number, seed=seed))
    found = [(one.radical, one.key) for one in store.candidates()]
    assert found == sorted(found)
    assert len(found) == 6


def test_what_is_loaded_together_is_of_one_model(tmp_path: Path) -> None:
    assert replace(REQUEST, prompt="x", seed=8, style="x").line == REQUEST.line
    assert len({REQUEST.line, replace(REQUEST, model="x").line, replace(REQUEST, settings={}).line}) == 3


def test_the_key_is_of_what_decides_the_pixels_and_of_nothing_else() -> None:
    for other in ({"radical": 1}, {"model": "x"}, {"mode": "glyph"}, {"style": "x"}):
        assert replace(REQUEST, **other).key == REQUEST.key
    changes = ({"prompt": "x"}, {"negative": "x"}, {"seed": 8}, {"condition": "0" * 64}, {"settings": {**REQUEST.settings, "size": 128}})
    keys = {replace(REQUEST, **other).key for other in changes}  # type: ignore[arg-type]
    assert len(keys | {REQUEST.key}) == len(changes) + 1
    reordered = dict(reversed(REQUEST.settings.items()))
    assert replace(REQUEST, settings=reordered).key == REQUEST.key
    assert NAME.fullmatch(f"{'0' * KEY}.json")
    assert REQUEST.key == "aa4830ff68dc2bad63b5", "another key makes every candidate anew: raise SCHEMA, and say why"


def test_requests_travel_as_json() -> None:
    assert unpacked(json.loads(json.dumps(packed(REQUEST)))) == REQUEST


def test_tries_have_seeds_of_their_own() -> None:
    seeds = [[one.seed for one in tries(Request(1, "m", "text", "s", "p", "", seed, {}))] for seed in range(1000)]
    assert {len(each) for each in seeds} == {4}
    assert len({seed for each in seeds for seed in each}) == 4000
    assert all(0 <= one.seed < 2**32 for one in tries(Request(1, "m", "text", "s", "p", "", 2**32 - 1, {})))
