"""Providers that ask services for pictures, each over its own library. Keys come from the environment and go nowhere but there.

``repo`` is the service's name of the model, ``size`` the side of the square, ``call`` further arguments by the library's names, and
``url`` another address. Where ``image`` is set, the conditioning image goes along as what the picture is to be drawn after.
"""

import base64
import inspect
import io
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from generator.illustrate.making import Here, Job, Made, Maker
from generator.illustrate.remote import Refused, Service, library, made, maker, secret
from generator.model import Error, brief, nearest

OPENAI = "https://api.openai.com/v1"
GOOGLE = "https://generativelanguage.googleapis.com"
SEEDS = 2**31
"""Services take seeds of 31 bits."""
IMAGE_SIZES = ((1024, None), (2048, "2K"), (4096, "4K"))
"""Pixels of a side and what Google calls them; the smallest is what every model does unasked."""
CLIENT = ("provider", "bill_to")
"""Arguments for Hugging Face's client rather than for its calls."""


def _service(settings: Mapping[str, Any], own: str, *variables: str, follow: bool = False) -> Service:
    """The service at the settings' address, or at its *own*, with the key from the environment."""
    from generator.illustrate.sessions import Session, address

    url = address(settings.get("url", own)).geturl()  # with the scheme in small letters, as libraries look for it
    if "://" in settings["repo"]:
        raise Error(f"models.yml: repo: {brief(settings['repo'])!r} is an address, it should be the model's name; addresses are a url")
    key = secret(variables, url)
    return Service(Session(url, follow), settings["repo"], variables[0], key)


def _accepted(function: Callable[..., Any]) -> set[str]:
    """The names of a function's arguments."""
    return set(inspect.signature(function).parameters)


def _seed(job: Job) -> int:
    return job.request.seed % SEEDS


def openai(settings: Mapping[str, Any], here: Here) -> Maker:
    """OpenAI's models, or those of any server that speaks like it.

    Another server also gets seed, negative prompt and what is in ``call`` that OpenAI does not know, as fields of the request.
    """
    sdk = library("openai")
    service = _service(settings, OPENAI, "OPENAI_API_KEY")
    session = service.session
    client = sdk.OpenAI(
        api_key=service.key or "none", base_url=session.url, http_client=session.client, timeout=session.timeout, max_retries=0
    )
    is_openai = session.url == OPENAI or (urlsplit(session.url).hostname or "").endswith(".openai.com")

    def ask(job: Job) -> Made:
        shown = job.condition if "image" in settings else b""
        function = client.images.edit if shown else client.images.generate
        arguments = {"model": settings["repo"], "prompt": job.request.prompt, "n": 1, "size": f"{settings['size']}x{settings['size']}"}
        if shown:
            arguments[settings["image"]] = ("reference.png", shown, "image/png")
        arguments |= settings.get("call", {})
        if not is_openai:
            known = _accepted(function)
            more = {name: arguments.pop(name) for name in set(arguments) - known}
            negative = {"negative_prompt": job.request.negative} if job.request.negative else {}
            arguments["extra_body"] = {"seed": _seed(job), **negative, **more}
        answer = function(**arguments)
        picture = answer.data[0] if answer.data else None
        if not (picture and (picture.b64_json or picture.url)):
            raise Refused("gave no picture")
        content = base64.b64decode(picture.b64_json) if picture.b64_json else service.fetched(picture.url)
        return made(content, {"model_version": getattr(answer, "model", None), "revised_prompt": picture.revised_prompt})

    return maker(service, ask)


def google(settings: Mapping[str, Any], here: Here) -> Maker:
    """Google's models that answer with pictures."""
    types = library("google.genai").types
    service = _service(settings, GOOGLE, "GOOGLE_API_KEY", "GEMINI_API_KEY")
    session = service.session
    options = types.HttpOptions(base_url=session.url, httpx_client=session.client, timeout=round((session.timeout.read or 0) * 1000))
    client = library("google.genai").Client(api_key=service.key or "none", vertexai=False, http_options=options)
    call = settings.get("call", {})
    known = types.GenerateContentConfig.model_fields | types.ImageConfig.model_fields
    if unknown := [name for name in call if name not in known]:
        raise Error(f"models.yml: call: unknown argument {unknown[0]!r}, {nearest(unknown[0], known)}")
    size = next((name for side, name in IMAGE_SIZES if settings["size"] <= side), None)
    image = {"aspect_ratio": "1:1", "image_size": size} | {name: call[name] for name in call if name in types.ImageConfig.model_fields}
    rest = {name: value for name, value in call.items() if name not in image}

    def ask(job: Job) -> Made:
        config = types.GenerateContentConfig(
            response_modalities=["IMAGE"], image_config=types.ImageConfig(**image), seed=_seed(job), **rest
        )
        shown = [types.Part.from_bytes(data=job.condition, mime_type="image/png")] if "image" in settings and job.condition else []
        answer = client.models.generate_content(model=settings["repo"], contents=[*shown, job.request.prompt], config=config)
        return made(_drawn(answer), {"model_version": answer.model_version})

    return maker(service, ask)


def _drawn(answer: Any) -> bytes:
    """The picture in Google's answer: the last one, as those before are drafts. :class:`Refused` if there is none."""
    if answer.prompt_feedback and answer.prompt_feedback.block_reason:
        raise Refused(f"{answer.prompt_feedback.block_reason.value}: {answer.prompt_feedback.block_reason_message or 'the prompt'}")
    reason = ""
    for candidate in answer.candidates or []:
        parts = [part for part in (candidate.content.parts or [] if candidate.content else []) if not part.thought]
        pictures = [part.inline_data.data for part in parts if part.inline_data and part.inline_data.data]
        if pictures:
            return bytes(pictures[-1])
        words = " ".join(part.text for part in parts if part.text)
        reason = f"{candidate.finish_reason.value if candidate.finish_reason else 'no picture'}: {candidate.finish_message or words}"
    raise Refused(reason or "gave no picture")


def huggingface(settings: Mapping[str, Any], here: Here) -> Maker:
    """Any provider of Hugging Face's inference service (``provider`` in ``call``, such as ``fal-ai``), or an endpoint of one's own."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    sdk = library("huggingface_hub")
    from huggingface_hub import constants

    service = _service(settings, constants.ENDPOINT, "HF_TOKEN", follow=True)
    sdk.set_client_factory(service.session.opened)
    call = settings.get("call", {})
    keyless = {} if service.key else {"authorization": None}  # or else the library would look for a key in its files
    client = sdk.InferenceClient(
        model=service.session.url if "url" in settings else settings["repo"],
        token=service.key or "none",
        timeout=service.session.timeout,
        headers={"user-agent": "bushu", **keyless},
        **{name: call[name] for name in CLIENT if name in call},
    )
    rest = {name: value for name, value in call.items() if name not in CLIENT}
    side = {"width": settings["size"], "height": settings["size"]}

    def ask(job: Job) -> Made:
        arguments = {"seed": _seed(job), "negative_prompt": job.request.negative or None} | rest
        if "image" in settings and job.condition:
            image = client.image_to_image(**{settings["image"]: job.condition}, prompt=job.request.prompt, target_size=side, **arguments)
        else:
            known = _accepted(client.text_to_image)
            more = {name: arguments.pop(name) for name in set(arguments) - known}
            image = client.text_to_image(job.request.prompt, **(side | arguments), extra_body=more or None)
        return made(_content(image), {"provider": call.get("provider")})

    return maker(service, ask)


def _content(image: Any) -> bytes:
    """The file that a picture was opened from, which says more than its pixels; else a PNG."""
    if isinstance(image.fp, io.BytesIO):
        return image.fp.getvalue()
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
