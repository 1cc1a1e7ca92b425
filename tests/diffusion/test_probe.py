"""What is here, and whether profiles fit the library: asked without torch, answered by a process that has it."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from common import ROOT

from generator.illustrate import probe as probes
from generator.illustrate import profiles
from generator.illustrate.loading import faults
from generator.illustrate.probe import probe
from generator.model import Error
from generator.project import load

pytestmark = pytest.mark.diffusion

Settings = Callable[..., dict[str, Any]]
CONTROL = "StableDiffusionControlNetPipeline"


@pytest.mark.parametrize("mode", ["text", "control", "img2img", "xl"])
def test_what_fits_has_no_faults(mode: str, settings: Settings) -> None:
    assert faults(settings(mode)) == []


@pytest.mark.parametrize(
    ("mode", "more", "fault"),
    [
        (
            "text",
            {"pipeline": "StableDifusionPipeline"},
            "pipeline: unknown 'StableDifusionPipeline', did you mean StableDiffusionPipeline?",
        ),
        ("text", {"pipeline": "DiffusionPipeline"}, "pipeline: unknown 'DiffusionPipeline', did you mean "),
        ("text", {"pipeline": ""}, "pipeline: unknown '', give the name of a class of diffusers"),
        ("text", {"subfolder": "v2"}, "subfolder: a pipeline is loaded from the top of its repository, leave it out"),
        ("text", {"scheduler": {"name": "EulerDiscrete"}}, "scheduler: unknown 'EulerDiscrete', did you mean EulerDiscreteScheduler?"),
        ("text", {"scheduler": {"use_karras_sigmas": True}}, "scheduler.name: missing, give the name of a class of diffusers"),
        ("text", {"scheduler": {"name": "Euler"}}, "scheduler: unknown 'Euler', did you mean EulerDiscreteScheduler?"),
        ("text", {"scheduler": {"name": 7}}, "scheduler: unknown '7', give the name of a class of diffusers"),
        (
            "text",
            {"scheduler": {"name": "EulerDiscreteScheduler", "zzz": 1}},
            "scheduler.zzz: unknown 'zzz', leave it out",
        ),
        (
            "text",
            {"scheduler": {"name": "EulerDiscreteScheduler", "karras_sigmas": True}},
            "scheduler.karras_sigmas: unknown 'karras_sigmas', did you mean use_karras_sigmas?",
        ),
        (
            "text",
            {"call": {"guidance": 3}},
            "call or guidance: StableDiffusionPipeline does not take 'guidance', did you mean guidance_scale?",
        ),
        ("text", {"call": {"strength": 0.5}}, "call or guidance: StableDiffusionPipeline does not take 'strength', leave it out"),
        ("text", {"call": {"output_type": "pil"}}, "call.output_type: is for the request to say, leave it out"),
        ("text", {"call": {"self": 1}}, "call or guidance: StableDiffusionPipeline does not take 'self', leave it out"),
        ("text", {"image": "image"}, "image: StableDiffusionPipeline takes none as 'image', choose a pipeline that does"),
        ("img2img", {"image": None}, "image: StableDiffusionImg2ImgPipeline needs one, give image: the kind of conditioning image"),
        ("control", {"image": None}, f"image: {CONTROL} needs one, give image: "),
        ("text", {"pipeline": "FluxControlPipeline"}, "image: FluxControlPipeline needs one, give image: "),
        (
            "text",
            {"pipeline": "StableDiffusionImageVariationPipeline", "call": {}},
            "image: StableDiffusionImageVariationPipeline needs one",
        ),
        ("control", {"controlnet": None}, f"controlnet: {CONTROL} needs one, give controlnet: {{kind: …, repo: …}}"),
        ("control", {"image": "control_image"}, f"image: {CONTROL} takes none as 'control_image', name image"),
        ("control", {"controlnet": {"kind": "ControlNet", "repo": "x"}}, "controlnet.kind: unknown 'ControlNet', did you mean "),
        (
            "text",
            {"controlnet": {"kind": "ControlNetModel", "repo": "x"}},
            "controlnet: StableDiffusionPipeline takes none, choose a pipeline with ControlNet in its name",
        ),
        ("text", {"components": {"vea": {"kind": "AutoencoderKL"}}}, "components.vea: unknown 'vea', did you mean vae?"),
        ("text", {"components": {"vae": {"kind": "AutoEncoderKL"}}}, "vae.kind: unknown 'AutoEncoderKL', did you mean AutoencoderKL?"),
        (
            "text",
            {"adapters": [{"repo": "x", "file": "x.bin"}]},
            "file: x.bin is no file of safetensors, and nothing else is loaded",
        ),
        ("control", {"controlnet": {"kind": "ControlNetModel", "repo": "x", "file": "x.pt"}}, "file: x.pt is no file of safetensors"),
        ("text", {"pipeline": "DDPMPipeline", "call": {}, "adapters": [{}]}, "adapters: DDPMPipeline takes none, leave them out"),
    ],
)
def test_faults(mode: str, more: dict[str, Any], fault: str, settings: Settings) -> None:
    (found,) = faults(settings(mode, **more))
    assert found.startswith(fault)


@pytest.mark.parametrize("pipeline", ["Flux2KleinPipeline", "QwenImage21Pipeline", "FluxKontextPipeline"])
def test_an_image_may_be_left_out(pipeline: str, settings: Settings) -> None:
    assert faults(settings(pipeline=pipeline, call={})) == []
    assert faults(settings(pipeline=pipeline, call={}, image="image")) == []


def test_a_controlnet_may_be_among_the_components(settings: Settings) -> None:
    net = {"kind": "ControlNetModel", "repo": "./controlnet"}
    assert faults(settings("control", controlnet=None, components={"controlnet": net})) == []


def test_all_faults_are_found(settings: Settings) -> None:
    found = faults(settings(scheduler={"name": "None"}, call={"guidance": 3, "steps": 3}, image="image", adapters=[{}]))
    assert [fault.partition(":")[0] for fault in found] == ["scheduler", "call or guidance", "call or guidance", "image"]


def test_shipped_models_fit() -> None:
    shipped = profiles.load(load(ROOT)).models.items()
    local = [(f"{name}.{mode}", profile, mode) for name, profile in shipped if profile.provider == "diffusers" for mode in profile.modes]
    assert len(local) > 8
    assert [(where, found) for where, profile, mode in local if (found := faults(profiles.settings(profile, mode, "float32")))] == []


def test_answer(settings: Settings) -> None:
    wrong = settings(pipeline="StableDiffusion")
    found = probe("auto", [("models.yml: models.right", settings()), ("models.yml: models.wrong", wrong)])
    (fault,) = found.faults
    assert fault.startswith("models.yml: models.wrong: pipeline: unknown 'StableDiffusion', did you mean StableDiffusion")
    assert found.device in ("cuda", "mps", "cpu")
    assert found.name
    assert found.count >= 1
    assert found.memory > 1 << 30
    assert found.ram > 1 << 30
    assert found.speeds["float32"] > 0
    assert "float32" in found.native
    assert found.versions.keys() == {"torch", "diffusers", "transformers", "accelerate"}


def test_device_that_is_not_here() -> None:
    with pytest.raises(Error, match=r"^npu: torch finds no such device here, take one of .*cpu$"):
        probes.answered({"device": "npu", "profiles": []})


@pytest.mark.parametrize(
    ("machine", "vectors", "tiles", "kernels", "expected"),
    [
        ("x86_64", False, False, True, ("float32",)),
        ("x86_64", True, False, False, ("float32", "bfloat16")),
        ("AMD64", False, True, False, ("float32", "bfloat16")),
        ("arm64", False, False, True, ("float32", "bfloat16")),
        ("aarch64", True, True, False, ("float32",)),
    ],
)
def test_formats_that_a_processor_computes_in(
    machine: str, vectors: bool, tiles: bool, kernels: bool, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu = SimpleNamespace(_is_avx512_bf16_supported=lambda: vectors, _is_amx_tile_supported=lambda: tiles)
    ops = SimpleNamespace(mkldnn=SimpleNamespace(_is_mkldnn_bf16_supported=lambda: kernels))
    monkeypatch.setattr(probes.platform, "machine", lambda: machine)
    assert probes._native(SimpleNamespace(cpu=cpu, ops=ops), "cpu") == expected
    assert probes._native(SimpleNamespace(), "cuda") == probes.DTYPES


@pytest.mark.parametrize(
    ("done", "message"),
    [
        (
            ("", "Traceback\nOSError: libcudart.so is damaged\n", 1),
            r"torch: cannot be used here \(OSError: libcudart.so is damaged\), see that",
        ),
        (("", "", -11), r"torch: cannot be used here \(exit code -11\)"),
        ((json.dumps({"error": "torch: is not installed"}), "", 0), "^torch: is not installed$"),
    ],
)
def test_no_answer(done: tuple[str, str, int], message: str) -> None:
    stdout, stderr, returncode = done
    with pytest.raises(Error, match=message):
        probe("auto", [], run=lambda *_, **__: SimpleNamespace(stdout=stdout, stderr=stderr, returncode=returncode))


def test_what_libraries_print_is_no_answer() -> None:
    found = {"device": "cpu", "name": "", "count": 1, "memory": 0, "ram": 0, "speeds": {}, "versions": {}, "native": [], "faults": []}
    answer = json.dumps(found)
    done = SimpleNamespace(stdout=f"a library says hello\n{answer}\n", stderr="", returncode=0)
    assert probe("auto", [], run=lambda *_, **__: done).device == "cpu"


def test_formats_that_a_device_does_not_have() -> None:
    def ones(*_: Any, **__: Any) -> None:
        raise TypeError("no such dtype")

    assert probes._speed(SimpleNamespace(ones=ones, float16=None), "mps", "float16") == 0


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("ModuleNotFoundError(name='torch.nn')", "torch: is not installed, it comes with pip install 'bushu[diffusion]'"),
        (
            "ImportError('libcudart.so: no such file')",
            "torch: a package that it needs cannot be used (libcudart.so: no such file), install",
        ),
    ],
)
def test_missing_package(error: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "diffusers.py").write_text(f"raise {error}")
    import os
    import subprocess
    import sys

    code = "from generator.illustrate.probe import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input='{"device": "auto", "profiles": []}',
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["error"].startswith(message)
