"""Tiny pipelines, built once, and jobs for them."""

import io
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generator.illustrate.making import Here, Job
from generator.illustrate.requests import Request

Settings = Callable[..., dict[str, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the extra ``diffusion`` is not installed, these tests are skipped; in CI they fail."""
    if os.environ.get("CI") != "true" and (find_spec("torch") is None or find_spec("diffusers") is None):
        for item in items:
            if item.get_closest_marker("diffusion"):
                item.add_marker(pytest.mark.skip(reason="the extra `diffusion` is not installed"))


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny pipelines ``sd``, ``guarded``, ``sdxl`` and the ControlNet ``controlnet``."""
    import torch

    from generator.illustrate import tiny

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("pipelines")
    for build in (tiny.sd, tiny.guarded, tiny.sdxl, tiny.controlnet):
        build(folder / build.__name__)
    return folder


@pytest.fixture
def here(pipelines: Path, tmp_path: Path) -> Here:
    """One thread of the processor; models are named from the folder of the tiny pipelines."""
    return Here(device="cpu", memory=0, frugality=0, threads=1, folder=pipelines, scratch=tmp_path)


@pytest.fixture(scope="session")
def settings() -> Settings:
    """What profiles would say of the tiny pipelines, by mode: ``text``, ``control``, ``img2img`` or ``xl``; more of it by name."""
    call = {"num_inference_steps": 2, "guidance_scale": 3.0}
    base = {"provider": "diffusers", "repo": "./sd", "revision": "1", "size": 64, "dtype": "float32", "call": call}
    modes: dict[str, dict[str, Any]] = {
        "text": {"pipeline": "StableDiffusionPipeline"},
        "xl": {"pipeline": "StableDiffusionXLPipeline", "repo": "./sdxl"},
        "img2img": {
            "pipeline": "StableDiffusionImg2ImgPipeline",
            "image": "image",
            "call": call | {"num_inference_steps": 4, "strength": 0.5},
        },
        "control": {
            "pipeline": "StableDiffusionControlNetPipeline",
            "image": "image",
            "controlnet": {"kind": "ControlNetModel", "repo": "./controlnet"},
        },
    }
    return lambda mode="text", **more: base | modes[mode] | more


def condition(colour: str = "black") -> bytes:
    """A conditioning image: a square on white, 64 × 64 pixels."""
    picture, out = Image.new("RGB", (64, 64), "white"), io.BytesIO()
    picture.paste(colour, (16, 16, 48, 48))
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def job() -> Callable[..., Job]:
    """A job with settings; ``prompt``, ``negative``, ``seed`` and the ``colour`` of its conditioning image may be given."""

    def made(settings: dict[str, Any], prompt: str = "a fox", negative: str = "person", seed: int = 1, colour: str = "black") -> Job:
        asked = Request(1, "tiny", "text", "gouache", prompt, negative, seed, settings)
        return Job(asked, condition(colour) if "image" in settings else b"")

    return made
