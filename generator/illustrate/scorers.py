"""Scorers: how good a candidate is, by the form of its glyph or by what a model learnt of people's choices.

Scores are compared only among pictures of one prompt; see :mod:`generator.illustrate.ranking`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.illustrate.causes import told
from generator.illustrate.examine import Measured
from generator.illustrate.making import OutOfMemory
from generator.model import Error, Registry
from generator.store import Candidate

if TYPE_CHECKING:
    from PIL import Image

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Means:
    """What scorers may use: weights by the scorer's name, a repository or a folder, in place of the usual ones; and a device."""

    weights: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Scorer:
    """Gives candidates with their measurements a score, more for better, or None where it has nothing to say.

    ``basis``: what the score follows from besides the picture and its prompt. A score is kept until that is another one; empty
    where it costs nothing to have it again.
    """

    basis: str
    score: Callable[[Candidate, Measured], float | None]


scorers: Registry[Callable[[Means], Scorer | None]] = Registry()
"""Scorers by name; None where one has not what it needs."""


def ready(means: Means) -> dict[str, Scorer]:
    """The scorers that have what they need. :class:`Error` for weights that were given by name and are not there."""
    return {name: scorer for name, make in scorers.items() if (scorer := make(means))}


class Unreadable(Error):
    """A picture is gone or torn; the others are not concerned."""


def opened(candidate: Candidate) -> "Image.Image":
    """A candidate's picture; :class:`Unreadable` if it is none."""
    from PIL import Image

    try:
        return Image.open(candidate.path).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # Pillow has all of these for torn files
        raise Unreadable(f"{candidate.path}: cannot be read ({error}), delete {candidate.key}.json to have it made again") from None


@scorers
def legibility(means: Means) -> Scorer:
    """How clearly the radical is to be seen where its form is the picture; less by as many others as are clearer."""

    def score(candidate: Candidate, known: Measured) -> float | None:
        reading = known.get("legible")
        return reading and round(reading["correlation"] / reading["rank"], 4)

    return Scorer("", score)


@scorers
def clip(means: Means) -> Scorer | None:
    """How well picture and prompt go together for CLIP."""
    return _dual("clip", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K", "", means)


@scorers
def pickscore(means: Means) -> Scorer | None:
    """The same for PickScore, a CLIP trained on what people chose among pictures of one prompt."""
    return _dual("pickscore", "yuvalkirstain/PickScore_v1", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K", means)


def _dual(name: str, repo: str, processor: str, means: Means) -> Scorer | None:
    """A scorer by two encoders, of pictures and of texts, if its weights are on this machine; *processor* is where else its words are."""
    given = means.weights.get(name)
    folder = there(given or repo, WEIGHTS)
    words = folder if given or not processor else there(processor, "preprocessor_config.json")
    if given and not folder:
        raise Error(f"{given}: has no {WEIGHTS} on this machine, download it or give a folder")
    if not folder or not words:
        return None
    file = (folder / WEIGHTS).stat()
    return Scorer(f"{given or repo} {file.st_size} {file.st_mtime_ns}", _similarity(folder, words, means.device))


def there(repo: str, file: str) -> Path | None:
    """The folder that has a file: a folder itself, or a repository's in the hub's cache. Nothing is downloaded."""
    if Path(repo).is_dir():
        return Path(repo) if (Path(repo) / file).is_file() else None
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(repo, file)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _similarity(folder: Path, words: Path, device: str) -> Callable[[Candidate, Measured], float]:
    """The cosine of what a model sees in a picture and what it reads in the prompt. One at a time: a batch would decide the last digits."""

    @cache
    def loaded() -> tuple[Any, Any]:
        from transformers import AutoModel, AutoProcessor

        try:
            with told({"repo": folder}):
                model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
                return model.to(device).eval(), AutoProcessor.from_pretrained(words, local_files_only=True)
        except OutOfMemory:
            raise Error(f"{folder}: has no room on {device}, rank without it: move it out of the hub's cache") from None

    def score(candidate: Candidate, known: Measured) -> float:
        import torch

        model, processor = loaded()
        prompt = str(candidate.request["prompt"])
        inputs = processor(text=[prompt], images=[opened(candidate)], return_tensors="pt", padding=True, truncation=True)
        with torch.inference_mode():
            seen = model(**inputs.to(device))
        return round(float((seen.image_embeds * seen.text_embeds).sum()), 5)

    return score


def combined(scores: Sequence[Mapping[str, float]]) -> list[float]:
    """One score each for the pictures of one prompt: the mean, over the scorers, of the share of pictures that are no better.

    Scores of different scorers are on different scales; shares are not. Equal ones share their places; a picture that nothing is
    said of is in the middle.
    """
    columns = {name: sorted(one[name] for one in scores if name in one) for name in sorted({name for one in scores for name in one})}
    return [_mean([_share(columns[name], value) for name, value in sorted(one.items())]) for one in scores]


def _share(column: Sequence[float], value: float) -> float:
    from bisect import bisect_left, bisect_right

    return (bisect_left(column, value) + bisect_right(column, value)) / (2 * len(column))


def _mean(shares: Sequence[float]) -> float:
    return round(sum(shares) / len(shares), 4) if shares else 0.5
