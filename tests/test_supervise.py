"""The parent: what it does when children finish, die, run out of memory or money; with children that follow a script."""

import queue
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generator.illustrate import supervise
from generator.illustrate.making import Here
from generator.illustrate.money import Ledger
from generator.illustrate.requests import Request, tries
from generator.illustrate.supervise import STOPPED, News, Run, Tally, Terms, chunked, excess
from generator.illustrate.worker import Batches, Task, dumped, facts, parsed
from generator.store import Store

Script = Callable[["Actor"], Iterator[dict[str, Any]]]


def wanted(count: int, model: str = "demo") -> list[Request]:
    settings = {"provider": "demo", "dtype": "float16", "model": model}
    return [Request(number, model, "text", "s", f"p{number}", "", 1, settings) for number in range(1, count + 1)]


class Actor:
    """A child that says what its script says, and stores what it says that it made."""

    scripts: Iterator[Script]
    cast: list["Actor"]

    def __init__(self, task: Task, events: "queue.Queue[Any]") -> None:
        self.task, self.doomed, self.is_finished, self.is_ready, self.tail, self.spent = task, "", False, False, ["last words"], 0
        self.store, self.stopped = Store(task.candidates), False
        self.process = self
        Actor.cast.append(self)
        status = 0
        for event in next(Actor.scripts)(self):
            status = event.pop("status", 0)
            if event:
                events.put((self, event))  # type: ignore[arg-type]
        events.put((self, {"event": "ended", "status": status}))  # type: ignore[arg-type]

    @property
    def model(self) -> str:
        return self.task.requests[0].model

    def stop(self, why: str = "") -> None:
        self.doomed, self.stopped = self.doomed or why, True

    def wait(self) -> int:
        return 0

    def made(self, request: Request) -> dict[str, Any]:
        self.store.add(request.key, facts(request, {}), b"png")
        return {"event": "made", "key": request.key, "radical": request.radical, "seconds": 1.0, "memory": 5}


def all_of_it(actor: Actor) -> Iterator[dict[str, Any]]:
    yield {"event": "ready", "seconds": 1.0}
    for request in actor.task.requests:
        yield {"event": "begun", "radical": request.radical, "keys": [request.key]}
        yield actor.made(request)
    yield {"event": "done"}


def killed_after(count: int) -> Script:
    def script(actor: Actor) -> Iterator[dict[str, Any]]:
        for request in actor.task.requests[: count + 1]:
            yield {"event": "begun", "radical": request.radical, "keys": [request.key]}
            if request in actor.task.requests[:count]:
                yield actor.made(request)
        yield {"status": -9}

    return script


def crowded(actor: Actor) -> Iterator[dict[str, Any]]:
    yield {"event": "memory", "message": "no room"}


def broken(actor: Actor) -> Iterator[dict[str, Any]]:
    yield {"event": "error", "message": "models.yml: no such model"}


def silent(actor: Actor) -> Iterator[dict[str, Any]]:
    yield {"status": 0}


def unfit(actor: Actor) -> Iterator[dict[str, Any]]:
    yield {"event": "probed", "verdict": "nan"}


def spoiling(actor: Actor) -> Iterator[dict[str, Any]]:
    """Every first try comes to nothing, and the second is made, as far as the allowance goes."""
    spent = 0
    for request in actor.task.requests:
        for attempt, one in enumerate(list(tries(request))[:2]):
            if spent == actor.task.allowance:
                yield {"event": "done"}
                return
            spent += 1
            yield {"event": "begun", "radical": request.radical, "keys": [request.key]}
            if attempt:
                actor.store.add(one.key, facts(one, {}), b"png")
                yield {"event": "made", "key": request.key, "radical": request.radical, "seconds": 1.0, "memory": 5}
            elif not actor.store.has_reject(request.radical, one.key):
                actor.store.reject(one.key, facts(one, {}), "black", "black")
                yield {"event": "rejected", "key": request.key, "radical": request.radical, "code": "black", "seconds": 1.0, "memory": 5}
    yield {"event": "done"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Tally, list[Actor]]]:
    """A run over requests with children that follow scripts; the last script is followed by all that come after."""
    monkeypatch.setattr(supervise, "Child", Actor)
    monkeypatch.setattr("os.fsync", lambda _: None)  # a run's bookkeeping is looked at here, not the disk
    monkeypatch.setattr(supervise, "memory_of", lambda _: 0)
    monkeypatch.setattr(supervise, "available", lambda: (10**10, 10**10))

    def go(requests: list[Request], *scripts: Script, **terms: Any) -> tuple[Tally, list[Actor]]:
        def endless() -> Iterator[Script]:
            yield from scripts
            while True:
                yield scripts[-1]

        Actor.scripts, Actor.cast = endless(), []
        here = Here("cpu", 0, 0, 1, tmp_path, tmp_path)
        given = {"here": here, "devices": ("cpu",), "frugalities": 2} | terms
        store, shown = Store(tmp_path / "candidates"), list[News]()
        ran = Run(store, requests, Terms(**given), shown.append)
        tally = ran.go()
        assert all(news.done <= len(requests) for news in shown)
        assert len(Actor.cast) < 30
        return tally, Actor.cast

    return go


def test_everything_is_made_in_chunks_of_one_model(run: Any) -> None:
    requests = wanted(120) + wanted(3, "other")
    tally, cast = run(requests, all_of_it)
    assert [len(actor.task.requests) for actor in cast] == [50, 50, 20, 3]
    assert (tally.done, tally.made, tally.spent, tally.peak, tally.given_up) == (123, 123, 123, 5, {})
    again, cast = run(requests, all_of_it)
    assert (again.done, again.made, cast) == (0, 0, []), "what is there is not made again, and no child is started for it"


def test_a_killed_child_costs_what_it_had_in_hand(run: Any) -> None:
    tally, cast = run(wanted(60), killed_after(7), killed_after(3), all_of_it)
    assert tally.made == 60
    assert [len(actor.task.requests) for actor in cast] == [50, 43, 40, 10]
    assert {actor.task.here.frugality for actor in cast} == {0}


def test_a_child_that_always_dies_is_given_up_and_the_others_go_on(run: Any) -> None:
    tally, cast = run(wanted(60) + wanted(5, "other"), *[killed_after(0)] * 3, all_of_it)
    assert tally.given_up == {"demo": "demo: was killed by signal 9 3 times without a picture: last words"}
    assert (tally.made, tally.done, len(cast)) == (5, 5, 4)


def test_a_child_that_always_dies_but_not_without_a_picture_is_followed_by_another(run: Any) -> None:
    tally, cast = run(wanted(6), killed_after(1))
    assert (tally.made, tally.given_up, len(cast)) == (6, {}, 6)


def test_pictures_that_come_to_nothing_are_progress_too(run: Any) -> None:
    def spoilt_and_killed(actor: Actor) -> Iterator[dict[str, Any]]:
        (request,) = actor.task.requests
        for one in tries(request):
            if not actor.store.has_reject(one.radical, one.key):
                actor.store.reject(one.key, facts(one, {}), "black", "black")
                yield {"event": "rejected", "key": request.key, "radical": request.radical, "code": "black", "seconds": 1.0, "memory": 5}
                yield {"status": -9}
                return
        yield {"event": "given up", "key": request.key, "radical": request.radical}
        yield {"event": "done"}

    tally, cast = run(wanted(1), spoilt_and_killed)
    assert (tally.rejected["black"], tally.exhausted, tally.done, tally.given_up, len(cast)) == (4, 1, 1, {}, 5)


def test_a_child_that_ends_without_a_word_is_not_started_for_ever(run: Any) -> None:
    tally, cast = run(wanted(2), silent)
    assert list(tally.given_up.values()) == ["demo: ended with status 0 3 times without a picture: last words"]
    assert len(cast) == 3


def test_memory_is_saved_step_by_step_and_then_the_model_is_given_up(run: Any) -> None:
    tally, cast = run(wanted(3), crowded, crowded, all_of_it, frugalities=3)
    assert [actor.task.here.frugality for actor in cast] == [0, 1, 2]
    assert (tally.made, tally.crowded) == (3, set())
    tally, cast = run(wanted(5), crowded, frugalities=3)
    assert (tally.made, len(cast), tally.crowded) == (0, 3, {"demo"})
    assert "no room" in tally.given_up["demo"]
    assert len(run(wanted(5, "other"), crowded, frugalities=1)[1]) == 1


def test_a_child_that_takes_too_much_is_stopped(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = iter([9, 9, 1])
    monkeypatch.setattr(supervise, "memory_of", lambda _: next(taken, 1))
    monkeypatch.setattr(supervise, "TICK", 0.0)
    here = Here("cpu", 5, 0, 1, Path(), Path())
    tally, cast = run(wanted(3), all_of_it, here=here)
    assert cast[0].stopped
    assert tally.made == 3


def test_an_error_ends_its_model_alone(run: Any) -> None:
    tally, cast = run(wanted(60) + wanted(2, "other"), broken, all_of_it)
    assert tally.given_up == {"demo": "models.yml: no such model"}
    assert (tally.made, len(cast)) == (2, 2)


def test_an_error_in_one_mode_of_a_model_leaves_its_others_alone(run: Any) -> None:
    shaped = [replace(request, mode="glyph", settings={**request.settings, "controlnet": "x"}) for request in wanted(60)]
    tally, cast = run(shaped + wanted(60), broken, all_of_it)
    assert (tally.made, [len(actor.task.requests) for actor in cast]) == (60, [50, 50, 10])


def test_two_that_have_no_room_at_the_same_time_make_one_step(run: Any) -> None:
    tally, cast = run(wanted(100), crowded, crowded, all_of_it, devices=("cuda:0#0", "cuda:1#1"))
    assert [actor.task.here.frugality for actor in cast] == [0, 0, 1, 1]
    assert {actor.task.here.device for actor in cast} == {"cuda:0", "cuda:1"}
    assert (tally.made, tally.given_up) == (100, {})


def test_a_child_that_is_stopped_when_it_has_done_everything_is_no_loss(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "memory_of", lambda _: 9)
    monkeypatch.setattr(supervise, "TICK", 0.0)
    tally, cast = run(wanted(3), all_of_it, here=Here("cpu", 5, 0, 1, Path(), Path()), frugalities=1)
    assert cast[0].stopped
    assert (tally.made, tally.given_up, len(cast)) == (3, {}, 1)


def test_the_machine_may_be_short_of_memory_for_a_while(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def waiting(actor: Actor) -> Iterator[dict[str, Any]]:
        yield {"event": "ready", "seconds": 1.0}

    left = iter([(0, 10**10)] * 2)
    monkeypatch.setattr(supervise, "available", lambda: next(left, (10**10, 10**10)))
    monkeypatch.setattr(supervise, "TICK", 0.0)
    tally, cast = run(wanted(3), waiting, waiting, all_of_it, frugalities=1)
    assert [actor.doomed for actor in cast] == [STOPPED, STOPPED, ""]
    assert (tally.made, tally.crowded) == (3, set())
    monkeypatch.setattr(supervise, "available", lambda: (0, 10**10))
    tally, cast = run(wanted(3, "other"), waiting, frugalities=1)
    assert (len(cast), tally.crowded) == (3, {"other"})


def test_one_is_stopped_at_a_time_and_it_is_the_youngest(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter([(0, 10**10)])
    monkeypatch.setattr(supervise, "available", lambda: next(left, (10**10, 10**10)))
    monkeypatch.setattr(supervise, "TICK", 0.0)
    _, cast = run(wanted(100), all_of_it, devices=("cpu#0", "cpu#1"))
    assert [actor.stopped for actor in cast[:2]] == [False, True]


def test_what_a_device_has_of_memory_is_the_librarys_business(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "memory_of", lambda _: 9)
    monkeypatch.setattr(supervise, "TICK", 0.0)
    _, cast = run(wanted(3), all_of_it, here=Here("cuda", 5, 0, 1, Path(), Path()), devices=("cuda#0",))
    assert not cast[0].stopped


def test_ctrl_c_stops_the_children(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "_ready", pressed)
    tally, cast = run(wanted(100), all_of_it, devices=("cpu#0", "cpu#1"))
    assert tally.interrupted
    assert [actor.stopped for actor in cast] == [True, True]


def test_failures_are_reported_and_too_many_in_a_row_end_their_model(run: Any) -> None:
    def failing(every: int) -> Script:
        def script(actor: Actor) -> Iterator[dict[str, Any]]:
            for index, request in enumerate(actor.task.requests):
                if actor.stopped:
                    return
                if index % every:
                    yield actor.made(request)
                else:
                    told = {"key": request.key, "radical": request.radical, "seconds": 1.0, "memory": 5}
                    yield {"event": "failed", "message": "busy", **told}
            yield {"event": "done"}

        return script

    assert not run(wanted(9, "short"), failing(1))[0].given_up
    assert run(wanted(10, "long"), failing(1))[0].given_up
    tally, cast = run(wanted(50), failing(2))
    assert (tally.made, dict(tally.failed), tally.given_up, len(cast)) == (25, {"busy": 25}, {}, 1)
    tally, cast = run(wanted(120, "other"), failing(1))
    assert (tally.made, len(cast)) == (0, 1)
    assert tally.given_up == {"other": "other: 10 failed one after the other, the rest was not asked for"}
    tally, cast = run(
        wanted(240, "third") + wanted(1, "last"), failing(1), failing(1), failing(1), all_of_it, devices=("a#0", "a#1", "a#2")
    )
    assert [actor.stopped for actor in cast] == [True, True, True, False], "those that are at the same model are stopped as well"
    assert tally.made == 1


def test_a_number_format_that_gives_no_pictures_is_reported(run: Any) -> None:
    told: list[tuple[str, str]] = []
    tally, cast = run(wanted(60), unfit, probe=lambda _: True, probed=lambda request, verdict: told.append((request.model, verdict)))
    assert tally.unfit == {("demo", "float16")}
    assert told == [("demo", "nan")]
    assert (tally.made, len(cast), cast[0].task.probe) == (0, 1, True)


def test_no_more_is_asked_for_than_there_is_money_for(run: Any) -> None:
    ledger = Ledger(2.5)
    tally, cast = run(wanted(60), spoiling, prices={"demo": 0.1}, ledger=ledger)
    assert tally.limited
    assert tally.spent == 25
    assert (tally.made, tally.rejected["black"]) == (12, 13)
    assert [actor.task.allowance for actor in cast] == [25]
    assert ledger.spent == 2.5
    assert run(wanted(3, "free"), all_of_it, prices={"free": None}, ledger=Ledger(0.0))[0].made == 3


def test_what_is_free_is_made_when_the_money_is_spent(run: Any) -> None:
    tally, cast = run(wanted(60, "dear") + wanted(3, "free"), all_of_it, prices={"dear": 1.0, "free": None}, ledger=Ledger(0.5))
    assert (tally.limited, tally.spent, tally.made) == (True, 3, 3)
    assert [(actor.model, actor.task.allowance) for actor in cast] == [("free", None)]


def test_what_was_not_asked_for_is_not_paid(run: Any) -> None:
    ledger = Ledger(10)
    tally, cast = run(wanted(60), killed_after(7), killed_after(0), all_of_it, prices={"demo": 0.1}, ledger=ledger)
    assert tally.made == 60
    assert [actor.task.allowance for actor in cast] == [50, 43, 43, 10]
    assert ledger.spent == pytest.approx(6.2), "two were asked for and died with the children that had asked"


def test_every_picture_of_a_batch_is_paid(run: Any) -> None:
    def killed_with_a_batch(actor: Actor) -> Iterator[dict[str, Any]]:
        yield {"event": "begun", "radical": 1, "keys": [request.key for request in actor.task.requests[:4]]}
        yield {"status": -9}

    ledger = Ledger(10)
    tally, _ = run(wanted(6), killed_with_a_batch, all_of_it, prices={"demo": 0.5}, ledger=ledger)
    assert (tally.spent, ledger.spent) == (10, 5.0)


def test_what_another_run_has_claimed_is_waited_for(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def claimed(actor: Actor) -> Iterator[dict[str, Any]]:
        yield {"event": "busy", "key": actor.task.requests[0].key}
        for request in actor.task.requests[1:]:
            yield actor.made(request)
        yield {"event": "done"}

    def of_the_other_run(_: float) -> None:
        raise AssertionError("nothing is claimed any more")

    monkeypatch.setattr(supervise.time, "sleep", of_the_other_run)
    tally, cast = run(wanted(3), claimed, all_of_it)
    assert tally.made == 3
    assert [len(actor.task.requests) for actor in cast] == [3, 1]


def test_what_another_run_makes_meanwhile_is_done(run: Any) -> None:
    def elsewhere(actor: Actor) -> Iterator[dict[str, Any]]:
        for request in actor.task.requests:
            actor.made(request)
            yield {"event": "busy", "key": request.key}
        yield {"event": "done"}

    tally, cast = run(wanted(3), elsewhere)
    assert (tally.made, tally.done, len(cast)) == (0, 3, 1)


def test_no_child_is_started_for_what_is_claimed(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests, waited = wanted(2), list[float]()
    hold = "import sys; from pathlib import Path; from generator.store import Store\nwith Store(Path(sys.argv[1])).claims() as claims:\n"
    hold += "    print(*(claims.take(key) for key in sys.argv[2:]), flush=True); sys.stdin.read()"
    second = list(tries(requests[1]))[1]
    Store(tmp_path / "candidates").reject(requests[1].key, facts(requests[1], {}), "black", "black")
    command = [sys.executable, "-c", hold, str(tmp_path / "candidates"), requests[0].key, second.key]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout
    assert other.stdout.readline() == "True True\n"

    def sleep(seconds: float) -> None:
        assert not Actor.cast
        waited.append(seconds)
        if len(waited) == 2:
            other.communicate()

    monkeypatch.setattr("time.sleep", sleep)
    tally, _ = run(requests, all_of_it)
    assert (tally.made, len(waited)) == (2, 2)


def test_how_several_runs_went() -> None:
    whole = Tally(done=3, made=2, rejected=Counter(black=1), failed=Counter(x=1), given_up={"a": "a: no"}, spent=5, peak=6, seconds=1.0)
    whole += Tally(done=1, made=1, rejected=Counter(black=2), exhausted=1, given_up={"b": "b: no"}, peak=7, seconds=2.0, limited=True)
    assert (whole.done, whole.made, whole.rejected, whole.failed) == (4, 3, Counter(black=3), Counter(x=1))
    assert (whole.exhausted, whole.spent, whole.peak, whole.seconds, whole.given_up) == (1, 5, 7, 3.0, {"a": "a: no", "b": "b: no"})
    assert (whole.limited, whole.interrupted) == (True, False)
    whole += Tally(interrupted=True)
    assert (whole.limited, whole.interrupted) == (True, True)


def test_chunks_are_of_one_line_and_keep_the_order() -> None:
    requests = wanted(70) + wanted(2, "other") + wanted(1)
    chunks = list(chunked(requests))
    assert [len(chunk) for chunk in chunks] == [50, 20, 2, 1]
    assert [request for chunk in chunks for request in chunk] == requests
    assert not list(chunked([]))


@pytest.mark.parametrize(
    ("taken", "limit", "spare", "expected"),
    [
        (9, 0, (10**9, 10**9), ""),
        (9, 10, (10**9, 10**9), ""),
        (11 * 10**9, 10 * 10**9, (10**9, 10**9), "took 11.0 GB, the limit is 10.0 GB"),
        (9, 0, (10**8, 10**10), STOPPED),
        (9, 0, (35 * 10**7, 10**10), STOPPED),
        (9, 0, (45 * 10**7, 10**10), ""),
        (9, 0, (25 * 10**7, 4 * 10**9), STOPPED),
    ],
)
def test_who_must_stop(taken: int, limit: int, spare: tuple[int, int], expected: str) -> None:
    assert excess(taken, limit, spare) == expected


def test_a_task_travels_as_a_line(tmp_path: Path) -> None:
    here = Here("cuda:1", 10, 1, 2, tmp_path, tmp_path / "scratch")
    task = Task(tuple(wanted(2)), {"0" * 64: "x.png"}, here, tmp_path / "candidates", 7, True)
    line = dumped(task)
    assert line.count("\n") == 1
    assert parsed(line) == task


@pytest.mark.parametrize(
    ("rates", "most", "settles"),
    [
        ({1: 1, 2: 1.9, 4: 3.5, 8: 3.6}, 16, 4),
        ({1: 1, 2: 1.01}, 16, 1),
        ({1: 1, 2: 2, 4: 4}, 4, 4),
        ({1: 1}, 1, 1),
        ({1: 1, 2: 2, 4: 4}, 3, 2),
    ],
)
def test_batches_grow_for_as_long_as_that_pays(rates: dict[int, float], most: int, settles: int) -> None:
    batches, sizes = Batches(most), []
    for index in range(40):
        sizes.append(batches.size)
        slow = 5 if sizes.count(batches.size) == 1 else 1  # the first of a size warms up
        jitter = 1.2 if index % 3 else 0.7
        settled = len(sizes) > 20
        batches.took(batches.size, slow * batches.size / rates[batches.size] * (jitter if settled else 1))
    assert batches.size == settles
    assert max(sizes) <= max(most, 1)


def test_a_batch_that_is_not_full_says_nothing_of_its_size() -> None:
    batches = Batches(2)
    for seconds in (9.0, 1.0, 9.0):
        batches.took(batches.size, seconds)
    assert batches.size == 2
    batches.took(1, 9.0)
    assert batches.size == 2
    batches.took(2, 9.0)
    assert batches.size == 1, "two at once took longer than one after the other"


def test_a_maker_that_wants_as_many_as_there_are_gets_them() -> None:
    batches = Batches(10, steady=True)
    for seconds in (1.0, 50.0, 1.0):
        assert batches.size == 10
        batches.took(10, seconds)
    assert batches.size == 10
