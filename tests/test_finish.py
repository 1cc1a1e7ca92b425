"""Finishing: what comes to nothing, what a candidate's file says, and what speaks against a picture."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from generator import adopt, bitmaps, provenance, raster
from generator.illustrate import conditions, examine
from generator.illustrate.finish import PARAMETERS, REQUEST, XMP, Product, encoded, finish, parameters, scaled
from generator.illustrate.making import Made, Spoilt
from generator.illustrate.requests import Request, canonical
from generator.project import Project

CALL = {"num_inference_steps": 20, "guidance_scale": 7.5, "strength": 0.6}
SETTINGS = {"provider": "diffusers", "repo": "some/model", "size": 768, "scheduler": {"name": "DPMSolverMultistepScheduler"}, "call": CALL}
ASKED = Request(69, "some", "text", "gouache", "an axe 斧, plain background", "text, frame", 7, SETTINGS)


def noise(side: int = 96, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(3).random((side, side, 3)).astype(dtype)


def held(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def product(pixels: Any, request: Request = ASKED) -> Product:
    found = finish(request, Made(pixels), {})
    assert isinstance(found, Product), found
    return found


def shown(pixels: Any) -> Image.Image:
    return Image.open(io.BytesIO(product(pixels).png))


def spotted(value: Any, ground: float = 0.5) -> np.ndarray:
    pixels = np.full((64, 64, 3), ground, np.float32)
    pixels[20:40, 20:40] = value
    return pixels


SPOILT = {
    "nan": (np.full((8, 8, 3), np.nan), spotted(np.nan), spotted(np.inf), spotted(-np.inf, 0.0)),
    "black": (np.zeros((8, 8, 3)), spotted(0.019, 0.0), spotted(0, 0).astype(np.float16), held(Image.new("RGB", (64, 64)), "PNG")),
    "flat": (
        np.full((8, 8, 3), 0.5),
        spotted(0.51),
        np.tile([0.9, 0.2, 0.1], (64, 64, 1)),
        held(Image.new("RGB", (64, 64), "red"), "WEBP"),
    ),
    "undecodable": (b"", b"<html>", held(Image.new("RGB", (64, 64), "red"), "PNG")[:-20]),
}
SOUND = {
    "float16": noise(dtype=np.float16),
    "float64": noise(dtype=np.float64),
    "dark": spotted(0.2, 0.0),
    "pale": spotted(0.6),
    "of one brightness": spotted([0.7, 0.4, 0.5]),
    "beyond 1": spotted(1.2, -0.1),
    "PNG": held(Image.fromarray(np.uint8(noise() * 255)), "PNG"),
    "JPEG": held(Image.fromarray(np.uint8(noise() * 255)), "JPEG"),
    "WEBP": held(Image.fromarray(np.uint8(noise() * 255)), "WEBP"),
}


@pytest.mark.parametrize(("code", "pixels"), [(code, pixels) for code, found in SPOILT.items() for pixels in found])
def test_what_came_to_nothing_says_why(code: str, pixels: Any) -> None:
    found = finish(ASKED, Made(pixels), {})
    assert isinstance(found, Spoilt)
    assert found.code == code
    assert found.message


@pytest.mark.parametrize("name", SOUND)
def test_what_shows_something_is_kept(name: str) -> None:
    image = shown(SOUND[name])
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (512, 512))


def test_pixels_of_the_right_size_stay_as_they_are() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    assert (np.asarray(shown((levels / 255).astype(np.float32))) == levels).all()
    assert (np.asarray(shown(held(Image.fromarray(levels), "PNG"))) == levels).all()


def test_values_beyond_black_and_white_are_black_and_white() -> None:
    image = shown(spotted(1.3, -0.3))
    assert (image.getpixel((5, 5)), image.getpixel((240, 240))) == ((0, 0, 0), (255, 255, 255))


def test_all_are_cut_alike() -> None:
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (80, 0, 220, 100))
    for image in (wide, wide.rotate(90, expand=True)):
        assert scaled(image).getcolors() == [(512 * 512, (0, 0, 255))]


def test_what_is_transparent_is_laid_on_white() -> None:
    image = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (200, 200, 300, 300))
    found = shown(held(image, "PNG"))
    assert found.getpixel((5, 5)) == (255, 255, 255)
    assert found.getpixel((250, 250)) == (200, 0, 0)


def test_originals_and_facts_come_along() -> None:
    found = finish(ASKED, Made(noise(), b"<svg/>", ".svg", {"model version": "2"}), {"seconds": 1.5})
    assert isinstance(found, Product)
    assert (found.original, found.ending) == (b"<svg/>", ".svg")
    assert found.made["seconds"] == 1.5
    assert found.made["model version"] == "2"
    assert {"mean", "spread", "edge"} <= found.made["measured"].keys()
    assert json.loads(json.dumps(found.made)) == found.made


def test_same_picture_same_bytes() -> None:
    first, again = (finish(ASKED, Made(noise()), {"seconds": seconds}) for seconds in (1.0, 2.0))
    assert isinstance(first, Product)
    assert isinstance(again, Product)
    assert first.png == again.png, "how long it took is not in the file"
    assert product(noise(), replace(ASKED, seed=8)).png != first.png


def test_the_file_says_everything() -> None:
    png = product(noise()).png
    chunks = Image.open(io.BytesIO(png)).text  # type: ignore[attr-defined]
    assert set(chunks) == {PARAMETERS, REQUEST, XMP}
    assert chunks[PARAMETERS] == (
        "an axe 斧, plain background\nNegative prompt: text, frame\n"
        "Steps: 20, Sampler: DPMSolverMultistep, CFG scale: 7.5, Seed: 7, Size: 768x768, Model: some/model, Denoising strength: 0.6"
    )
    assert chunks[REQUEST] == canonical(ASKED.decisive)
    root = provenance.parsed(chunks[XMP].encode())
    assert root.findtext(f".//{{{provenance.IPTC}}}DigitalSourceType") == provenance.MACHINE_MADE
    assert provenance.MACHINE_MADE.endswith("/trainedAlgorithmicMedia")
    assert dict(provenance.described(root)) == {"model": "some/model", "prompt": ASKED.prompt}
    known = {"model": "some/model", "prompt": ASKED.prompt, "seed": "7"}
    assert bitmaps.facts(png) == known
    assert provenance.stated(provenance.parameters(chunks[PARAMETERS])) == known, "without XMP as well"


def test_a_service_has_no_steps_and_no_scale() -> None:
    asked = replace(ASKED, settings={"provider": "google", "size": 1024}, negative="")
    assert parameters(asked) == "an axe 斧, plain background\nSeed: 7, Size: 1024x1024, Model: some"
    assert bitmaps.facts(product(noise(), asked).png) == {"model": "some", "prompt": ASKED.prompt, "seed": "7"}


@settings(max_examples=30)
@given(prompt=st.text(min_size=1, max_size=300), negative=st.text(max_size=50), seed=st.integers(0, 2**32 - 1))
def test_whatever_the_prompt_says_is_read_back(prompt: str, negative: str, seed: int) -> None:
    asked = replace(ASKED, prompt=prompt, negative=negative, seed=seed)
    facts = bitmaps.facts(encoded(Image.new("RGB", (8, 8)), asked))
    expected = {"model": "some/model", "prompt": provenance.cleaned(prompt), "seed": str(seed)}
    assert facts == {name: text for name, text in expected.items() if text}


def test_adopting_a_candidate_keeps_where_it_comes_from(project: Project, tmp_path: Path) -> None:
    image = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(image).circle((256, 256), 150, "navy")
    (tmp_path / "candidate.png").write_bytes(encoded(image, ASKED))
    (row,) = adopt.plan(replace(project, root=tmp_path), [(69, tmp_path / "candidate.png")], adopt.Terms({}))
    assert row.verdict == adopt.NEW, row.reason
    assert row.illustration
    assert row.stored
    assert (row.illustration.model, row.illustration.prompt, row.illustration.seed) == ("some/model", ASKED.prompt, "7")
    assert bitmaps.facts(row.stored.content) == bitmaps.facts(encoded(image, ASKED))
    assert provenance.MACHINE_MADE.encode() in row.stored.content


@pytest.fixture(scope="module")
def bare(project: Project) -> list[Image.Image]:
    """A few of the project's own pictures, which stand free."""
    some = project.radicals[::9]
    return [raster.image(text, 512) for text in conditions.drawn(project, "picture", some)]


def codes(image: Image.Image, **more: Any) -> set[str]:
    return {flag.code for flag in examine.flags({"mode": "text", "edge": examine.edge(image), **more})}


def test_what_the_border_cuts_off_is_flagged(bare: list[Image.Image]) -> None:
    assert len(bare) == 24
    assert [codes(image) for image in bare] == [set()] * 24
    cut = [scaled(image.crop((140, 140, 372, 372))) for image in bare]
    assert sum(codes(image) == {"touching"} for image in cut) > 18, "some have nothing there"
    disc = Image.new("RGB", (512, 512), "#f3efe6")
    ImageDraw.Draw(disc).circle((490, 256), 120, "navy")
    assert codes(disc) == {"touching"}
    assert codes(disc, mode="glyph") == set(), "surroundings fill the picture"


def test_a_soft_background_is_not_cut_off() -> None:
    shade = np.linspace(200, 240, 512)[:, None, None] + np.random.default_rng(0).normal(0, 5, (512, 512, 3))
    image = Image.fromarray(np.uint8(shade))
    assert codes(image) == set()


def test_another_glyph_is_flagged() -> None:
    def told(rank: int, clear: bool) -> set[str]:
        return codes(Image.new("RGB", (64, 64)), legible={"rank": rank, "correlation": 0.5, "best": 94, "clear": clear})

    assert told(2, True) == {"glyph"}
    assert told(1, True) == told(1, False) == told(9, False) == set()


def test_lettering_is_flagged_from_four_signs() -> None:
    assert [flag.code for signs in range(7) for flag in examine.flags({"lettering": signs})] == ["lettering"] * 3


def test_what_cannot_be_measured_here_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"imagehash", "scipy"}
    monkeypatch.setattr(examine, "find_spec", lambda name: None if name in missing else object())
    assert set(examine.measures) - set(examine.possible()) == {"phash", "lettering"}
    found = product(noise()).made["measured"]
    assert set(found) == {"mean", "spread", "edge"}
    assert examine.measured(shown(noise()), found) == {}
    assert examine.flags(found) == [examine.Flag("touching", f"something is drawn on {found['edge']:.0%} of the border")]


def test_measurements_are_what_they_say() -> None:
    half = Image.new("RGB", (512, 512), "white")
    half.paste("black", (0, 0, 256, 512))
    assert (examine.mean(half), examine.spread(half)) == (0.5, 0.5)
    corner = Image.new("RGB", (512, 512), "white")
    corner.paste("black", (0, 0, 100, 4))
    assert examine.edge(corner) == round(400 / (512**2 - 504**2), 4)


@pytest.fixture
def alike() -> Callable[..., list[int | None]]:
    return lambda *hashes: examine.alike([f"{value:016x}" if value is not None else "" for value in hashes])


def test_the_first_of_its_kind_is_let_be(alike: Callable[..., list[int | None]]) -> None:
    assert alike() == []
    assert alike(0b0, 0b111111, 0b1111111, 0b0) == [None, 0, None, 0], "six bits are near, seven are not"
    assert alike(0, 0b111111, 0b111111 << 6) == [None, 0, 0]
    assert alike(0, 0b111 << 3, 0b1111111) == [None, 0, None], "what looks like a repetition only is a kind of its own"
    assert alike(None, None, 0, 0) == [None, None, None, 2]
    assert alike(2**64 - 1, 2**63, 2**64 - 2) == [None, None, 0]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 127, 2**63]), max_size=30))
def test_alike_is_what_pairs_say(values: list[int]) -> None:
    found = examine.alike([f"{value:016x}" for value in values])
    expected: list[int | None] = []
    for index, value in enumerate(values):
        near = (j for j in range(index) if expected[j] is None and (values[j] ^ value).bit_count() <= examine.NEAR)
        expected.append(next(near, None))
    assert found == expected
