"""The plan: which pictures are asked for, in which order, under which keys; what is there of it; and what it takes."""

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.illustrate import conditions, plan, profiles, run
from generator.illustrate.plan import Row, Wish
from generator.illustrate.profiles import ModelsFile, Profile
from generator.illustrate.requests import Request, outstanding, tries
from generator.illustrate.run import Options, Site
from generator.illustrate.worker import facts
from generator.model import Error, Illustration
from generator.project import Project
from generator.store import Store


@pytest.fixture(scope="module")
def models(project: Project) -> ModelsFile:
    return profiles.load(project)


def requests(models: ModelsFile, wish: Wish, device: str = "cpu") -> list[Request]:
    numbers = [radical.number for radical in wish.radicals]
    digests = {which: {number: f"{which[0]}-{which[1]}-{number}" for number in numbers} for which in plan.shown(models, wish)}
    asked = {(name, mode): models.models[name] for name, mode in plan.chosen_modes(models, wish)}
    dtypes = {pair: plan.dtype(pair[0], profile, device) if profile.dtype else None for pair, profile in asked.items()}
    settled = {pair: profiles.settings(profile, pair[1], dtypes[pair]) for pair, profile in asked.items()}
    return plan.requests(models, wish, settled, digests, {})


def wish(project: Project, *numbers: int, **more: object) -> Wish:
    return Wish(tuple(project.radicals[number - 1] for number in numbers), **({"models": ("demo",)} | more))  # type: ignore[arg-type]


def made(store: Store, request: Request, seconds: float = 1.0, device: str = "cpu") -> None:
    store.add(request.key, facts(request, {"seconds": seconds, "device": device}), b"png")


def test_all_radicals_have_the_same_seeds_and_each_its_first_before_any_has_its_second(project: Project, models: ModelsFile) -> None:
    asked = requests(models, wish(project, 1, 62, 85, count=3, seed=7))
    assert [(request.seed, request.radical) for request in asked] == [(seed, number) for seed in (7, 8, 9) for number in (1, 62, 85)]
    assert len({request.key for request in asked}) == 9
    assert asked == requests(models, wish(project, 1, 62, 85, count=3, seed=7)), "the same wish, the same requests"


def test_models_modes_and_styles_multiply(project: Project, models: ModelsFile) -> None:
    styles = tuple(models.styles)[:2]
    two = [name for name, profile in models.models.items() if {"text", "img2img"} <= profile.modes.keys()][:2]
    asked = requests(models, wish(project, 1, 2, models=tuple(two), modes=("text", "img2img"), styles=styles, count=2))
    assert len(asked) == len({request.key for request in asked}) == 2 * 2 * 2 * 2 * 2
    assert Counter(request.mode for request in asked) == {"text": 16, "img2img": 16}
    assert all(bool(request.condition) == (request.mode == "img2img") for request in asked)
    assert len({request.line for request in asked}) == 4
    order = [request.line for request in asked]
    assert sum(one != other for one, other in itertools.pairwise(order)) == 3, "each model is loaded once"


def test_what_does_not_decide_pixels_leaves_the_keys_alone(project: Project, models: ModelsFile) -> None:
    before = [request.key for request in requests(models, wish(project, 62))]
    profile = models.models["demo"]
    idle = {"title": "x", "memory": {"cpu": 99.0}, "price": 1.0, "work": 5.0}
    other = models.model_copy(update={"models": {"demo": profile.model_copy(update=idle)}})
    assert [request.key for request in requests(other, wish(project, 62))] == before
    for change in ({"steps": 3}, {"size": 72}, {"guidance": {"guidance_scale": 4.0}}, {"revision": "2"}, {"dtype": {"cpu": ("bfloat16",)}}):
        other = models.model_copy(update={"models": {"demo": profile.model_copy(update=change)}})
        assert not set(before) & {request.key for request in requests(other, wish(project, 62))}, change


def test_unknown_names_are_refused_with_the_nearest(project: Project, models: ModelsFile) -> None:
    with pytest.raises(Error, match=r"--model: unknown model 'dmo', did you mean demo\?"):
        requests(models, wish(project, 1, models=("dmo",)))
    with pytest.raises(Error, match=r"--mode: none of demo has the mode 'glyph', they have: .*text"):
        requests(models, wish(project, 1, modes=("glyph",)))
    with pytest.raises(Error, match="--style: unknown style 'x'"):
        requests(models, wish(project, 1, styles=("x",)))


def test_a_mode_that_only_some_models_have_is_asked_of_those(project: Project, models: ModelsFile) -> None:
    glyph = next(name for name, profile in models.models.items() if "glyph" in profile.modes)
    assert {request.model for request in requests(models, wish(project, 1, models=("demo", glyph), modes=("glyph",)))} == {glyph}


def test_number_formats_follow_the_device_and_what_is_known_of_it(models: ModelsFile) -> None:
    profile = models.models["demo"].model_copy(update={"dtype": {"cuda": ("float16", "bfloat16"), "cpu": ("float32",)}})
    assert plan.dtype("x", profile, "cuda:1") == "float16"
    assert plan.dtype("x", profile, "cuda", ["float16"]) == "bfloat16"
    assert plan.dtype("x", profile, "cpu") == "float32"
    with pytest.raises(Error, match=r"models\.yml: models\.x\.dtype\.mps: missing, it should say in which number format"):
        plan.dtype("x", profile, "mps")
    with pytest.raises(Error, match=r"models\.x\.dtype\.cuda: float16 and bfloat16 will not do on this one, add float32"):
        plan.dtype("x", profile, "cuda", ["float16", "bfloat16"])


def test_what_is_there_is_not_outstanding_and_a_reject_has_another_seed(project: Project, models: ModelsFile, tmp_path: Path) -> None:
    store, (request,) = Store(tmp_path), requests(models, wish(project, 62, count=1))
    attempts = list(tries(request))
    for attempt in attempts:
        assert outstanding(store, request) == attempt
        store.reject(attempt.key, facts(attempt, {}), "black", "black")
    assert outstanding(store, request) is None
    other = replace(request, seed=99)
    made(store, next(iter(tries(other))))
    assert outstanding(store, other) is None


def test_the_plan_counts_what_is_left_and_measures_by_what_was_made_here(project: Project, models: ModelsFile, tmp_path: Path) -> None:
    store, asked = Store(tmp_path), requests(models, wish(project, 1, 2, 3, count=4))
    for request, seconds in zip(asked, (1.0, 2.0, 90.0), strict=False):
        made(store, request, seconds)
    made(store, replace(asked[5], seed=77), 500.0, device="cuda")
    (row,) = plan.rows(models, asked, store, "cpu", {}, plan.pace(store.candidates(), "cpu"))
    assert (row.asked, row.left, row.seconds, row.measured, row.time) == (12, 9, 2.0, True, 18.0)
    for attempt in tries(asked[3]):
        store.reject(attempt.key, facts(attempt, {}), "black", "black")
    (row,) = plan.rows(models, asked, store, "cpu", {}, {})
    assert (row.left, replace(row, price=0.5).cost) == (8, 4.0), "what came to nothing with every seed is not asked for again"
    (row,) = plan.rows(models, asked, store, "cuda", {}, {})
    assert (row.seconds, row.time) == (None, None)


def test_an_estimate_comes_from_work_and_speed(project: Project, models: ModelsFile, tmp_path: Path) -> None:
    worked = models.model_copy(update={"models": {"demo": models.models["demo"].model_copy(update={"work": 40.0})}})
    (row,) = plan.rows(worked, requests(worked, wish(project, 1)), Store(tmp_path), "cpu", {"float32": 0.1}, {})
    assert (row.seconds, row.measured, row.time) == (400.0, False, 1600.0)
    (known,) = plan.rows(worked, requests(worked, wish(project, 1)), Store(tmp_path), "cpu", {"float32": 0.1}, {("demo", "text"): 3.0})
    assert (known.seconds, known.measured, known.time) == (3.0, True, 12.0), "what was measured is better than what was guessed"
    assert "  3 s" in list(plan.table([known]))[1]
    lines = list(plan.table([row]))
    assert "~400 s" in lines[1]
    assert "~27 min" in lines[1]
    assert len({line.index("demo") for line in lines[1:]}) == 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "?"), (0, "0 s"), (89.4, "89 s"), (90, "1.5 min"), (3600, "60 min"), (5400, "1.5 h"), (36000, "10 h"), (1e7, "115.7 days")],
)
def test_times_are_said_as_one_says_them(seconds: float | None, said: str) -> None:
    assert plan.spoken(seconds) == said


@given(st.floats(0, 1e8))
def test_every_time_can_be_said(seconds: float) -> None:
    assert plan.spoken(seconds).split()[1] in {"s", "min", "h", "days"}


def test_a_further_round_is_for_what_nobody_chose_yet_with_the_next_seeds(project: Project, models: ModelsFile, tmp_path: Path) -> None:
    digest = "0" * 64
    chosen = replace(project, root=tmp_path, illustrations={2: Illustration(file="radical_002.webp", sha256=digest, stored=digest)})
    site = Site(chosen, models, wish(project, 1, 2, 3, count=2), Options())
    first = requests(models, run.next_round(site).wish)
    assert [(request.radical, request.seed) for request in first] == [(1, 1), (3, 1), (1, 2), (3, 2)]
    for request in first[:3]:
        made(site.store, request)
    second = requests(models, run.next_round(site).wish)
    asked = sorted((request.radical, request.seed) for request in second)
    assert asked == [(1, 3), (1, 4), (3, 1), (3, 2)], "3 has its first round unfinished"
    with pytest.raises(Error, match="--rounds: all of these radicals have an illustration"):
        run.next_round(replace(site, wish=wish(project, 2)))


def test_a_round_is_over_when_everything_was_made_or_came_to_nothing(project: Project, models: ModelsFile, tmp_path: Path) -> None:
    styles = tuple(models.styles)[:2]
    site = Site(replace(project, root=tmp_path), models, wish(project, 1, count=2, seed=2**32 - 1, styles=styles), Options())

    def first() -> int:
        return (run.next_round(site).wish.first or {})[1]

    lost, again, *others = requests(models, site.wish)
    for attempt in tries(lost):
        assert first() == 0
        site.store.reject(attempt.key, facts(attempt, {}), "black", "black")
    one, other, *_ = tries(again)
    site.store.reject(one.key, facts(one, {}), "black", "black")
    for request in others:
        assert first() == 0, "the other style is left"
        made(site.store, request)
    assert first() == 0, "one came to nothing, but not yet with every seed"
    made(site.store, other)
    assert first() == 2
    further = requests(models, run.next_round(site).wish)
    assert [request.seed for request in further] == [1, 2, 1, 2]
    made(site.store, further[0])
    assert first() == 2
    assert (run.next_round(replace(site, wish=replace(site.wish, count=3))).wish.first or {})[1] == 0
    assert (run.next_round(replace(site, wish=replace(site.wish, styles=styles[:1], count=1))).wish.first or {})[1] == 3
    assert (run.next_round(replace(site, wish=replace(site.wish, seed=9))).wish.first or {})[1] == 0, "other seeds are another row"


def test_what_is_said_twice_is_asked_for_once(project: Project, models: ModelsFile) -> None:
    style = next(iter(models.styles))
    twice = wish(project, 1, models=("demo", "demo"), modes=("text", "text"), styles=(style, style))
    assert requests(models, twice) == requests(models, wish(project, 1))


def test_paces_are_those_of_the_sort_of_device(project: Project, models: ModelsFile, tmp_path: Path) -> None:
    store, asked = Store(tmp_path), requests(models, wish(project, 1, count=3))
    for request, device in zip(asked, ("cuda:0", "cuda:1", "cpu"), strict=True):
        made(store, request, {"cuda:0": 1.0, "cuda:1": 3.0, "cpu": 50.0}[device], device)
    assert plan.pace(store.candidates(), "cuda") == {("demo", "text"): 2.0}


def test_money_is_spent_only_when_somebody_says_how_much(project: Project, models: ModelsFile) -> None:
    service = next(name for name, profile in models.models.items() if profile.provider == "google")
    site = Site(project, models, wish(project, 1, models=(service,)), Options())
    row = Row(service, "text", "s", 100, 100, None, False, None, 0.04)
    with pytest.raises(Error, match=r"--limit: missing, this costs about 4\.00 \$; .* --limit 4\.40"):
        run.afford(site, [row])
    with pytest.raises(Error, match=r"--limit: the plan costs 4\.00 \$, which is more than 3\.00 \$"):
        run.afford(replace(site, options=Options(limit=3.0)), [row])
    run.afford(replace(site, options=Options(limit=4.0)), [row])
    run.afford(site, [replace(row, left=0)])


@pytest.mark.parametrize(("text", "expected"), [("", 800), ("0.5", 500), ("1", 1000), ("12", 12e9), ("0.5GB", 5e8), ("3 gb", 3e9)])
def test_memory_is_a_share_or_gigabytes(text: str, expected: float) -> None:
    assert run.limit(text, "cpu", 1000) == expected


@pytest.mark.parametrize("text", ["x", "0", "-1", "nan", "inf", "12MB"])
def test_what_is_no_amount_of_memory(text: str) -> None:
    with pytest.raises(Error, match=r"--memory: .* is no amount, give a fraction as 0\.8 or gigabytes as 12"):
        run.limit(text, "cpu", 1000)


def test_smaller_pictures_are_of_sizes_that_models_take(models: ModelsFile) -> None:
    sizes, profile = [], models.models["demo"].model_copy(update={"size": 1024})
    less: Profile | None = profile
    while less:
        sizes.append(less.size)
        less = run.smaller(less)
    assert sizes == [1024, 768, 576, 384, 256]


def test_conditioning_images_are_the_same_whatever_the_palette(project: Project, tmp_path: Path) -> None:
    some, other = project.radicals[61:64], replace(project, palettes=dict.fromkeys(project.palettes, project.palettes["night"]))
    for kind in conditions.conditions:
        drawn = conditions.drawn(project, kind, some)
        assert drawn == conditions.drawn(other, kind, some)
        paths = conditions.images(project, kind, some, 64, tmp_path)
        assert len({conditions.digest(path) for path in paths}) == 3
    assert len(list(tmp_path.iterdir())) == 3 * len(conditions.conditions)


def test_a_digest_is_of_pixels(tmp_path: Path) -> None:
    from PIL import Image

    image = Image.new("RGB", (8, 8), "red")
    image.save(tmp_path / "a.png", compress_level=0)
    image.save(tmp_path / "b.png", compress_level=9)
    Image.new("RGB", (8, 8), "#fe0000").save(tmp_path / "c.png")
    one, same, other = (conditions.digest(tmp_path / f"{name}.png") for name in "abc")
    assert one == same != other
