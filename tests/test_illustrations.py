"""Pictures made elsewhere: what is refused, what becomes of the rest, what they say of themselves, and which of them are one."""

import io
import random
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageOps

from generator import adopt, bitmaps, cards, illustrations, layouts, provenance, raster, vectors
from generator import project as projects
from generator.model import Error, Radical
from generator.project import Project

SIZE = 300


def painting(size: tuple[int, int] = (SIZE, SIZE), mode: str = "RGB") -> Image.Image:
    """A red disc on blue, and a yellow corner at the top left."""
    image = Image.new("RGB", size, "navy")
    draw = ImageDraw.Draw(image)
    middle, radius = (size[0] // 2, size[1] // 2), min(size) // 4
    draw.circle(middle, radius, "red")
    draw.rectangle((0, 0, size[0] // 5, size[1] // 5), "yellow")
    return image.convert(mode)


def noise(side: int, levels: int) -> Image.Image:
    return Image.frombytes("L", (side, side), bytes(random.Random(1).choices(range(128, 128 + levels), k=side**2)))


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims to be large."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return start + struct.pack(">I", 1000) + b"IDAT" + bytes(1000) + bitmaps.PNG_END


def frames(form: str) -> bytes:
    moving = [painting(), ImageOps.invert(painting())]
    return encoded(moving[0], form, save_all=True, append_images=moving[1:], duration=100)


def svg(body: str, head: str = 'viewBox="0 0 24 24"', before: str = "") -> bytes:
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{before}<svg {spaces} {head}>{body}</svg>".encode()


INK = '<path d="M2 2h10v10H2z" fill="red"/>'
GROUND = '<rect width="24" height="24" fill="#eef"/>'

REFUSED_BITMAPS = {
    "nothing": (b"", "is empty"),
    "text": (b"hello", "is not a PNG, JPEG, WebP or SVG file"),
    "a GIF": (encoded(painting(), "GIF"), "is not a PNG, JPEG, WebP or SVG file"),
    "half a PNG": (encoded(painting())[:-300], "truncated"),
    "a PNG without its last bytes": (encoded(painting())[:-4], "is truncated"),
    "a PNG with a wrong byte": (encoded(painting())[:100] + b"?" + encoded(painting())[101:], "cannot be decoded"),
    "a PNG with a wrong checksum": (encoded(painting())[:-16] + bytes(4) + encoded(painting())[-12:], "cannot be decoded"),
    "half a JPEG": (encoded(painting(), "JPEG")[:-1000], "truncated"),
    "a JPEG without its last bytes": (encoded(painting(), "JPEG")[:-2], "truncated"),
    "half a WebP": (encoded(painting(), "WEBP")[:-500], "cannot be decoded"),
    "RIFF that is no WebP": (b"RIFF\0\0\0\0WAVE", "cannot be decoded"),
    "a moving PNG": (frames("PNG"), r"is animated \(2 frames\)"),
    "a moving WebP": (frames("WEBP"), r"is animated \(2 frames\)"),
    "wide": (encoded(painting((400, 300))), "400 × 300 is not square, cut it or give --crop"),
    "high": (encoded(painting((300, 307))), "300 × 307 is not square"),
    "small": (encoded(painting((255, 255))), "255 × 255 pixels are too few, each side needs 256"),
    "41 megapixels": (header(6404, 6404), "has more than 40 megapixels"),
    "4 gigapixels": (header(65000, 65000), "more than 40 megapixels"),
    "blank": (encoded(Image.new("RGB", (SIZE, SIZE), "white")), "is blank"),
    "transparent": (encoded(Image.new("RGBA", (SIZE, SIZE))), "is blank"),
    "black": (encoded(Image.new("RGB", (SIZE, SIZE), (1, 1, 1))), "is black"),
    "flat": (encoded(Image.new("RGB", (SIZE, SIZE), "teal"), "JPEG"), "is of one flat colour"),
    "almost flat": (encoded(noise(SIZE, 10)), "is of one flat colour"),
}


@pytest.fixture
def water(project: Project) -> Radical:
    return project.by_glyph["水"]


@pytest.fixture
def stored(water: Radical) -> Callable[..., illustrations.Stored]:
    """A file as it would be stored for 水."""

    def store(content: bytes, crop: bool = False, **known: str) -> illustrations.Stored:
        return illustrations.normalised(content, water, "水 water", illustrations.facts(content) | known, crop)

    return store


@pytest.fixture
def refuse(project: Project, tmp_path: Path) -> Callable[[bytes, str], None]:
    """Try to adopt what is refused for 水, and see that nothing is left of it."""

    def refused(content: bytes, message: str) -> None:
        (file := tmp_path / "picture").write_bytes(content)
        (root := tmp_path / "project").mkdir()
        here = replace(project, root=root)
        (row,) = adopt.plan(here, [(85, file)], adopt.Terms({}))
        assert (row.verdict, row.stored, row.illustration) == (adopt.REFUSED, None, None)
        assert re.search(message, row.reason), row.reason
        with pytest.raises(Error, match="1 refused of 1, nothing is taken"):
            adopt.take(here, [row])
        assert list(root.iterdir()) == []

    return refused


@pytest.mark.parametrize(("content", "message"), REFUSED_BITMAPS.values(), ids=REFUSED_BITMAPS)
def test_a_bitmap_is_refused(refuse, content: bytes, message: str) -> None:
    refuse(content, message)


def test_a_file_is_read_if_it_is_one_and_not_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "picture"
    file.write_bytes(b"12345678")
    monkeypatch.setattr(illustrations, "LARGEST", 8)
    assert illustrations.read(file) == b"12345678"
    file.write_bytes(b"123456789")
    (tmp_path / "link").symlink_to("link")
    for path, message in (
        (file, "more than 8 bytes"),
        (tmp_path, "is not a file"),
        (tmp_path / "link", "is not a file"),
        (tmp_path / "no", "is not a file"),
    ):
        with pytest.raises(Error, match=message):
            illustrations.read(path)


def test_a_file_that_cannot_be_read_is_refused_alone(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        (tmp_path / f"radical_00{number}.png").write_bytes(encoded(painting()))
    read = Path.open

    def forbidden(path: Path, *mode: str) -> object:
        if path.stem == "radical_001":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *mode)

    monkeypatch.setattr(Path, "open", forbidden)
    rows = adopt.plan(replace(project, root=tmp_path), adopt.wanted([tmp_path], None), adopt.Terms({}))
    assert [row.verdict for row in rows] == [adopt.REFUSED, adopt.NEW]
    assert "cannot be read (Permission denied)" in rows[0].reason


def test_a_claimed_size_is_refused_before_anything_is_decoded(stored, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL.ImageFile import ImageFile

    monkeypatch.setattr(ImageFile, "load", lambda image: pytest.fail("decoded"))
    for question in (bitmaps.facts, bitmaps.decoded, stored):
        with pytest.raises(Error, match="more than 40 megapixels"):
            question(header(6404, 6404))


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_the_same_picture(stored, mode: str) -> None:
    source = painting(mode="L" if mode == "I;16" else mode)
    if mode == "I;16":
        deep = Image.new("I;16", source.size)
        deep.putdata([257 * level for level in source.tobytes()])
        source = deep
    made = stored(encoded(source, "JPEG" if mode == "CMYK" else "PNG"))
    image = opened(made.content)
    assert (made.file, image.format, image.mode, image.size) == ("radical_085.webp", "WEBP", "RGB", (512, 512))
    expected = painting().convert("1" if mode == "1" else "L" if mode in ("L", "LA", "I;16") else "RGB").convert("RGB").resize((64, 64))
    apart = ImageChops.difference(image.resize((64, 64)), expected).convert("L")
    assert sum(apart.tobytes()) / 64**2 < (40 if mode == "1" else 8)  # dithered dots blur otherwise


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_every_format_is_taken(stored, form: str) -> None:
    made = stored(encoded(painting(), form))
    assert opened(made.content).format == "WEBP"
    assert made.notes == ("300 × 300",)


def test_almost_square_is_square_enough(stored) -> None:
    assert stored(encoded(painting((300, 305)))).notes == ("300 × 305",)


def test_crop_takes_the_middle(stored) -> None:
    wide = Image.new("RGB", (900, 300), "white")
    wide.paste(painting(), (300, 0))
    made = stored(encoded(wide), crop=True)
    assert made.notes == ("900 × 300", "its middle")
    assert opened(made.content).getpixel((256, 256))[0] > 200
    assert opened(made.content).getpixel((20, 256))[2] > 80  # navy, not the white beside it


def test_transparency_is_laid_on_white(stored) -> None:
    image = painting(mode="RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    image.paste((255, 0, 0, 255), (50, 50, 250, 250))
    made = stored(encoded(image))
    assert made.notes == ("300 × 300", "laid on white")
    assert min(opened(made.content).getpixel((5, 5))) > 250
    palette = painting(mode="P")
    assert "laid on white" in stored(encoded(palette, transparency=palette.getpixel((2, 2)))).notes
    assert stored(encoded(painting(mode="RGBA"))).notes == ("300 × 300",)


def test_a_photograph_is_turned_upright(stored) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    made = opened(stored(encoded(painting().rotate(180), "JPEG", exif=exif.tobytes())).content)
    assert made.getpixel((20, 20))[:2] > (200, 200)
    assert 0x0112 not in made.getexif()


def test_colours_of_a_profile_become_those_of_the_web(stored) -> None:
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for profile in (lab, b"broken"):
        assert "icc_profile" not in opened(stored(encoded(painting(), icc_profile=profile)).content).info


def test_about_thirty_kilobytes(stored) -> None:
    assert len(stored(encoded(painting((1200, 1200)))).content) < 10_000
    busy, dice = painting((512, 512)), random.Random(1)
    for _ in range(2000):
        at, colour = (dice.randrange(512), dice.randrange(512)), tuple(dice.randbytes(3))
        ImageDraw.Draw(busy).circle(at, dice.randrange(5, 30), colour)
    assert 25_000 < len(stored(encoded(busy)).content) <= bitmaps.WEIGHT
    lightest = stored(encoded(noise(512, 128))).content
    assert bitmaps.WEIGHT < len(lightest) < 3 * bitmaps.WEIGHT


def test_flat_pictures_are_stored_without_loss(stored) -> None:
    flat = painting((512, 512))
    assert opened(stored(encoded(flat)).content).tobytes() == flat.tobytes()


@given(st.data())
def test_a_damaged_bitmap_is_refused_or_taken_and_nothing_else(data: st.DataObject) -> None:
    good = encoded(painting((256, 256)), data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"])))
    at = data.draw(st.integers(0, len(good) - 1))
    content = data.draw(st.sampled_from([good[:at], good[:at] + data.draw(st.binary(max_size=8)) + good[at + 4 :]]))
    try:
        illustrations.facts(content)
        square, _ = bitmaps.squared(content, crop=False)
    except Error:
        return
    assert square.size == (512, 512)


SETTINGS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x512, Model: wave_xl"
PARAMETERS = f"a wave, (ukiyo-e:1.2)\nNegative prompt: text, Seed\n{SETTINGS}"


def text_chunks(**chunks: str) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for key, value in chunks.items():
        info.add_itxt(key, value)
    return encoded(painting(), pnginfo=info)


def test_generator_parameters_are_read_and_kept(stored) -> None:
    content = text_chunks(parameters=PARAMETERS)
    assert illustrations.facts(content) == {"model": "wave_xl", "prompt": "a wave, (ukiyo-e:1.2)", "seed": "42"}
    made = opened(stored(content).content)
    assert bitmaps._comment(made.getexif()) == PARAMETERS
    assert illustrations.facts(stored(content).content) == illustrations.facts(content)
    xmp = made.info["xmp"].decode()
    for words in (provenance.MACHINE_MADE, "AISystemUsed>wave_xl<", "AIPromptInformation>a wave, (ukiyo-e:1.2)<"):
        assert words in xmp


def test_what_a_person_says_goes_into_the_file(stored) -> None:
    known = {"source": "a & b", "author": "森", "licence": "CC-BY-4.0", "model": "m 2", "prompt": "a wave", "seed": "7"}
    made = stored(text_chunks(parameters=PARAMETERS), **known).content
    assert illustrations.facts(made) == known
    assert bitmaps._comment(opened(made).getexif()) == "a wave\nSeed: 7, Model: m 2"


def test_a_picture_by_hand_is_not_called_machine_made(stored) -> None:
    made = stored(text_chunks(Author="A. Mori", Copyright="https://creativecommons.org/licenses/by-sa/4.0/"))
    assert illustrations.facts(made.content) == {"author": "A. Mori", "licence": "CC-BY-SA-4.0"}
    assert provenance.MACHINE_MADE.encode() not in made.content
    assert "xmp" not in opened(stored(encoded(painting())).content).info


@pytest.mark.parametrize(
    "content",
    [
        text_chunks(workflow="{}"),
        text_chunks(**{"XML:com.adobe.xmp": f"<x a='{provenance.MACHINE_MADE}'/>"}),
        encoded(painting(), "JPEG", comment=f"content credentials: {provenance.MACHINE_MADE}"),
    ],
    ids=["a workflow", "XMP", "content credentials"],
)
def test_a_machine_made_picture_stays_one(stored, content: bytes) -> None:
    assert provenance.MACHINE_MADE.encode() in stored(content).content


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ("(c) A. Mori", None),
        ("© 2024 A. Mori, all rights reserved", None),
        ("https://example.org/rights", None),
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("mit", "MIT"),
        ("https://creativecommons.org/licenses/by/4.0/deed.ja", "CC-BY-4.0"),
    ],
)
def test_a_notice_is_no_licence(said: str, licence: str | None) -> None:
    exif = Image.Exif()
    exif[0x8298] = said
    packet = provenance.xmp({"dc:rights": said})
    drawing = svg(f'<metadata><dc:rights xmlns:dc="{provenance.DUBLIN_CORE}">{said}</dc:rights></metadata>{INK}')
    for content in (
        encoded(painting(), "JPEG", exif=exif.tobytes()),
        encoded(painting(), "WEBP", xmp=packet),
        text_chunks(Copyright=said),
        drawing,
    ):
        assert illustrations.facts(content).get("licence") == licence


def test_the_best_licence_that_is_one_is_taken() -> None:
    notice = "https://example.org/rights"
    attributes = f'xmlns:r="{provenance.RIGHTS}" r:WebStatement="{notice}" r:UsageTerms="CC BY 4.0"'
    content = text_chunks(**{"XML:com.adobe.xmp": f"<x {attributes}/>"})
    assert illustrations.facts(content) == {"licence": "CC-BY-4.0"}


def test_exif_and_xmp_name_author_and_licence_and_places_are_left_out(stored) -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "A. Mori", "all rights reserved"
    exif.get_ifd(0x8825)[1] = "N"
    packet = provenance.xmp({"dc:source": "a museum", "dc:rights": "http://creativecommons.org/publicdomain/zero/1.0/"})
    content = encoded(painting(), "JPEG", exif=exif.tobytes(), xmp=packet)
    assert illustrations.facts(content) == {"source": "a museum", "author": "A. Mori", "licence": "CC0-1.0"}
    made = opened(stored(content).content)
    assert not made.getexif().get_ifd(0x8825)


SAID = provenance.xmp({"dc:source": "a museum"}).decode()
UNREADABLE = {
    "broken": "<",
    "not UTF-8": SAID.replace('?xpacket begin="\ufeff"', '?xml version="1.0" encoding="utf-7"?><?x'),
    "with an entity": "<!DOCTYPE a [<!ENTITY b 'c'>]>" + SAID,
    "too deep": SAID.replace("<rdf:RDF", "<a>" * 40 + "<rdf:RDF").replace("</rdf:RDF>", "</rdf:RDF>" + "</a>" * 40),
    "too large": SAID + " " * 1_000_000,
}


@pytest.mark.parametrize("packet", UNREADABLE.values(), ids=UNREADABLE)
def test_metadata_that_cannot_be_read_say_nothing(packet: str) -> None:
    assert illustrations.facts(encoded(painting(), "WEBP", xmp=packet.encode())) == {}
    assert illustrations.facts(encoded(painting(), "WEBP", xmp=SAID.encode())) == {"source": "a museum"}


@given(st.text())
def test_a_fact_is_one_line_however_it_is_written(text: str) -> None:
    fact = provenance.cleaned(text)
    assert provenance.cleaned(fact) == fact
    assert fact == " ".join(fact.split())
    packet = provenance.xmp({"dc:source": fact})
    assert ElementTree.fromstring(packet).tag.endswith("xmpmeta")


def test_a_fact_is_cleaned_alike_by_every_python() -> None:
    """Which letters are printable differs with the Unicode that a Python knows."""
    assert provenance.cleaned("\n a\u202eb\x00\x9f\ufeff \ud800c\u2028") == "a b c"
    newest = "👩\u200d🚀 \U0001fae8 \U0002ebf0 \U000323b0 \ue000"
    assert provenance.cleaned(newest) == newest


USES = "".join(f'<g id="a{n}">' + f'<use href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 9))
DOCTYPE = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://localhost:9/svg11.dtd">'
OUTSIDE = "refers to something outside of the file"
EXPLODES = "elements are drawn, counting dashes and long outlines, at most 2000"
LONG = f'<path id="a" d="M0 0{"l1 1-1-1" * 9000}z"/>'
CHAIN = "".join(f'<g id="a{n}"><use href="#a{n + 1}"/></g>' for n in range(70))
LAB = 'xmlns:n="http://www.inkscape.org/namespaces/inkscape"'
REFUSED_DRAWINGS = {
    "not XML": (b"<svg", "is not XML that can be read"),
    "another XML": (b"<note/>", "begins with <note>, should be <svg xmlns="),
    "a web page": (b"\n<!DOCTYPE html>\n<p>not found<br>", "is a web page .HTML. and no picture, save the picture itself"),
    "a web page without a doctype": (b"<HTML lang=en><p>", "is a web page"),
    "of many bytes a letter": (
        svg(INK, before='<?xml version="1.0" encoding="shift_jis"?>'),
        "multi-byte encodings .* save it again as UTF-8",
    ),
    "no namespace": (b'<svg viewBox="0 0 24 24"><path d="M2 2h9v9z"/></svg>', "should be <svg xmlns="),
    "an element of no namespace": (svg('<path xmlns="" d="M2 2h9v9z"/>' + INK), "<path> is not allowed"),
    "a script": (svg(INK + "<script>alert(1)</script>"), "<script> runs code"),
    "a script among notes": (svg(INK + "<metadata><script/></metadata>"), "<script> stands within <metadata>"),
    "a script in a title": (svg("<title><script/></title>" + INK), "<script> stands within <title>"),
    "a handler": (svg('<path onclick="x()" d="M2 2h9v9z"/>'), "onclick= runs code"),
    "a handler on the root": (svg(INK, 'viewBox="0 0 24 24" onload="x()"'), "onload= runs code"),
    "a handler among notes": (svg('<desc onfocus="x()"/>' + INK), "onfocus= runs code"),
    "a handler in capitals": (svg('<path ONCLICK="x()" d="M2 2h9v9z"/>'), "ONCLICK= runs code"),
    "a page among notes": (svg('<desc><p xmlns="http://www.w3.org/1999/xhtml"/></desc>' + INK), "<p> stands within <desc>"),
    "a picture among an editor's notes": (svg(f"<n:v {LAB}>{INK}</n:v>" + INK), "<path> stands within <v>"),
    "what only begins like a note": (svg("<titles/>" + INK), "<titles> is not allowed"),
    "an image": (svg('<image href="a.png"/>' + INK), "<image> is a picture within the picture"),
    "a use from outside": (svg('<use href="https://example.org/a.svg#a"/>' + INK), OUTSIDE),
    "an old use from outside": (svg('<use xlink:href="a.svg#a"/>' + INK), OUTSIDE),
    "a use of data": (svg('<use href="data:image/svg+xml,a"/>' + INK), OUTSIDE),
    "a paint from outside": (svg('<path fill="url(https://example.org/#a)" d="M2 2h9v9z"/>'), OUTSIDE),
    "a paint behind an escape": (
        svg(r'<path fill="u\72l(https://example.org)" d="M2 2h9v9z"/>'),
        OUTSIDE,
    ),
    "a style from outside": (svg('<path style="fill:url(a.svg#a)" d="M2 2h9v9z"/>'), OUTSIDE),
    "a paint after one from outside": (svg('<path style="fill:url(//a);fill:red" d="M2 2h9v9z"/>'), OUTSIDE),
    "a mask from outside of one program": (svg('<path style="-webkit-mask:url(https://a)" d="M2 2h9v9z"/>'), "style: '-webkit-mask:url"),
    "a font from outside": (svg('<path font="url(https://a)" d="M2 2h9v9z"/>'), "<path font=.* is not allowed"),
    "half a style": (svg('<path style="fill" d="M2 2h9v9z"/>'), "<path fill=''> is not what can be drawn"),
    "an id by style": (svg('<path style="id:a" d="M2 2h9v9z"/>'), "style: 'id:a' is not allowed"),
    "the colour of a theme": (svg('<path fill="CanvasText" d="M2 2h9v9z"/>'), "is not what can be drawn"),
    "half a colour": (svg('<path fill="rgb(255 0" d="M2 2h9v9z"/>'), "<path fill='rgb.255 0'> is not what can be drawn, write an opaque"),
    "a transparent colour": (svg('<path fill="rgb(255 0 0 / 50%)" d="M2 2h9v9z"/>'), "<path fill=.* write an opaque colour as #"),
    "half a transform": (svg(f'<g transform="matrix(1 2)">{INK}</g>'), "is not what can be drawn"),
    "a stroke under the fill": (svg('<path style="paint-order:stroke fill" d="M2 2h9v9z"/>'), "paints the stroke under the fill"),
    "markers under the fill, the stroke too": (svg('<path paint-order="markers stroke" d="M2 2h9v9z"/>'), "under the fill, draw the two"),
    "a root that is moved": (svg(INK, 'viewBox="0 0 24 24" transform="scale(2)"'), "<svg transform=> is not drawn alike everywhere"),
    "a gradient of the page": (
        svg(f'<linearGradient id="a" gradientUnits="userSpaceOnUse" x1="5%"/>{INK}'),
        "<linearGradient x1='5%'> is a share of the page",
    ),
    "a style that imports": (svg('<path style="@import url(a.css)" d="M2 2h9v9z"/>'), "style: '@import url.* is not allowed"),
    "a filter": (svg('<path style="filter:url(#a)" d="M2 2h9v9z"/>'), "style: 'filter:url.* is an effect that not every program draws"),
    "a filter on a group": (svg(f'<g filter="url(#a)">{INK}</g>'), "<g filter=.* is an effect that not every program draws"),
    "a style sheet": (svg("<style>path{fill:red}</style>" + INK), "<style> is a style sheet"),
    "a style sheet from outside": (svg(INK, before='<?xml-stylesheet href="a.css"?>'), r"has an instruction <\?xml-stylesheet\?>"),
    "an instruction inside": (svg("<?php x ?>" + INK), r"has an instruction <\?php\?>"),
    "a page": (svg("<foreignObject/>" + INK), "<foreignObject> holds a page"),
    "an entity": (svg(INK + "&a;", before='<!DOCTYPE svg [<!ENTITY a "b">]>'), "has a doctype or entities"),
    "a doctype": (svg(INK, before='<!DOCTYPE svg SYSTEM "svg.dtd">'), "has a doctype or entities"),
    "a doctype of others": (svg(INK, before='<!DOCTYPE svg PUBLIC "a" "http://localhost:9/a.dtd">'), "has a doctype or entities"),
    "the usual doctype with entities": (svg(INK, before=DOCTYPE.replace(">", ' [<!ENTITY a "b">]>')), "has a doctype or entities"),
    "the usual doctype with nothing of its own": (svg(INK, before=DOCTYPE.replace(">", " []>")), "has a doctype or entities"),
    "an entity of the usual doctype": (svg(INK + "&a;", before=DOCTYPE), "is not XML that can be read .undefined entity &a;"),
    "text": (svg("<text>水</text>" + INK), "<text> looks different on every machine"),
    "movement": (svg('<path d="M2 2h9v9z"><animate/></path>'), "<animate> moves"),
    "a link": (svg('<a href="#a"/>' + INK), "<a> is a link"),
    "an unknown attribute": (svg('<path d="M2 2h9v9z" mask="url(#a)"/>'), "<path mask=.* is an effect"),
    "an attribute of no picture": (
        svg('<path d="M2 2h9v9z" contenteditable="true"/>'),
        "is not allowed, take it out or draw what it shows",
    ),
    "no path": (svg('<path d="M2 2h"/>' + INK), "is not what can be drawn"),
    "a path that could take for ever": (svg(f'<path d="M{"1 " * 20_000}x"/>'), "is not what can be drawn"),
    "far too large a number": (svg('<path d="M2 2h9e300v9z"/>'), "is out of all proportion"),
    "an id twice": (svg('<g id="a"/><g id="a"/>' + INK), "id 'illustrated-085-a' stands twice"),
    "an id that would be twice": (svg('<g id="a"/><g id="illustrated-085-a"/>' + INK), "id 'illustrated-085-a' stands twice, give another"),
    "a strange id": (svg('<g id="a b"/>' + INK), "<g id='a b'> is not what can be drawn"),
    "what is not there": (svg('<use href="#b"/>' + INK), "#illustrated-085-b is referred to and not there"),
    "what is only a note": (svg(f'<n:v {LAB} id="b"/><use href="#b"/>{INK}'), "#illustrated-085-b is referred to and not there"),
    "what is outside of the picture": (svg(f'{INK}<use href="#b"/>', 'id="b" viewBox="0 0 24 24"'), "#illustrated-085-b is referred to"),
    "a chain of references": (svg(f'{CHAIN}<g id="a70"/>{INK}'), "or through too many others"),
    "a circle of references": (svg('<g id="a"><use href="#a"/></g>' + INK), "refers to itself"),
    "a circle of gradients": (svg('<linearGradient id="a" href="#b"/><linearGradient id="b" href="#a"/>' + INK), "refers to itself"),
    "references that explode": (svg(f'<g id="a0">{INK}</g>{USES}'), EXPLODES),
    "outlines that explode": (svg(LONG + '<use href="#a"/>' * 5), EXPLODES),
    "countless dashes": (svg('<path d="M0 0H24" stroke="red" stroke-dasharray="1e-320"/>'), EXPLODES),
    "dashes that explode": (
        svg('<path d="M0 0H24" stroke="red" stroke-dasharray=".00001"/>'),
        EXPLODES,
    ),
    "dashes of a curve that swings wider and wider": (
        svg(f'<path d="M0 0Q1 1 2 0T{"0 0 1 0 " * 2000}" stroke="red" stroke-dasharray="1"/>'),
        EXPLODES,
    ),
    "dashes of a share of the page": (svg('<circle r="50%" stroke="red" stroke-dasharray=".0005"/>'), EXPLODES),
    "too many elements": (svg("<g/>" * 2001), "2002 elements, at most 2000"),
    "too deep": (svg("<g>" * 40 + INK + "</g>" * 40), "nests deeper than 32 levels"),
    "too heavy": (svg(INK + " " * 100_000), "bytes, at most 100000"),
    "no canvas": (svg(INK, ""), "has no viewBox that can be used"),
    "an empty canvas": (svg(INK, 'viewBox="0 0 0 0"'), "has no viewBox that can be used"),
    "half a canvas": (svg(INK, 'viewBox="0 0 24"'), "has no viewBox that can be used"),
    "a tiny canvas": (svg(INK, 'viewBox="0 0 .5 .5"'), "has no viewBox that can be used"),
    "a vast canvas": (svg(INK, 'viewBox="0 0 2e6 2e6"'), "has no viewBox that can be used"),
    "a canvas far away": (svg(INK, 'viewBox="1e999 0 24 24"'), "has no viewBox that can be used"),
    "a wide canvas": (svg(INK, 'viewBox="0 0 48 24"'), "48 × 24 is not square, cut it or give --crop"),
    "no ink": (svg(""), "paints nothing on its canvas"),
    "no visible ink": (svg('<path d="M2 2h9v9z" fill="none"/>'), "paints nothing on its canvas"),
    "ink elsewhere": (svg('<path d="M30 2h9v9z"/>'), "paints nothing on its canvas"),
    "ink outside": (svg(INK + '<path d="M30 2h9v9z"/>'), "has ink outside its canvas"),
    "ink far outside": (svg(INK + '<path d="M500 500h9v9z"/>'), "has ink outside its canvas"),
    "white on nothing": (svg('<path d="M2 2h9v9z" fill="#fff"/>'), "is blank"),
    "black all over": (svg('<path d="M0 0h24v24H0z"/>'), "is black"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED_DRAWINGS.values(), ids=REFUSED_DRAWINGS)
def test_a_drawing_is_refused(refuse, content: bytes, message: str) -> None:
    refuse(content, message)


TAKEN_DRAWINGS = {
    "plain": svg(GROUND + INK),
    "transparent": svg(INK),
    "ours": svg(INK, 'viewBox="0 0 512 512"').replace(b"h10v10H2z", b"h400v400H2z"),
    "moved": svg('<path d="M-10-10h12v12h-12z"/>', 'viewBox="-12 -12 24 24"'),
    "by width and height": svg(GROUND + INK, 'width="24px" height="24"'),
    "in per cent": svg('<rect width="100%" height="100%" fill="#eef"/><circle cx="50%" cy="50%" r="25%"/>'),
    "painted by its root": svg('<path d="M2 2h9v9z"/>', 'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'),
    "an icon": svg('<path class="a" data-name="b" d="M2 2h9v9z" fill="currentColor"/>', 'role="img" viewBox="0 0 24 24" aria-label="c"'),
    "styled": svg('<path style="fill:#f00;-inkscape-stroke:none;font-size:3px;mix-blend-mode:normal" d="M2 2h9v9z"/>'),
    "gradients": svg(
        '<defs><linearGradient id="a"><stop offset="0%" style="stop-color:red"/><stop offset="1" stop-color="#00f"/></linearGradient>'
        '<radialGradient id="b" xlink:href="#a" cx="50%"/></defs>'
        '<path fill="url(#a)" d="M2 2h9v9z"/><circle cx="16" cy="16" r="5" fill="url(\'#b\')"/>'
    ),
    "used and clipped": svg(
        f'<clipPath id="c"><circle cx="8" cy="8" r="5"/></clipPath><g id="g" clip-path="url(#c)">{INK}</g>'
        '<use href="#g" x="10" transform="rotate(5)"/>'
    ),
    "ids like colours": svg('<g id="fff"><path id="a00" d="M2 2h9v9z" fill="#a00" stroke="#FFF"/></g>'),
    "ids like numbers": svg(
        '<linearGradient id="SVGID_00000084491524586431_"><stop stop-color="rgb(100%, 0%,0%)"/></linearGradient>'
        '<g id="レイヤー_1"><path fill="url(#SVGID_00000084491524586431_)" stroke="Rgba(0,0,0,.5)" d="M2 2h9v9z"/></g>'.replace(
            "Rgba", "rgba"
        )
    ),
    "ids among notes": svg(f'<metadata><a xmlns="b" id="c"/><a xmlns="b" id="c"/></metadata><n:v {LAB} id="c"/><g id="c">{INK}</g>'),
    "moved in every way": svg(
        f'<g transform="translate(1) scale(.9 , .9)rotate(5,12 12) rotate(1) skewX(1) matrix(1 0 0 1 0 0)">{INK}</g>'
    ),
    "dashed by a share": svg('<circle cx="50%" cy="50%" r="25%" fill="none" stroke="red" stroke-dasharray="2"/>'),
    "arcs and dashes": svg('<path d="M4 12a8 8 0 0116 0" stroke="red" fill="none" stroke-width="2" stroke-dasharray="2 1"/>'),
    "shapes": svg(
        '<ellipse cx="9" cy="9" rx="3" ry="4"/><line x1="2" y1="2" x2="9" y2="4" stroke="red"/><polygon points="9,12 20,20 3 18"/>'
    ),
    "ids like ours": svg('<g id="title"/><g id="canvas"/><g id="illustrated-085-title_"/>' + INK),
    "notes of an editor": svg(
        '<!-- by hand --><sodipodi:namedview xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" id="v"/>'
        f'<title>old</title><g xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" inkscape:label="x">{INK}</g>'
    ),
    "with the usual doctype": svg(GROUND + INK, before='<?xml version="1.0" standalone="no"?>' + DOCTYPE),
    "fill before stroke": svg(
        '<path d="M2 2h9v9z" fill="red" stroke="#00f" style="paint-order:markers  fill stroke"/>'
        '<path d="M12 12h9v9z" paint-order="fill" tabindex="0"/>'
    ),
    "UTF-16": ('<?xml version="1.0" encoding="UTF-16"?>' + svg(INK).decode()).encode("utf-16"),
}


def alone(content: bytes) -> Image.Image:
    """A drawing as it looks by itself, on white."""
    root = ElementTree.fromstring(content)
    root.attrib = {"viewBox": "0 0 24 24"} | root.attrib | {"width": "512", "height": "512"}
    drawn = Image.open(io.BytesIO(raster._cairosvg().svg2png(bytestring=ElementTree.tostring(root), output_width=512, output_height=512)))
    white = Image.new("RGBA", drawn.size, "white")
    white.alpha_composite(drawn.convert("RGBA"))
    return white.convert("RGB")


@pytest.mark.parametrize("name", TAKEN_DRAWINGS)
def test_a_drawing_is_written_anew_and_looks_the_same(stored, name: str) -> None:
    made = stored(TAKEN_DRAWINGS[name])
    text = made.content.decode()
    root = ElementTree.fromstring(text)
    assert made.file == "radical_085.svg"
    assert (root.get("viewBox"), root.get("role")) == ("0 0 512 512", "img")
    title = root[0]
    assert (title.text, root.get("aria-labelledby")) == ("水 water", title.get("id"))
    ids = re.findall(r'id="([^"]*)"', text)
    assert len(set(ids)) == len(ids)
    assert all(key.startswith("illustrated-085-") for key in ids)
    assert not re.search(r"<!|<\?|class=|style=|currentColor|inkscape|sodipodi|by hand|old", text)
    apart = ImageChops.difference(raster.image(text, 512), alone(TAKEN_DRAWINGS[name])).convert("L")
    assert sum(apart.histogram()[32:]) < 0.01 * 512**2
    assert ("laid on white" in made.notes) == ('fill="#ffffff"' in text)


@pytest.mark.parametrize(
    ("said", "hexa"),
    [
        ("rgb(255 220 0)", "#ffdc00"),
        ("rgb(100% 50% 0%)", "#ff8000"),
        ("rgb(255 220 0 / 1)", "#ffdc00"),
        ("hsl(50,100%,50%)", "#ffd400"),
        ("hsl(50deg 100% 50%)", "#ffd400"),
        ("oklch(0.7 0.1 50)", "#d18c65"),
        ("#ff0000ff", "#ff0000"),
    ],
)
def test_a_colour_in_a_newer_notation_is_written_plainly(stored, said: str, hexa: str) -> None:
    for body in (f'<path fill="{said}" d="M2 2h9v9z"/>', f'<path style="stroke:{said}" d="M2 2h9v9z"/>'):
        assert f'"{hexa}"' in stored(svg(GROUND + body)).content.decode()


def test_an_opacity_in_per_cent_is_written_as_a_number(stored) -> None:
    assert 'fill-opacity="0.5"' in stored(svg('<path fill-opacity="50%" d="M2 2h9v9z"/>')).content.decode()


def test_what_the_renderer_cannot_read_is_refused_in_plain_words(refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "image", lambda svg, size: float("red"))
    refuse(svg(INK), "^cannot be drawn, save it again as plain SVG$")


@pytest.mark.parametrize("name", TAKEN_DRAWINGS)
def test_a_stored_drawing_is_taken_as_it_is(stored, name: str) -> None:
    once = stored(TAKEN_DRAWINGS[name])
    again = stored(once.content)
    assert again.content == once.content
    assert again.notes == ()
    vectors.prove(once.content, "illustrated-085")


def test_crop_cuts_a_drawing_to_its_canvas(stored) -> None:
    made = stored(svg(GROUND + INK + '<path d="M20 2h30v9z"/>'), crop=True)
    assert "cut to its canvas" in made.notes
    assert stored(made.content).content == made.content
    wide = stored(svg('<rect width="48" height="24" fill="#eef"/><circle cx="24" cy="12" r="9"/>', 'viewBox="0 0 48 24"'), crop=True)
    shown = raster.image(wide.content.decode(), 64)
    assert max(shown.getpixel((32, 32))) < 10
    assert min(shown.getpixel((3, 3))) > 200


def test_a_drawing_says_where_it_is_from(stored) -> None:
    notes = (
        '<metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:cc="http://creativecommons.org/ns#"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><cc:Work><dc:creator><cc:Agent><dc:title>A. Mori</dc:title></cc:Agent></dc:creator>'
        '<cc:license r:resource="http://creativecommons.org/licenses/by/4.0/"/></cc:Work></r:RDF></metadata>'
    )
    content = svg(notes + INK)
    assert illustrations.facts(content) == {"author": "A. Mori", "licence": "CC-BY-4.0"}
    known = {"author": "A. Mori", "licence": "CC-BY-4.0", "model": "a language model", "prompt": "a <wave> & foam"}
    made = stored(content, **{name: known[name] for name in ("model", "prompt")})
    assert illustrations.facts(made.content) == known
    assert provenance.MACHINE_MADE in made.content.decode()


@given(st.sampled_from(["fill", "style", "d", "transform", "href", "id", "clip-path", "stroke-width"]), st.text(max_size=40))
@example("fill", "url(//example.org)")
@example("style", "fill:u\\rl(x)")
@example("fill", "#a\nurl(x)")
def test_whatever_an_attribute_says_nothing_from_outside_is_written(name: str, value: str) -> None:
    made = ElementTree.fromstring(svg(INK + '<path d="M9 9h9v9z"/>'))
    made[1].set(name, value)
    try:
        body = vectors._written(ElementTree.tostring(made), "illustrated-085", crop=False)
    except Error:
        return
    assert body
    for element in (inner for part in body for inner in part.iter()):
        for key, text in element.items():
            assert not re.search(r"(?i)url\((?!#illustrated-085-)|[\\<>@;]|script|//", text), (key, text)


@given(st.text(alphabet="MmLlHhVvCcSsQqTtAaZz0123456789.-+eE, \n", max_size=60))
@example("M1 1a1 1 0 01.5.5")
@example("m1,1-1-1z m1 1")
def test_path_data_is_taken_if_every_command_has_its_numbers(data: str) -> None:
    """As another reader of path data has it."""
    from fontTools.pens.recordingPen import RecordingPen
    from fontTools.svgLib.path import parse_path

    try:
        vectors._refuse_value("path", "d", " ".join(data.split()))
    except Error:
        return
    parse_path(data, RecordingPen())


def drawn(project: Project, name: str, step: int = 1) -> dict[int, str]:
    """Every so many cards of a set as SVG, by number."""
    recipe = cards.recipe(project, name)
    return {radical.number: layouts.draw(cards.card(recipe, radical), recipe.spec.layout) for radical in project.radicals[::step]}


@pytest.mark.parametrize("name", ["baseline", "disc", "picture", "pictogram", "window"])
def test_cards_of_different_radicals_are_different_pictures(project: Project, name: str) -> None:
    """Flat cards have hashes that are alike, and some glyphs differ little: 冂 and 囗, 夂 and 夊, 士 and 土, and so some pictures."""
    looks = {number: illustrations.Look(raster.image(card, 64)) for number, card in drawn(project, name).items()}
    close = sum((looks[1].hash ^ looks[number].hash).bit_count() <= illustrations.NEAR for number in looks)
    assert len(looks) == 214
    assert close > 1
    assert list(illustrations.alike(looks)) == []


def test_pale_pictures_of_different_things_are_different() -> None:
    """However little their pixels differ: thumbnails are made equally rich in contrast."""

    def pale(*box: int) -> Image.Image:
        (drawn := ImageDraw.Draw(image := Image.new("RGB", (512, 512), "white"))).ellipse(box, (230, 230, 230))
        drawn.line((0, 0, *box[:2]), (230, 230, 230), 9)
        return image

    one, other = illustrations.Look(pale(20, 20, 300, 490)), illustrations.Look(pale(260, 200, 490, 300))
    assert ImageChops.difference(one.picture, other.picture).convert("L").getextrema()[1] <= 25
    assert not one.is_like(other)
    assert one.is_like(illustrations.Look(pale(20, 20, 300, 490).resize((400, 400))))


@pytest.mark.parametrize("name", ["disc", "pictogram"])
def test_recoloured_copies_are_the_same_picture(project: Project, name: str) -> None:
    seen = 0
    for number, card in drawn(project, name, 30).items():
        image = raster.image(card, 512)
        grey = image.convert("L").convert("RGB")
        for copy in (grey, *(ImageEnhance.Brightness(one).enhance(by) for one in (image, grey) for by in (0.75, 1.25))):
            assert illustrations.Look(image).is_like(illustrations.Look(copy)), number
            seen += 1
        assert illustrations.Look(image).is_like(illustrations.Look(ImageEnhance.Color(image).enhance(0.3))), number
    assert seen == 40


@pytest.mark.parametrize("name", ["baseline", "seal"])
def test_copies_are_the_same_picture(project: Project, name: str) -> None:
    seen = 0
    for number, card in drawn(project, name, 30).items():
        image = raster.image(card, 512)
        for form, quality, size in (("JPEG", 30, 512), ("WEBP", 20, 500), ("JPEG", 80, 256), ("PNG", None, 300)):
            options = {"quality": quality} if quality else {}
            copy = opened(encoded(image.resize((size, size)), form, **options)).convert("RGB")
            assert illustrations.Look(image).is_like(illustrations.Look(copy)), (number, form)
            seen += 1
    assert seen == 32


@pytest.fixture(scope="session")
def load(project: Project) -> Callable[[Path], Project]:
    """The project in a folder that has nothing but illustrations."""
    return lambda root: replace(project, root=root, illustrations=projects._illustrations(root))


@pytest.fixture(scope="module")
def adopted(load, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a bitmap for 水, a drawing for 火, and one for 木."""
    copy = tmp_path_factory.mktemp("adopted")
    for glyph, content in (("水", encoded(painting())), ("火", TAKEN_DRAWINGS["gradients"]), ("木", TAKEN_DRAWINGS["arcs and dashes"])):
        project = load(copy)
        file = copy / "picture"
        file.write_bytes(content)
        adopt.take(project, adopt.plan(project, [(project.by_glyph[glyph].number, file)], adopt.Terms({})))
        file.unlink()
    return copy


def found(project: Project) -> list[str]:
    """What is found, in short."""
    return [f"{finding.where.rpartition('/')[2]} {finding.code}: {finding.message}" for finding in illustrations.examine(project)]


def test_nothing_is_found_on_what_was_adopted(load, adopted: Path, project: Project) -> None:
    assert len(load(adopted).illustrations) == 3
    assert found(load(adopted)) == []
    assert found(project) == []


def relist(project: Project) -> None:
    """List the files as they are now, as somebody would who wants them through."""
    root = project.root
    now = {
        number: one.model_copy(update={"stored": illustrations.sha256(illustrations.place(root, one).read_bytes())})
        for number, one in project.illustrations.items()
    }
    (root / projects.ILLUSTRATIONS).write_text(illustrations.dumped(now), "utf-8")


def test_every_fault_of_an_adopted_picture_is_found(load, adopted: Path) -> None:
    folder, listing = adopted / projects.ILLUSTRATED, adopted / projects.ILLUSTRATIONS
    whole = {path: path.read_bytes() for path in [*folder.iterdir(), listing]}

    def expect(*faults: str, relisted: bool = False) -> None:
        """See that these are found and no others, and mend them."""
        if relisted:
            relist(load(adopted))
        lines = found(load(adopted))
        assert len(lines) == len(faults)
        for line, fault in zip(lines, faults, strict=True):
            assert line.startswith(fault)
        for path in folder.iterdir():
            path.unlink()
        for path, content in whole.items():
            path.write_bytes(content)

    bitmap, drawing = folder / "radical_085.webp", folder / "radical_086.svg"
    bitmap.unlink()
    expect("radical_085.webp missing: is not there")
    bitmap.write_bytes(b"")
    expect("radical_085.webp stored: is not the file that was adopted", "radical_085.webp form: is empty")
    for content, fault in (
        (encoded(painting()), "is PNG of 300 × 300 pixels, should be WebP of 512 × 512"),
        (encoded(painting(), "WEBP"), "is WEBP of 300 × 300 pixels, should be"),
        (encoded(painting((512, 512))), "is PNG of 512 × 512 pixels, should be"),
        (encoded(Image.new("RGB", (512, 512)), "WEBP"), "is black"),
        (whole[drawing], "is not of the kind that its name says"),
    ):
        bitmap.write_bytes(content)
        expect(f"radical_085.webp form: {fault}", relisted=True)
    text = whole[drawing].decode()
    for old, new, fault in (
        ("<title", "<script/><title", "<script> runs code"),
        ("0 0 512 512", "0 0 511 511", "is not in the form in which drawings are stored"),
        ("illustrated-086", "illustrated-085", "is not in the form"),
    ):
        drawing.write_text(text.replace(old, new), "utf-8")
        expect(f"radical_086.svg form: {fault}", relisted=True)
    drawing.write_bytes(whole[bitmap])
    expect("radical_086.svg form: is not of the kind", relisted=True)
    (folder / "radical_001.webp").write_bytes(whole[bitmap])
    expect("radical_001.webp stray: is not in radicals/illustrations.yml")
    drawing.write_bytes((folder / "radical_075.svg").read_bytes().replace(b"illustrated-075", b"illustrated-086"))
    expect("radical_086.svg duplicate: shows the same picture as radical 75", relisted=True)
    listing.write_text("# mine\n" + listing.read_text("utf-8"), "utf-8")
    expect("illustrations.yml canonical")
    expect()
