"""Palettes on a terminal: swatches with contrast, and how far apart the closest two are."""

from collections.abc import Iterator

import click

from generator.model import Palette, Swatch
from generator.palette import VISIONS, closest, contrast


def _rgb(hexa: str) -> tuple[int, int, int]:
    return int(hexa[1:3], 16), int(hexa[3:5], 16), int(hexa[5:7], 16)


def _line(name: str, swatch: Swatch) -> str:
    sample = click.style("  字  ", fg=_rgb(swatch.ink), bg=_rgb(swatch.paper))
    pale = click.style("  字  ", fg=_rgb(swatch.deep), bg=_rgb(swatch.tint))
    accent = click.style("    ", bg=_rgb(swatch.accent))
    ratios = f"{contrast(swatch.ink, swatch.paper):5.2f} {contrast(swatch.deep, swatch.tint):5.2f}"
    values = f"{swatch.paper} {swatch.ink} {swatch.accent} {ratios}"
    return f"  {sample}{pale}{accent} {name:12} {values}  {swatch.pattern:14} {swatch.name}".rstrip()


def lines(name: str, palette: Palette) -> Iterator[str]:
    """A palette as lines of text, coloured: for every swatch paper, ink, accent and the contrast of ink on paper and deep on tint."""
    yield f"{name}: {palette.title}. {palette.description}"
    yield f"  {'':17}{'':12} {'paper':7} {'ink':7} {'accent':7} contrast     pattern"
    yield from (_line(key, swatch) for key, swatch in palette.swatches.items())
    for vision in (None, *VISIONS, "tritan"):
        distance, one, other = closest(palette, vision)
        yield f"  closest in {vision or 'normal'} vision: {one} and {other}, ΔE2000 {distance:.1f}"
    yield ""
