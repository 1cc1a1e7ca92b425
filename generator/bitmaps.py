"""Raster pictures made elsewhere: what is refused, and how the rest becomes 512 × 512 WebP with its facts in it."""

import io
import struct
import warnings
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache

from PIL import ExifTags, Image, ImageCms, ImageOps, ImageStat

from generator import provenance
from generator.model import Error
from generator.provenance import Facts
from generator.svg import CANVAS

FORMATS = ("PNG", "JPEG", "WEBP")
SMALLEST = 256
"""Pixels that the shorter side must have."""
MOST_PIXELS = 40_000_000
TOO_LARGE = f"has more than {MOST_PIXELS // 1_000_000} megapixels, make it smaller"
LOPSIDED = 0.02
"""How much longer than the other a side may be in what passes for a square."""
FLAT = 4.0
"""Standard deviation, in levels of 255, under which nothing is to be seen: the smallest radical on its card has ten times as much."""
DARK, BRIGHT = 40, 215
"""Levels under and over which a flat picture is called black and blank."""
WEIGHT = 30_000
"""Bytes that a stored picture should weigh."""
LOSSLESS = 101
QUALITIES = (LOSSLESS, *range(95, 0, -5))
"""What is tried, from the best, until the picture is light enough."""
PNG_END = b"IEND\xaeB`\x82"
UNICODE = b"UNICODE\0"
"""How EXIF begins a comment in UTF-16."""

UNDECODABLE = (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, EOFError, struct.error, zlib.error, MemoryError)
"""What Pillow raises for files that are broken."""


def _opened(content: bytes) -> Image.Image:
    """The picture with its header read and nothing decoded. :class:`Error` if that says that it is too large."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is lower
        try:
            image = Image.open(io.BytesIO(content), formats=FORMATS)
        except Image.DecompressionBombError:
            raise Error(TOO_LARGE) from None
        except UNDECODABLE:
            raise Error("cannot be decoded, get the whole file or save it again as PNG, JPEG or WebP") from None
    if image.width * image.height > MOST_PIXELS:
        raise Error(TOO_LARGE)
    return image


def decoded(content: bytes) -> Image.Image:
    """The whole picture, upright. :class:`Error` if it is too large, animated, or cannot be decoded to its end."""
    image = _opened(content)
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise Error(f"is animated ({image.n_frames} frames), save one of them as a picture")  # type: ignore[attr-defined]
    if image.format == "PNG" and PNG_END not in content:
        raise Error("is truncated, get the whole file")
    try:
        if image.format == "PNG":
            image.verify()  # every chunk, to the last
            image = _opened(content)
        image.load()
        return ImageOps.exif_transpose(image)
    except UNDECODABLE as error:
        raise Error(f"cannot be decoded ({error}), get the whole file or save it again") from None


def _srgb(image: Image.Image) -> Image.Image:
    """The colours as every screen shows them."""
    if image.mode.startswith("I;16"):  # Pillow would cut off what it cannot hold
        image = image.point(lambda level: level / 257, "I").convert("L")
    colours = image if image.mode == "CMYK" else image.convert("RGB")
    if profile := image.info.get("icc_profile"):
        try:
            own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(colours, own, srgb, outputMode="RGB") or colours
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile of another kind of colours, or a broken one: the plain values are the best guess
    return colours.convert("RGB")


def on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """The picture without transparency, and whether it had any."""
    colours = _srgb(image)
    if not image.has_transparency_data:
        return colours, False
    alpha = image.convert("RGBA").getchannel("A")
    white = Image.new("RGB", image.size, "white")
    return Image.composite(colours, white, alpha), alpha.getextrema()[0] < 255  # type: ignore[operator]


def refuse_flat(image: Image.Image) -> None:
    """:class:`Error` for a picture that shows nothing."""
    measured = ImageStat.Stat(image)
    if max(measured.stddev) < FLAT:
        level = sum(measured.mean) / len(measured.mean)
        kind = "black" if level < DARK else "blank" if level > BRIGHT else "of one flat colour"
        raise Error(f"is {kind}, choose a picture that shows something")


def _is_lopsided(width: float, height: float) -> bool:
    return abs(width - height) > LOPSIDED * min(width, height)


def refuse_lopsided(width: float, height: float, crop: bool) -> None:
    """:class:`Error` for what is not square, unless it may be cut."""
    if not crop and _is_lopsided(width, height):
        raise Error(f"{width:g} × {height:g} is not square, cut it or give --crop to take its middle")


def squared(content: bytes, crop: bool) -> tuple[Image.Image, list[str]]:
    """The picture as it will be shown, and what was done to it. :class:`Error` if it is refused."""
    image = decoded(content)
    width, height = image.size
    if min(width, height) < SMALLEST:
        raise Error(f"{width} × {height} pixels are too few, each side needs {SMALLEST}")
    refuse_lopsided(width, height, crop)
    flat, was_transparent = on_white(image)
    square = ImageOps.fit(flat, (CANVAS, CANVAS), Image.Resampling.LANCZOS)
    refuse_flat(square)
    notes = [f"{width} × {height}"] if (width, height) != (CANVAS, CANVAS) else []
    notes += ["its middle"] if _is_lopsided(width, height) else []
    return square, notes + (["laid on white"] if was_transparent else [])


def _comment(exif: Image.Exif) -> str:
    """The user's comment in EXIF."""
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
    if isinstance(comment, str):
        return comment
    if not isinstance(comment, bytes):
        return ""
    if comment.startswith(UNICODE):
        text = comment.removeprefix(UNICODE)
        return text.decode("utf-16-le" if text[1:2] == b"\0" else "utf-16-be", "ignore")
    return comment.removeprefix(b"ASCII\0\0\0").decode("utf-8", "ignore")


def _told(content: bytes) -> tuple[dict[str, str], Image.Exif, bytes]:
    """Text chunks, EXIF and XMP of a picture; empty where there are none."""
    image = _opened(content)
    try:
        chunks, exif = getattr(image, "text", {}), image.getexif()
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
        return dict(chunks), exif, packet.encode() if isinstance(packet, str) else packet
    except UNDECODABLE:
        return {}, Image.Exif(), b""


def _generator_parameters(chunks: dict[str, str], exif: Image.Exif) -> str:
    text = chunks.get("parameters") or _comment(exif)
    return text if any(name != "prompt" for name, _ in provenance.parameters(text)) else ""


def _stated(chunks: dict[str, str], exif: Image.Exif, packet: bytes) -> Iterator[tuple[str, str]]:
    with suppress(Error):  # metadata that cannot be read say nothing
        yield from provenance.described(provenance.parsed(packet)) if packet else ()
    yield from provenance.texts(chunks)
    yield from provenance.parameters(_generator_parameters(chunks, exif))
    for name, tag in (("author", ExifTags.Base.Artist), ("licence", ExifTags.Base.Copyright)):
        if isinstance(value := exif.get(tag), str):
            yield name, value


def facts(content: bytes) -> Facts:
    """What the picture says of where it comes from."""
    return provenance.stated(provenance.licensed(_stated(*_told(content))))


def _is_machine_made(content: bytes, chunks: dict[str, str], known: Facts) -> bool:
    told = provenance.MACHINE_MADE.encode() in content  # in XMP, and in content credentials
    return told or provenance.is_generated(known) or any(key.lower() in provenance.GENERATORS for key in chunks)


def _exif(text: str) -> bytes:
    """EXIF with generator parameters in it; empty where there are none."""
    if not text:
        return b""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = UNICODE + text.encode("utf-16-be")
    return exif.tobytes()


def _light(encoded: Callable[[int], bytes]) -> bytes:
    """The best quality that weighs no more than it should, or the lightest there is."""
    kept = cache(encoded)
    best = bisect_left(QUALITIES, True, hi=len(QUALITIES) - 1, key=lambda quality: len(kept(quality)) <= WEIGHT)
    return kept(QUALITIES[best])


def stored(content: bytes, known: Facts, crop: bool) -> tuple[bytes, list[str]]:
    """The picture as it is stored, with the facts in it, and what was done to it. :class:`Error` if it is refused."""
    square, notes = squared(content, crop)
    chunks, exif, _ = _told(content)
    own = _generator_parameters(chunks, exif)
    agrees = dict(provenance.stated(provenance.parameters(own))).items() <= known.items()
    words = own if own and agrees and len(own) <= provenance.LONGEST else provenance.composed(known)
    packet = provenance.xmp(provenance.terms(known, _is_machine_made(content, chunks, known)))

    def encoded(quality: int) -> bytes:
        out = io.BytesIO()
        lossless = {"lossless": True, "quality": 75} if quality == LOSSLESS else {"quality": quality}
        square.save(out, "WEBP", method=4, xmp=packet, exif=_exif(words), **lossless)
        return out.getvalue()

    return _light(encoded), notes


def prove(content: bytes) -> None:
    """:class:`Error` if this is not a picture as it is stored."""
    image, form = decoded(content), _opened(content).format
    if (form, *image.size) != ("WEBP", CANVAS, CANVAS):
        raise Error(f"is {form} of {image.width} × {image.height} pixels, should be WebP of {CANVAS} × {CANVAS}")
    refuse_flat(image.convert("RGB"))
