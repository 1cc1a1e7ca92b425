"""What is here for diffusion and whether profiles fit the library, found by a process of its own: nobody who only asks loads torch.

``python -m generator.illustrate.probe`` reads the question as JSON and answers in a line of JSON.
"""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from generator.model import Error

DTYPES = ("float32", "bfloat16", "float16")
CHANNELS = (128, 256, 512, 1024, 2048, 4096)
"""Of the convolutions that are timed, as many as in small and in large models …"""
LONG = 0.4
"""… until that took so many seconds."""
SIDE = 32
"""Its height and width; the picture is two, as with guidance."""
TRIES = 3
"""The first one may be slow, and so may any beside other work."""
SHARE = 0.5
"""Of the speed of its convolutions, what a pipeline reaches as a whole."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found. ``device``: the one asked for, ``auto`` resolved; ``name``: what it calls itself; ``count``: how many of it.

    ``memory``: bytes that it has; ``ram``: bytes of the machine. ``speeds``: TFLOP/s by number format, roughly. ``versions``: of the
    packages. ``native``: number formats that the device has arithmetic for; others are much slower. ``faults``: what diffusers would
    not take of the settings asked about, a line each.
    """

    device: str
    name: str
    count: int
    memory: int
    ram: int
    speeds: Mapping[str, float]
    versions: Mapping[str, str]
    native: tuple[str, ...] = DTYPES
    faults: tuple[str, ...] = field(default=())


def probe(device: str, profiles: Sequence[tuple[str, Mapping[str, Any]]], run: Callable[..., Any] = subprocess.run) -> Probed:
    """Ask about a device (or ``auto``) and about profiles: where each stands, and its settings.

    :class:`Error` where a package is missing, the device is not here, or the process came to nothing.
    """
    question = json.dumps({"device": device, "profiles": list(profiles)})
    done = run([sys.executable, "-m", __spec__.name], input=question, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise Error(f"torch: cannot be used here ({reason}), see that `{sys.executable} -c 'import torch, diffusers'` works") from None
    if "error" in answer:
        raise Error(answer["error"])
    return Probed(**answer | {"native": tuple(answer["native"]), "faults": tuple(answer["faults"])})


def answered(question: Mapping[str, Any]) -> Probed:
    """The answer, by the process that may load torch."""
    from generator.illustrate import engine
    from generator.illustrate.causes import imported
    from generator.illustrate.loading import faults, library

    diffusers = library()
    with imported():
        import accelerate
        import psutil
        import torch
        import transformers
    device = engine.found(torch, question["device"])
    name, memory = _known(torch, device)
    return Probed(
        device=device,
        name=name,
        count=torch.cuda.device_count() if device == "cuda" else 1,
        memory=memory,
        ram=psutil.virtual_memory().total,
        speeds=_speeds(torch, device),
        versions={package.__name__: package.__version__ for package in (torch, diffusers, transformers, accelerate)},
        native=_native(torch, device),
        faults=tuple(f"{where}: {fault}" for where, settings in question["profiles"] for fault in faults(settings)),
    )


def _known(torch: Any, device: str) -> tuple[str, int]:
    """What a device calls itself, and its bytes."""
    import psutil

    if device.startswith("cuda"):
        card = torch.cuda.get_device_properties(torch.device(device))
        return card.name, card.total_memory
    if device == "mps":
        return f"Apple {platform.machine()}", torch.mps.recommended_max_memory()
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}", psutil.virtual_memory().total


def _native(torch: Any, device: str) -> tuple[str, ...]:
    """The number formats that a device computes in: asked of it, not measured, since keys of pictures depend on the answer."""
    if device != "cpu":
        return DTYPES
    if platform.machine().lower() in ("x86_64", "amd64"):
        has = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    else:
        has = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return ("float32", "bfloat16") if has else ("float32",)


def _speeds(torch: Any, device: str) -> dict[str, float]:
    """TFLOP/s by number format, those that the device does not have left out.

    A processor's are those of one core, times its cores: other work disturbs one thread least.
    """
    import psutil

    cores = (psutil.cpu_count(logical=False) or 1) if device == "cpu" else 1
    if device == "cpu":
        torch.set_num_threads(1)
    return {dtype: round(SHARE * cores * speed, 4) for dtype in DTYPES if (speed := _speed(torch, device, dtype))}


def _speed(torch: Any, device: str, dtype: str) -> float:
    """TFLOP/s of convolutions as in a UNet: the best over ever more channels, until they have had their time; 0 where there are none."""
    began, speed = time.perf_counter(), 0.0
    try:
        for channels in CHANNELS:
            sizes = (2, channels, SIDE, SIDE), (channels, channels, 3, 3)
            image, weights = (torch.ones(size, dtype=getattr(torch, dtype), device=device) for size in sizes)
            seconds = min(_took(partial(torch.conv2d, image, weights, padding=1)) for _ in range(TRIES))
            speed = max(speed, 2 * 2 * 9 * (channels * SIDE) ** 2 / seconds / 1e12)
            if time.perf_counter() - began > LONG:
                break
    except (RuntimeError, TypeError):
        return 0.0
    return speed


def _took(work: Callable[[], Any]) -> float:
    """Seconds for work of a device; reading a number of what it gives waits for all of it."""
    began = time.perf_counter()
    float(work().flatten()[0])
    return time.perf_counter() - began


def main() -> None:
    """Answer a question of :func:`probe`."""
    question = json.loads(sys.stdin.read())
    try:
        answer = asdict(answered(question))
    except Error as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
