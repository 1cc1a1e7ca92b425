"""Examinations: what is measured of a finished picture, and what those measurements say against it. Nothing is ever deleted for it.

Pictures are measured once, when they are made; a flag follows from the measurements alone.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from generator.model import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

FRAME = 4
"""Pixels of the border in which nothing but background should be."""
APART = 40
"""Levels of 255 by which a channel differs from the background's where something is drawn."""
TOUCHED = 0.03
"""Share of the border's pixels with something on them from which the picture counts as cut off: a sixteenth of a side."""
NEAR = 6
"""Bits of 64 in which the perceptual hashes of two pictures that look the same may differ."""
CONTRAST, AROUND = 45, 41
"""Levels of 255 by which a sign stands out from the mean of a square of so many pixels around it."""
LOWEST, HIGHEST = 7, 64
"""Pixels of a sign's height."""
MOST = 1000
"""Parts from which a picture is texture, and no signs are looked for."""
VARIED = 0.1
"""Standard deviation of the widths in a row, as a share of their mean, that dots, beads and teeth do not reach and letters do."""
SIGNS = 4
"""Signs in a row from which they count as lettering.

Of the bare pictures and pictograms with a line of Latin letters on them, 14 to 56 pixels high, eight of ten have as many; of those
without, less than one of a hundred. Kanji fall into pieces: of lines of them a quarter is found.
"""
GLYPH = "glyph"
"""The mode in which the radical's own form is the picture."""

Measured = Mapping[str, Any]
"""Measurements by name: those of :data:`measures`, with ``mode`` and, in the mode ``glyph``, ``legible``."""


class Flag(NamedTuple):
    """What speaks against a picture: a code to count by, and a message."""

    code: str
    message: str


measures: Registry[Callable[["Image.Image"], Any]] = Registry()
"""What is measured of a picture in RGB: numbers and text, as JSON carries them."""
NEEDED = {"edge": "numpy", "phash": "imagehash", "lettering": "scipy"}
"""The packages without which something is not measured."""


def possible() -> list[str]:
    """The measurements that can be taken with the packages that are here."""
    return [name for name in measures if name not in NEEDED or find_spec(NEEDED[name])]


def measured(image: "Image.Image", known: Container[str] = ()) -> dict[str, Any]:
    """All measurements of a picture that can be taken and are not *known*."""
    return {name: measures[name](image) for name in possible() if name not in known}


@measures
def mean(image: "Image.Image") -> float:
    """How bright the picture is, from 0 to 1."""
    from PIL import ImageStat

    return round(ImageStat.Stat(image.convert("L")).mean[0] / 255, 4)


@measures
def spread(image: "Image.Image") -> float:
    """The standard deviation of its brightness, from 0 to 0.5."""
    from PIL import ImageStat

    return round(ImageStat.Stat(image.convert("L")).stddev[0] / 255, 4)


@measures
def edge(image: "Image.Image") -> float:
    """Share of the border's pixels that differ from the background, which is the border's median colour."""
    import numpy as np

    pixels = np.asarray(image.convert("RGB"), np.int16)
    inner = np.ones(pixels.shape[:2], bool)
    inner[FRAME:-FRAME, FRAME:-FRAME] = False
    border = pixels[inner]
    apart = np.abs(border - np.median(border, axis=0)).max(axis=1)
    return round(float((apart > APART).mean()), 4)


@measures
def phash(image: "Image.Image") -> str:
    """The perceptual hash: 64 bits as hexadecimal digits."""
    import imagehash

    return str(imagehash.phash(image))


@measures
def lettering(image: "Image.Image") -> int:
    """The most signs in a row: small, alike in height and brightness but not in width, close together, darker or brighter
    than what is around them.
    """
    import numpy as np
    from scipy import ndimage

    grey = np.asarray(image.convert("L"), np.float32)
    apart = grey - ndimage.uniform_filter(grey, AROUND)
    return max(_longest(_signs(grey, apart > CONTRAST)), _longest(_signs(grey, apart < -CONTRAST)))


def _signs(grey: "NDArray[Any]", ink: "NDArray[Any]") -> "NDArray[Any]":
    """The connected parts that may be signs, from left to right: top, bottom, left, right and mean brightness of each."""
    import numpy as np
    from scipy import ndimage

    parts, count = ndimage.label(ink, np.ones((3, 3)))
    if not 0 < count <= MOST:
        return np.zeros((0, 5))
    boxes = np.array([[rows.start, rows.stop, columns.start, columns.stop] for rows, columns in ndimage.find_objects(parts)])
    area = np.bincount(parts.ravel())[1:]
    brightness = np.bincount(parts.ravel(), grey.ravel())[1:] / area
    height, width = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    slender, full = width / height, area / (height * width)
    fits = (height >= LOWEST) & (height <= HIGHEST) & (width > 1) & (slender > 0.12) & (slender < 1.6) & (full > 0.15) & (full < 0.9)
    found: NDArray[Any] = np.column_stack([boxes, brightness])[fits]
    return found[np.argsort(found[:, 2], kind="stable")]


def _longest(signs: "NDArray[Any]") -> int:
    """How many signs follow each other in the longest row."""
    import numpy as np

    top, bottom, left, right, brightness = signs.T
    height, middle = bottom - top, (top + bottom) / 2

    def apart(values: "NDArray[Any]") -> Any:
        return np.abs(values[:, None] - values[None])

    larger, smaller = np.maximum(height[:, None], height[None]), np.minimum(height[:, None], height[None])
    gap = left[None] - right[:, None]
    level = (larger <= 1.5 * smaller) & ((apart(bottom) <= 0.18 * larger) | (apart(middle) <= 0.12 * larger))
    follows = level & (gap > -0.1 * larger) & (gap <= 0.9 * larger) & (apart(brightness) < APART)
    rows: list[list[int]] = []
    for index in range(len(signs)):
        rows.append([*max((rows[other] for other in np.flatnonzero(follows[:index, index])), key=len, default=[]), index])
    width = right - left
    return max((len(row) for row in rows if width[row].std() > VARIED * width[row].mean()), default=0)


examinations: Registry[Callable[[Measured], Iterator[Flag]]] = Registry()
"""What measurements are examined for, by the code of the flag."""


def flags(known: Measured) -> list[Flag]:
    """Everything that measurements say against a picture."""
    return [flag for examination in examinations.values() for flag in examination(known)]


@examinations
def touching(known: Measured) -> Iterator[Flag]:
    """What is drawn is cut off by the border. A glyph's surroundings may fill the picture."""
    share = known.get("edge", 0.0)
    if share > TOUCHED and known.get("mode") != GLYPH:
        yield Flag("touching", f"something is drawn on {share:.0%} of the border")


@examinations
def letters(known: Measured) -> Iterator[Flag]:
    """There is a row of letters, or of what looks like letters."""
    if (signs := known.get("lettering", 0)) >= SIGNS:
        yield Flag("lettering", f"{signs} signs stand in a row")


@examinations
def glyph(known: Measured) -> Iterator[Flag]:
    """Another radical is to be read than the one that was asked for."""
    reading = known.get("legible")
    if reading and reading["rank"] > 1 and reading["clear"]:
        yield Flag("glyph", f"reads as radical {reading['best']}")


def alike(hashes: Sequence[str]) -> list[int | None]:
    """For each perceptual hash, which one before it looks the same and is not itself a repetition; None for the first of its kind.

    An empty hash is like no other.
    """
    import numpy as np

    bits = np.array([int(digits or "0", 16) for digits in hashes], np.uint64)
    first: list[int | None] = [None] * len(hashes)
    open_ = np.array([bool(digits) for digits in hashes])
    for index in range(len(hashes)):
        if open_[index]:
            same = np.flatnonzero(open_[index + 1 :] & (np.bitwise_count(bits[index + 1 :] ^ bits[index]) <= NEAR)) + index + 1
            open_[same] = False
            for other in same.tolist():
                first[other] = index
    return first
