"""Pictures by real pipelines, tiny ones: what decides their bytes, what does not, and everything that can be wrong with a model."""

import errno
import functools
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from common import needs

from generator.illustrate import causes, engine, tiny
from generator.illustrate.making import Here, Job, Made, OutOfMemory, Spoilt
from generator.illustrate.providers import providers
from generator.model import Error

pytestmark = pytest.mark.diffusion

MODES = ("text", "control", "img2img", "xl")
Settings = Callable[..., dict[str, Any]]
Jobs = Callable[..., Job]


def pixels(settings: dict[str, Any], job: Job, here: Here) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The picture of one job, by a maker of its own."""
    (outcome,) = engine.maker(settings, here).make([job])
    assert isinstance(outcome, Made)
    return np.asarray(outcome.pixels)


def apart(one: Any, other: Any) -> float:
    """How far two pictures are apart: levels of 255, in the mean."""
    return float(np.abs(one - other).mean() * 255)


@pytest.mark.parametrize("mode", MODES)
def test_makes_pictures(mode: str, settings: Settings, job: Jobs, here: Here) -> None:
    known = settings(mode)
    maker = engine.maker(known, here)
    asked = [
        job(known),
        job(known, seed=2),
        job(known, prompt="a house with a red roof"),
        job(known, negative="text"),
        job(known, colour="red"),
    ]
    first, seed, prompt, negative, image = (maker.make([one])[0].pixels for one in asked)  # type: ignore[union-attr]
    assert (first.shape, first.dtype) == ((64, 64, 3), np.float32)
    assert first.min() >= 0
    assert first.max() <= 1
    assert first.std() > 0.05
    assert first.tobytes() == pixels(known, job(known), here).tobytes()
    assert apart(first, seed) > 20
    assert apart(first, prompt) > 5
    assert apart(first, negative) > 1
    assert (apart(first, image) > 0.5) == ("image" in known)


@pytest.mark.parametrize(
    "more",
    [
        {"call": {"num_inference_steps": 3, "guidance_scale": 3.0}},
        {"call": {"num_inference_steps": 2, "guidance_scale": 5.0}},
        {"scheduler": {"name": "EulerDiscreteScheduler"}},
        {"scheduler": {"name": "PNDMScheduler", "prediction_type": "v_prediction"}},
        {"components": {"vae": {"kind": "AutoencoderKL", "repo": "./sdxl", "subfolder": "vae"}}},
        {
            "components": {
                "vae": {
                    "kind": "AutoencoderKL",
                    "repo": "./sdxl/vae",
                    "file": "diffusion_pytorch_model.safetensors",
                    "config": {"repo": "./sdxl", "subfolder": "vae"},
                }
            }
        },
        {"dtype": "bfloat16"},
    ],
    ids="-".join,
)
def test_settings_decide_pixels(more: dict[str, Any], plain: Any, settings: Settings, job: Jobs, here: Here) -> None:
    other = settings(**more)
    assert apart(plain, pixels(other, job(other), here)) > 0.5


@pytest.fixture(scope="module")
def plain(settings: Settings, job: Jobs, pipelines: Path) -> Any:
    """The picture that the settings give as they are."""
    known = settings()
    return pixels(known, job(known), Here("cpu", 0, 0, 1, pipelines, pipelines))


def test_negative_prompt_may_be_empty(settings: Settings, job: Jobs, here: Here) -> None:
    known = settings()
    assert apart(pixels(known, job(known, negative=""), here), pixels(known, job(known), here)) > 1


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_batch_is_in_order(mode: str, mixed: bool, settings: Settings, job: Jobs, here: Here) -> None:
    """Whether a negative prompt is there may differ within a batch: none is not the same as an empty one to SDXL."""
    known = settings(mode)
    asked = ((1, "a fox", "black"), (2, "an axe", "red"), (1, "an axe", "black"), (1, "an axe", "red"))
    jobs = [job(known, seed=seed, prompt=prompt, colour=colour) for seed, prompt, colour in asked]
    jobs[-1] = replace(jobs[-1], request=replace(jobs[-1].request, negative="" if mixed else "text"))
    maker = engine.maker(known, here)
    together, alone = maker.make(jobs), [maker.make([one])[0] for one in jobs]
    for at, one in enumerate(together):
        assert isinstance(one, Made)
        assert [apart(one.pixels, other.pixels) < 0.01 for other in alone] == [at == index for index in range(4)]  # type: ignore[union-attr]


def test_frugality_does_not_change_bytes(settings: Settings, job: Jobs, here: Here) -> None:
    known = settings()
    made = {pixels(known, job(known), replace(here, frugality=level)).tobytes() for level in range(3)}
    assert len(made) == 1


def test_job_needs_its_image(settings: Settings, job: Jobs, here: Here) -> None:
    known = settings("control")
    with pytest.raises(Error, match="tiny: text needs a conditioning image, none was given"):
        engine.maker(known, here).make([replace(job(known), condition=b"")])


def test_broken_weights_give_what_is_no_number(pipelines: Path, tmp_path: Path, settings: Settings, job: Jobs, here: Here) -> None:
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(pipelines / "sd", broken)
    file = broken / "unet/diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["conv_out.weight"][0] = float("nan")
    save_file(weights, file, metadata={"format": "pt"})
    known = settings(repo=str(broken))
    assert not np.isfinite(pixels(known, job(known), here)).all()
    assert engine.probe_image(engine.maker(known, here), job(known)) == "nan"


def test_safety_checker_is_kept(settings: Settings, job: Jobs, here: Here) -> None:
    known = settings(repo="./guarded")
    maker = engine.maker(known, here)
    (outcome,) = maker.make([job(known)])
    assert outcome == Spoilt("safety", "the model's safety checker blanked it")
    assert engine.probe_image(maker, job(known)) == "sound"


@pytest.mark.parametrize("mode", ["text", "xl"])
def test_unread_tokens_are_counted(mode: str, settings: Settings, job: Jobs, here: Here) -> None:
    known = settings(mode)
    outcomes = engine.maker(known, here).make([job(known, prompt="x" * length) for length in (75, 76, 100)])
    assert [dict(outcome.facts) for outcome in outcomes if isinstance(outcome, Made)] == [{}, {"truncated": 1}, {"truncated": 25}]


@pytest.mark.parametrize("mode", MODES)
def test_probe_image_takes_few_steps(mode: str, settings: Settings, job: Jobs, here: Here) -> None:
    known = settings(mode)
    known["call"] = known["call"] | {"num_inference_steps": 40} | ({"strength": 0.3} if mode == "img2img" else {})
    taken: list[int] = []
    maker = engine.maker(known, here)

    def make(jobs: Any) -> Any:
        taken.append(jobs[0].request.settings["call"]["num_inference_steps"])
        return maker.make(jobs)

    assert engine.probe_image(replace(maker, make=make), job(known)) == "sound"
    assert taken == [7 if mode == "img2img" else 2]


@pytest.mark.parametrize(
    ("picture", "verdict"),
    [(np.zeros((8, 8, 3)), "black"), (np.full((8, 8, 3), 0.5), "flat"), (np.full((8, 8, 3), np.inf), "nan"), (np.eye(8), "sound")],
)
def test_probe_image_tells(picture: Any, verdict: str, settings: Settings, job: Jobs) -> None:
    from generator.illustrate.making import Maker

    assert engine.probe_image(Maker(lambda _: [Made(picture)]), job(settings())) == verdict


# What goes wrong.


def refused(settings: dict[str, Any], here: Here) -> str:
    """The one line in which a model is refused."""
    with pytest.raises(Error) as caught:
        engine.maker(settings, here)
    (line,) = str(caught.value).splitlines()
    return line


def spoil(pipelines: Path, folder: Path, change: Callable[[Path], object]) -> str:
    """A copy of the tiny pipeline with something done to it."""
    shutil.copytree(pipelines / "sd", folder / "spoilt")
    change(folder / "spoilt")
    return str(folder / "spoilt")


def cut(name: str) -> Callable[[Path], object]:
    """Weights that were not downloaded to their end."""
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-2000])


def without(name: str, tensor: str) -> Callable[[Path], object]:
    """Weights of which one is missing."""

    def change(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        weights = load_file(folder / name)
        del weights[tensor]
        save_file(weights, folder / name, metadata={"format": "pt"})

    return change


def pickled(folder: Path) -> None:
    """Weights in another format only."""
    for path in list(folder.rglob("*.safetensors")):
        path.rename(path.with_suffix(".bin"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cut("unet/diffusion_pytorch_model.safetensors"), "has corrupt weights .*, put the whole file there"),
        (without("unet/diffusion_pytorch_model.safetensors", "conv_out.weight"), "has incomplete weights, put the whole file there$"),
        (cut("text_encoder/model.safetensors"), "has corrupt weights .*, put the whole file there"),
        (lambda folder: (folder / "vae/diffusion_pytorch_model.safetensors").write_bytes(b"rubbish " * 99), "has corrupt weights"),
        (pickled, "has no weights as safetensors where they should be, and nothing else is loaded .*no file named"),
        (lambda folder: (folder / "unet/config.json").write_text("{"), "has a broken configuration .*unet/config.json"),
        (lambda folder: shutil.rmtree(folder / "vae"), "lacks a part that its pipeline needs"),
        (lambda folder: (folder / "model_index.json").unlink(), "holds no pipeline of diffusers"),
    ],
)
def test_spoilt_weights(
    change: Callable[[Path], object], message: str, pipelines: Path, tmp_path: Path, settings: Settings, here: Here
) -> None:
    import re

    repo = spoil(pipelines, tmp_path, change)
    assert re.match(f"{re.escape(repo)}: {message}", refused(settings(repo=repo), here))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"repo": "./nowhere"}, "./nowhere: there is no such folder of weights"),
        ({"repo": "./controlnet"}, "./controlnet: holds no pipeline of diffusers"),
        ({"variant": "fp16"}, "./sd: has no such variant of its weights"),
        ({"pipeline": "StableDifusionPipeline"}, "./sd: pipeline: unknown 'StableDifusionPipeline', did you mean StableDiffusionPipeline?"),
        ({"components": {"vae": {"kind": "AutoencoderKL", "repo": "./none"}}}, "./none: there is no such folder"),
        ({"components": {"vae": {"kind": "AutoencoderKL", "repo": "./sdxl"}}}, "./sdxl: lacks a part"),
        ({"components": {"unet": {"kind": "AutoencoderKL", "repo": "./sdxl", "subfolder": "unet"}}}, "./sdxl: cannot be loaded ("),
    ],
)
def test_models_that_cannot_be_loaded(more: dict[str, Any], message: str, settings: Settings, here: Here) -> None:
    assert refused(settings(**more), here).startswith(message)


def test_adapters_need_their_package(settings: Settings, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from generator.illustrate import loading

    monkeypatch.setattr(loading, "find_spec", lambda _: None)
    assert refused(settings(adapters=[{"repo": "./lora", "file": "icons.safetensors"}]), here).startswith("peft: is not installed")


def test_adapters(pipelines: Path, tmp_path: Path, settings: Settings, job: Jobs, here: Here) -> None:
    needs("peft")
    import peft
    import torch
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers

    pipe = StableDiffusionPipeline.from_pretrained(pipelines / "sd")
    torch.manual_seed(5)
    pipe.unet.add_adapter(peft.LoraConfig(r=4, init_lora_weights=False, target_modules=["to_k", "to_q", "to_v"]))
    layers = convert_state_dict_to_diffusers(peft.get_peft_model_state_dict(pipe.unet, adapter_name="default"))
    StableDiffusionPipeline.save_lora_weights(tmp_path, unet_lora_layers=layers, weight_name="icons.safetensors")

    def drawn(*scales: float) -> Any:
        known = settings(adapters=[{"repo": str(tmp_path), "file": "icons.safetensors", "scale": scale} for scale in scales])
        return pixels(known, job(known), here)

    assert apart(drawn(), drawn(1)) > 1
    assert apart(drawn(), drawn(0)) == 0
    assert apart(drawn(1), drawn(0.5, 0.5)) < 0.1
    missing = settings(adapters=[{"repo": str(tmp_path), "file": "none.safetensors"}])
    assert "has no weights as safetensors" in refused(missing, here)


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "npu"])
def test_device_that_is_not_here(device: str, settings: Settings, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert refused(settings(), replace(here, device=device)) == f"{device}: torch finds no such device here, take one of cpu"


@pytest.mark.parametrize(
    "words",
    [
        "CUDA out of memory. Tried to allocate 20.00 GiB.",
        "MPS backend out of memory (MPS allocated: 9.00 GB, other allocations: 1.00 GB, max allowed: 9.07 GB).",
        "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.",
        "Invalid buffer size: 32.00 GB",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "std::bad_alloc",
    ],
)
def test_no_room(words: str, settings: Settings, job: Jobs, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    kinds = {"CUDA out": torch.OutOfMemoryError, "std::bad": MemoryError}
    with failing(kinds.get(words[:8], RuntimeError)(words), monkeypatch), pytest.raises(OutOfMemory):
        engine.maker(settings(), here).make([job(settings())])


def test_other_faults_of_a_call_are_of_the_model(settings: Settings, job: Jobs, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    with failing(ValueError("`height` has to be divisible by 8. It is not"), monkeypatch), pytest.raises(Error) as caught:
        engine.maker(settings(), here).make([job(settings())])
    assert str(caught.value) == "./sd: cannot make a picture (`height` has to be divisible by 8)"


def failing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> Any:
    """While this lasts, every call of the pipeline raises."""
    from contextlib import contextmanager

    from diffusers import StableDiffusionPipeline

    @contextmanager
    def patched() -> Iterator[None]:
        @functools.wraps(StableDiffusionPipeline.__call__)
        def call(*_: Any, **__: Any) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(StableDiffusionPipeline, "__call__", call)
            yield

    return patched()


def test_incomplete_weights_of_the_hub() -> None:
    error = NotImplementedError("Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead")
    with pytest.raises(Error) as caught, causes.told({"repo": "o/sd"}):
        raise error
    assert str(caught.value) == "o/sd: has incomplete weights, delete them and have them downloaded again"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_what_cannot_be_written(number: int) -> None:
    with pytest.raises(Error, match=r"^o/sd: cannot be downloaded.* HF_HOME"), causes.told({"repo": "o/sd"}):
        _fail(number)


def _fail(number: int) -> None:
    """Fail as the system does, and then as the library does that comes upon it."""
    try:
        raise OSError(number, os.strerror(number), "/somewhere")
    except OSError as error:
        raise RuntimeError("something else broke on the way") from error


def test_hub(pipelines: Path, tmp_path: Path, settings: Settings, job: Jobs, here: Here) -> None:
    """Models from a hub, in a process of its own, whose pictures are the same as here."""
    shutil.copytree(pipelines, tmp_path / "hub")
    for name, change in (("binary", pickled), ("cut", cut("unet/diffusion_pytorch_model.safetensors"))):
        shutil.copytree(pipelines / "sd", tmp_path / "hub" / name)
        change(tmp_path / "hub" / name)
    script = [sys.executable, str(Path(__file__).with_name("hub.py")), str(tmp_path / "hub")]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    told = dict(json.loads(line) for line in done.stdout.splitlines())
    known = settings()
    here_too = hashlib.sha256(pixels(known, job(known), here).tobytes()).hexdigest()
    assert {name: told.pop(name) for name in ("loaded", "pinned", "cached", "cached offline")} == dict.fromkeys(
        ("loaded", "pinned", "cached", "cached offline"), here_too
    )
    expected = {
        "o/none": "o/none: is not on the hub",
        "o/private": "o/private: is not on the hub, see that the name is right (and HF_TOKEN",
        "o/gated": "o/gated: is gated, accept its licence at https://huggingface.co/o/gated and set HF_TOKEN",
        "o/gated-anonymous": "o/gated-anonymous: is gated, accept its licence",
        "o/broken": "o/broken: could not be had from the hub",
        "o/binary": "o/binary: has no weights as safetensors",
        "o/cut": "o/cut: has corrupt weights",
        "o/controlnet": "o/controlnet: does not have the file",
        "not a name": "not a name: is no name of a repository",
        "o/a/b": "o/a/b: is no name of a repository",
        "revision": "o/sd: has no revision v9",
        "part": "o/gated: is gated",
        "file": "o/sd: does not have the file",
        "unreachable": "o/sdxl: was not downloaded before and the hub cannot be reached",
        "offline": "o/sdxl: was not downloaded before and HF_HUB_OFFLINE is set",
    }
    assert told.keys() == expected.keys()
    assert [(name, line) for name, line in told.items() if not line.startswith(expected[name]) or "\n" in line] == []


# Devices that are not here.


@pytest.mark.parametrize(("frugality", "moved", "most"), [(0, "to cuda", engine.MOST), (1, "to cuda", 1), (2, "offloaded to cuda", 1)])
def test_graphics_card(frugality: int, moved: str, most: int, settings: Settings, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers import DiffusionPipeline

    said: list[str] = []
    monkeypatch.setattr(engine, "found", lambda *_: "cuda")
    monkeypatch.setattr(DiffusionPipeline, "to", lambda _, device: said.append(f"to {device}"))
    monkeypatch.setattr(DiffusionPipeline, "enable_model_cpu_offload", lambda _, device: said.append(f"offloaded to {device}"))
    maker = engine.maker(settings(), replace(here, device="cuda", frugality=frugality))
    assert (said, maker.most) == ([moved], most)


class Referring:
    """A pipeline without a UNet, to which several images are references of one picture; its first argument is not the prompt."""

    components: ClassVar[dict[str, Any]] = {}

    def __call__(self, image: Any = None, prompt: Any = None, generator: Any = None, output_type: str = "pil", strength: float = 1) -> Any:
        return SimpleNamespace(images=[np.full((8, 8, 3), strength) for _ in prompt])

    def to(self, device: str) -> None:
        """Stay where it is."""


def test_references_are_not_a_batch(settings: Settings, job: Jobs, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "found", lambda *_: "cuda")
    monkeypatch.setattr(engine, "pipeline", lambda *_: Referring())
    card = replace(here, device="cuda")
    known = settings("img2img", call={"strength": 0.25})
    maker = engine.maker(known, card)
    assert (maker.most, engine.maker(settings(), card).most) == (1, engine.MOST)
    (outcome,) = maker.make([job(known)])
    assert isinstance(outcome, Made)
    assert outcome.pixels.mean() == 0.25


class Words:
    """A tokenizer to which a letter is a token."""

    def __init__(self, limit: int) -> None:
        self.model_max_length = limit

    def __call__(self, text: str) -> Any:
        return SimpleNamespace(input_ids=list(text))


@pytest.mark.parametrize(("limit", "unread"), [(120, 180), (10**30, 44)])
def test_what_one_text_encoder_reads_is_read(
    limit: int, unread: int, settings: Settings, job: Jobs, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reading(Referring):
        components: ClassVar[dict[str, Any]] = {
            "tokenizer": Words(77),
            "tokenizer_2": SimpleNamespace(tokenizer=Words(limit)),
            "tokenizer_3": None,
        }

        def __call__(self, prompt: Any = None, generator: Any = None, output_type: str = "", max_sequence_length: int = 256) -> Any:
            return SimpleNamespace(images=[np.zeros((8, 8, 3)) for _ in prompt])

    monkeypatch.setattr(engine, "pipeline", lambda *_: Reading())
    known = settings(call={})
    (outcome,) = engine.maker(known, here).make([job(known, prompt="x" * 300, negative="")])
    assert isinstance(outcome, Made)
    assert outcome.facts == {"truncated": unread}


def test_apple_chip_gives_back_what_it_had(settings: Settings, job: Jobs, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from diffusers import DiffusionPipeline

    said: list[str] = []
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(engine, "found", lambda *_: "mps")
    monkeypatch.setattr(DiffusionPipeline, "to", lambda _, device: said.append(f"to {device}"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: said.append("emptied"))
    maker = engine.maker(settings(), replace(here, device="mps"))
    assert maker.most == 1
    maker.make([job(settings())])
    maker.make([job(settings())])
    assert said == ["to mps", "emptied", "emptied"]


def test_batches_are_decoded_one_by_one(settings: Settings, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    pipeline = engine.pipeline
    monkeypatch.setattr(engine, "pipeline", lambda *how: seen.append(pipeline(*how)) or seen[0])
    engine.maker(settings(), here)
    assert seen[0].vae.use_slicing


def test_memory_of_a_graphics_card_is_bounded(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    said: list[tuple[float, int]] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=1000))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda *how: said.append(how))
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    for device, memory in (("cuda", 250), ("cuda:1", 500), ("cuda:1", 5000), ("cuda", 0), ("cuda:2", 1)):
        engine.capped(replace(here, device=device, memory=memory))
    assert said == [(0.25, 0), (0.5, 1), (1.0, 1)]


def test_memory_of_an_apple_chip_is_bounded(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil
    import torch

    said: list[float] = []
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=32 << 30))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 24 << 30)
    monkeypatch.setattr(torch.mps, "set_per_process_memory_fraction", said.append)
    engine.capped(replace(here, device="mps", memory=16 << 30))
    high, low = (float(os.environ[f"PYTORCH_MPS_{which}_WATERMARK_RATIO"]) for which in ("HIGH", "LOW"))
    assert (high, said) == (0.5, [pytest.approx(2 / 3)])
    assert 0 < low < high


def test_bounds_are_set_before_torch_is_there() -> None:
    """An allocator reads its bounds when torch starts: nothing that a worker imports may import it first."""
    names = "engine, tiny, probe, loading, causes, worker, supervise"
    script = (
        f"import sys; from generator.illustrate import {names}; print(*({{'torch', 'diffusers', 'transformers'}} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"


# The demo.


def test_demo(settings: Settings, job: Jobs, here: Here) -> None:
    known = settings(provider="demo", repo="demo", revision="1")
    (outcome,) = providers["demo"](known, here).make([job(known)])
    assert isinstance(outcome, Made)
    assert outcome.pixels.std() > 0.05
    assert providers["demo"](known, here).make([job(known)])[0].pixels.tobytes() == outcome.pixels.tobytes()  # type: ignore[union-attr]


def test_demo_is_the_same_everywhere(tmp_path: Path) -> None:
    first, second = tiny.demo(tmp_path / "one"), tiny.demo(tmp_path / "two")
    files = [path.relative_to(first) for path in sorted(first.rglob("*")) if path.is_file()]
    assert len(files) > 8
    assert [name for name in files if (first / name).read_bytes() != (second / name).read_bytes()] == []


def test_random_numbers_of_others_go_on(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    tiny.sd(tmp_path / "sd")
    assert torch.rand(1) == expected


def test_demo_of_a_killed_build(tmp_path: Path) -> None:
    left = tmp_path / f".{tiny.DEMO}-abc{tiny.PART}"
    (left / "unet").mkdir(parents=True)
    folder = tiny.demo(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", tiny.DEMO]
    before = (folder / "model_index.json").stat().st_mtime_ns
    assert tiny.demo(tmp_path) == folder
    assert (folder / "model_index.json").stat().st_mtime_ns == before


def test_demo_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path, seed: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tiny, "sd", full)
    with pytest.raises(Error, match=r"cannot be written \(No space left on device\)"):
        tiny.demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_weights_that_find_no_room(tmp_path: Path) -> None:
    """The system lets no file grow, of which only the library that writes weights can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(Error, match=rf"^{tmp_path / tiny.DEMO}: cannot be written \({os.strerror(errno.EFBIG)}\), see that") as caught:
            tiny.demo(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_demos_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(_slowly, [tmp_path] * 3) == [tmp_path / tiny.DEMO] * 3
    assert (tmp_path / "built").read_text() == "once "


def _slowly(scratch: Path) -> Path:
    """The demo's folder, by a build that takes its time and writes down that it was made."""

    def build(folder: Path, seed: int) -> None:
        import time

        with (scratch / "built").open("a") as file:
            file.write("once ")
        time.sleep(0.3)

    tiny.sd = build
    return tiny.demo(scratch)
