"""The page about diffusion: what it says of models agrees with ``models.yml``, and its commands are there. What the bench prints."""

import re
import shlex
import sys
from collections.abc import Iterator
from typing import Any

import bench_diffusion
import pytest
from common import ROOT

from generator.cli import main
from generator.illustrate import causes, examine, formats, profiles, ranking, run, worker
from generator.illustrate.profiles import DEVICES, ModelsFile
from generator.illustrate.requests import SIDE
from generator.project import load

PAGE = "site/diffusion.md"
NAME = re.compile(r"`([a-z0-9-]+)` (.+)")
DRAWING = "svg"
"""The provider whose models are in no table: the page tells of them in words."""


def text(name: str = PAGE) -> str:
    """A file of the project; spaces that hold a figure and its unit together are like any other."""
    return (ROOT / name).read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")


def rows(page: str, first: str) -> list[list[str]]:
    """The rows of the table whose first heading is *first* and whose second follows it there: ``Model | Memory``."""
    lines = page.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith(f"| {first} |"))
    found = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def commands(page: str) -> Iterator[list[str]]:
    """The words of every command in a block of shell code."""
    for block in re.findall(r"(?ms)^```sh\n(.*?)^```", page):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


@pytest.fixture(scope="module")
def models() -> ModelsFile:
    return profiles.load(load(ROOT))


@pytest.fixture(scope="module")
def local(models: ModelsFile) -> dict[str, list[str]]:
    """The rows of the models that work here, by name."""
    return {NAME.fullmatch(row[0])[1]: row for row in rows(text(), "Model | Memory")}


@pytest.fixture(scope="module")
def services(models: ModelsFile) -> dict[str, list[str]]:
    return {NAME.fullmatch(row[0])[1]: row for row in rows(text(), "Model | Service")}


def test_every_model_is_on_the_page(models: ModelsFile, local: dict[str, list[str]], services: dict[str, list[str]]) -> None:
    drawing = {name for name, profile in models.models.items() if profile.provider == DRAWING}
    assert local.keys() == {name for name, profile in models.models.items() if profile.provider in profiles.LOCAL}
    assert services.keys() == models.models.keys() - local.keys() - drawing
    assert [name for name in drawing if f"`{name}`" not in text()] == []
    assert len(local) + len(services) + len(drawing) == len(models.models) > 10


def test_rows_of_local_models_agree_with_their_profiles(models: ModelsFile, local: dict[str, list[str]]) -> None:
    for name, (title, memory, picture, licence, what) in local.items():
        profile = models.models[name]
        terms = models.licences[profile.licence]
        work = f", {profile.work:g} TFLOP" if profile.work else ""
        assert title == f"`{name}` {profile.title}"
        assert memory == f"{' / '.join(f'{profile.memory[device]:g}' for device in DEVICES)} GB", name
        assert picture == f"{profile.size} pixels, {profile.steps} steps{work}", name
        assert licence == f"[{terms.title}]({terms.url})", name
        assert what


def test_rows_of_services_agree_with_their_profiles(models: ModelsFile, services: dict[str, list[str]]) -> None:
    for name, (title, _, key, price) in services.items():
        profile = models.models[name]
        assert profile.title.startswith(NAME.fullmatch(title)[2]), name
        assert price == ("not noted" if profile.price is None else f"{profile.price:g} $ a picture"), name
        assert f'"{key.strip("`")}"' in text("generator/illustrate/services.py"), name


def test_models_named_for_a_machine_have_the_room(models: ModelsFile) -> None:
    """Of a GPU nine tenths, of a Mac's memory nine tenths of two thirds; GB as they are sold are those of 2**30 bytes."""
    seen = 0
    for machine, advice in rows(text(), "Your machine"):
        if not (size := re.search(r"([0-9]+) GB", machine)):
            continue
        device, lent = ("mps", 2 / 3) if "Mac" in machine else ("cuda", 1)
        room = run.SHARE[device] * lent * int(size[1]) * 2**30 / 1e9
        more = re.search(r"with ([0-9]+) GB `([a-z0-9-]+)`", advice)
        if more:
            assert models.models[more[2]].memory[device] <= run.SHARE[device] * lent * int(more[1]) * 2**30 / 1e9
        for name in re.findall(r"`([a-z0-9-]+)`", advice.partition("; with")[0]):
            assert models.models[name].memory[device] <= room, (machine, name)
            seen += 1
    assert seen > 8


@pytest.mark.parametrize("name", [PAGE, "README.md"])
def test_commands_are_ones_that_there_are(name: str, models: ModelsFile) -> None:
    """Every command is parsed, as far as that goes without running it; models, modes and styles are there."""
    seen = 0
    for words in commands(text(name)):
        if words[:2] != ["bushu", "illustrate"]:
            continue
        given = main.commands["illustrate"].make_context("illustrate", words[2:], resilient_parsing=False, obj=ROOT).params
        assert set(given["names"]) <= models.models.keys(), words
        assert set(given["styles"]) <= models.styles.keys(), words
        modes = {mode for model in given["names"] for mode in models.models[model].modes}
        assert set(given["modes"]) <= modes, words
        seen += 1
    assert seen > 5


def test_every_option_and_mode_and_style_is_explained(models: ModelsFile) -> None:
    page = text()
    options = {name for option in main.commands["illustrate"].params for name in option.opts if name.startswith("--")}
    assert {option for option in options if option not in page} == {"--jobs", "--help"} & options
    assert {mode for profile in models.models.values() for mode in profile.modes} == {row[0].strip("`") for row in rows(page, "Mode")}
    assert [style for style in models.styles if f"`{style}`" not in page] == []


def test_what_is_quoted_is_what_is_said(models: ModelsFile) -> None:
    """Names of files and of flags, the refusal of a licence, the sum for a service."""
    page = text()
    for name in (worker.LOG, formats.FITNESS, "revisions.json", ranking.RANKING):
        assert f"`build/candidates/{'085/' if name == ranking.RANKING else ''}{name}`" in page
    codes = {*re.findall(r'Flag\("(\w+)"', text("generator/illustrate/examine.py")), ranking.DUPLICATE}
    assert len(codes) == len(examine.examinations) + 1
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []
    assert f"{SIDE} × {SIDE} pixels" in page
    terms = models.licences["sai-nc-community"]
    said = f"{terms.title} allows no commercial use, read {terms.url} and add accept_licence: true if that will do"
    assert said in page
    assert not terms.commercial
    assert f"come to {4 * 214 * models.models['gemini-flash'].price:.2f} $" in page
    assert all(word in page for word in ("HF_TOKEN", "HF_HOME", "HF_HUB_OFFLINE"))
    assert all(any(word in message for message in causes.CAUSES.values()) for word in ("HF_TOKEN", "HF_HOME", "HF_HUB_OFFLINE"))


@pytest.mark.parametrize("name", [PAGE, "README.md"])
def test_targets_of_make_are_there(name: str) -> None:
    named = set(re.findall(r"`make ([a-z-]+)", text(name)))
    assert "illustrate" in named
    assert [target for target in sorted(named) if not re.search(rf"(?m)^{target}:.* ## ", text("Makefile"))] == []


def test_the_page_is_found() -> None:
    assert "(diffusion.md)" in text("site/make-your-own.md")
    assert f"({PAGE})" in text("README.md")
    assert "/diffusion.md" in text("mkdocs.yml")


@pytest.mark.parametrize(("peak", "status"), [(7.9, 0), (8.1, 1)])
def test_the_bench_goes_by_medians_and_fails_above_its_cap(
    peak: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    each = {"bushu": iter([2.0, 4.0, 9.0]), "plain": iter([12.0, 10.0, 8.0])}
    asked = []

    def child(part: str, told: dict[str, Any]) -> dict[str, Any]:
        asked.append(part)
        if part == "surveyed":
            return {
                "device": "cuda",
                "kind": "cuda",
                "name": "A card",
                "dtype": "float16",
                "cap": 8_000_000_000,
                "versions": {"torch": "2"},
            }
        if part == "built":
            return {}
        return {"count": told["images"], "each": next(each[part]), "together": 4, "peak": int((peak if part == "bushu" else 20) * 1e9)}

    monkeypatch.setattr(bench_diffusion, "child", child)
    monkeypatch.setattr(sys, "argv", ["bench_diffusion.py"])
    assert bench_diffusion.main() == status
    assert asked == ["surveyed", "built", *["bushu", "plain"] * 3]
    out = capsys.readouterr().out
    assert f"| Bushu | float16 | 4 | 3 × 256 | 4 | 0.25 | 2.50 | {peak} | 8.0 |" in out
    assert "Ratio by round: 6.00, 2.50, 0.89." in out
    assert ("more than its cap" in out) == bool(status)
