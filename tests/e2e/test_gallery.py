"""What a visitor does in the gallery."""

import re

import pytest
from common import ILLUSTRATED

pytestmark = pytest.mark.e2e

RADICALS = ["radicals/085/", "radicals/001/", "radicals/214/"]
PAGES = ["", *RADICALS, "palette/", "sets/", "sets/disc/", "about/", "make-your-own/", "diffusion/", "sources/"]
WIDTHS = [360, 768, 1280, 1920]


def shown(page) -> list[int]:
    """Numbers of the cards that can be seen, in the order they lie in."""
    links = page.locator("main .cards li:not([hidden]) a:visible")
    return [int(re.search(r"radicals/(\d+)/", href)[1]) for href in links.evaluate_all("all => all.map(a => a.getAttribute('href'))")]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_window(visit, path: str, width: int) -> None:
    page = visit(path, width=width, dark=width == 768)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").count() == 1
    assert page.locator("h1").is_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_all_cards_are_drawn(visit, dark: bool) -> None:
    page = visit(dark=dark)
    assert shown(page) == list(range(1, 215))
    boxes = page.locator("main .cards li svg").evaluate_all("all => all.map(s => s.getBoundingClientRect().width)")
    assert len(boxes) == 214
    assert min(boxes) >= 64


QUERIES = {
    85: "水 ⽔ 氵 みず ミズ ﾐｽﾞ mizu water Water wat 85 085 さんずい sanzui",
    203: "黒 黑",
    213: "亀",
    212: "龍 竜 dragon",
    162: "shinnyō shinnyo shinnyou しんにょう 辶",
    140: "艹 くさかんむり kusakanmuri",
    9: "亻 にんべん ninben",
    64: "扌 てへん",
    61: "忄",
    86: "灬 fire",
    96: "王",
    113: "礻",
    1: "one 1 一",
    214: "214 flute",
    30: "口 くち",
    209: "鼻 hana",
    40: "ukanmuri",
}


def test_search_finds_the_right_radical_first(visit) -> None:
    page = visit()
    wrong = {}
    for query, number in ((query, number) for number, queries in QUERIES.items() for query in queries.split()):
        page.fill("#q", query)
        found = shown(page)
        if not found or found[0] != number:
            wrong[query] = found[:3]
    assert wrong == {}
    page.fill("#q", "みす")
    assert 85 not in shown(page)


def test_search_by_keyboard(visit) -> None:
    page = visit()
    page.keyboard.press("/")
    page.keyboard.type("tortoise")
    assert shown(page) == [213]
    assert "1 of 214" in page.locator("[role=status]").first.inner_text()
    assert "q=tortoise" in page.url
    page.keyboard.press("Escape")
    assert len(shown(page)) == 214
    page.keyboard.type("watre")
    assert shown(page) == []
    assert "No radical" in page.locator("[role=status]").first.inner_text()
    page.fill("#q", "water")
    page.keyboard.press("Enter")
    page.wait_for_url("**/radicals/085/")


def test_chips_combine_and_stay_in_the_address(visit, address: str, project) -> None:
    page = visit()
    page.click("[data-family=plant]")
    page.click("[data-family=water]")
    page.click(".tools [data-strokes='4']")
    wanted = [r.number for r in project.radicals if r.family in ("plant", "water") and r.strokes == 4]
    assert shown(page) == wanted
    page.reload()
    assert shown(page) == wanted


def test_the_set_switch_redraws_every_card(visit, project) -> None:
    page = visit()
    before = page.locator("main .cards li svg").first.inner_html()
    for name in [*list(project.sets)[1:], "baseline"]:
        page.click(f".sets [data-set={name}]")
        page.wait_for_function("name => document.querySelector('.sets [aria-current]').dataset.set === name", arg=name)
        assert page.locator("main .cards li svg").count() == 214
        assert (page.locator("main .cards li svg").first.inner_html() == before) == (name == "baseline")
    page.goto(page.url.split("?")[0] + "?set=disc")
    page.wait_for_function("document.querySelectorAll('main .cards li svg circle').length === 214")


def test_an_illustration_is_shown_among_the_cards(visit) -> None:
    """On the index, where its file lies elsewhere than for the set's own page; a file not found would be a fault of the visit."""
    file = f"sets/illustrated/radical_{ILLUSTRATED:03d}.webp"
    loaded = f"performance.getEntriesByType('resource').filter(one => one.name.endsWith('/bushu/{file}') && one.decodedBodySize > 0).length"
    page = visit("?set=illustrated")
    page.wait_for_function(f"{loaded} === 1")
    assert page.locator("main .cards li svg image").count() == 1
    for path in ("sets/illustrated/", f"radicals/{ILLUSTRATED:03d}/"):
        page = visit(path)
        page.locator("main").evaluate("main => main.querySelectorAll('img').forEach(one => one.loading = 'eager')")
        page.wait_for_function(f"{loaded} === 1")


def test_arrow_keys_walk_over_the_cards(visit) -> None:
    page = visit()
    page.locator("main .cards a").first.focus()
    for key, number in [("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("ArrowDown", 8)]:
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.getAttribute('href')") == f"radicals/{number:03d}/"


def test_theme_is_remembered(visit) -> None:
    page = visit()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click(".theme")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_previous_and_next(visit) -> None:
    page = visit("radicals/085/")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/radicals/086/")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/radicals/085/")


def test_a_radical_page_has_every_card_and_download(visit, project) -> None:
    page = visit("radicals/085/")
    for name in project.sets:
        assert page.locator(f"a[href$='sets/{name}/radical_085.svg'][download]").count() >= 1
    assert page.locator("a[href$='sets/baseline/radical_085.png'][download]").count() >= 1
    text = page.locator("main").inner_text()
    for word in ("みず", "mizu", "さんずい", "sanzui", "氵", "water, liquid", "118", "海", "うみ", "sea"):
        assert word in text
    images = page.locator("main img")
    for at in range(images.count()):
        images.nth(at).scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    assert min(images.evaluate_all("all => all.map(i => i.naturalWidth)"), default=1) > 0


def test_without_javascript(visit, project) -> None:
    page = visit(script=False)
    assert page.locator("main .cards li a").count() == 214
    page.click(".sets [data-set=disc]")
    page.wait_for_url("**/sets/disc/")
    assert page.locator("main a[href*='radicals/']").count() >= 214
    page.goto(page.url.replace("sets/disc/", "radicals/085/"))
    assert "さんずい" in page.locator("main").inner_text()


def test_focus_can_be_seen(visit) -> None:
    page = visit()
    page.keyboard.press("Tab")
    assert "kip" in page.evaluate("document.activeElement.textContent")  # Skip to …
    marked = """() => {
        const at = document.activeElement;
        const looks = [at, at.parentElement, at.querySelector('svg')].filter(Boolean).map(e => getComputedStyle(e));
        return looks.some(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none');
    }"""
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate(marked), page.evaluate("document.activeElement.outerHTML")


def test_web_fonts_have_every_sign_of_the_pages(built, project) -> None:
    """No Japanese sign on any page is left to whatever font a visitor may have."""
    from fontTools.ttLib import TTFont

    have = set()
    for font in project.fonts.site.values():
        have |= set(TTFont(project.path(f"fonts/{font.file}")).getBestCmap())
    text = "".join(re.sub(r"<[^>]+>", "", path.read_text("utf-8")) for path in built.rglob("*.html"))
    missing = {sign for sign in text if re.match(r"[⺀-鿿豈-﫿\U00020000-\U0003ffff]", sign) and ord(sign) not in have}
    assert missing == set()


def test_renderers_agree(chromium, drawn, project) -> None:
    """Chromium and CairoSVG show the same card: one of each layout, at 256 pixels."""
    import io

    import numpy as np
    from PIL import Image

    from generator import raster

    page = chromium.new_page(viewport={"width": 256, "height": 256})
    for name in project.sets:
        svg = (drawn / name / "radical_140.svg").read_text("utf-8")
        page.set_content(f'<body style="margin:0">{svg.replace("<svg ", "<svg width=256 height=256 style=display:block ", 1)}')
        ours = np.asarray(raster.image(svg, 256), dtype=float) / 255
        theirs = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), dtype=float) / 255
        assert np.abs(ours - theirs).mean() < 0.006, name
    page.close()
