"""Requests on the workers of a Dask cluster: a scheduler and three worker processes on this machine, and a provider without torch."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from clusters import ENVIRONMENT, Cluster
from common import contents

from generator.illustrate import cluster, connection, examine
from generator.illustrate.making import FRUGAL, Here
from generator.illustrate.money import Ledger
from generator.illustrate.probe import Probed
from generator.illustrate.providers import providers
from generator.illustrate.requests import APART, Request
from generator.illustrate.supervise import News, Tally, Terms
from generator.illustrate.worker import Task, work
from generator.model import Error
from generator.store import Store

if find_spec("distributed") is None and not os.environ.get("CI"):
    pytest.skip("the extra `cluster` is not installed", allow_module_level=True)

COUNT, WAIT = 60, 0.02
CLIENT = """
import sys
from pathlib import Path
import test_cluster
print("begun", flush=True)
test_cluster.ran(sys.argv[1], Path(sys.argv[2]), test_cluster.wanted(test_cluster.COUNT, prompt="of the client"))
"""


def wanted(count: int, model: str = "squares", prompt: str = "a square", **settings: Any) -> list[Request]:
    given = {"provider": "squares", "dtype": "float32", "wait": WAIT, "name": model} | settings
    return [Request(number, model, "text", "plain", f"{prompt} {number}", "", 1, given) for number in range(1, count + 1)]


def with_prompt(requests: list[Request], number: int, prompt: str) -> list[Request]:
    return [replace(one, prompt=f"{prompt} {number}") if one.radical == number else one for one in requests]


def ran(address: str, folder: Path, requests: list[Request], show: Callable[[News], None] = lambda _: None, **terms: Any) -> Tally:
    given: dict[str, Any] = {"here": Here("cpu", 0, 0, 1, folder, folder), "devices": ("cpu",), "frugalities": 2} | terms
    return cluster.run(address, Store(folder / "candidates"), requests, Terms(**given), show)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    one = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        one.grow(3)
        yield one
    finally:
        one.end()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at here is not the disk."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture
def three(started: Cluster) -> Cluster:
    """A scheduler and three workers that have done nothing yet."""
    started.grow(3)
    started.executions()
    started.loaded()
    return started


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The PNG files of all requests, as one process makes them without a cluster."""
    import cluster_provider

    folder = tmp_path_factory.mktemp("alone")
    here = Here("cpu", 0, 0, 1, folder, folder)
    requests = wanted(COUNT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("time.sleep", lambda _: None)
        patch.setattr(examine, "measured", lambda _: {})
        patch.setattr("os.fsync", lambda _: None)
        maker = cluster_provider.squares(requests[0].settings, here)
        work(Task(tuple(requests), {}, here, folder / "candidates"), maker, lambda *_, **__: None)
    providers.pop("squares")  # only workers know it
    return pictures(folder)


def pictures(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in contents(folder / "candidates").items() if name.endswith(".png")}


def test_three_workers_make_the_bytes_that_one_process_makes(three: Cluster, alone: dict[str, bytes], tmp_path: Path) -> None:
    shown: list[News] = []
    tally = ran(three.address, tmp_path, wanted(COUNT), shown.append)
    assert (tally.made, tally.spent, tally.failed, tally.given_up) == (COUNT, COUNT, {}, {})
    assert len(alone) == COUNT
    assert pictures(tmp_path) == alone
    executions = three.executions()
    assert len(executions) == COUNT
    assert len({process for process, *_ in executions}) == 3
    assert len(three.loaded()) == 3, "a model stays loaded"
    assert [news.done for news in shown] == list(range(1, COUNT + 1))
    again = ran("tcp://127.0.0.1:9", tmp_path, wanted(COUNT))
    assert again.made == 0, "when all is there, nobody is asked"


def test_a_killed_worker_costs_another_try(three: Cluster, alone: dict[str, bytes], tmp_path: Path) -> None:
    def show(news: News) -> None:
        if news.done == COUNT // 3:
            three.workers[0].kill()
            three.workers[0].wait()

    tally = ran(three.address, tmp_path, wanted(COUNT), show)
    assert (tally.made, tally.failed) == (COUNT, {})
    assert pictures(tmp_path) == alone
    executions = len(three.executions())
    print(f"{COUNT} requests, a worker killed: {executions} executions")
    assert COUNT <= executions <= COUNT + 2 * cluster.AHEAD


def test_when_all_workers_are_killed_new_ones_go_on(
    three: Cluster, alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "SENT", 1.0)
    notes: list[str] = []

    def show(news: News) -> None:
        notes.append(news.note)
        if news.done == COUNT // 3 and news.radical:
            for worker in three.workers:
                worker.kill()
                worker.wait()
            threading.Thread(target=three.grow, args=(3,)).start()

    tally = ran(three.address, tmp_path, wanted(COUNT), show)
    assert (tally.made, tally.failed) == (COUNT, {})
    assert pictures(tmp_path) == alone
    executions = len(three.executions())
    print(f"{COUNT} requests, all three workers killed: {executions} executions")
    assert COUNT <= executions <= COUNT + 3 * 2 * cluster.AHEAD


def test_an_exception_costs_one_request(three: Cluster, tmp_path: Path) -> None:
    tally = ran(three.address, tmp_path, with_prompt(wanted(COUNT), 7, "raise"))
    assert tally.made == COUNT - 1
    assert tally.failed == {"squares: ValueError: no such thing can be drawn": 1}
    assert len(three.executions()) == COUNT


def test_of_pictures_made_together_one_does_not_spoil_the_others(three: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "TOGETHER", {"cpu": 8})
    requests = with_prompt(with_prompt(wanted(24, most=8), 7, "raise"), 8, "fail")
    tally = ran(three.address, tmp_path, requests)
    assert tally.made == 22
    assert set(tally.failed) == {"squares: ValueError: no such thing can be drawn", "nobody knows what that is"}
    executions = Counter(radical for _, radical, _ in three.executions())
    assert len(executions) == 24
    assert executions.total() <= 24 + 8


def test_a_picture_that_kills_its_workers_is_not_asked_for_for_ever(three: Cluster, tmp_path: Path) -> None:
    requests = with_prompt(wanted(6, wait=0), 6, "die")
    from distributed import Client

    with Client(three.address, set_as_default=False) as client:
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 1))
        tally = ran(three.address, tmp_path, requests)
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 3))
    assert tally.made == 5
    assert tally.failed == {"squares: all 2 workers that were to make radical 6 died": 1}
    assert [radical for _, radical, _ in three.executions()].count("6") == 2


def test_a_client_that_is_killed_and_started_again_redoes_nothing_that_is_there(three: Cluster, tmp_path: Path) -> None:
    client = subprocess.Popen([sys.executable, "-c", CLIENT, three.address, str(tmp_path)], env=ENVIRONMENT, stdout=subprocess.PIPE)
    while len(before := list(tmp_path.rglob("[0-9a-f]*.json"))) < COUNT // 3:
        assert client.poll() is None
        time.sleep(0.01)
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert client.stdout
    client.stdout.close()
    before = list(tmp_path.rglob("[0-9a-f]*.json"))
    there = {path.parent.name: path.stat().st_mtime_ns for path in before}
    assert COUNT // 3 <= len(there) < COUNT
    tally = ran(three.address, tmp_path, wanted(COUNT, prompt="of the client"))
    assert tally.made == COUNT - len(there)
    assert {path.parent.name: path.stat().st_mtime_ns for path in before} == there
    executions = Counter(int(radical) for _, radical, _ in three.executions())
    print(f"{COUNT} requests, the client killed after {len(there)}: {executions.total()} executions")
    assert set(executions) == set(range(1, COUNT + 1))
    assert all(executions[int(radical)] == 1 for radical in there)
    assert executions.total() <= COUNT + 3 * (cluster.AHEAD + 1)


def test_what_came_to_nothing_is_tried_with_the_next_seed(three: Cluster, tmp_path: Path) -> None:
    requests = with_prompt(with_prompt(wanted(6, wait=0), 2, "spoil"), 3, "never")
    tally = ran(three.address, tmp_path, requests)
    assert (tally.made, tally.rejected, tally.exhausted) == (5, {"black": 5}, 1)
    seeds = sorted(int(seed) for _, radical, seed in three.executions() if radical == "2")
    assert seeds == [1, 1 + APART]
    store = Store(tmp_path / "candidates")
    assert [one.request["seed"] for one in store.candidates(2)] == [1 + APART]
    assert len(list(store.rejects(3))) == 4
    assert ran(three.address, tmp_path, requests).made == 0
    assert three.executions() == []


def test_no_more_is_asked_for_than_there_is_money_for(three: Cluster, tmp_path: Path) -> None:
    ledger = Ledger(1.0)
    tally = ran(three.address, tmp_path, with_prompt(wanted(COUNT, wait=0), 2, "spoil"), prices={"squares": 0.1}, ledger=ledger)
    assert (tally.limited, tally.spent, tally.made, ledger.spent) == (True, 10, 9, 1.0)
    assert len(three.executions()) == 10


def test_a_model_that_cannot_be_used_is_given_up_and_the_next_one_made(three: Cluster, tmp_path: Path) -> None:
    tally = ran(three.address, tmp_path, wanted(20, "broken") + wanted(4))
    assert tally.made == 4
    assert list(tally.given_up) == ["broken"]
    assert tally.given_up["broken"].startswith("tcp://127.0.0.1:")
    assert tally.given_up["broken"].endswith(": squares: are all gone, get new ones")
    assert {name for _, name, *_ in three.loaded()} == {"broken", "squares"}


def test_a_number_format_is_tried_before_the_first_picture(three: Cluster, tmp_path: Path) -> None:
    verdicts: list[tuple[str, str]] = []
    how: dict[str, Any] = {
        "probe": lambda request: (request.model, "sound") not in verdicts,
        "probed": lambda request, verdict: verdicts.append((request.model, verdict)),
    }
    sound, broken = wanted(9, wait=0), wanted(9, "half", prompt="nan", wait=0)
    tally = ran(three.address, tmp_path, sound + broken, **how)
    assert (tally.made, tally.unfit, tally.failed) == (9, {("half", "float32")}, {})
    assert {*verdicts} == {("squares", "sound"), ("half", "nan")}
    assert verdicts.count(("half", "nan")) == 1
    assert not list((tmp_path / "candidates").rglob("*.reject.json"))


def test_memory_is_saved_where_there_is_no_room(three: Cluster, tmp_path: Path) -> None:
    tally = ran(three.address, tmp_path, wanted(9, frugal=1))
    assert (tally.made, tally.crowded) == (9, set())
    assert {frugality for _, _, frugality, _ in three.loaded()} == {"0", "1"}
    tally = ran(three.address, tmp_path, wanted(9, prompt="much", frugal=2))
    assert (tally.made, tally.crowded) == (0, {"squares"})
    assert tally.given_up == {"squares": f"squares: no room for squares, {FRUGAL[1]}"}


def test_conditioning_images_travel_with_their_requests(three: Cluster, tmp_path: Path) -> None:
    image = tmp_path / "condition.png"
    image.write_bytes(b"strokes")
    one = wanted(1)[0]
    requests = [one, replace(one, condition="0" * 64)]
    assert ran(three.address, tmp_path, requests, images={"0" * 64: str(image)}).made == 2
    assert len(set(pictures(tmp_path).values())) == 2


def test_ctrl_c_ends_it_and_leaves_what_is_there(three: Cluster, tmp_path: Path) -> None:
    def show(news: News) -> None:
        if news.done == 10:
            raise KeyboardInterrupt

    tally = ran(three.address, tmp_path, wanted(COUNT), show)
    assert (tally.interrupted, tally.made) == (True, 10)
    assert len(pictures(tmp_path)) == 10
    time.sleep(2 * WAIT)
    assert len(three.executions()) < COUNT // 2, "what was not begun is cancelled"


def test_what_another_run_has_claimed_is_waited_for(three: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests, taken = wanted(3, wait=0), iter([False, False])
    waited: list[float] = []
    monkeypatch.setattr("generator.store.Claims.take", lambda *_: next(taken, True))
    monkeypatch.setattr(cluster.time, "sleep", waited.append)
    assert ran(three.address, tmp_path, requests).made == 3
    assert waited == [cluster.PATIENCE]


def test_without_a_scheduler_there_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REACHED", 0.5)
    for address in ("tcp://127.0.0.1:9", "nonsense://here", "127.0.0.1", "tcp://127.0.0.1:port"):
        with pytest.raises(Error) as raised:
            ran(address, tmp_path, wanted(1))
        assert str(raised.value).startswith(f"--scheduler {address}: no scheduler answers there (")
        assert "dask scheduler" in str(raised.value)
        assert "\n" not in str(raised.value)


def test_without_workers_it_waits_and_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REACHED", 2.0)
    monkeypatch.setattr(cluster, "LOST", 1.0)
    monkeypatch.setattr(cluster, "TICK", 0.2)
    few = Cluster(tmp_path)
    notes: list[str] = []

    def show(news: News) -> None:
        notes.append(news.note)
        if news.done == 3:
            few.workers[0].kill()
            few.workers[0].wait()

    try:
        few.grow(1)
        with pytest.raises(Error, match="there has been no worker for 1 s"):
            ran(few.address, tmp_path, wanted(COUNT), show)
        assert "no workers, waiting for one" in notes
        assert 3 <= len(pictures(tmp_path)) < COUNT
        with pytest.raises(Error, match="has no workers"):
            ran(few.address, tmp_path, wanted(COUNT))
        few.grow(1)

        def stop(news: News) -> None:
            few.scheduler.kill()

        monkeypatch.setattr(cluster, "LOST", 100.0)
        with pytest.raises(Error, match="connection to it is lost"):
            ran(few.address, tmp_path, wanted(COUNT), stop)
    finally:
        few.end()


def versions(bushu: str | None = "1", distributed: str = "2") -> dict[str, Any]:
    return {"packages": {"bushu": bushu, "distributed": distributed}}


def test_the_same_programs_are_everywhere() -> None:
    same = {"client": versions(), "scheduler": versions(), "workers": {"tcp://a": versions(), "tcp://b": versions()}}
    assert not list(connection.strangers(same))
    other = same | {"scheduler": versions(distributed="3"), "workers": {"tcp://a": versions(None), "tcp://b": versions("2")}}
    assert list(connection.strangers(other)) == [
        "tcp://a: bushu is not installed, this machine has 1: the same is needed there, pip install 'bushu[diffusion,cluster]==1'",
        "tcp://b: has bushu 2, this machine has 1: the same is needed there, pip install 'bushu[diffusion,cluster]==1'",
        "the scheduler: has distributed 3, this machine has 2: the same is needed there, pip install 'distributed==2'",
    ]


def test_other_programs_elsewhere_are_an_error(three: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SAME", {"bushu": "bushu", "no-such-package": "no-such-package"})
    assert ran(three.address, tmp_path, wanted(1)).made == 1
    monkeypatch.setattr("distributed.versions._version_cached", lambda name: "99")
    with pytest.raises(Error, match=r"tcp://127\.0\.0\.1:.*: has bushu .*, this machine has 99") as raised:
        ran(three.address, tmp_path, wanted(2))
    assert len(str(raised.value).splitlines()) == 8


def probed(device: str = "cuda:0", memory: int = 9, **more: Any) -> Probed:
    return Probed(
        **{"device": device, "name": "A", "count": 1, "memory": memory, "ram": 5, "speeds": {"float16": 2.0}, "versions": {}} | more
    )


def test_workers_count_as_the_least_of_them() -> None:
    found = {
        "a": probed(),
        "b": probed("cuda:1", 7, name="B", speeds={"float16": 1.0}, native=("float32",), faults=("x", "y")),
        "c": probed(faults=("x",)),
    }
    assert connection.merged("tcp://x", found) == probed(
        name="A / B", count=3, memory=7, speeds={"float16": 1.0}, native=("float32",), faults=("x", "y")
    )
    with pytest.raises(Error, match=r"--scheduler tcp://x: the workers compute on cpu \(1\) and cuda \(2\)"):
        connection.merged("tcp://x", found | {"c": probed("cpu")})


def test_every_worker_is_asked_what_it_has(three: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(device: str, pairs: Any) -> Any:
        if device == "mps":
            raise RuntimeError
        return os.getpid()

    monkeypatch.setattr(connection, "probe", ask)
    monkeypatch.setattr(connection, "merged", lambda _, found: set(found.values()))
    assert connection.survey(three.address, "auto", []) == {worker.pid for worker in three.workers}
