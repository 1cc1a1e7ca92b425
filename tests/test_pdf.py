"""Cards in a PDF are drawn truly: tiles are repeated and cut, groups are cut, and what fpdf2 cannot draw is known."""

import logging
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fpdf import FPDF

from generator import pdf
from generator.checks import SVG
from generator.project import Project

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">'
TILED = (
    HEAD + '<g><defs><pattern id="a-tile" width="48" height="30" patternUnits="userSpaceOnUse"><path fill="#ff0000" d="M0 0h9v9z"/>'
    '</pattern></defs><rect width="512" height="512" fill="url(#a-tile)"/></g></svg>'
)


def content(svg: str) -> str:
    """What a page says that has nothing but a card on it."""
    page = FPDF(unit="mm", format=(100, 100))
    page.set_compression(False)
    page.add_page()
    page.draw_path(pdf.drawing(svg, 10, 20, 50))
    return page.pages[1].contents.decode("latin-1")


def test_every_card_is_drawn_with_nothing_ignored(project: Project, drawn: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "fpdf")
    examined = 0
    for name in project.sets:
        for card in sorted((drawn / name).glob("*.svg")):
            text = card.read_text("utf-8")
            assert pdf.is_plain(text), card
            if card.stem in ("radical_001", "radical_085"):
                assert len(content(text)) > 100
                examined += 1
    assert examined == 2 * len(project.sets)
    assert caplog.records == []


def test_a_card_is_where_it_was_put() -> None:
    """Its canvas of 512 on 50 mm from (10, 20), from the top left of a page of 100 mm."""
    drawn = content(HEAD + '<path fill="#123456" d="M0 0L512 512"/></svg>')
    assert "2.8346 0 0 -2.8346 0 283.4646 cm" in drawn
    assert "0.0977 0 0 0.0977 10 20 cm" in drawn


def test_tiles_cover_the_canvas_and_are_cut_to_their_extent() -> None:
    root = ElementTree.fromstring(TILED)
    pdf._tile(root, (f"n{i}" for i in count()))
    assert list(root.iter(f"{SVG}pattern")) == []
    copies = [group.get("transform") for group in root.iter(f"{SVG}g") if group.get("transform")]
    assert len(copies) == len(set(copies)) == 11 * 18
    assert {copies[0], copies[-1]} == {"translate(0.0 0.0)", "translate(480.0 510.0)"}
    drawn = content(TILED)
    assert drawn.count("1 0 0 rg") == 11 * 18
    assert drawn.count("W n") == 11 * 18 + 1


def test_a_group_is_cut_by_a_path() -> None:
    cut = '<g><defs><clipPath id="a-cut"><path d="M10 10h99v99z"/></clipPath></defs><g clip-path="url(#a-cut)">'
    drawn = content(HEAD + cut + '<path fill="#00ff00" d="M0 0h512v512z"/></g></g></svg>')
    assert drawn.count("W n") == 1
    assert drawn.index("W n") < drawn.index("0 1 0 rg")


@pytest.mark.parametrize(
    "body",
    [
        '<ellipse cx="9" cy="9" rx="5" ry="4"/>',
        '<path d="M0 0" opacity=".5"/>',
        '<path d="M0 0" clip-path="url(#a)"/>',
        '<defs><clipPath id="a"><path d="M0 0" transform="scale(2)"/></clipPath></defs>',
        '<defs><linearGradient id="a"/></defs>',
        "<text>water</text>",
    ],
)
def test_what_is_not_drawn_as_everywhere_is_known(body: str) -> None:
    assert not pdf.is_plain(f"{HEAD}{body}</svg>")
    assert pdf.is_plain(f'{HEAD}<path d="M0 0"/></svg>')
