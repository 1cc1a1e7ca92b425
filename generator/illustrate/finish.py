"""Finishing: what a model gave becomes a candidate's PNG, 512 × 512, measured, with everything in it that makes it again.

No clock and no version of a program goes into the file: the same pixels of the same request are the same bytes.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator import provenance
from generator.illustrate import examine
from generator.illustrate.making import Made, Spoilt
from generator.illustrate.requests import SIDE, Request, canonical
from generator.model import Error

if TYPE_CHECKING:
    from PIL import Image

BLACK = 0.02
"""Brightest value, of 1, under which a picture is black."""
FLAT = 0.012
"""Standard deviation, of 1, that no channel of a flat picture reaches."""
QUICK = 1
"""How hard PNG packs: an eighth larger than usual, in a fifth of the time, for which a graphics card would wait."""
PARAMETERS, REQUEST, XMP = "parameters", "bushu", "XML:com.adobe.xmp"
"""The text chunks: for other galleries, what decides the pixels as JSON, and what is standardised."""
GUIDANCE = ("guidance_scale", "true_cfg_scale", "guidance")
"""What pipelines call the scale of classifier-free guidance."""


@dataclass(frozen=True, slots=True)
class Product:
    """A candidate's files and facts: the PNG, what the model gave (if more than pixels) with its ``ending``, and how it was made."""

    png: bytes
    original: bytes
    ending: str
    made: dict[str, Any]


def finish(request: Request, made: Made, facts: Mapping[str, Any]) -> Product | Spoilt:
    """What a model gave as a candidate, or why it came to nothing.

    ``made`` of the product is *facts* and the model's own ones with ``measured``: see :data:`generator.illustrate.examine.measures`.
    """
    given = _decoded(made.pixels) if isinstance(made.pixels, bytes) else made.pixels
    if isinstance(given, Spoilt):
        return given
    if spoilt := next(faults(given), None):
        return spoilt
    picture = scaled(_image(given))
    known = {**facts, **made.facts, "measured": examine.measured(picture)}
    return Product(encoded(picture, request), made.original, made.ending, known)


def _decoded(content: bytes) -> Any:
    """The pixels of a file as floats from 0 to 1, upright, in sRGB and laid on white."""
    import numpy as np

    from generator import bitmaps

    try:
        return np.asarray(bitmaps.on_white(bitmaps.decoded(content))[0], np.float32) / 255
    except Error as error:
        return Spoilt("undecodable", str(error))


def faults(pixels: Any) -> Iterator[Spoilt]:
    """Why nothing is to be seen. What is not a number is looked for first: it would make everything else true or false by chance."""
    import numpy as np

    if not np.isfinite(pixels).all():
        yield Spoilt("nan", f"{np.size(pixels) - np.isfinite(pixels).sum()} of {np.size(pixels)} values are not finite")
        return
    values = np.asarray(pixels, np.float32)
    if values.max() < BLACK:
        yield Spoilt("black", f"no value above {values.max():.3f}")
    elif (deviation := max(values[..., channel].std() for channel in range(values.shape[-1]))) < FLAT:
        yield Spoilt("flat", f"standard deviation {deviation:.4f}")


def _image(pixels: Any) -> "Image.Image":
    import numpy as np
    from PIL import Image

    levels = np.rint(np.clip(np.asarray(pixels, np.float32), 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(levels)


def scaled(image: "Image.Image") -> "Image.Image":
    """The middle of a picture as a square of 512 × 512 pixels."""
    from PIL import Image, ImageOps

    return ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS)


def encoded(picture: "Image.Image", request: Request) -> bytes:
    """A picture as PNG with what makes it again: the same picture and request, the same bytes."""
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    for name, text in texts(request).items():
        chunks.add_itxt(name, text)
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=chunks, compress_level=QUICK)
    return out.getvalue()


def texts(request: Request) -> dict[str, str]:
    """The text chunks of a request's PNG."""
    known = provenance.stated([("model", _model(request)), ("prompt", request.prompt), ("seed", str(request.seed))])
    packet = provenance.xmp(provenance.terms(known, machine_made=True))
    return {PARAMETERS: parameters(request), REQUEST: canonical(request.decisive), XMP: packet.decode()}


def _model(request: Request) -> str:
    return str(request.settings.get("repo") or request.model)


def parameters(request: Request) -> str:
    """The request in the form that programs for Stable Diffusion write and galleries read: prompts, then a line of settings."""
    call = request.settings.get("call", {})
    size = request.settings.get("size", SIDE)
    settings = {
        "Steps": call.get("num_inference_steps"),
        "Sampler": _sampler(request.settings.get("scheduler")),
        "CFG scale": next((call[name] for name in GUIDANCE if name in call), None),
        "Seed": request.seed,
        "Size": f"{size}x{size}",
        "Model": _model(request),
        "Denoising strength": call.get("strength"),
    }
    negative = [f"Negative prompt: {request.negative}"] if request.negative else []
    return "\n".join([request.prompt, *negative, ", ".join(f"{name}: {value}" for name, value in settings.items() if value is not None)])


def _sampler(scheduler: Mapping[str, Any] | None) -> str | None:
    """The scheduler's class, as far as it names a method."""
    return str(scheduler["name"]).removesuffix("Scheduler") if scheduler and "name" in scheduler else None
