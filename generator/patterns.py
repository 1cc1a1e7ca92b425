"""Wagara: the traditional repeat patterns behind a card, each drawn as one small SVG tile.

A pattern is a function of two colours, *line* (the swatch's accent) and *ground* (its paper), and returns a tile that joins
itself without a seam on all four sides. A new pattern is one function here; its name is what ``palette.yml`` says.

Tiles measure whole units, because CairoSVG rounds them up; 56 by 97 is the whole-number rectangle for equilateral triangles
(56 times the root of 3 is 96.995). Whatever crosses a border is drawn again where it comes in on the other side.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from generator import svg
from generator.model import Registry


@dataclass(frozen=True, slots=True)
class Tile:
    """One repeat: its size in canvas units (the canvas is 512 wide) and what is drawn in it."""

    width: float
    height: float
    shapes: tuple[svg.Element, ...]


patterns: Registry[Callable[[str, str], Tile]] = Registry()


def _stroke(d: str, line: str, width: float, **style: str) -> svg.Element:
    return svg.path(d, fill="none", stroke=line, stroke_width=width, **style)


def _at(points: Iterable[tuple[float, float]], motif: str) -> str:
    """The relative path data *motif* once at each point."""
    return "".join(f"M{svg.number(x)} {svg.number(y)}{motif}" for x, y in points)


def _middle_and_corners(width: float, height: float, dx: float, dy: float) -> list[tuple[float, float]]:
    """Where a motif goes that stands in the tile's middle and on its four corners, moved by *dx*, *dy*."""
    places = [(width / 2, height / 2), (0, 0), (width, 0), (0, height), (width, height)]
    return [(x + dx, y + dy) for x, y in places]


@patterns
def seigaiha(line: str, ground: str) -> Tile:
    """Waves of the blue sea: fans of three rings, each row lying over the one above."""
    fan = "a45 45 0 0 1 90 0m-75 0a30 30 0 0 1 60 0m-45 0a15 15 0 0 1 30 0"
    rows = (f"M3 0{fan}", f"M-45 24{fan}m36 0{fan}", f"M3 48{fan}", f"M-45 72{fan}m36 0{fan}")
    return Tile(96, 48, (svg.group([svg.path(d) for d in rows], fill=ground, stroke=line, stroke_width=5),))


@patterns
def tatewaku(line: str, ground: str) -> Tile:
    """Rising steam: upright lines that swell apart and draw together."""
    left = "M23-40C23-20 5-20 5 0S23 20 23 40 5 60 5 80 23 100 23 120"
    right = "M33-40C33-20 51-20 51 0S33 20 33 40 51 60 51 80 33 100 33 120"
    return Tile(56, 80, (_stroke(left + right, line, 6),))


@patterns
def asanoha(line: str, ground: str) -> Tile:
    """Hemp leaves: six-pointed stars, each triangle of the net parted from its centre."""
    net = "M0-28V84M48.5-28V84M97-28V84M-48.5-28l194 112m0-112l-194 112"
    rays = "M0 0h32.33l16.17-28 16.17 28H97M0 56h32.33l16.17 28 16.17-28H97"
    stars = "M0 0l16.17 28L0 56M97 0L80.83 28 97 56M32.33 0l16.17 28-16.17 28M64.67 0L48.5 28l16.17 28M16.17 28h64.67"
    return Tile(97, 56, (_stroke(net + rays + stars, line, 3),))


@patterns
def uroko(line: str, ground: str) -> Tile:
    """Scales: rows of triangles, a dragon's skin or a range of mountains."""
    return Tile(48, 84, (svg.path("M24 3l21 37H3zM0 45l21 37h-42zM48 45l21 37H27z", fill=line),))


@patterns
def kumo(line: str, ground: str) -> Tile:
    """Clouds: three curled lobes on a drawn-out foot."""
    cloud = "h60m-42 0a10 10 0 0 1 0-20 6 6 0 0 1 0 12m3-10a12 12 0 0 1 24 2 7 7 0 0 1-13 2m12 2a8 8 0 0 1 12 12"
    places = ((4, 31), (52, 64), (-44, 64))
    return Tile(96, 66, (_stroke(_at(places, cloud), line, 4, stroke_linecap="round"),))


@patterns
def hishi(line: str, ground: str) -> Tile:
    """Diamonds in fours, the crest of the Takeda."""
    four = "l15 9-15 9-15-9zm19 11l15 9-15 9-15-9zm-38 0l15 9-15 9-15-9zm19 11l15 9-15 9-15-9z"
    return Tile(96, 56, (svg.path(_at(_middle_and_corners(96, 56, 0, -20), four), fill=line),))


@patterns
def kanoko(line: str, ground: str) -> Tile:
    """Fawn spots: tie-dyed squares on their points, a dot in each."""
    spots = _stroke(_at(_middle_and_corners(48, 48, 0, -14), "l14 14-14 14-14-14z"), line, 5, stroke_linejoin="round")
    dots = _stroke(_at(_middle_and_corners(48, 48, 0, 0), "h0"), line, 7, stroke_linecap="round")
    return Tile(48, 48, (spots, dots))


@patterns
def yagasuri(line: str, ground: str) -> Tile:
    """Arrow feathers: columns of fletching that point down and up by turns."""
    down = "M2 0l13 13v44l-13-13zM30 0l-13 13v44l13-13z"
    up = "l13-13v44l-13 13zm28 0l-13-13v44l13 13z"
    return Tile(64, 96, (svg.path(f"{down}M34 61{up}M34-35{up}", fill=line),))


@patterns
def kikko(line: str, ground: str) -> Tile:
    """Tortoise shell: hexagons, a smaller one inside each."""
    rows = "M-28 16.17l28 16.16 28-16.16 28 16.16 28-16.16M-28 80.83l28-16.16 28 16.16 28-16.16 28 16.16"
    posts = "M0 32.33v32.34M56 32.33v32.34M28-16.17v32.34M28 80.83v32.34"
    cores = _at(_middle_and_corners(56, 97, 0, -18), "l15.59 9v18l-15.59 9-15.59-9v-18z")
    return Tile(56, 97, (_stroke(rows + posts + cores, line, 4),))


@patterns
def shippo(line: str, ground: str) -> Tile:
    """Seven treasures: circles that each overlap their neighbours by a quarter, without end."""
    half = "a40 40 0 0 "
    rings = f"M0 40{half}1 80 0{half}1-80 0M-40 0{half}0 80 0{half}0 80 0M-40 80{half}1 80 0{half}1 80 0"
    return Tile(80, 80, (_stroke(rings, line, 5),))


@patterns
def higaki(line: str, ground: str) -> Tile:
    """Cypress fence: slats plaited on the slant."""
    falling = _at(((0, -48), (0, -24), (0, 0)), "l84 48")
    rising = _at(((63, 12), (63, 36), (63, 60), (-63, 36), (-63, 60)), "l84-48")
    return Tile(126, 24, (_stroke(falling + rising, line, 5),))


@patterns
def kagome(line: str, ground: str) -> Tile:
    """Basket weave: strips in three directions, each over one neighbour and under the other."""
    level = "M21 24.25h42M-35 24.25h42M49 72.75h42M-7 72.75h42"
    falling = _at(((17.5, -18.19), (-10.5, 30.31), (45.5, 30.31), (17.5, 78.81)), "l21 36.37")
    rising = _at(((24.5, 6.06), (52.5, 54.56)), "l-21 36.37")
    return Tile(56, 97, (_stroke(level + falling + rising, line, 6),))


@patterns
def mitsukuzushi(line: str, ground: str) -> Tile:
    """Threes: blocks of three threads, laid across and upright by turns."""
    across = "h34m-34 12h34m-34 12h34"
    upright = "v34m12-34v34m12-34v34"
    blocks = f"M3 8{across}M48 3{upright}M43 48{across}M8 43{upright}"
    return Tile(80, 80, (_stroke(blocks, line, 5),))


@patterns
def genjiguruma(line: str, ground: str) -> Tile:
    """Genji's carriage wheels: rim, hub and eight spokes."""
    rim = "a19 19 0 0 1 38 0 19 19 0 0 1-38 0h14m10 0h14"
    spokes = "m-19-19v14m0 10v14m-13-32l10 10m6 6l10 10m0-26l-10 10m-6 6l-10 10"
    hub = "m5-13a5 5 0 0 1 16 0"
    return Tile(84, 84, (_stroke(_at(((2, 21), (44, 63)), rim + spokes + hub), line, 4),))


@patterns
def raimon(line: str, ground: str) -> Tile:
    """Thunder: square spirals, turning this way and that."""
    spirals = (
        "M6 42v-36h36v36h-24v-24h12v12M54 6v36h36v-36h-24v24h12v-12"
        "M90 54v36h-36v-36h24v24h-12v-12M42 90v-36h-36v36h24v-24h-12v12"
    )
    return Tile(96, 96, (_stroke(spirals, line, 5),))


@patterns
def ichimatsu(line: str, ground: str) -> Tile:
    """Checks: two squares of the four are filled, with a window in each."""
    square = "h32v32h-32zm9 9v14h14v-14z"
    return Tile(64, 64, (svg.path(f"M0 0{square}M32 32{square}", fill=line),))
