"""Pictures by pipelines of the library diffusers, on a graphics card, an Apple chip or the processor.

The same seed gives the same bytes at one picture at a time: noise comes from a generator of the processor for each picture.
Attention is left to torch's own kernels, which take no more memory than slices of it do and are faster.
"""

import gc
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import signature
from math import ceil
from typing import Any

from generator.illustrate.causes import imported, told
from generator.illustrate.finish import faults
from generator.illustrate.loading import library, pipeline
from generator.illustrate.making import Here, Job, Made, Maker, Outcome, Spoilt
from generator.model import Error

MOST = 32
"""Pictures at once on a graphics card, at most."""
FEW = 2
"""Steps of a probe image."""
LONGEST = 1 << 20
"""Tokens; no prompt has as many."""


def maker(settings: Mapping[str, Any], here: Here) -> Maker:
    """What makes pictures with the pipeline of a profile's settings: floats, as they come, NaN included.

    :class:`Error` where the model or the device cannot be used; :class:`~generator.illustrate.making.OutOfMemory` where it has
    no room.
    """
    torch = capped(here)
    library()
    found(torch, here.device)
    pipe = pipeline(settings, here.folder)
    with told(settings, "cannot be brought to the device"):
        _placed(torch, pipe, here)
    takes = signature(pipe.__call__).parameters

    def make(jobs: Sequence[Job]) -> list[Outcome]:
        if len({bool(job.request.negative) for job in jobs}) > 1:  # no negative prompt may mean something else than an empty one
            return [outcome for job in jobs for outcome in make([job])]
        with told(settings, "cannot make a picture"):
            made = pipe(**_arguments(torch, takes, jobs))
            spoilt = getattr(made, "nsfw_content_detected", None) or [False] * len(jobs)
            outcomes = [_outcome(pipe, takes, *each) for each in zip(jobs, made.images, spoilt, strict=True)]
        if here.device == "mps":  # its allocator keeps what it once had
            del made
            gc.collect()
            torch.mps.empty_cache()
        return outcomes

    # Several conditioning images at once are a batch to pipelines with a UNet, and one picture's references to others.
    many = here.device.startswith("cuda") and not here.frugality and ("image" not in settings or hasattr(pipe, "unet"))
    return Maker(make, MOST if many else 1)


def capped(here: Here) -> Any:
    """The library torch, which takes no more memory of a device than it may; to be called before anything else imports it."""
    kind = here.device.partition(":")[0]
    if kind == "mps":
        _watermarks(here.memory)
    with imported():
        import torch
    if here.threads:
        torch.set_num_threads(here.threads)
    if kind == "cuda" and torch.cuda.is_available():
        torch.backends.cudnn.deterministic = True
        if here.memory and (at := torch.device(here.device).index or 0) < torch.cuda.device_count():
            whole = torch.cuda.get_device_properties(at).total_memory
            torch.cuda.set_per_process_memory_fraction(min(1.0, here.memory / whole), at)
    if kind == "mps" and here.memory and torch.backends.mps.is_available():
        torch.mps.set_per_process_memory_fraction(min(1.0, here.memory / torch.mps.recommended_max_memory()))
    return torch


def _watermarks(memory: int) -> None:
    """Bounds of the allocator for Apple chips, read when torch starts. Without them it takes more than the machine has.

    They are shares of what Metal recommends, which is less than the whole memory: what they let through is then bounded exactly.
    """
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    if memory:
        import psutil

        high = min(1.0, memory / psutil.virtual_memory().total)
        os.environ["PYTORCH_MPS_HIGH_WATERMARK_RATIO"] = f"{high:.3f}"
        os.environ["PYTORCH_MPS_LOW_WATERMARK_RATIO"] = f"{0.9 * high:.3f}"


def devices(torch: Any) -> list[str]:
    """The devices that torch finds here, the best one first."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [*["cuda"] * bool(cards), *(f"cuda:{at}" for at in range(cards)), *["mps"] * torch.backends.mps.is_available(), "cpu"]


def found(torch: Any, device: str) -> str:
    """The device of that name, the best one for ``auto``; :class:`Error` where it is not here."""
    known = devices(torch)
    if device not in ("auto", *known):
        raise Error(f"{device}: torch finds no such device here, take one of {', '.join(known)}")
    return known[0] if device == "auto" else device


def _placed(torch: Any, pipe: Any, here: Here) -> None:
    """Bring a pipeline to its device as frugally as asked.

    Pictures are decoded one by one even in a batch: that takes as long and a share of the memory.
    """
    if hasattr(getattr(pipe, "vae", None), "enable_slicing"):
        pipe.vae.enable_slicing()
    if here.device != "mps":
        for name in ("unet", "vae", "controlnet"):
            if isinstance(part := getattr(pipe, name, None), torch.nn.Module):
                part.to(memory_format=torch.channels_last)
    if here.frugality > 1 and here.device.startswith("cuda"):
        pipe.enable_model_cpu_offload(device=here.device)
    else:
        pipe.to(here.device)


def _arguments(torch: Any, takes: Mapping[str, Any], jobs: Sequence[Job]) -> dict[str, Any]:
    """The arguments of the call that makes pictures of jobs with the same settings."""
    requests = [job.request for job in jobs]
    settings = requests[0].settings
    size = settings["size"]
    given: dict[str, Any] = {
        "prompt": [request.prompt for request in requests],
        "generator": [torch.Generator("cpu").manual_seed(request.seed) for request in requests],
        "output_type": "np",
    }
    if "negative_prompt" in takes and any(request.negative for request in requests):
        given["negative_prompt"] = [request.negative for request in requests]
    if image := settings.get("image"):
        given[image] = [_picture(job) for job in jobs]
    return given | {side: size for side in ("width", "height") if side in takes} | dict(settings.get("call", {}))


def _picture(job: Job) -> Any:
    from PIL import Image

    if not job.condition:
        raise Error(f"{job.request.model}: {job.request.mode} needs a conditioning image, none was given")
    return Image.open(io.BytesIO(job.condition)).convert("RGB")


def _outcome(pipe: Any, takes: Mapping[str, Any], job: Job, pixels: Any, spoilt: bool) -> Outcome:
    if spoilt:
        return Spoilt("safety", "the model's safety checker blanked it")
    unread = _unread(pipe, takes, job.request.prompt)
    return Made(pixels, facts={"truncated": unread} if unread else {})


def _unread(pipe: Any, takes: Mapping[str, Any], prompt: str) -> int:
    """Tokens at the end of a prompt that none of the text encoders sees."""
    longest = getattr(takes.get("max_sequence_length"), "default", None) or LONGEST
    parts = [part for name, part in pipe.components.items() if name.startswith("tokenizer") and part is not None]
    tokenizers = [getattr(part, "tokenizer", part) for part in parts]  # of a processor, which takes images too
    return max(0, min((len(each(prompt).input_ids) - min(each.model_max_length, longest) for each in tokenizers), default=0))


def probe_image(maker: Maker, job: Job) -> str:
    """What becomes of a picture of a job on this device, by as few steps as it takes to see: ``sound``, ``nan``, ``black``, ``flat``."""
    (outcome,) = maker.make([_hurried(job)])
    fault = next(faults(outcome.pixels), None) if isinstance(outcome, Made) else None
    return fault.code if fault else "sound"


def _hurried(job: Job) -> Job:
    """A job in a few steps; of img2img, which skips the first ones, so many that a few are left."""
    call = dict(job.request.settings.get("call", {}))
    if "num_inference_steps" in call:
        call["num_inference_steps"] = min(call["num_inference_steps"], ceil(FEW / call.get("strength", 1)))
    return replace(job, request=replace(job.request, settings={**job.request.settings, "call": call}))
