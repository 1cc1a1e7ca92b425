"""Pipelines of the library diffusers, put together as a profile says: from the hub or a folder, safetensors only, no remote code."""

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from generator.illustrate.causes import imported, is_local, told
from generator.illustrate.making import needed
from generator.model import Error

OURS = ("prompt", "negative_prompt", "generator", "output_type", "return_dict", "num_images_per_prompt")
"""Arguments of the call that the request decides."""
IMAGES = ("control_image", "image")
"""What calls name a conditioning image."""
IMPOSSIBLE = ("Control", "Img2Img", "Pix2Pix", "Upscale", "Edit", "Adapter")
"""In the names of pipelines that make nothing without one, though the signatures of their calls say that it may be left out."""
CLASS = "give the name of a class of diffusers"

SAFE = ".safetensors"


def library() -> Any:
    """The library diffusers, silent: what it has to say is said in one line, as an :class:`Error`."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    with imported():
        import diffusers
        from diffusers.utils import logging
        from huggingface_hub.utils import disable_progress_bars
        from transformers.utils import logging as words
    for log in (logging, words):
        log.set_verbosity(log.CRITICAL)
        log.disable_progress_bar()
    if os.environ.get("TQDM_POSITION") != "-1":  # with which whoever started this process reads them
        disable_progress_bars()
    warnings.simplefilter("ignore")
    return diffusers


def faults(settings: Mapping[str, Any]) -> list[str]:
    """What diffusers would not take of a profile's settings, found without weights: ``key: what is wrong, what would be right``."""
    diffusers = library()
    name = settings.get("pipeline", "")
    pipelines = [known for known in dir(diffusers) if known.endswith("Pipeline") and known != "DiffusionPipeline"]
    if name not in pipelines:
        return [f"pipeline: {_unknown(name, pipelines, CLASS)}"]
    if "subfolder" in settings:
        return ["subfolder: a pipeline is loaded from the top of its repository, leave it out"]
    kind = getattr(diffusers, name)
    return [*_parts(settings, kind), *_scheduler(settings.get("scheduler", {})), *_call(settings, kind)]


def _parts(settings: Mapping[str, Any], kind: Any) -> Iterator[str]:
    known = signature(kind.__init__).parameters
    parts = dict(settings.get("components", {}))
    for part in sorted(parts.keys() - known.keys()):
        yield f"components.{part}: {_unknown(part, known)}"
    if control := settings.get("controlnet"):
        if "controlnet" not in known:
            yield f"controlnet: {kind.__name__} takes none, choose a pipeline with ControlNet in its name"
        parts["controlnet"] = control
    elif "controlnet" in known and "controlnet" not in parts:
        yield f"controlnet: {kind.__name__} needs one, give controlnet: {{kind: …, repo: …}}"
    for part, spec in parts.items():
        if not hasattr(_class(spec["kind"]), "from_pretrained"):
            yield f"{part}.kind: {_unknown(spec['kind'], dir(library()), CLASS)}"
    adapters = settings.get("adapters", [])
    if adapters and not hasattr(kind, "load_lora_weights"):
        yield f"adapters: {kind.__name__} takes none, leave them out"
    for spec in (*parts.values(), *adapters):
        if not (file := spec.get("file", SAFE)).endswith(SAFE):
            yield f"file: {file} is no file of safetensors, and nothing else is loaded"


def _scheduler(spec: Mapping[str, Any]) -> Iterator[str]:
    if not spec:
        return
    diffusers = library()
    schedulers = [known for known in dir(diffusers) if known.endswith("Scheduler")]
    if "name" not in spec:
        yield f"scheduler.name: missing, {CLASS}"
        return
    if (name := str(spec["name"])) not in schedulers:
        yield f"scheduler: {_unknown(name, schedulers, CLASS)}"
        return
    known = signature(getattr(diffusers, name).__init__).parameters
    for option in sorted(spec.keys() - known.keys() - {"name"}):
        yield f"scheduler.{option}: {_unknown(option, known)}"


def _call(settings: Mapping[str, Any], kind: Any) -> Iterator[str]:
    known = [name for name in signature(kind.__call__).parameters if name != "self" and name not in OURS]
    for name in settings.get("call", {}):
        if name in OURS:
            yield f"call.{name}: is for the request to say, leave it out"
        elif name not in known:
            yield f"call or guidance: {kind.__name__} does not take {name!r}, {_nearest(name, known)}"
    images = [name for name in IMAGES if name in known]
    if not (image := settings.get("image")):
        if images and _needy(kind, images):
            yield f"image: {kind.__name__} needs one, give image: the kind of conditioning image"
    elif image not in known:
        yield f"image: {kind.__name__} takes none as {image!r}, {f'name {images[0]}' if images else 'choose a pipeline that does'}"


def _needy(kind: Any, images: Iterable[str]) -> bool:
    """True if a pipeline makes nothing without an image."""
    takes = signature(kind.__call__).parameters
    required = any(takes[name].default is Parameter.empty for name in images)
    return required or "strength" in takes or any(part in kind.__name__ for part in IMPOSSIBLE)


def _class(name: str) -> Any:
    """A class of diffusers, or of transformers; None if neither has it."""
    import transformers

    return getattr(library(), name, None) or getattr(transformers, name, None)


def _nearest(name: str, known: Iterable[str], otherwise: str = "leave it out") -> str:
    """The known name that is most like the unknown one (Euler is the EulerDiscreteScheduler), or what to do if none is alike."""
    names = [other for other in known if other != "self"]
    within = [other for other in names if name and name.lower() in other.lower()]
    begin = [other for other in within if other.lower().startswith(name.lower())]
    close = get_close_matches(name, begin or within or names, n=1, cutoff=0 if within else 0.6)
    return f"did you mean {close[0]}?" if close else otherwise


def _unknown(name: str, known: Iterable[str], otherwise: str = "leave it out") -> str:
    return f"unknown {name!r}, {_nearest(name, known, otherwise)}"


def pipeline(settings: Mapping[str, Any], folder: Path) -> Any:
    """The pipeline of a profile's settings, on the CPU. A ``repo`` that is a folder is counted from *folder*.

    :class:`Error` where it cannot be had, in a line that says what would help; :class:`OutOfMemory` where it has no room.
    """
    diffusers = library()
    repo = settings.get("repo", "")
    if found := faults(settings):
        raise Error("\n".join(f"{repo}: {fault}" for fault in found))
    import torch

    dtype = getattr(torch, settings.get("dtype", "float32"))
    parts = dict(settings.get("components", {})) | ({"controlnet": settings["controlnet"]} if "controlnet" in settings else {})
    loaded = {part: _component(spec, folder, dtype) for part, spec in parts.items()}
    variant = {"variant": settings["variant"]} if "variant" in settings else {}
    with told(settings):
        place, where = _place(settings, folder)
        pipe = getattr(diffusers, settings["pipeline"]).from_pretrained(place, **where, **variant, **loaded, dtype=dtype)
        if options := dict(settings.get("scheduler", {})):
            pipe.scheduler = getattr(diffusers, options.pop("name")).from_config(pipe.scheduler.config, **options)
        _adapt(pipe, settings.get("adapters", []), folder)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _component(spec: Mapping[str, Any], folder: Path, dtype: Any) -> Any:
    """A part that is loaded for itself; one with a ``file`` is of a repository that has no more than that."""
    with told(spec):
        kind = _class(spec["kind"])
        repo, where = _place(spec, folder)
        if file := spec.get("file"):
            return kind.from_single_file(_file(repo, where, file), **_config(spec.get("config", {}), folder), dtype=dtype)
        return kind.from_pretrained(repo, **where, **_inside(spec), dtype=dtype)


def _adapt(pipe: Any, adapters: list[Mapping[str, Any]], folder: Path) -> None:
    """Add LoRAs to the weights for good, which costs no time in the call."""
    if not adapters:
        return
    if find_spec("peft") is None:
        raise needed("peft", "diffusion")
    names = [f"adapter{at}" for at, _ in enumerate(adapters)]
    for name, spec in zip(names, adapters, strict=True):
        with told(spec):
            repo, where = _place(spec, folder)
            pipe.load_lora_weights(repo, **where, **_inside(spec), weight_name=spec["file"], adapter_name=name)
    pipe.set_adapters(names, [spec.get("scale", 1.0) for spec in adapters])
    pipe.fuse_lora(adapter_names=names)
    pipe.unload_lora_weights()


def _place(spec: Mapping[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    """Where weights are, and how they are to be loaded."""
    repo = str(spec.get("repo", ""))
    if not is_local(repo):
        return repo, {"revision": spec.get("revision", "main"), "use_safetensors": True}
    if not (path := folder / repo).is_dir():
        raise Error(f"{repo}: there is no such folder of weights, download them there or give a repository of the hub")
    return str(path), {"use_safetensors": True}


def _inside(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"subfolder": spec["subfolder"]} if "subfolder" in spec else {}


def _config(spec: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Whose configuration a file of weights has that brings none; without, it is the library's guess."""
    if not spec:
        return {}
    repo, where = _place(spec, folder)
    return {"config": repo, **_inside(spec), **({"config_revision": where["revision"]} if "revision" in where else {})}


def _file(repo: str, where: Mapping[str, Any], file: str) -> str:
    """A file of weights by itself: from a folder, or downloaded."""
    from huggingface_hub import hf_hub_download

    return hf_hub_download(repo, file, revision=where["revision"]) if "revision" in where else str(Path(repo, file))
