"""What a language model that draws is told, and what is found in its answers: text alone.

A drawing goes by its label, ``radical-062``; a second one of the same radical is ``radical-062-2``.
"""

import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from generator.illustrate.requests import Request
from generator.model import Swatch
from generator.svg import CANVAS, SVG
from generator.vocabulary import ELEMENTS

COLOURS = {
    "white": "#fafaf9",
    "sand": "#e6d0a4",
    "skin": "#dfa161",
    "yellow": "#ffcc43",
    "orange": "#f57d2c",
    "red": "#c64131",
    "rose": "#ff8bac",
    "violet": "#916bc6",
    "blue": "#4587d4",
    "deep blue": "#3460ab",
    "sky": "#bde4e6",
    "green": "#8fba4b",
    "deep green": "#4f7c26",
    "wood": "#a46a39",
    "brown": "#865e4c",
    "dark brown": "#5c3e33",
    "pale grey": "#bac3c4",
    "grey": "#8a9ca1",
    "stone": "#5b554f",
    "black": "#0b0906",
}
"""What the pictures of the set are painted with mostly."""

RULES = f"""You draw pictures for flash cards, as SVG. You get briefs, each under a label such as radical-062, and write one \
drawing for each.

Form
- Each drawing stands in a ```svg block of its own. It begins with <svg id="LABEL" xmlns="{SVG[1:-1]}" viewBox="0 0 {CANVAS} {CANVAS}">, \
with the label of its brief, and ends with </svg>.
- These elements alone: {", ".join(ELEMENTS)}. Say what they look like with attributes: fill, stroke, stroke-width, opacity, transform.
- No text, style sheet, class, script, link, image, filter, mask, marker, pattern, symbol, animation, doctype or entity.
- Every id stands once in a drawing, and what is referred to is in the same drawing.
- Nothing reaches over the edge of the canvas, 0 to {CANVAS} both ways, strokes included.
- 8 to 60 shapes, at most 12,000 letters; whole numbers are fine enough.

Look
- First a rectangle that covers the whole canvas, #f3efe6 unless the brief says otherwise; then one subject, large, in the middle, \
about four fifths of the canvas, to be told at a glance at 48 pixels.
- Flat, opaque colours in soft, rounded shapes, with two or three tones to a thing for light and shade; no gradients, no outlines.
- The colours that the brief names, and otherwise of these: {", ".join(f"{name} {colour}" for name, colour in COLOURS.items())}.
- No letters, digits, kanji, signature or frame.
- Draw what the brief says, so that no two drawings are alike.

Answer with the drawings alone."""
"""The system prompt: our canvas, what may be drawn with, and the palette."""

ORDER = "Draw these."
LEAVE_OUT = "Leave out: "
FINDINGS = "These cannot be taken as they are:"
AGAIN = "Give each of them again, whole and mended, under its label, and nothing else."
NOTHING = "(no drawing)"
"""What an answer without a drawing is repeated as: the parts of a talk have to alternate."""

LONGEST_ANSWER = 2_000_000
"""Letters of an answer that are read."""
LONGEST_REPEAT = 20_000
"""Letters of a drawing that are repeated when it is asked for again."""

LABEL = re.compile(r"radical[-_ ]*0*([0-9]{1,3})(?:-([0-9]+))?(?![0-9])", re.IGNORECASE)
DRAWING = re.compile(r"<svg\b.*?(?:</svg\s*>|(?=<svg\b)|\Z)", re.IGNORECASE | re.DOTALL)
"""From an opening to its end, or, where that is missing, to the next one."""
OPENING = re.compile(r"<svg\b[^>]*", re.IGNORECASE)
ID = re.compile(r"\sid\s*=\s*[\"']([^\"']*)")
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'

Messages = list[dict[str, str]]
"""A talk as chat endpoints take it: roles and contents."""


def version() -> str:
    """What the wording is known by: other words, other drawings."""
    return hashlib.sha256(f"{RULES}\n{ORDER}\n{LEAVE_OUT}\n{FINDINGS}\n{AGAIN}\n{NOTHING}".encode()).hexdigest()[:12]


def colours(swatch: Swatch) -> str:
    """The colours of a radical's family in the words of a brief."""
    return f"ground {swatch.tint}, main colours {swatch.paper} and {swatch.accent}, darkest {swatch.deep}"


def labelled(requests: Sequence[Request]) -> dict[str, Request]:
    """The requests by the labels that their drawings go by, in order."""
    counts: Counter[int] = Counter()
    found = {}
    for request in requests:
        counts[request.radical] += 1
        found[_label(request.radical, counts[request.radical])] = request
    return found


def _label(radical: int, count: int = 1) -> str:
    return f"radical-{radical:03d}" + (f"-{count}" if count > 1 else "")


def messages(asked: Mapping[str, Request], drawn: Mapping[str, str], findings: Mapping[str, str]) -> Messages:
    """The talk that asks for drawings: at first, or again with what was *drawn* before and the *findings* on it.

    It holds what is still asked for and nothing else, so that a small model's context is enough for any number of repairs.
    """
    briefs = [f"## {label}\n{_brief(request)}" for label, request in asked.items()]
    talk = [("system", RULES), ("user", "\n\n".join([ORDER, *briefs]))]
    if findings:
        before = [f"## {label}\n```svg\n{drawn[label][:LONGEST_REPEAT]}\n```" for label in asked if drawn.get(label)]
        faults = [f"- {label}: {'; '.join(findings[label].splitlines())}" for label in asked]
        talk += [("assistant", "\n\n".join(before) or NOTHING), ("user", "\n".join([FINDINGS, *faults, AGAIN]))]
    return [{"role": role, "content": content} for role, content in talk]


def _brief(request: Request) -> str:
    return "\n".join([request.prompt, *([LEAVE_OUT + request.negative] if request.negative else [])])


def drawings(answer: str, labels: Iterable[str]) -> dict[str, str]:
    """The drawings in an answer by the *labels* that were asked for: SVG text, without its ``</svg>`` where it was cut off.

    The id says which is which, or the words before it; where all but those are found, the rest is taken in order. What was not
    asked for is left out; of two with one label the later is taken, unless it alone is cut off.
    """
    labels = list(labels)
    found: dict[str, str] = {}
    nameless: list[str] = []
    end, text = 0, _spoken(answer)
    for match in DRAWING.finditer(text):
        drawing, label = _mended(match[0]), _named(match[0], text[end : match.start()])
        end = match.end()
        if not label:
            nameless.append(drawing)
        elif label in labels and (label not in found or is_whole(drawing) or not is_whole(found[label])):
            found[label] = drawing
    lacking = [label for label in labels if label not in found]
    return found | (dict(zip(lacking, nameless, strict=True)) if len(lacking) == len(nameless) else {})


def is_whole(drawing: str) -> bool:
    """True if the drawing has its end."""
    return re.search(r"</svg\s*>\Z", drawing, re.IGNORECASE) is not None


def _spoken(answer: str) -> str:
    """What is said in an answer, without what was thought before; with ``<`` where that was written as an entity."""
    said = answer[:LONGEST_ANSWER].rpartition("</think>")[2]
    if said.lstrip().startswith("<think>"):
        return ""
    return said if "<svg" in said else html.unescape(said)


def _named(drawing: str, words: str) -> str:
    """The label of a drawing, from its id or else from the words before it if they name a single one; empty if nothing says."""
    opening = OPENING.match(drawing)
    own = ID.search(opening[0]) if opening else None
    for text in (own[1] if own else "", words):
        named = {_label(int(number), int(count or 1)) for number, count in LABEL.findall(text)}
        if len(named) == 1:
            return named.pop()
    return ""


def _mended(drawing: str) -> str:
    """A drawing without the end of its block, and with the namespaces that models leave out."""
    drawing = drawing.partition("```")[0].strip()
    opening = OPENING.match(drawing)
    head = opening[0] if opening else ""
    lacking = [] if re.search(r"\sxmlns\s*=", head) else [f'xmlns="{SVG[1:-1]}"']
    lacking += [XLINK] if "xlink:" in drawing and "xmlns:xlink" not in drawing else []
    return " ".join(["<svg", *lacking]) + drawing[4:] if lacking else drawing
