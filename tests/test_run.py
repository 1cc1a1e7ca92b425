"""From a wish to a run: what the machine decides, and what is done when a number format or the memory will not do."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.exceptions import Exit

from generator.illustrate import command, profiles, run
from generator.illustrate.formats import Formats
from generator.illustrate.plan import Wish
from generator.illustrate.probe import Probed
from generator.illustrate.profiles import Profile
from generator.illustrate.requests import Request, tries
from generator.illustrate.run import Options, Site
from generator.illustrate.supervise import News, Tally, Terms
from generator.illustrate.worker import facts
from generator.model import Error, Unsound
from generator.project import Project

DTYPES = {"cuda": ("float16", "bfloat16"), "mps": ("bfloat16",), "cpu": ("bfloat16", "float32")}
ALL = ("float32", "bfloat16", "float16")


def probed(device: str, native: Sequence[str] = ALL, faults: Sequence[str] = ()) -> Probed:
    return Probed(device, "a card", 2 if device == "cuda" else 1, 10**10, 10**11, dict.fromkeys(ALL, 0.1), {}, tuple(native), tuple(faults))


@pytest.fixture
def site(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Site]:
    """A wish for two radicals by two models of the same profile, on a machine of the test's choice."""

    def made(machine: Probed, **options: Any) -> Site:
        monkeypatch.setattr(run, "probe", lambda device, pairs: machine)
        models = profiles.load(project)
        local: Profile = models.models["sd15"].model_copy(update={"dtype": DTYPES, "repo": "a/b", "revision": "0" * 40, "size": 512})
        models = models.model_copy(update={"models": {"one": local, "other": local.model_copy(update={"repo": "c/d"})}})
        return Site(replace(project, root=tmp_path), models, Wish(project.radicals[:2], ("one", "other"), count=1), Options(**options))

    return made


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[Request]]]:
    """What each run was asked for, where the runs end as the test says."""

    def script(*tallies: Tally | Callable[[Sequence[Request], Terms], Tally]) -> list[list[Request]]:
        asked: list[list[Request]] = []
        left = iter(tallies)

        def go(store: object, requests: Sequence[Request], terms: Terms, show: object) -> Tally:
            asked.append(list(requests))
            tally = next(left)
            return tally(requests, terms) if callable(tally) else tally

        monkeypatch.setattr(run.supervise, "run", go)
        return asked

    return script


def go(site: Site) -> tuple[Tally, list[str]]:
    said: list[str] = []
    return run.go(site, lambda _: None, said.append), said


def dtypes(requests: Sequence[Request]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((request.model, request.settings["dtype"]) for request in requests))


def test_a_number_format_without_pictures_is_replaced_and_never_tried_again(site: Any, runs: Any) -> None:
    def black(requests: Sequence[Request], terms: Terms) -> Tally:
        assert all(terms.probe(request) for request in requests)
        terms.probed(requests[0], "nan")
        terms.probed(requests[-1], "sound")
        return Tally(made=2, unfit={("one", "float16")})

    def fine(requests: Sequence[Request], terms: Terms) -> Tally:
        assert {request.model for request in requests if terms.probe(request)} == {"one"}
        return Tally(made=2)

    asked = runs(black, fine)
    tally, _ = go(site(probed("cuda")))
    first, second = ([("one", "float16"), ("other", "float16")], [("one", "bfloat16"), ("other", "float16")])
    assert [dtypes(requests) for requests in asked] == [first, second]
    assert tally.made == 4
    asked = runs(Tally())
    go(site(probed("cuda")))
    assert dtypes(asked[0]) == [("one", "bfloat16"), ("other", "float16")], "it is known from now on"


def test_a_processor_that_has_no_arithmetic_for_a_format_takes_the_next(site: Any, runs: Any) -> None:
    asked = runs(Tally(), Tally())
    go(site(probed("cpu", native=("float32",))))
    assert dtypes(asked[0]) == [("one", "float32"), ("other", "float32")]
    go(site(probed("cpu")))
    assert dtypes(asked[1])[0] == ("one", "bfloat16")


def test_what_has_no_room_is_made_smaller_only_if_that_is_allowed(site: Any, runs: Any) -> None:
    crowded = Tally(made=2, crowded={"one"}, given_up={"one": "one: no room"})
    asked = runs(crowded)
    tally, said = go(site(probed("cuda")))
    assert (tally.given_up, said, len(asked)) == ({"one": "one: no room"}, [], 1)
    crowded = replace(crowded, given_up={"one": "one: no room"})
    asked = runs(crowded, Tally(made=4))
    tally, said = go(site(probed("cuda"), allow_smaller=True))
    assert [{request.model: request.settings["size"] for request in requests} for requests in asked] == [
        {"one": 512, "other": 512},
        {"one": 384, "other": 512},
    ]
    assert (tally.made, tally.given_up) == (6, {})
    assert said == ["one: no room; goes on with 384 pixels"]
    assert {request.key for request in asked[0]} & {request.key for request in asked[1]} == {request.key for request in asked[0][2:]}


def test_what_cannot_be_smaller_stays_given_up(site: Any, runs: Any) -> None:
    one = site(probed("cuda"), allow_smaller=True)
    small = one.models.models["other"].model_copy(update={"size": 256})
    one = replace(one, models=one.models.model_copy(update={"models": one.models.models | {"other": small}}))
    runs(Tally(crowded={"one", "other"}, given_up={"one": "one: no room", "other": "other: no room"}), Tally(made=2))
    tally, said = go(one)
    assert said == ["one: no room; goes on with 384 pixels"]
    assert tally.given_up == {"other": "other: no room"}


def test_it_stops_being_smaller_somewhere(site: Any, runs: Any) -> None:
    asked = runs(*[Tally(crowded={"one"}, given_up={"one": "one: no room"}) for _ in range(9)])
    tally, said = go(site(probed("cuda"), allow_smaller=True))
    assert [requests[0].settings["size"] for requests in asked] == [512, 384, 256]
    assert tally.given_up == {"one": "one: no room"}
    assert len(said) == 2


def test_ctrl_c_ends_it_all(site: Any, runs: Any) -> None:
    asked = runs(Tally(interrupted=True, unfit={("one", "float16")}))
    assert go(site(probed("cuda")))[0].interrupted
    assert len(asked) == 1


def test_what_a_run_may_take(site: Any, runs: Any) -> None:
    found: list[Terms] = []
    runs(lambda _, terms: found.append(terms) or Tally(), lambda _, terms: found.append(terms) or Tally())
    go(site(probed("cuda"), memory="0.5", jobs=3))
    go(site(probed("mps")))
    cuda, mps = found
    assert cuda.devices == ("cuda:0#0", "cuda:1#1", "cuda:0#2")
    assert (cuda.here.memory, cuda.frugalities) == (25 * 10**8, 3), "two of them share a card"
    assert mps.devices == ("mps#0",)
    assert (mps.here.memory, mps.frugalities) == (9 * 10**9, 2)


def test_faults_in_the_settings_are_told_before_anything_is_made(site: Any, runs: Any) -> None:
    asked = runs(Tally())
    with pytest.raises(Error, match=r"models\.yml: models\.one: unknown"):
        site(probed("cpu", faults=["models.yml: models.one: unknown"])).requests(pin=True)
    assert asked == []


def test_branches_are_pinned_at_first_use(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, str]] = []

    def looked_up(repo: str, revision: str) -> str:
        calls.append((repo, revision))
        return f"{len(calls):040x}"

    monkeypatch.setattr(run.pins, "looked_up", looked_up)
    one = site(probed("cpu"))
    branch = one.models.models["one"].model_copy(update={"revision": "main"})
    one = replace(one, models=one.models.model_copy(update={"models": {"one": branch, "other": branch}}))
    plain, pinned = one.requests(pin=False), one.requests(pin=True)
    assert calls == [("a/b", "main")]
    assert {request.settings["revision"] for request in plain} == {"main"}
    assert {request.settings["revision"] for request in pinned} == {f"{1:040x}"}
    assert json.loads((one.store.root / "revisions.json").read_bytes()) == {"a/b@main": f"{1:040x}"}
    assert [request.key for request in one.requests(pin=True)] == [request.key for request in pinned]
    assert len(calls) == 1


def test_a_plan_looks_nothing_up_and_knows_what_is_known(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = site(probed("cpu"))
    branch = one.models.models["one"].model_copy(update={"revision": "main"})
    one = replace(one, models=one.models.model_copy(update={"models": {"one": branch, "other": branch}}))
    monkeypatch.setattr(run.pins, "looked_up", lambda repo, revision: "2" * 40)
    first = [request.key for request in one.requests(pin=False)]
    assert not (one.store.root / "revisions.json").exists()
    pinned = [request.key for request in one.requests(pin=True)]
    assert [request.key for request in one.requests(pin=False)] == pinned != first
    (one.store.root / "revisions.json").write_text("{")
    with pytest.raises(Error, match=r"revisions\.json: cannot be read .* delete it"):
        one.requests(pin=False)


def test_a_torn_file_of_number_formats_is_named(site: Any) -> None:
    one = site(probed("cuda"))
    one.store.root.mkdir(parents=True)
    (one.store.root / "dtypes.json").write_text("")
    with pytest.raises(Error, match=r"dtypes\.json: cannot be read .* delete it"):
        one.requests(pin=False)


def test_verdicts_on_number_formats_are_of_weights_and_device(site: Any, tmp_path: Path) -> None:
    (request, *_) = site(probed("cuda")).requests(pin=False)
    known = Formats(tmp_path, "cuda", "a card")
    assert known.is_untried(request.settings)
    known.remember(request.settings, "nan")
    assert not known.is_untried(request.settings)
    assert known.unfit(request.settings) == ["float16"]
    assert known.unfit({**request.settings, "call": {}, "size": 64}) == ["float16"], "the same weights"
    for other in ({"revision": "1" * 40}, {"components": {"vae": {"repo": "x/y"}}}, {"variant": "fp16 "}):
        assert known.unfit({**request.settings, **other}) == [], "others"
    assert Formats(tmp_path, "cuda", "another card").unfit(request.settings) == []
    assert Formats(tmp_path, "cpu", "", ("float32",)).unfit(request.settings) == ["bfloat16", "float16"]
    assert not known.is_untried({**request.settings, "dtype": "float32"})
    assert not known.is_untried({key: value for key, value in request.settings.items() if key != "dtype"})


def test_what_came_to_nothing_is_told_at_every_run(site: Any) -> None:
    one = site(probed("cpu"))
    asked = one.requests(pin=True)
    for attempt in tries(asked[0]):
        one.store.reject(attempt.key, facts(attempt, {}), "black", "black")
    rows = one.rows(asked)
    assert [(row.left, row.lost) for row in rows] == [(1, 1), (2, 0)]
    assert run.summary(rows).endswith("1 came to nothing with every seed")
    assert run.summary(rows).startswith("4 pictures, 3 to be made, ")


def test_a_dry_run_draws_elsewhere(site: Any, tmp_path: Path) -> None:
    one = site(probed("cpu"))
    one = replace(one, wish=replace(one.wish, modes=("img2img",)), drawn=tmp_path / "elsewhere")
    assert all(request.condition for request in one.requests(pin=False))
    assert not one.store.root.exists()
    assert len(list((tmp_path / "elsewhere").iterdir())) == 2


def test_the_bar_goes_on_from_run_to_run(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    tallies = iter([Tally(done=3, unfit={("one", "float16")}), Tally(done=1)])

    def twice(store: object, requests: object, terms: object, show: Callable[[News], None]) -> Tally:
        tally = next(tallies)
        for done in range(tally.done + 1):
            show(News(done, model="m"))
        return tally

    monkeypatch.setattr(run.supervise, "run", twice)
    run.go(site(probed("cuda")), lambda news: shown.append(news.done), lambda _: None)
    assert shown == [0, 1, 2, 3, 3, 4]


def test_the_bar_counts_what_is_done_and_says_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    now = iter([0.0, 7.0, 10.0, 40.0, 45.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    meter = command._Meter(6)
    meter(News(0, model="sd15", note="loading"))
    meter(News(0, 62, "sd15", memory=2 * 10**9))
    meter(News(2, 62, "sd15", memory=2 * 10**9))
    meter(News(2))
    monkeypatch.undo()
    assert capsys.readouterr().err == "2/6 sd15, radical 62, 2.0 GB, 60 s left\n"
    steps: list[int] = []
    meter = command._Meter(6)
    assert meter.rest(9.0) == ""
    meter.bar = type("Bar", (), {"update": lambda self, step, news: steps.append(step)})()
    for done in (0, 1, 1, 4):
        meter(News(done))
    assert steps == [0, 1, 0, 3]


def test_how_a_run_is_reported(site: Any, capsys: Any) -> None:
    one = site(probed("cpu"), limit=2.0)
    command._report(one, Tally(made=3, rejected=Counter(black=2), peak=2 * 10**9, deaths=2), 0)
    assert "3 made, rejected and tried again with another seed: 2 black, in " in (said := capsys.readouterr()).out
    assert said.err == "2 workers died, others went on with what was left\n"
    with pytest.raises(Exit) as stopped:
        command._report(one, Tally(interrupted=True, given_up={"one": "one: no"}), 0)
    assert stopped.value.exit_code == 130
    with pytest.raises(Unsound) as faults:
        command._report(one, Tally(given_up={"one": "one: no"}, failed=Counter(busy=2), limited=True), 4)
    said = ["one: no", "2 failed: busy", "4 came to nothing with every seed", "--limit: 2.00 $ are spent"]
    lines = str(faults.value).splitlines()
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))


def test_weights_in_a_folder_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model_index.json").write_text("{}")
    settings = {"repo": "./mine", "revision": "main", "controlnet": {"repo": "x/y", "revision": "1" * 40}, "adapters": [{"repo": "./mine"}]}
    first = run.pins.pinned(settings, tmp_path, tmp_path / "candidates")
    assert first["revision"] == first["adapters"][0]["revision"] != "main"
    assert first["controlnet"] == settings["controlnet"]
    (tmp_path / "mine" / "model_index.json").write_text("{ }")
    assert run.pins.pinned(settings, tmp_path, tmp_path / "candidates")["revision"] != first["revision"]
    with pytest.raises(Error, match="nowhere: is not a folder"):
        run.pins.pinned({"repo": "./nowhere"}, tmp_path, tmp_path)
