"""Sorting out: which glyph is to be seen, in which order candidates are shown, and what became of them."""

import hashlib
import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from common import contents
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from generator import raster
from generator.illustrate import legible, ranking, scorers, status
from generator.illustrate.legible import Masks
from generator.illustrate.scorers import Means, Scorer, combined
from generator.model import Error, Illustration
from generator.project import Project
from generator.store import Candidate, Store

STEP = 9
"""Every so many radicals are looked at."""


@pytest.fixture(scope="module")
def masks(project: Project) -> Masks:
    return legible.masks(project)


def texture(seed: int, side: int = 128) -> np.ndarray:
    """Noise whose amplitude falls with frequency, as in photographs: mean 0, standard deviation 1."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    frequency[0, 0] = 1
    made = np.fft.ifft2(np.fft.fft2(np.random.default_rng(seed).standard_normal((side, side))) / frequency).real
    return (made - made.mean()) / made.std()


def mixed(form: Image.Image, contrast: float, seed: int, sign: int = 1) -> Image.Image:
    """A texture with a form in it, so many times as strong as the texture."""
    levels = np.asarray(form.convert("L"), float)
    made = texture(seed, form.width) + sign * contrast * (levels - levels.mean()) / levels.std()
    return Image.fromarray(np.uint8(np.clip(128 + 45 * (made - made.mean()) / made.std(), 0, 255)))


@pytest.fixture(scope="module")
def forms(masks: Masks) -> dict[int, Image.Image]:
    """The forms of some radicals."""
    return {number: raster.image(text, 128) for number, text in zip(masks.numbers[::STEP], masks.drawn[::STEP], strict=True)}


def test_every_form_is_read_as_its_own(masks: Masks, project: Project) -> None:
    assert masks.numbers == tuple(range(1, 215))
    assert np.allclose(np.linalg.norm(masks.rows, axis=1), 1, atol=1e-4), "no form is empty"
    own = masks.rows @ masks.rows.T
    assert (own.argmax(axis=1) == np.arange(214)).all()
    glyphs = {radical.number: radical.glyph for radical in project.radicals}
    pairs = {f"{glyphs[one]}{glyphs[other]}" for one, other in np.argwhere(np.triu(masks.alike, 1)) + 1}
    assert {"土士", "大犬", "門鬥"} <= pairs
    assert len(pairs) < 10


def test_forms_are_those_that_the_model_is_shown(masks: Masks, project: Project) -> None:
    from generator.illustrate import conditions

    assert masks.drawn == tuple(conditions.drawn(project, "glyph", project.radicals))
    assert masks.digest != Masks(masks.numbers, (*masks.drawn[1:], masks.drawn[0])).digest


def test_the_stronger_the_form_the_more_are_legible(masks: Masks, forms: dict[int, Image.Image]) -> None:
    assert len(forms) == 24

    def readings(contrast: float) -> list[legible.Reading]:
        return [masks.read(mixed(form, contrast, number, number % 2 * 2 - 1), number) for number, form in forms.items()]

    first = {contrast: sum(found.rank == 1 for found in readings(contrast)) for contrast in (0.0, 0.25, 0.5, 1.0)}
    assert first[0.0] <= 2
    assert 2 < first[0.25] < 22
    assert first[0.5] >= 22
    assert first[1.0] == 24
    assert all(found.is_legible for found in readings(1.0))
    nothing = readings(0.0)
    assert not any(found.is_legible or found.clear for found in nothing), "texture is no glyph"
    assert np.median([found.correlation for found in nothing]) < 0.25


def test_a_form_may_be_out_of_place_and_light_on_dark(masks: Masks, forms: dict[int, Image.Image]) -> None:
    for number, form in forms.items():
        moved = Image.new("RGB", form.size, form.getpixel((0, 0)))  # type: ignore[arg-type]
        moved.paste(form, (8, -6))
        inverse = moved.point(lambda level: 255 - level)
        for image in (moved, inverse):
            assert masks.read(image, number).is_legible, number


def test_another_form_is_named(masks: Masks, forms: dict[int, Image.Image]) -> None:
    axe, dog = masks.numbers.index(69), masks.numbers.index(94)
    found = masks.read(mixed(raster.image(masks.drawn[axe], 128), 1.0, 1), 94)
    assert (found.best, found.clear, found.is_legible) == (69, True, False)
    assert found.rank > 1
    like = masks.read(raster.image(masks.drawn[dog], 128), 37)
    assert like.rank == 1, "犬 passes for 大"


def test_a_picture_of_nothing_is_not_legible(masks: Masks) -> None:
    for colour in ("black", "white", "red"):
        found = masks.read(Image.new("RGB", (512, 512), colour), 1)
        assert (found.correlation, found.clear, found.is_legible) == (0.0, False, False)


# Ranking


def png(colour: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "PNG")
    return out.getvalue()


FACTS = {"radical": 1, "model": "svg", "mode": "text", "style": "flat", "request": {"prompt": "p", "seed": 1}, "made": {}}
MEASURED = {"mean": 0.5, "spread": 0.2, "edge": 0.0, "lettering": 0}
Add = Callable[..., Candidate]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "candidates")


@pytest.fixture
def add(store: Store) -> Add:
    """Store a candidate; what is not said of it is nothing special."""
    count = iter(range(1, 10_000))

    def added(radical: int = 1, model: str = "sd", mode: str = "text", prompt: str = "a", content: bytes = b"", **known: Any) -> Candidate:
        number = next(count)
        key = f"{number:020x}"
        looks = {"phash": hashlib.sha256(key.encode()).hexdigest()[:16]}
        made = {"seconds": float(number), "measured": {**MEASURED, **looks, **known}}
        request = {"prompt": prompt, "seed": number}
        facts = {"radical": radical, "model": model, "mode": mode, "style": "gouache", "request": request, "made": made}
        return store.add(key, facts, content or png())

    return added


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let one scorer give these scores by key, on a basis; the keys that it was asked for."""

    def set_up(scores: dict[str, float | None], basis: str = "b") -> list[str]:
        asked: list[str] = []

        def score(candidate: Candidate, known: Any) -> float | None:
            asked.append(candidate.key)
            return scores.get(candidate.key)

        monkeypatch.setattr(scorers, "scorers", {"taste": lambda means: Scorer(basis, score)})
        return asked

    return set_up


def keys(store: Store, radical: int = 1) -> list[str]:
    return [one.candidate.key for one in ranking.read(store, radical)]


def codes(store: Store, radical: int = 1) -> dict[str, list[str]]:
    return {one.candidate.key: [flag.code for flag in one.flags] for one in ranking.read(store, radical)}


def test_without_a_ranking_keys_are_the_order(store: Store, add: Add) -> None:
    made = [add().key for _ in range(3)]
    assert keys(store) == made
    assert [one.score for one in ranking.read(store, 1)] == [None] * 3
    assert ranking.read(store, 2) == []


def test_better_ones_come_first_and_flagged_ones_last(project: Project, store: Store, add: Add, scored: Callable[..., list[str]]) -> None:
    plain, best, cut, words = add(), add(), add(edge=0.5), add(lettering=9)
    twin = add(phash=plain.made["measured"]["phash"])
    scored({plain.key: 0.2, best.key: 0.4, cut.key: 0.9, words.key: 0.1, twin.key: 0.8})
    assert ranking.rank(project, store, [1]) == 1
    assert keys(store) == [best.key, plain.key, cut.key, twin.key, words.key]
    assert codes(store) == {best.key: [], plain.key: [], cut.key: ["touching"], twin.key: ["duplicate"], words.key: ["lettering"]}
    assert [one.score for one in ranking.read(store, 1)] == [0.5, 0.3, 0.9, 0.7, 0.1]
    assert len(list(store.candidates())) == 5, "nothing is deleted"
    late = add()
    assert keys(store)[-1] == late.key, "what was not ranked yet comes last"
    assert ranking.read(store, 1)[-1].score is None


def test_repetitions_are_found_across_radicals(project: Project, store: Store, add: Add) -> None:
    first, other = add(radical=3), add(radical=1)
    same = add(radical=2, phash=first.made["measured"]["phash"])
    near = add(radical=3, phash=f"{int(other.made['measured']['phash'], 16) ^ 0b111111:016x}")
    assert ranking.rank(project, store, [1, 2, 3]) == 3
    assert codes(store, 1) == {other.key: []}
    assert codes(store, 2) == {same.key: []}, "the first by radical is let be"
    assert codes(store, 3) == {first.key: ["duplicate"], near.key: ["duplicate"]}
    (told,) = ranking.read(store, 3)[0].flags
    assert told.message == f"looks like 002/{same.key}"


def test_scores_are_compared_among_pictures_of_one_prompt(
    project: Project, store: Store, add: Add, scored: Callable[..., list[str]]
) -> None:
    dear, cheap = [add(prompt="dear") for _ in range(2)], [add(prompt="cheap") for _ in range(2)]
    scored({dear[0].key: 0.8, dear[1].key: 0.9, cheap[0].key: 0.1, cheap[1].key: 0.2})
    ranking.rank(project, store, [1])
    assert keys(store) == [dear[1].key, cheap[1].key, dear[0].key, cheap[0].key]


def test_nothing_changes_nothing_is_done(project: Project, store: Store, add: Add, scored: Callable[..., list[str]], monkeypatch) -> None:
    made = [add(radical=radical).key for radical in (1, 1, 2)]
    asked = scored(dict.fromkeys(made, 0.5))
    assert ranking.rank(project, store, [1, 2]) == 2
    assert asked == made
    before = contents(store.root)
    with monkeypatch.context() as patch:
        patch.setattr(ranking, "put", None)
        patch.setattr(ranking, "opened", None)
        patch.setattr(ranking, "possible", lambda: list(MEASURED))
        assert ranking.rank(project, store, [1, 2]) == 0
    assert contents(store.root) == before
    assert asked == made, "scores are kept"
    new = add(radical=2).key
    assert ranking.rank(project, store, [1, 2]) == 1
    assert asked == [*made, new]
    asked = scored(dict.fromkeys(made, 0.5), "another basis")
    assert ranking.rank(project, store, [1]) == 1
    assert asked == made[:2], "and given anew on another basis"
    for path in store.root.rglob(ranking.RANKING):
        path.unlink()
    scored(dict.fromkeys([*made, new], 0.5))
    ranking.rank(project, store, [1, 2])
    first = contents(store.root)
    for path in store.root.rglob(ranking.RANKING):
        path.unlink()
    ranking.rank(project, store, [1, 2])
    assert contents(store.root) == first, "same candidates, same bytes"


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"schema": 1}', '{"schema": 1, "candidates": [5]}', '{"schema": 0, "candidates": 5}'])
def test_a_ranking_that_cannot_be_read_is_made_anew(project: Project, store: Store, add: Add, torn: str) -> None:
    made = add().key
    ranking.rank(project, store, [1])
    whole = ranking.path(store, 1).read_text("utf-8")
    ranking.path(store, 1).write_text(torn, "utf-8")
    assert keys(store) == [made]
    assert ranking.rank(project, store, [1]) == 1
    assert ranking.path(store, 1).read_text("utf-8") == whole


def test_only_what_was_asked_for_is_ranked(project: Project, store: Store, add: Add) -> None:
    add(radical=1), add(radical=2)
    assert ranking.rank(project, store, [2]) == 1
    assert not ranking.path(store, 1).exists()
    assert ranking.rank(project, store, [3]) == 0
    assert ranking.rank(project, Store(store.root / "empty"), [1]) == 0


def test_what_was_deleted_is_in_no_order(project: Project, store: Store, add: Add) -> None:
    first, second = add(), add()
    ranking.rank(project, store, [1])
    (first.folder / f"{first.key}.json").unlink()
    assert keys(store) == [second.key]
    assert ranking.rank(project, store, [1]) == 1


def glyph(masks: Masks, number: int) -> bytes:
    out = io.BytesIO()
    raster.image(masks.drawn[number - 1], 128).save(out, "PNG")
    return out.getvalue()


def test_glyphs_are_read_once_and_the_legible_ones_come_first(
    project: Project, store: Store, add: Add, masks: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = add(radical=69, mode="glyph", content=glyph(masks, 94))
    nothing = add(radical=69, mode="glyph", content=png())
    right = add(radical=69, mode="glyph", content=glyph(masks, 69))
    text = add(radical=69, mode="text", content=glyph(masks, 94))
    monkeypatch.setattr(ranking, "possible", lambda: list(MEASURED))
    assert ranking.rank(project, store, [69]) == 1
    found = {one.candidate.key: one for one in ranking.read(store, 69)}
    assert next(iter(found)) == right.key
    assert list(found)[-1] == other.key
    assert codes(store, 69) == {right.key: [], text.key: [], nothing.key: [], other.key: ["glyph"]}
    assert found[other.key].flags[0].message == "reads as radical 94"
    assert found[right.key].measured["legible"] == {"rank": 1, "correlation": 1.0, "best": 69, "clear": True}
    assert "legible" not in found[text.key].measured
    with monkeypatch.context() as patch:
        patch.setattr(ranking, "opened", None)
        assert ranking.rank(project, store, [69]) == 0, "no picture is decoded again"
    monkeypatch.setattr(legible, "masks", lambda project: Masks(masks.numbers, (*masks.drawn[1:], masks.drawn[0])))
    assert ranking.rank(project, store, [69]) == 1, "other forms, other readings"
    assert codes(store, 69)[right.key] == ["glyph"]


def test_what_is_less_legible_scores_less(add: Add) -> None:
    scorer = scorers.ready(Means())["legibility"]

    def score(rank: int, correlation: float) -> float | None:
        return scorer.score(add(), {"legible": {"rank": rank, "correlation": correlation, "best": 1, "clear": True}})

    assert (score(1, 0.6), score(2, 0.6), score(3, 0.6)) == (0.6, 0.3, 0.2)
    assert scorer.score(add(), {}) is None, "other modes are not scored so"


def test_a_picture_that_is_gone_is_in_no_order(project: Project, store: Store, add: Add) -> None:
    gone, other = add(mode="glyph"), add()
    gone.path.unlink()
    assert ranking.rank(project, store, [1]) == 1
    assert keys(store) == [other.key]


def torn(candidate: Candidate) -> None:
    candidate.path.write_bytes(candidate.path.read_bytes()[:-30])


def flipped(candidate: Candidate) -> None:
    """As many bytes, but others."""
    content = bytearray(candidate.path.read_bytes())
    content[30:] = bytes(len(content) - 30)
    candidate.path.write_bytes(content)


@pytest.mark.parametrize(("spoil", "why"), [(torn, "has another size than what was stored"), (flipped, "cannot be read ")])
@pytest.mark.parametrize("is_measured", [True, False])
def test_pictures_that_are_torn_come_last_and_stop_nothing(
    project: Project,
    store: Store,
    add: Add,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Candidate], None],
    why: str,
    is_measured: bool,
) -> None:
    first, cut, good = add(prompt="p"), add(prompt="p", edge=0.5), add(prompt="p")
    twin = add(prompt="p", phash=first.made["measured"]["phash"])
    monkeypatch.setattr(ranking, "possible", lambda: [*MEASURED, *([] if is_measured else ["more"])])
    monkeypatch.setattr(ranking, "measured", lambda picture, known: {"more": 1})
    looks = Scorer("b", lambda candidate, known: scorers.opened(candidate).getpixel((0, 0))[2] / 1000)  # type: ignore[index]
    monkeypatch.setattr(scorers, "scorers", {"looks": lambda means: looks})
    spoil(first)
    for _ in range(2):
        ranking.rank(project, store, [1])
        assert keys(store) == [good.key, twin.key, cut.key, first.key]
        assert codes(store) == {good.key: [], twin.key: [], cut.key: ["touching"], first.key: ["unreadable"]}
        assert [one.score for one in ranking.read(store, 1)] == [0.5, 0.5, 0.5, 0.0], "the others are compared among themselves"
    (told,) = ranking.read(store, 1)[-1].flags
    assert told.message.startswith(f"{first.path}: {why}")
    assert told.message.endswith(f"delete {first.key}.json to have it made again")


@given(data=st.data())
def test_of_no_torn_png_pillow_has_the_last_word(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    content = bytearray(png())
    for place in data.draw(st.sets(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    made = Store(tmp_path_factory.mktemp("torn")).add("0" * 20, FACTS, bytes(content[: data.draw(st.integers(1, len(content)))]))
    with suppress(scorers.Unreadable):
        scorers.opened(made)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(-9, 9)), max_size=12))
def test_shares_do_not_depend_on_scales(scores: list[dict[str, float]]) -> None:
    found = combined(scores)
    assert combined([{name: value**3 + 7 if name == "a" else value for name, value in one.items()} for one in scores]) == found
    assert all(0 < share < 1 for share in found)
    assert all(share == 0.5 for share, one in zip(found, scores, strict=True) if not one)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=12))
def test_of_one_scorer_the_order_stays(values: list[int]) -> None:
    shares = combined([{"taste": value} for value in values])
    for value, share in zip(values, shares, strict=True):
        assert [share < other for other in shares] == [value < other for other in values]
    assert sum(shares) == pytest.approx(len(values) / 2, abs=0.01)


def test_weights_that_are_nowhere_are_no_scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert scorers.there(str(tmp_path), scorers.WEIGHTS) is None
    assert scorers.there("./nowhere/at/all", scorers.WEIGHTS) is None
    with pytest.raises(Error, match=r"nowhere: has no model.safetensors on this machine, download it or give a folder"):
        scorers.ready(Means({"clip": "./nowhere"}))


# Status


def chosen(project: Project, *candidates: str) -> Project:
    entries = enumerate(candidates, 1)
    picked = {n: Illustration(file=f"radical_{n:03d}.webp", sha256=digest, stored="0" * 64) for n, digest in entries}
    return replace(project, illustrations=picked)


def test_nothing_yet(project: Project, store: Store) -> None:
    assert list(status.lines(project, store)) == [status.EMPTY]


def test_the_table_counts_everything(project: Project, store: Store, add: Add, masks: Masks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "possible", lambda: list(MEASURED))
    first = add(content=png("teal"))
    add(edge=0.5), add(phash=first.made["measured"]["phash"], lettering=4)
    add(radical=69, mode="glyph", content=glyph(masks, 69)), add(radical=69, mode="glyph", content=png())
    add(model="xl", radical=5)
    for key, model, code in (("1", "sd", "black"), ("2", "sd", "nan"), ("3", "sd", "black"), ("4", "none", "safety")):
        facts = {"radical": 7, "model": model, "mode": "text", "style": "gouache", "request": {"prompt": "p", "seed": 1}, "made": {}}
        store.reject(key * 20, facts, code, "because")
    assert list(status.lines(project, store))[-1].startswith("6 of 6 are not ranked")
    ranking.rank(project, store, range(1, 215))
    picked = chosen(project, first.picture["sha256"], "f" * 64)
    why = "rejected: black 2, nan 1; flagged: duplicate 1, lettering 1, touching 1"
    assert list(status.lines(picked, store)) == [
        "model  mode   made  rejected         legible  alike  flagged     picked  s/picture  why",
        "none   text      0         1               –      0        0          –          –  rejected: safety 1",
        "sd     glyph     2         0  1 of 2  50.0 %      0        0  0   0.0 %       4.50  –",
        f"sd     text      3         3               –      1        2  1  33.3 %       2.00  {why}",
        "xl     text      1         0               –      0        0  0   0.0 %       6.00  –",
    ]
    assert [line.split()[:3] for line in status.lines(picked, store, [5, 7])][1:] == [
        ["none", "text", "0"],
        ["sd", "text", "0"],
        ["xl", "text", "1"],
    ]


def test_counts_and_shares_have_no_gaps(project: Project, store: Store, add: Add) -> None:
    add()
    heading, row, _ = status.lines(project, store)
    assert row == "sd     text     1         0        –      0        0  0  0.0 %       1.00  –"
    assert heading.startswith("model  mode  made")


def test_faults_are_told_with_what_to_do(project: Project, store: Store, add: Add) -> None:
    made = [add(content=png(colour)) for colour in ("teal", "red", "blue", "navy", "lime")]
    json = made[0].folder / f"{made[0].key}.json"
    json.write_text("{}", "utf-8")
    made[1].path.unlink()
    first = f"1 file cannot be read: {json}, delete it to have it made again"
    second = f"1 file is missing or is not what was stored: {made[1].path}, delete the .json beside it to have it made again"
    assert list(status.lines(project, store))[-2:] == [first, second]
    assert list(status.lines(project, store, [2])) == [status.EMPTY]
    for one in made[2:]:
        torn(one)
    paths = ", ".join(str(one.path) for one in made[1:4])
    several = f"4 files are missing or are not what was stored: {paths} and 1 more, delete the .json beside each to have it made again"
    assert list(status.lines(project, store))[-2:] == [first, several]
    for one in made[1:]:
        (one.folder / f"{one.key}.json").unlink()
    assert list(status.lines(project, store)) == [first], "there is no table of nothing"


def test_an_original_counts_as_picked(project: Project, store: Store) -> None:
    facts = {"radical": 1, "model": "svg", "mode": "text", "style": "flat", "request": {"prompt": "p", "seed": 1}, "made": {"measured": {}}}
    made = store.add("a" * 20, facts, png(), b"<svg/>", ".svg")
    found = status.tallies(chosen(project, made.picture["original_sha256"]), store)
    assert found["svg", "text"].picked == 1
    assert status.tallies(project, store)["svg", "text"].picked == 0
