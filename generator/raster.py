"""SVG to pixels, through CairoSVG."""

import hashlib
import io
from pathlib import Path
from types import ModuleType

from PIL import Image

from generator.model import Error

NO_CAIRO = "libcairo is missing; install it with: apt install libcairo2 (Debian), dnf install cairo (Fedora) or brew install cairo (macOS)"


def _cairosvg() -> ModuleType:
    try:
        import cairosvg
    except OSError:
        raise Error(NO_CAIRO) from None
    return cairosvg  # type: ignore[no-any-return]


def png(svg: str, size: int) -> bytes:
    """A card as a PNG of *size* × *size* pixels, without date or software in it: same card, same bytes."""
    drawn: bytes = _cairosvg().svg2png(bytestring=svg.encode(), output_width=size, output_height=size)
    packed = io.BytesIO()
    Image.open(io.BytesIO(drawn)).convert("RGB").save(packed, "PNG", optimize=True)
    return packed.getvalue()


def image(svg: str, size: int) -> Image.Image:
    """A card as a picture in memory."""
    drawn: bytes = _cairosvg().svg2png(bytestring=svg.encode(), output_width=size, output_height=size)
    return Image.open(io.BytesIO(drawn)).convert("RGB")


def cached(folder: Path, svg: str, size: int) -> Path:
    """The card's PNG in *folder*, drawn only if no card of the same text and size was drawn before."""
    key = hashlib.sha256(f"{size}\n{svg}".encode()).hexdigest()
    path = folder / f"{key}.png"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(png(svg, size))
        temporary.replace(path)
    return path
