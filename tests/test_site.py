"""The built gallery: complete, strict, self-contained, the same bytes twice, and never half-built."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from common import DATA, ILLUSTRATED, ROOT, contents, illustrated, webp
from PIL import Image

from generator import project as projects
from generator import site
from generator.model import Error


class Links(HTMLParser):
    """The addresses and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id" and value:
                self.ids.append(value)
            elif key in ("href", "src") and value and not (tag == "link" and ("rel", "canonical") in attrs):
                self.targets.append(value)
            elif key == "srcset" and value:
                self.targets += [part.split()[0] for part in value.split(",")]


def warm(folder: Path, built: Path) -> None:
    """Give a project the PNG files that were drawn for the first build: drawing them is not what is tested."""
    shutil.copytree(built.parent / "cache", folder / "build" / "cache")


def pages(built: Path) -> dict[str, str]:
    return {path.relative_to(built).as_posix(): path.read_text("utf-8") for path in sorted(built.rglob("*.html"))}


def test_every_page_is_there(built: Path, project) -> None:
    numbers = sorted(path.name for path in (built / "radicals").iterdir())
    assert numbers == [f"{n:03d}" for n in range(1, 215)]
    for name in project.sets:
        cards = {path.stem for path in (built / "sets" / name).glob("radical_*") if path.suffix in (".svg", ".webp")}
        assert len(cards) == 214
        assert (built / "sets" / name / "index.html").is_file()
        assert (built / "sets" / name / "manifest.json").is_file()
    for page in ("index.html", "404.html", "palette/index.html", "sets/index.html", "about/index.html", "sources/index.html"):
        assert "<h1" in (built / page).read_text("utf-8"), page


def test_the_index_shows_all_radicals_in_line(built: Path, drawn: Path, project) -> None:
    index = (built / "index.html").read_text("utf-8")
    outlines = {}
    for radical in project.radicals:
        assert f'href="radicals/{radical.slug}/"' in index
        card = (drawn / "baseline" / f"radical_{radical.slug}.svg").read_text("utf-8")
        outlines[radical.number] = re.search(r' d="([^"]+)"', card)[1]
    assert [n for n, outline in outlines.items() if outline not in index] == []
    assert len(set(outlines.values())) == index.count('<svg viewBox="0 0 512 512"') == 214
    ids = Links(index).ids
    assert len(ids) == len(set(ids))


def test_published_cards_are_the_drawn_ones(built: Path, drawn: Path, project) -> None:
    for name in project.sets:
        for path in (drawn / name).glob("*.svg"):
            if (name, path.stem) != ("illustrated", f"radical_{ILLUSTRATED:03d}"):
                assert (built / "sets" / name / path.name).read_bytes() == path.read_bytes()


def test_an_illustration_is_published_and_said_to_be_one(built: Path) -> None:
    folder, stem = built / "sets" / "illustrated", f"radical_{ILLUSTRATED:03d}"
    assert (folder / f"{stem}.webp").read_bytes() == webp("navy")
    assert Image.open(folder / f"{stem}.png").size == (512, 512)
    assert not (folder / f"{stem}.svg").exists()
    for name, href in (("sets/illustrated/index.html", f"{stem}.webp"), ("sets/illustrated/all.svg", f"{stem}.webp")):
        assert (built / name).read_text("utf-8").count(f'<image href="{href}"') == 1, name
    assert "213 SVG, 1 WebP" in (built / "sets/illustrated/index.html").read_text("utf-8")
    page = (built / f"radicals/{ILLUSTRATED:03d}/index.html").read_text("utf-8")
    assert f'href="../../sets/illustrated/{stem}.webp" download aria-label="Download Illustrated as WebP"' in page
    files = json.loads((built / "api" / "radicals.json").read_text("utf-8"))["radicals"]
    assert files[ILLUSTRATED - 1]["files"]["illustrated"]["origin"] == "illustration"
    assert {entry["files"]["illustrated"]["origin"] for entry in files if entry["number"] != ILLUSTRATED} == {"picture"}
    assert "a friend" in (built / "about/index.html").read_text("utf-8")


def test_api(built: Path, project) -> None:
    api = json.loads((built / "api" / "radicals.json").read_text("utf-8"))
    assert [entry["number"] for entry in api["radicals"]] == list(range(1, 215))
    water = api["radicals"][84]
    assert (water["glyph"], water["meanings"][0], water["family"]) == ("水", "water", "water")
    files = re.findall(r'"(sets/[^"]+)"', json.dumps(api))
    assert len(files) >= 214 * len(project.sets)
    assert [file for file in files if not (built / file).is_file()] == []


def test_every_link_leads_somewhere(built: Path) -> None:
    texts = pages(built)
    parsed = {name: Links(text) for name, text in texts.items()}
    checked, broken = 0, []
    for name, links in parsed.items():
        if name == "404.html":
            continue  # its addresses are absolute, for it stands in for any page
        for target in links.targets:
            if re.match(r"[a-z]+:", target):
                continue
            address, anchor = urldefrag(urljoin(f"http://x/{name}", target))
            path = address.removeprefix("http://x/").partition("?")[0]
            file = path + "index.html" if path.endswith("/") or not path else path
            checked += 1
            if not (built / file).is_file() or (anchor and file in parsed and anchor not in parsed[file].ids):
                broken.append(f"{name}: {target}")
    assert checked > 5000
    assert broken == []


def test_nothing_comes_from_elsewhere(built: Path) -> None:
    """No page loads anything from another host, and no style sheet does."""
    loads = re.compile(r"<(?:script|img|source|iframe|link(?! rel=.(?:canonical|license)))[^>]+(?:src|href)=.(?:https?:)?//", re.IGNORECASE)
    texts = pages(built)
    assert [name for name, text in texts.items() if name != "404.html" and loads.search(text)] == []
    styles = [path.read_text("utf-8") for path in built.rglob("*.css")]
    assert styles
    assert not any(re.search(r"url\([\"']?(?:https?:)?//|@import", style) for style in styles)


def test_every_page_says_what_it_is(built: Path) -> None:
    titles = {}
    for name, text in pages(built).items():
        assert '<html lang="en"' in text, name
        assert re.search(r'<meta name="description" content="[^"]{20,}"', text) or name == "404.html", name
        titles[name] = re.search(r"<title>(.+?)</title>", text)[1]
    assert len(set(titles.values())) == len(titles) > 220


def test_japanese_is_marked_as_such(built: Path) -> None:
    """Every run of Japanese outside attributes, code and metadata stands in an element with lang="ja"."""

    class Runs(HTMLParser):
        void = frozenset(("meta", "link", "input", "br", "img", "hr", "source", "wbr"))

        def __init__(self, text: str) -> None:
            super().__init__()
            self.stack: list[tuple[str, str]] = [("", "en")]
            self.unmarked: list[str] = []
            self.marked = 0
            self.feed(text)

        def handle_starttag(self, tag, attrs) -> None:
            if tag not in self.void:
                self.stack.append((tag, dict(attrs).get("lang") or self.stack[-1][1]))

        def handle_endtag(self, tag) -> None:
            while self.stack[-1][0] != tag:
                self.stack.pop()
            self.stack.pop()

        def handle_data(self, data) -> None:
            if self.stack[-1][0] in ("title", "script", "style", "code") or not re.search(r"[぀-ヿ㐀-鿿]", data):
                return
            self.marked += self.stack[-1][1] == "ja"
            if self.stack[-1][1] != "ja":
                self.unmarked.append(data.strip())

    seen = 0
    for name, text in pages(built).items():
        runs = Runs(text)
        assert runs.unmarked == [], name
        seen += runs.marked
    assert seen > 2000


@pytest.mark.parametrize(("page", "most"), [("index.html", 90), ("radicals/085/index.html", 40), ("palette/index.html", 90)])
def test_weights(built: Path, page: str, most: int) -> None:
    """A page with its scripts and styles, and these alone, stay within their weight, in KiB as transferred."""

    def packed(files: list[Path]) -> float:
        return sum(len(gzip.compress(file.read_bytes(), 9, mtime=0)) for file in files) / 1024

    linked = [(built / page).parent / target for target in Links((built / page).read_text("utf-8")).targets]
    scripts, styles = ([file for file in linked if file.suffix == suffix] for suffix in (".js", ".css"))
    assert scripts
    assert styles
    assert packed(scripts) <= 8
    assert packed(styles) <= (6 if len(styles) == 1 else 7)
    assert packed([built / page, *scripts, *styles]) <= most


def test_two_builds_give_the_same_bytes(built: Path, copy: Path) -> None:
    """In another folder, another process, with another hash seed."""
    for name in ("templates", "site"):
        shutil.copytree(ROOT / name, copy / name)
    shutil.copy(ROOT / "mkdocs.yml", copy)
    illustrated(copy, ILLUSTRATED, webp("navy"))
    warm(copy, built)
    command = [sys.executable, "-m", "generator.cli", "--project", str(copy), "site"]
    environment = os.environ | {"PYTHONHASHSEED": "3", "SOURCE_DATE_EPOCH": "1700000000", "TZ": "Asia/Tokyo"}
    subprocess.run(command, env=environment, cwd=copy, check=True, capture_output=True)
    first, second = contents(built), contents(copy / "build" / "site")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_a_folder_with_little_but_a_palette(tmp_path: Path, built: Path) -> None:
    shutil.copy(DATA / "sets.yml", tmp_path)
    palette = (DATA / "palette.yml").read_text("utf-8")
    (tmp_path / "palette.yml").write_text(re.sub(r"(water: \{paper: )oklch\([^)]*\)", r"\1navy", palette, count=1), "utf-8")
    illustrated(tmp_path, ILLUSTRATED, webp("navy"))
    warm(tmp_path, built)
    site.build(projects.load(tmp_path))
    ours, theirs = contents(built), contents(tmp_path / "build" / "site")
    assert ours.keys() == theirs.keys()
    assert b"#000080" in theirs["sets/baseline/radical_085.svg"]
    assert ours["sets/baseline/radical_086.svg"] == theirs["sets/baseline/radical_086.svg"]


def test_a_persons_own_page_and_template_win(tmp_path: Path, built: Path) -> None:
    warm(tmp_path, built)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "about.md").write_text("# Mine\n\nNothing else.\n")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "404.html").write_text("lost")
    site.build(projects.load(tmp_path))
    mine = tmp_path / "build" / "site"
    assert "Nothing else." in (mine / "about" / "index.html").read_text("utf-8")
    assert (mine / "404.html").read_text("utf-8") == "lost"
    assert (mine / "css" / "site.css").read_bytes() == (built / "css" / "site.css").read_bytes()
    assert len(list((mine / "radicals").iterdir())) == 214


def test_a_configuration_without_templates_takes_those_of_the_package(tmp_path: Path, built: Path) -> None:
    warm(tmp_path, built)
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    site.build(projects.load(tmp_path))
    assert len(list((tmp_path / "build" / "site" / "radicals").iterdir())) == 214


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("templates/radical.html", b"{% if %}", r"templates: radical\.html: line 1: "),
        ("templates/radical.html", b"{{ nothing.at.all }}", r"templates: a template: 'nothing' is undefined"),
        ("site/extra.md", b"\xff\xfe", r"extra\.md|not UTF-8"),
        ("mkdocs.yml", b"site_name: x\n", r"mkdocs\.yml: plugins: bushu is missing"),
        ("mkdocs.yml", b"site_nam: x\nplugins: [bushu]\n", r"site_nam"),
    ],
)
def test_a_broken_page_template_or_configuration_is_an_error(tmp_path: Path, built: Path, file: str, text: bytes, message: str) -> None:
    warm(tmp_path, built)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(text)
    with pytest.raises(Error, match=message):
        site.build(projects.load(tmp_path))
    assert not (tmp_path / "build" / "site").exists()


@pytest.mark.parametrize("fault", ["palette", "page"])
def test_a_failed_build_leaves_the_last_good_site(tmp_path: Path, built: Path, fault: str) -> None:
    warm(tmp_path, built)
    standing = tmp_path / "build" / "site" / "index.html"
    standing.parent.mkdir(parents=True)
    standing.write_text("the last good one")
    if fault == "palette":
        (tmp_path / "palette.yml").write_text("default: 1\n")
        with pytest.raises(Error, match=r"palette\.yml: default"):
            site.build(projects.load(tmp_path))
    else:
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "about.md").write_text("# Mine\n\n[nowhere](nowhere.md)\n")
        with pytest.raises(Error, match=r"nowhere\.md"):
            site.build(projects.load(tmp_path))
    assert standing.read_text() == "the last good one"
    assert [path.name for path in (tmp_path / "build").iterdir() if path.name.startswith(".")] == []
