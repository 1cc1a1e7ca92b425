"""Colour: notations, contrast, colour-blind vision, and what the shipped palettes promise."""

import re

import pytest
from coloraide import Color
from common import DATA
from hypothesis import given
from hypothesis import strategies as st

from generator import palette as palettes
from generator.model import Error, PaletteSpec, SwatchSpec
from generator.palette import PAIRS, VISIONS, closest, colour, contrast, passing, readable, simulated
from generator.patterns import patterns
from generator.project import Project, load

PALETTES = load(DATA).palettes
EXTREME = ("oklch(1e300 1e300 1e300)", "color(srgb -9e307 9e307 0)")

hexa = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def difference(one: str, other: str) -> float:
    """CIEDE2000."""
    return Color(one).delta_e(Color(other), method="2000")


# Contrast


@given(hexa, hexa)
def test_contrast_is_symmetric_and_between_1_and_21(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21
    assert contrast(one, one) == 1


WCAG = [
    ("#000000", "#ffffff", 21),
    ("#777777", "#ffffff", 4.48),  # the famous grey that just fails
    ("#767676", "#ffffff", 4.54),  # and the one that just passes
    ("#ff0000", "#ffffff", 4.0),
    ("#0000ff", "#ffffff", 8.59),
    ("#00ff00", "#000000", 15.3),
    ("#ffff00", "#ffffff", 1.07),
    ("#1a1a1a", "#000000", 1.21),
]


@pytest.mark.parametrize(("one", "other", "wanted"), WCAG, ids=[f"{a}-{b}" for a, b, _ in WCAG])
def test_contrast_of_known_pairs(one: str, other: str, wanted: float) -> None:
    assert contrast(one, other) == pytest.approx(wanted, abs=0.006)


def test_a_protanope_hardly_tells_red_from_green_and_well_blue_from_yellow() -> None:
    green, olive = "#7d8f2a", "#a5822a"
    assert difference(simulated(green, "protan"), simulated(olive, "protan")) < difference(green, olive) / 2
    assert difference(simulated("#0000ff", "protan"), simulated("#ffff00", "protan")) > 60
    assert simulated("#ff0000", "protan") != simulated("#ff0000", "deutan")


# Notations


GOOD = {
    "#abc": "#aabbcc",
    "#ABC": "#aabbcc",
    "#26589f": "#26589f",
    "#26589F": "#26589f",
    "#26589fff": "#26589f",
    "teal": "#008080",
    "Teal": "#008080",
    "rebeccapurple": "#663399",
    "  white ": "#ffffff",
    "rgb(1 2 3)": "#010203",
    "rgb(1, 2, 3)": "#010203",
    "rgb(100% 0% 0%)": "#ff0000",
    "rgba(0, 0, 0, 1)": "#000000",
    "hsl(200 50% 40%)": "#337799",
    "hsl(200, 50%, 40%)": "#337799",
    "hwb(0 0% 0%)": "#ff0000",
    "oklch(0% 0 0)": "#000000",
    "oklch(100% 0 0)": "#ffffff",
    "oklch(62.8% 0.2577 29.23)": "#ff0000",
    "oklch(0.628 0.2577 29.23)": "#ff0000",
    "lab(100% 0 0)": "#ffffff",
}


@pytest.mark.parametrize(("text", "wanted"), GOOD.items(), ids=GOOD)
def test_a_colour(text: str, wanted: str) -> None:
    assert colour(text) == wanted


BAD = [
    "",
    "none",
    "bleu",
    "#ggg",
    "#12345",
    "26589f",
    "rgb(1 2)",
    "oklch(46% 0.13)",
    "oklch 46% 0.13 258",
    "var(--ink)",
    "currentcolor",
    "red;",
    "5",
    "url(#a)",
]


@pytest.mark.parametrize("text", BAD, ids=lambda text: text or "nothing")
def test_not_a_colour(text: str) -> None:
    with pytest.raises(ValueError, match="is not a colour; try #26589f"):
        colour(text)


@pytest.mark.parametrize(
    "text", ["transparent", "#0000", "#26589f80", "rgb(0 0 0 / 50%)", "rgba(0,0,0,0.99)", "oklch(46% 0.1 258 / 0.5)", "rgb(0 0 0 / none)"]
)
def test_a_transparent_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is transparent; give an opaque colour"):
        colour(text)


@pytest.mark.parametrize("text", EXTREME)
def test_a_colour_beyond_all_measure_is_a_value_error_or_fitted(text: str) -> None:
    try:
        found = colour(text)
    except ValueError:
        return
    assert re.fullmatch("#[0-9a-f]{6}", found)


@given(st.floats(0.2, 0.95), st.floats(0, 0.5), st.floats(0, 360))
def test_a_colour_outside_srgb_is_fitted_and_keeps_its_lightness(lightness: float, chroma: float, hue: float) -> None:
    text = f"oklch({lightness:.4f} {chroma:.4f} {hue:.2f})"
    found = colour(text)
    assert re.fullmatch("#[0-9a-f]{6}", found)
    fitted = Color(found).convert("oklch")
    assert fitted["lightness"] == pytest.approx(lightness, abs=0.035)
    if Color(text).in_gamut("srgb"):
        assert Color(found).delta_e(Color(text), method="2000") < 0.6


def test_fitting_lowers_chroma_and_keeps_the_hue() -> None:
    wanted, found = Color("oklch(70% 0.4 150)"), Color(colour("oklch(70% 0.4 150)")).convert("oklch")
    assert not wanted.in_gamut("srgb")
    assert found["chroma"] < 0.3
    assert found["hue"] == pytest.approx(150, abs=4)


# Readable


@given(hexa, hexa)
def test_what_passes_is_readable(ink: str, paper: str) -> None:
    better = passing(ink, paper)
    if better is None:  # then neither black nor white would do
        assert not any(readable(extreme, paper) for extreme in ("#000000", "#ffffff"))
    else:
        assert readable(better, paper)
        assert contrast(better, paper) >= 4.5


@pytest.mark.parametrize(("ink", "paper"), [("#3366aa", "#2759a1"), ("#ff8800", "#ffffff"), ("#555555", "#000000"), ("#880000", "#b3261e")])
def test_what_passes_is_near_and_of_the_same_hue(ink: str, paper: str) -> None:
    better = passing(ink, paper)
    assert better is not None
    assert not readable(ink, paper)
    was, now = Color(ink).convert("oklch"), Color(better).convert("oklch")
    if was["chroma"] > 0.03 and now["chroma"] > 0.03:
        assert abs((was["hue"] - now["hue"] + 180) % 360 - 180) < 8
    step = 0.02 if now["lightness"] > was["lightness"] else -0.02
    halfway = Color("oklch", [now["lightness"] - step, now["chroma"], was["hue"] or 0]).convert("srgb").fit().to_string(hex=True)
    assert not readable(halfway, paper), "a nearer one would have done"


def test_readable_needs_colour_blind_vision_too() -> None:
    assert readable("#ffffff", "#26589f")
    assert not readable("#777777", "#ffffff")
    reds = [f"#ff{green:02x}{blue:02x}" for green in range(0, 120, 30) for blue in (0, 60)]
    seen = [(i, p) for i in reds for p in ("#000000", "#1a1a1a", "#2a2a2a") if contrast(i, p) >= 4.5 and not readable(i, p)]
    assert seen, "some red passes in normal vision only"
    for ink, paper in seen:
        assert min(contrast(simulated(ink, v), simulated(paper, v)) for v in VISIONS) < 4.0


@given(hexa)
def test_the_readings_of_a_paper_are_readable(paper: str) -> None:
    assert readable(palettes.deep(paper), palettes.tint(paper))


# What ships


def test_the_default_is_first() -> None:
    assert list(PALETTES) == ["default", "kanji-site", "traditional", "night", "ink"]


@pytest.mark.parametrize("name", PALETTES)
def test_every_swatch_is_readable_in_every_vision(name: str, project: Project) -> None:
    palette = PALETTES[name]
    known = {"family": project.groups.families, "category": project.groups.categories}[palette.by]
    assert list(palette.swatches) == list(known)
    examined = 0
    for family, swatch in palette.swatches.items():
        assert all(re.fullmatch("#[0-9a-f]{6}", value) for value in swatch.colours()), family
        assert swatch.pattern in patterns
        for over, under in PAIRS:
            ink, paper = getattr(swatch, over), getattr(swatch, under)
            assert contrast(ink, paper) >= 4.5, (family, over)
            for vision in VISIONS:
                assert contrast(simulated(ink, vision), simulated(paper, vision)) >= 4.0, (family, over, vision)
                examined += 1
    assert examined == 4 * len(known)
    assert len(known) in (15, 16)


def test_pairs_are_the_two_that_are_read() -> None:
    assert PAIRS == (("ink", "paper"), ("deep", "tint"))
    assert VISIONS == ("protan", "deutan")


@pytest.mark.parametrize(("vision", "least"), [(None, 8), ("protan", 4), ("deutan", 4)], ids=["normal", "protan", "deutan"])
def test_the_papers_of_the_default_are_told_apart(vision: str | None, least: float) -> None:
    distance, one, other = closest(PALETTES["default"], vision)
    assert distance >= least, (one, other)
    swatches = PALETTES["default"].swatches
    papers = [simulated(s.paper, vision) if vision else s.paper for s in swatches.values()]
    assert distance == pytest.approx(min(difference(a, b) for i, a in enumerate(papers) for b in papers[:i]))


def test_the_patterns_of_the_default_all_differ() -> None:
    swatches = PALETTES["default"].swatches
    assert len({swatch.pattern for swatch in swatches.values()}) == len(swatches) == 16


KANJI_SITE = {
    "Number": "#e4943a",
    "Weapon": "#9d303b",
    "Other": "#8c8fae",
    "Fishing": "#d26471",
    "Home": "#584563",
    "Body": "#d79b7d",
    "Capability": "#c0c741",
    "Nature": "#9a6348",
    "Ceremony": "#1f0e1c",
    "Society": "#34859d",
    "Agriculture": "#647d34",
    "Clothing": "#70377f",
    "Animal": "#3e2137",
    "Food": "#7ec4c1",
    "Color": "#17434b",
}


def test_the_kanji_site_covers_its_categories() -> None:
    assert PALETTES["kanji-site"].by == "category"
    assert set(PALETTES["kanji-site"].swatches) == set(KANJI_SITE)


@pytest.mark.parametrize(("category", "given_"), KANJI_SITE.items(), ids=KANJI_SITE)
def test_the_kanji_site_keeps_its_colours(category: str, given_: str) -> None:
    assert difference(PALETTES["kanji-site"].swatches[category].paper, given_) <= 6


def test_ink_is_black_on_white() -> None:
    assert {(swatch.paper, swatch.ink) for swatch in PALETTES["ink"].swatches.values()} == {("#ffffff", "#000000")}


def test_night_is_dark() -> None:
    assert max(palettes.luminance(swatch.paper) for swatch in PALETTES["night"].swatches.values()) < 0.1


# Resolving


GROUPS = {"families": ["water"], "categories": ["Nature"]}
WATER = {"paper": "#1e50a2", "ink": "white", "accent": "#406bb2", "pattern": "seigaiha"}


def _resolve(**changed: str) -> palettes.Palette:
    spec = PaletteSpec(title="T", description="D", families={"water": SwatchSpec(**(WATER | changed))})
    return palettes.resolve("palette.yml: p", spec, GROUPS, list(patterns))


def test_tint_and_deep_follow_from_the_paper_unless_given() -> None:
    plain, own = _resolve(), _resolve(tint="#fff", deep="#000")
    assert (plain.swatches["water"].tint, plain.swatches["water"].deep) == (palettes.tint("#1e50a2"), palettes.deep("#1e50a2"))
    assert (own.swatches["water"].tint, own.swatches["water"].deep) == ("#ffffff", "#000000")


def test_every_fault_has_its_line() -> None:
    with pytest.raises(Error) as caught:
        _resolve(paper="bleu", accent="#0000", pattern="seigaiah")
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["p.families.water.paper", "p.families.water.accent", "p.families.water.pattern"]
    assert lines[2].endswith("unknown pattern 'seigaiah', did you mean seigaiha?")


@given(hexa, hexa)
def test_a_palette_is_legible_or_refused_with_what_passes(paper: str, ink: str) -> None:
    message = ""
    try:
        swatch = _resolve(paper=paper, ink=ink).swatches["water"]
    except Error as error:
        message = str(error)
    if not message:
        assert readable(swatch.ink, swatch.paper)
        assert readable(swatch.deep, swatch.tint)
        return
    advice = re.fullmatch(r"palette\.yml: p\.families\.water\.ink: contrast [\d.]+ on paper #[0-9a-f]{6}.*; (.*)", message)
    assert advice, message
    if advice[1].startswith("try "):
        assert readable(_resolve(paper=paper, ink=advice[1].removeprefix("try ")).swatches["water"].ink, paper)
    else:
        assert advice[1] == "no ink reaches it, make the paper darker or lighter"
