"""What an SVG made elsewhere may say: its elements, their attributes, and the grammar of every value."""

import re

from PIL import ImageColor

from generator.svg import SVG

XHTML = "{http://www.w3.org/1999/xhtml}"
XML = "{http://www.w3.org/XML/1998/namespace}"
HREF = "{http://www.w3.org/1999/xlink}href"
EDITORS = tuple(
    "{" + space
    for space in (
        "http://www.inkscape.org/",
        "http://sodipodi.sourceforge.net/",
        "http://www.bohemiancoding.com/sketch/",
        "http://www.serif.com/",
        "http://ns.adobe.com/",
        "http://www.figma.com/",
        "https://boxy-svg.com",
        "http://krita.org/",
    )
)
"""Where the namespaces of editors begin."""

# Atomic groups and possessive repeats, so that no value takes longer to refuse than to read.
N = r"(?>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)"
S = r"[\s,]*+"
PAIR = f"{N}{S}{N}{S}"
ARGUMENTS = {
    "MmLlTt": PAIR,
    "HhVv": f"{N}{S}",
    "SsQq": f"(?:{PAIR}){{2}}",
    "Cc": f"(?:{PAIR}){{3}}",
    "Aa": f"{PAIR}{N}{S}[01]{S}[01]{S}{PAIR}",
}
COMMANDS = "|".join([*(f"[{letters}]{S}(?:{arguments})++" for letters, arguments in ARGUMENTS.items()), f"[Zz]{S}"])
PATH = f"(?:(?=[Mm])(?:{COMMANDS})++)?"
POINTS = f"(?:{PAIR})*+"
LENGTH = f"{N}(?:px|%)?"
RATIO = f"{N}%?"
NAMES = "|".join(sorted([*ImageColor.colormap, "none", "transparent", "inherit", "currentcolor"]))
RGB = rf"\s*{RATIO}\s*,\s*{RATIO}\s*,\s*{RATIO}\s*"
COLOUR = rf"#(?:[0-9a-fA-F]{{3}}|[0-9a-fA-F]{{6}})|(?i:{NAMES})|rgb\({RGB}\)|rgba\({RGB},\s*{N}\s*\)"
"""What every renderer paints alike: the colours of a theme and newer ways to write one are none."""
ID = r"[\w.-]+"
HERE = f"#({ID})"
INSIDE = rf"url\(\s*[\"']?{HERE}[\"']?\s*\)"
"""A paint or a clip in the same file."""
TRANSFORMS = {"matrix": (6,), "translate": (1, 2), "scale": (1, 2), "rotate": (1, 3), "skewX": (1,), "skewY": (1,)}
"""How many numbers each takes."""
ONE = "|".join(rf"{name}\s*\({S}(?:{N}{S}){{{count}}}\)" for name, counts in TRANSFORMS.items() for count in counts)
TRANSFORM = f"(?:(?:{ONE}){S})*+"
NUMBER = re.compile(N)
NUMBERS = re.compile(f"{S}(?:{N}(?:px)?{S})+")
FURTHEST = 1e6
"""The largest number there may be."""

ACROSS, DOWN = ("x", "x1", "x2", "cx", "rx", "width"), ("y", "y1", "y2", "cy", "ry", "height")
"""Lengths along each side of the canvas."""
PROPERTIES = {
    "fill": f"{COLOUR}|{INSIDE}",
    "fill-opacity": RATIO,
    "fill-rule": "nonzero|evenodd",
    "stroke": f"{COLOUR}|{INSIDE}",
    "stroke-opacity": RATIO,
    "stroke-width": LENGTH,
    "stroke-linecap": "butt|round|square",
    "stroke-linejoin": "miter|round|bevel",
    "stroke-miterlimit": N,
    "stroke-dashoffset": N,
    "stop-color": COLOUR,
    "stop-opacity": RATIO,
    "opacity": RATIO,
    "display": "none|inline|block",
    "visibility": "visible|hidden",
    "clip-path": f"none|{INSIDE}",
    "clip-rule": "nonzero|evenodd",
}
"""What an attribute or a style may say of how something is painted."""
COLOURS = ("fill", "stroke", "stop-color")
"""What is a colour, or a paint that may be one."""
OPACITIES = ("opacity", "fill-opacity", "stroke-opacity", "stop-opacity")
DASHES = {"stroke-dasharray": f"(?:{N}{S})+"}
"""Only of shapes, so that the dashes of each can be counted."""


def _lengths(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, LENGTH)


ANY = PROPERTIES | {"id": ID}
GROUP = ANY | {"transform": TRANSFORM}
SHAPE = GROUP | DASHES
GRADIENT = ANY | {
    "gradientUnits": "userSpaceOnUse|objectBoundingBox",
    "gradientTransform": TRANSFORM,
    "spreadMethod": "pad|reflect|repeat",
    "href": HERE,
}
ELEMENTS: dict[str, dict[str, str]] = {
    "g": GROUP,
    "defs": GROUP,
    "path": SHAPE | {"d": PATH},
    "rect": SHAPE | _lengths("x", "y", "width", "height", "rx", "ry"),
    "circle": SHAPE | _lengths("cx", "cy", "r"),
    "ellipse": SHAPE | _lengths("cx", "cy", "rx", "ry"),
    "line": SHAPE | _lengths("x1", "y1", "x2", "y2"),
    "polyline": SHAPE | {"points": POINTS},
    "polygon": SHAPE | {"points": POINTS},
    "use": GROUP | _lengths("x", "y", "width", "height") | {"href": HERE},
    "clipPath": GROUP | {"clipPathUnits": "userSpaceOnUse|objectBoundingBox"},
    "linearGradient": GRADIENT | _lengths("x1", "y1", "x2", "y2"),
    "radialGradient": GRADIENT | _lengths("cx", "cy", "r", "fx", "fy", "fr"),
    "stop": ANY | {"offset": RATIO},
}
"""The elements there may be, and what their attributes may say."""

NOTES = tuple(f"{SVG}{name}" for name in ("title", "desc", "metadata"))
"""Elements that say something and paint nothing."""
LABELS = re.compile(r"(data|aria)-[\w-]+|class|role|lang|version|baseProfile|focusable|tabindex|preserveAspectRatio")
"""Attributes that say something and paint nothing."""
UNSEEN = re.compile(
    r"-[\w-]+|(font|text|line|letter|word|white|shape|solid|enable)-.*|font|.*-rendering|.*-baseline|writing-mode|direction"
)
"""Properties of text, of which there is none, and those of editors."""
OUTSIDE = re.compile(r"(?i)\\|url\((?!\s*[\"']?#)")
"""What a value would need that fetches something."""
FILL_FIRST = (
    "normal",
    "fill",
    "markers",
    "fill stroke",
    "fill markers",
    "markers fill",
    "fill stroke markers",
    "fill markers stroke",
    "markers fill stroke",
)
"""The orders that are the usual one where there are no markers."""
USUAL = {
    ("none",): ("filter", "mask", "marker", "marker-start", "marker-mid", "marker-end", "vector-effect", "stroke-dasharray"),
    ("normal",): ("mix-blend-mode",),
    FILL_FIRST: ("paint-order",),
    ("auto",): ("isolation", "color-interpolation", "overflow"),
    ("visible",): ("overflow",),
    ("sRGB",): ("color-interpolation",),
}
"""What some properties say that is so without them."""
NEEDLESS = {(name, value) for values, names in USUAL.items() for name in names for value in values}

ADVICE = {
    "script": "runs code, which no picture needs",
    "foreignObject": "holds a page, draw what it shows",
    "text": "looks different on every machine, convert it to paths",
    "tspan": "looks different on every machine, convert it to paths",
    "image": "is a picture within the picture, draw what it shows, or adopt that picture",
    "style": "is a style sheet, save with presentation attributes instead",
    "a": "is a link, ungroup what is in it",
    "svg": "stands within another, draw what it shows",
    "animate": "moves, save it without",
    "animateTransform": "moves, save it without",
    "set": "moves, save it without",
}
"""What is wrong with elements that are often there, and what would be right."""

EFFECT = "is an effect that not every program draws, draw what it shows with shapes"
INSTEAD: dict[str, str] = {
    "filter": EFFECT,
    "mask": EFFECT,
    "mix-blend-mode": EFFECT,
    "vector-effect": EFFECT,
    "paint-order": "paints the stroke under the fill, draw the two as two shapes",
    "marker": "puts signs onto a line, convert them to paths",
    "marker-start": "puts signs onto a line, convert them to paths",
    "marker-mid": "puts signs onto a line, convert them to paths",
    "marker-end": "puts signs onto a line, convert them to paths",
    "color": "is a colour that others refer to, write it where it is used",
}
"""What is wrong with attributes and properties that are often there, and what would be right."""
