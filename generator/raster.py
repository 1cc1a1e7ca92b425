"""SVG to pixels, through CairoSVG; PNG files without date or software in them: same card, same bytes."""

import hashlib
import io
import os
import threading
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path
from types import ModuleType

from PIL import Image

from generator.model import Error

NO_CAIRO = "libcairo is missing, install it: apt install libcairo2 (Debian), dnf install cairo (Fedora) or brew install cairo (macOS)"
GAP = 4
"""Pixels between the cards of a sheet."""
GROUND = "#f5f2ea"


def _cairosvg() -> ModuleType:
    try:
        import cairosvg
    except OSError:
        raise Error(NO_CAIRO) from None
    return cairosvg  # type: ignore[no-any-return]


def image(svg: str, size: int) -> Image.Image:
    """A card as a picture of *size* × *size* pixels."""
    drawn: bytes = _cairosvg().svg2png(bytestring=svg.encode(), output_width=size, output_height=size)
    return Image.open(io.BytesIO(drawn)).convert("RGB")


def packed(picture: Image.Image) -> bytes:
    """A picture as an optimised PNG."""
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def opened(content: bytes, size: int) -> Image.Image:
    """A card's file, SVG text or an illustration's pixels, as a picture of *size* × *size* pixels."""
    if content.lstrip()[:1] == b"<":
        return image(content.decode(), size)
    return Image.open(io.BytesIO(content)).convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def png(content: bytes, size: int) -> bytes:
    """A card's file as a PNG of *size* × *size* pixels."""
    return packed(opened(content, size))


def cached(folder: Path, cards: Sequence[bytes], size: int) -> list[Path]:
    """The cards' PNG files in *folder*: those of the same text and size drawn before are taken, the others drawn now."""
    paths = [folder / f"{hashlib.sha256(b'%d ' % size + card).hexdigest()}.png" for card in cards]
    missing = [(path, card) for path, card in zip(paths, cards, strict=True) if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        _cairosvg()  # so that a missing libcairo is said once, here
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        # A fork leaves other threads behind, and may wait for ever for what they held.
        how = get_context("spawn" if threading.active_count() > 1 else None)
        with ProcessPoolExecutor(mp_context=how) as pool:
            list(pool.map(_keep, *zip(*missing, strict=True), repeat(size), chunksize=16))
    return paths


def _keep(path: Path, card: bytes, size: int) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")  # two commands may draw the same at once
    temporary.write_bytes(png(card, size))
    temporary.replace(path)


def sheet(cards: Sequence[Image.Image], size: int, columns: int = 18) -> Image.Image:
    """A contact sheet of pictures, *size* pixels each, in rows."""
    step, rows = size + GAP, -(-len(cards) // columns)
    made = Image.new("RGB", (GAP + step * min(columns, len(cards)), GAP + step * rows), GROUND)
    for index, picture in enumerate(cards):
        row, column = divmod(index, columns)
        made.paste(picture, (GAP + step * column, GAP + step * row))
    return made
