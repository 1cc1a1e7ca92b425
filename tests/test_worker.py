"""The worker: what it makes of a task, what it tells its parent, and how it ends; with makers that need no model."""

import json
import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from generator.illustrate import worker
from generator.illustrate.finish import Product
from generator.illustrate.making import Failed, Here, Job, Made, Maker, Outcome, OutOfMemory, Spoilt
from generator.illustrate.requests import Request, tries
from generator.illustrate.supervise import Child
from generator.illustrate.worker import Task, dumped, facts, product, run, work
from generator.model import Error
from generator.store import Claims, Store

BLACK = Spoilt("black", "no value above 0.000")
TAKES = """
import sys
from pathlib import Path
from generator.store import Store
with Store(Path(sys.argv[1])).claims() as claims:
    print(*(int(claims.take(key)) for key in sys.argv[2:]), flush=True)
    sys.stdin.read()
"""


def wanted(count: int, **more: Any) -> tuple[Request, ...]:
    return tuple(Request(number, "m", "text", "s", f"p{number}", "", 1, {"provider": "fake"}, **more) for number in range(1, count + 1))


def takes(folder: Path, *keys: str) -> "subprocess.Popen[str]":
    """Another process that claims keys; its first line says of each whether it got it."""
    return subprocess.Popen([sys.executable, "-c", TAKES, str(folder), *keys], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


LOUD = """
import os, signal
from generator.illustrate import worker
from generator.illustrate.making import Failed, Maker

def make(jobs):
    print("a library has something to say", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    return [Failed("busy") for _ in jobs]

worker.providers["fake"] = lambda settings, here: Maker(make)
worker.main()
"""


@dataclass
class Bench:
    """A task with a maker that gives what a test says, and what was said and made."""

    folder: Path
    give: Callable[[Request], Outcome] = lambda _: Made(b"pixels", facts={"of": "mine"})
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    groups: list[list[Request]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return Store(self.folder)

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.said]

    def say(self, event: str, **words: Any) -> None:
        json.dumps(words)
        self.said.append((event, words))

    def make(self, jobs: Sequence[Job]) -> list[Outcome]:
        self.jobs += jobs
        self.groups.append([job.request for job in jobs])
        return [self.give(job.request) for job in jobs]

    def task(self, requests: Sequence[Request], **more: Any) -> Task:
        return Task(tuple(requests), more.pop("images", {}), Here("cpu", 0, 0, 1, self.folder, self.folder), self.folder, **more)

    def work(self, requests: Sequence[Request], most: int = 1, **more: Any) -> None:
        work(self.task(requests, **more), Maker(self.make, most, steady=True), self.say)

    def run(self, requests: Sequence[Request], **more: Any) -> None:
        run(self.task(requests, **more), self.say)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(worker, "finish", lambda request, made, known: Product(b"png", b"", "", {**known, **made.facts}))
    monkeypatch.setattr("os.fsync", lambda _: None)
    made = Bench(tmp_path / "candidates")
    monkeypatch.setattr(worker, "providers", {"fake": lambda settings, here: Maker(made.make)})
    return made


def test_what_is_asked_for_is_made_in_order_and_what_is_there_is_not(bench: Bench) -> None:
    requests = wanted(4)
    bench.store.add(requests[1].key, facts(requests[1], {}), b"before")
    bench.work(requests)
    assert bench.groups == [[requests[0]], [requests[2]], [requests[3]]]
    assert bench.events == ["begun", "made", "there", "begun", "made", "begun", "made"]
    assert [words["key"] for event, words in bench.said if event in ("made", "there")] == [request.key for request in requests]
    found = {one.radical: one for one in bench.store.candidates()}
    assert found.keys() == {1, 2, 3, 4}
    assert found[2].path.read_bytes() == b"before"
    assert found[1].request == requests[0].decisive
    assert found[1].made.keys() == {"seconds", "device", "memory", "of"}


def test_each_group_is_on_the_disk_before_the_next_is_begun(bench: Bench) -> None:
    requests, there = wanted(7), list[int]()

    def give(request: Request) -> Outcome:
        there.append(len(list(bench.store.candidates())))
        return Made(b"")

    bench.give = give
    bench.work(requests, most=3)
    assert [len(group) for group in bench.groups] == [3, 3, 1]
    assert there == [0, 0, 0, 3, 3, 3, 6]
    assert [words["keys"] for event, words in bench.said if event == "begun"] == [[one.key for one in group] for group in bench.groups]


def test_what_comes_to_nothing_is_tried_with_other_seeds_and_then_given_up(bench: Bench) -> None:
    requests = wanted(2)
    good = list(tries(requests[0]))[2]
    bench.give = lambda request: Made(b"") if request == good else BLACK
    bench.work(requests)
    assert [group[0] for group in bench.groups] == [*list(tries(requests[0]))[:3], *tries(requests[1])]
    assert [one.key for one in bench.store.candidates()] == [good.key]
    assert len(list(bench.store.rejects())) == 6
    assert {one.rejected["code"] for one in bench.store.rejects()} == {"black"}
    assert [(event, words["key"]) for event, words in bench.said if event in ("made", "given up")] == [
        ("made", requests[0].key),
        ("given up", requests[1].key),
    ], "the parent knows a request by its first key"
    before = len(bench.groups)
    bench.work(requests)
    assert len(bench.groups) == before
    assert bench.said[-2:] == [("there", {"key": requests[0].key}), ("given up", {"key": requests[1].key, "radical": 2})]


def test_what_failed_is_left_for_another_run(bench: Bench) -> None:
    requests = wanted(2)
    bench.give = lambda request: Failed("busy") if request == requests[0] else Made(b"")
    bench.work(requests)
    assert bench.events == ["begun", "failed", "begun", "made"]
    assert bench.said[1][1]["message"] == "busy"
    assert not list(bench.store.rejects())
    bench.give = lambda _: Made(b"")
    bench.work(requests)
    assert len(list(bench.store.candidates())) == 2


@pytest.mark.parametrize(("most", "groups"), [(1, [1, 1, 1]), (2, [2, 1])])
def test_no_more_is_made_than_allowed_tries_included(bench: Bench, most: int, groups: list[int]) -> None:
    requests = wanted(5)
    bench.give = lambda request: BLACK if request == requests[0] else Made(b"")
    bench.work(requests, most=most, allowance=3)
    assert [len(group) for group in bench.groups] == groups
    assert len(list(bench.store.candidates())) == 2


def test_an_allowance_that_is_just_enough_is_no_limit(bench: Bench) -> None:
    bench.work(wanted(3), allowance=3)
    assert bench.events.count("made") == 3


def test_what_somebody_else_is_at_is_left_to_him(bench: Bench) -> None:
    requests = wanted(3)
    bench.store.reject(requests[1].key, facts(requests[1], {}), "black", "black")
    other = takes(bench.folder, list(tries(requests[1]))[1].key)
    assert other.stdout
    assert other.stdout.readline() == "1\n"
    bench.work(requests)
    other.communicate()
    assert [group[0] for group in bench.groups] == [requests[0], requests[2]]
    assert ("busy", {"key": requests[1].key}) in bench.said


def test_what_is_at_hand_is_claimed_and_free_again_when_it_is_done(bench: Bench) -> None:
    requests, seen = wanted(3), list[str]()

    def give(request: Request) -> Outcome:
        if request == requests[1]:
            seen.append(takes(bench.folder, *(each.key for each in requests)).communicate()[0])
        return Made(b"")

    bench.give = give
    bench.work(requests)
    assert seen == ["1 0 1\n"]


def test_what_somebody_was_done_with_a_moment_before_is_not_made_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    requests, given_back = wanted(2), list[str]()

    def take(claims: Claims, key: str) -> bool:
        if key == requests[0].key:
            bench.store.add(key, facts(requests[0], {}), b"his")
        elif key == requests[1].key:
            bench.store.reject(key, facts(requests[1], {}), "black", "black")
        return True

    monkeypatch.setattr(Claims, "take", take)
    monkeypatch.setattr(Claims, "give_back", lambda claims, key: given_back.append(key))
    bench.work(requests)
    second = list(tries(requests[1]))[1]
    assert bench.groups == [[second]]
    assert bench.events == ["there", "begun", "made"]
    assert given_back == [requests[0].key, requests[1].key, second.key]


def test_the_maker_gets_the_conditioning_image(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "c.png").write_bytes(b"shape")
    bench.work(wanted(1, condition="0" * 64), images={"0" * 64: str(tmp_path / "c.png")})
    bench.work(wanted(1))
    assert [job.condition for job in bench.jobs] == [b"shape", b""]


def test_seconds_are_those_of_one_picture(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def give(_: Request) -> Outcome:
        clock[0] += 1.5
        return Made(b"")

    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    bench.give = give
    bench.work(wanted(4), most=4)
    assert {one.made["seconds"] for one in bench.store.candidates()} == {1.5}
    assert {words["seconds"] for event, words in bench.said if event == "made"} == {1.5}


def test_only_pictures_are_finished(bench: Bench) -> None:
    (request,) = wanted(1)
    assert product(request, BLACK, {}) is BLACK
    failed = Failed("x")
    assert product(request, failed, {}) is failed
    found = product(request, Made(b"", facts={"seconds": 2}), {"seconds": 1, "device": "cpu"})
    assert isinstance(found, Product)
    assert found.made == {"seconds": 2, "device": "cpu"}


def test_a_task_is_done_from_loading_to_the_last_picture(bench: Bench) -> None:
    bench.run(wanted(2))
    assert bench.events == ["ready", "begun", "made", "begun", "made", "done"]


@pytest.mark.parametrize(
    ("error", "said"),
    [(Error("x: is wrong"), ("error", {"message": "x: is wrong"})), (OutOfMemory("no room"), ("memory", {"message": "no room"}))],
)
def test_what_the_model_cannot_do_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, said: tuple[str, Any]) -> None:
    def fail(*_: object) -> Any:
        raise error

    requests = wanted(3)
    bench.give = lambda request: fail() if request == requests[1] else Made(b"")
    bench.run(requests)
    assert bench.events == ["ready", "begun", "made", "begun", said[0]]
    assert [one.radical for one in bench.store.candidates()] == [1], "what was made before stays"
    bench.said.clear()
    monkeypatch.setattr(worker, "providers", {"fake": fail})
    bench.run(requests)
    assert bench.said == [said]


@pytest.mark.parametrize(("verdict", "events"), [("nan", []), ("sound", ["begun", "made", "done"]), ("black", ["begun", "made", "done"])])
def test_a_number_format_is_tried_first(bench: Bench, monkeypatch: pytest.MonkeyPatch, verdict: str, events: list[str]) -> None:
    monkeypatch.setattr("generator.illustrate.engine.probe_image", lambda maker, job: verdict)
    bench.run(wanted(1), probe=True)
    assert bench.events == ["ready", "probed", *events]


def heard(task: Task) -> tuple[list[dict[str, Any]], Child]:
    """What a child says until it has ended."""
    events: queue.Queue[tuple[Child, dict[str, Any]]] = queue.Queue()
    child, found = Child(task, events), list[dict[str, Any]]()
    while not found or found[-1]["event"] != "ended":
        found.append(events.get(timeout=60)[1])
    return found, child


def keyless(folder: Path, count: int = 1, prompt: str = "a") -> Task:
    """A task that ends as soon as its model is to be loaded: there is no key of the service."""
    settings = {"provider": "openai", "repo": "x"}
    requests = tuple(Request(1, "m", "text", "s", prompt, "", seed, settings) for seed in range(count))
    return Task(requests, {}, Here("service", 0, 0, 0, folder, folder), folder)


def test_a_child_says_what_is_wrong_and_ends_in_peace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "generator").mkdir()
    (tmp_path / "generator/__init__.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    found, child = heard(keyless(tmp_path, 50, "long" * 5000))
    assert [event["event"] for event in found] == ["error", "ended"]
    assert "OPENAI_API_KEY" in found[0]["message"]
    assert found[1]["status"] == 0, list(child.tail)
    assert not child.tail
    (line,) = map(json.loads, (tmp_path / worker.LOG).read_text().splitlines())
    assert (line["event"], line["by"], line["model"]) == ("error", child.process.pid, "m")


def test_a_worker_tells_its_parent_of_events_and_nothing_else_and_leaves_ctrl_c_to_it(bench: Bench) -> None:
    requests = wanted(2)
    bench.store.add(requests[0].key, facts(requests[0], {}), b"png")
    process = subprocess.Popen([sys.executable, "-c", LOUD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    process.stdin.write(dumped(bench.task(requests)).encode())
    process.stdin.flush()
    events = [json.loads(line)["event"] for line in process.stdout]
    assert b"a library has something to say" in process.communicate()[1]
    assert (events, process.returncode) == (["ready", "there", "begun", "failed", "done"], 0)
    logged = [json.loads(line)["event"] for line in (bench.folder / worker.LOG).read_text().splitlines()]
    assert logged == ["ready", "begun", "failed", "done"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / worker.LOG).symlink_to("/dev/full")
    found, _ = heard(keyless(tmp_path))
    assert [(event["event"], event.get("status")) for event in found] == [("error", None), ("ended", 0)]


def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    code = "import sys, threading, time; from generator.illustrate.worker import _until_orphaned; sys.stdin.buffer.readline();"
    code += "threading.Thread(target=_until_orphaned, daemon=True).start(); time.sleep(100)"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write(b"task\n")
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.stdin.close()
    assert process.wait(30) == 0


def test_what_a_child_says_besides_is_no_event_and_its_last_words_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "child"
    script.write_text(
        '#!/bin/sh\necho hello\necho \'{"event": "done"}\'\nprintf \'{"event": "ma\'\n'
        "head -c 300000 /dev/zero | tr '\\0' '\\n' >&2\nprintf 'bad \\377 byte\\n 50%%\\r100%%\\rlast words\\n' >&2\nexit 3\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    found, child = heard(keyless(tmp_path, 50, "long" * 5000))
    assert found == [{"event": "done"}, {"event": "ended", "status": 3}]
    assert child.tail == deque(["bad \ufffd byte", "50%", "100%", "last words"])


def test_a_stopped_child_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "child"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    events: queue.Queue[Any] = queue.Queue()
    child = Child(keyless(tmp_path), events)
    child.stop("why")
    child.stop("another reason")
    assert events.get(timeout=30) == (child, {"event": "ended", "status": -9})
    assert child.doomed == "why"
    with pytest.raises(ProcessLookupError):
        os.kill(child.process.pid, 0)


def test_a_request_is_named_by_who_asked_and_by_what_decides(bench: Bench) -> None:
    (request,) = wanted(1)
    told = facts(replace(request, mode="glyph", style="ink"), {"seconds": 1})
    assert told == {
        "radical": 1,
        "model": "m",
        "mode": "glyph",
        "style": "ink",
        "request": request.decisive,
        "made": {"seconds": 1},
    }
