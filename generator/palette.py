"""Colour: CSS notations to ``#rrggbb``, contrast, colour-blind vision, and the swatches of a palette.

Contrast is WCAG 2.1's; colour-blind vision is Brettel, Viénot and Mollon (1997) as coloraide has it; distance is CIEDE2000.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations

from coloraide import Color

from generator.model import Error, Palette, PaletteSpec, Swatch, SwatchSpec, brief, nearest

CONTRAST = 4.5
"""What ink needs on paper (WCAG 2.1, AA)."""
CONTRAST_SIMULATED = 4.0
"""What it needs as a protanope or a deuteranope sees it."""
BARELY = 1.3
"""Contrast below which one colour on another is no more than a shade."""
VISIONS = ("protan", "deutan")
PAIRS = (("ink", "paper"), ("deep", "tint"))
"""Which colour is read on which."""


@cache
def colour(text: str) -> str:
    """Any opaque CSS colour as ``#rrggbb``, fitted into sRGB by lowering chroma. ValueError says what is wrong with it."""
    try:
        parsed = Color(text.strip())
    except ValueError:
        raise ValueError(f"{brief(text)!r} is not a colour; try #26589f, teal or oklch(46% 0.13 258)") from None
    if parsed.alpha(nans=False) != 1:
        raise ValueError(f"{brief(text)!r} is transparent; give an opaque colour")
    try:
        return written(parsed)
    except (OverflowError, ValueError):
        raise ValueError(f"{brief(text)!r} is beyond any colour; give numbers of a usual size") from None


def written(color: Color) -> str:
    """A colour as ``#rrggbb``, fitted into sRGB by lowering chroma."""
    return str(color.convert("srgb").fit(method="oklch-chroma").to_string(hex=True, alpha=False))


@cache
def luminance(hexa: str) -> float:
    """WCAG 2.1 relative luminance of ``#rrggbb``, 0 to 1."""
    channels = (int(hexa[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two ``#rrggbb`` colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@cache
def simulated(hexa: str, vision: str) -> str:
    """The colour as seen with *vision*: protan, deutan or tritan."""
    return written(Color(hexa).filter(vision))


@cache
def _lab(hexa: str) -> Color:
    return Color(hexa).convert("lab-d65")


def _oklch(hexa: str) -> tuple[float, float, float]:
    lightness, chroma, hue = Color(hexa).convert("oklch").coords(nans=False)
    return lightness, chroma, hue


def tint(paper: str) -> str:
    """The pale reading of a paper colour: same hue, nearly white, a little deeper for dark papers."""
    lightness, chroma, hue = _oklch(paper)
    return written(Color("oklch", [0.955 - 0.35 * max(0.0, 0.56 - lightness), min(0.07, 0.01 + 0.4 * chroma), hue]))


def deep(paper: str) -> str:
    """The dark reading of a paper colour, to be read on its tint."""
    _, chroma, hue = _oklch(paper)
    return written(Color("oklch", [0.335, min(0.095, 0.85 * chroma), hue]))


def stamp(paper: str, tint: str, deep: str) -> str:
    """The paper colour as printed on its tint: as much deeper as a glyph cut out of it needs.

    It is *deep* itself where paper and tint hardly differ, and in dark palettes, where only *deep* is bright.
    """
    if contrast(paper, tint) < BARELY or luminance(tint) < luminance(deep):
        return deep
    steps = (written(Color(paper).mix(deep, step / 20, space="oklch")) for step in range(20))
    return next((hexa for hexa in steps if readable(tint, hexa)), deep)


def readable(ink: str, paper: str) -> bool:
    """True where *ink* on *paper* has the contrast it needs, in normal and in colour-blind vision."""
    if contrast(ink, paper) < CONTRAST:
        return False
    return all(contrast(simulated(ink, v), simulated(paper, v)) >= CONTRAST_SIMULATED for v in VISIONS)


def passing(ink: str, paper: str) -> str | None:
    """The colour nearest to *ink* that is readable on *paper*: the same hue, lighter or darker; None where there is none."""
    lightness, chroma, hue = _oklch(ink)
    steps = sorted((step / 100 for step in range(101)), key=lambda step: abs(step - lightness))
    tries = (written(Color("oklch", [step, min(chroma, 0.4 * min(step, 1 - step)), hue])) for step in steps)
    return next((hexa for hexa in tries if readable(hexa, paper)), None)


def _low(ink: str, paper: str) -> str:
    """How the contrast falls short: the first figure that is too low."""
    if contrast(ink, paper) < CONTRAST:
        return f"contrast {contrast(ink, paper):.2f} on paper {paper}, needs {CONTRAST}"
    worst = min(VISIONS, key=lambda v: contrast(simulated(ink, v), simulated(paper, v)))
    seen = contrast(simulated(ink, worst), simulated(paper, worst))
    return f"contrast {seen:.2f} on paper {paper} in {worst} vision, needs {CONTRAST_SIMULATED}"


def _swatch(spec: SwatchSpec) -> Swatch:
    paper = colour(spec.paper)
    pale = colour(spec.tint) if spec.tint else tint(paper)
    dark = colour(spec.deep) if spec.deep else deep(paper)
    return Swatch(
        paper=paper,
        ink=colour(spec.ink),
        accent=colour(spec.accent),
        tint=pale,
        deep=dark,
        stamp=stamp(paper, pale, dark),
        pattern=spec.pattern,
        name=spec.name or "",
    )


def _swatch_faults(where: str, spec: SwatchSpec, patterns: list[str]) -> Iterator[str]:
    """One line a fault of a swatch, each ``where.key: what is wrong, what would be right``."""
    given = {key: text for key in ("paper", "ink", "accent", "tint", "deep") if (text := getattr(spec, key))}
    bad = False
    for key, text in given.items():
        try:
            colour(text)
        except ValueError as error:
            bad = True
            yield f"{where}.{key}: {error}"
    if spec.pattern not in patterns:
        yield f"{where}.pattern: unknown pattern {spec.pattern!r}, {nearest(spec.pattern, patterns)}"
    if bad:
        return
    swatch = _swatch(spec)
    for over, under in PAIRS:
        ink, paper = getattr(swatch, over), getattr(swatch, under)
        if not readable(ink, paper):
            better = passing(ink, paper)
            advice = f"try {better}" if better else f"no ink reaches it, make the {under} darker or lighter"
            yield f"{where}.{over}: {_low(ink, paper)}; {advice}"


def resolve(where: str, spec: PaletteSpec, groups: Mapping[str, list[str]], patterns: list[str]) -> Palette:
    """A written palette as colours, or an :class:`Error` with a line for every fault.

    *where* names file and palette; *groups* maps ``families`` and ``categories`` to the names a palette must cover.
    """
    written = {key: swatches for key in groups if (swatches := getattr(spec, key)) is not None}
    if len(written) != 1:
        raise Error(f"{where}: needs exactly one of {' and '.join(groups)}, each with a swatch")
    ((key, swatches),) = written.items()
    known = groups[key]
    faults = [f"{where}.{key}.{name}: unknown, {nearest(name, known)}" for name in swatches if name not in known]
    faults += [f"{where}.{key}.{name}: missing, needs paper, ink, accent and pattern" for name in known if name not in swatches]
    for name, swatch in ((name, swatches[name]) for name in known if name in swatches):
        faults += _swatch_faults(f"{where}.{key}.{name}", swatch, patterns)
    if faults:
        raise Error("\n".join(faults))
    by = {"families": "family", "categories": "category"}[key]
    return Palette(spec.title, spec.description, by, {name: _swatch(swatches[name]) for name in known})


def closest(palette: Palette, vision: str | None = None) -> tuple[float, str, str]:
    """The two papers of a palette that are hardest to tell apart: CIEDE2000 and the two names. *vision* as in :func:`simulated`."""
    seen = {name: _lab(simulated(s.paper, vision) if vision else s.paper) for name, s in palette.swatches.items()}
    return min((float(seen[one].delta_e(seen[other], method="2000")), one, other) for one, other in combinations(seen, 2))
