"""Bushu's diffusion pass against the plain script that most people start from: ``make bench-diffusion``.

Both make pictures with a pipeline of Stable Diffusion 1.5's size and random weights, which take as long as real ones: nothing is
downloaded. Bushu's side is what a worker of ``bushu illustrate`` does once its model is loaded, from the request to the file on the
disk, the search for how many pictures to make at once included. The other side makes one picture at a time in float32 with
attention slicing, and saves it. Loading is left out on both.

Each round of each side is a process of its own, in turn, so that neither has anything from the other. Memory is what torch took of
the device (CUDA) or the process had of the machine (elsewhere). The exit status is 1 if Bushu took more than its cap.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "a small boat with red sails, simple composition, centered, plain cream background, gouache painting"
NEGATIVE = "person, man, woman, face, text, watermark, frame"
GUIDANCE = 7.5
STEPS = 20
"""Of a picture that is to be looked at."""
WARMING = 2
"""Steps of the picture that each side makes beforehand."""
FEWER = 16
"""How many times fewer pictures the plain script makes where it would take long."""
DTYPES = {"cuda": "float16", "mps": "bfloat16", "cpu": "bfloat16"}
"""What ``models.yml`` lists first for Stable Diffusion 1.5."""
SHARE = {"cuda": 0.9, "mps": 0.9, "cpu": 0.8}
"""Of the device's memory, what ``bushu illustrate`` takes at most."""
DEFAULTS = {"cuda": (256, 3, STEPS), "mps": (2, 2, STEPS), "cpu": (1, 2, 4)}
"""Pictures a round, rounds and steps."""
HEADINGS = ("", "numbers", "at once", "pictures", "s/picture", "pictures/s", "ratio", "peak GB", "cap GB")

Told = dict[str, Any]


def built(told: Told) -> Told:
    """Make the weights."""
    from generator.illustrate import tiny

    tiny.sd15(Path(told["weights"]))
    return {}


def surveyed(told: Told) -> Told:
    """What is here: the device, its memory, versions, and the numbers that Bushu would use."""
    from generator.illustrate import probe

    found = probe.answered({"device": told["device"], "profiles": []})
    kind = found.device.partition(":")[0]
    dtype = DTYPES[kind] if DTYPES[kind] in found.native else "float32"
    known = {"device": found.device, "kind": kind, "name": found.name, "dtype": dtype, "cap": int(SHARE[kind] * found.memory)}
    return known | {"versions": dict(found.versions)}


def bushu(told: Told) -> Told:
    """Bushu's side."""
    from generator.illustrate import engine
    from generator.illustrate.making import Here
    from generator.illustrate.requests import Request
    from generator.illustrate.worker import Task, work

    call = {"num_inference_steps": told["steps"], "guidance_scale": GUIDANCE}
    settings = {"provider": "diffusers", "repo": told["weights"], "pipeline": "StableDiffusionPipeline", "size": told["size"]}
    settings |= {"dtype": told["dtype"], "call": call}
    here = Here(told["device"], told["cap"], 0, 0, ROOT, Path(told["folder"]))
    maker = engine.maker(settings, here)

    def task(count: int, seed: int, call: Told) -> Task:
        asked = [Request(1, "bench", "text", "gouache", PROMPT, NEGATIVE, seed + at, settings | {"call": call}) for at in range(count)]
        return Task(tuple(asked), {}, here, Path(told["folder"]))

    work(task(1, 0, call | {"num_inference_steps": WARMING}), maker, lambda *_, **__: None)
    together: list[int] = []

    def say(event: str, **words: Any) -> None:
        if event == "begun":
            together.append(len(words["keys"]))

    began = perf_counter()
    work(task(told["images"], 1, call), maker, say)
    return _taken(told, sum(together), perf_counter() - began, max(together))


def plain(told: Told) -> Told:
    """The plain script's side."""
    import torch
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import logging

    logging.set_verbosity_error()
    pipe = StableDiffusionPipeline.from_pretrained(told["weights"], torch_dtype=torch.float32, use_safetensors=True)
    pipe = pipe.to(told["device"])
    pipe.set_progress_bar_config(disable=True)
    pipe.enable_attention_slicing()

    def make(seed: int, steps: int) -> None:
        picture = pipe(
            PROMPT,
            negative_prompt=NEGATIVE,
            num_inference_steps=steps,
            guidance_scale=GUIDANCE,
            height=told["size"],
            width=told["size"],
            generator=torch.Generator(told["device"]).manual_seed(seed),
        ).images[0]
        picture.save(Path(told["folder"]) / f"{seed}.png")

    make(0, WARMING)
    count = max(1, told["images"] // FEWER)
    began = perf_counter()
    for seed in range(1, count + 1):
        make(seed, told["steps"])
    return _taken(told, count, perf_counter() - began, 1)


def _taken(told: Told, count: int, seconds: float, together: int) -> Told:
    """What a round took: seconds a picture, and bytes at most."""
    if told["kind"] == "cuda":
        import torch

        peak = torch.cuda.max_memory_reserved(told["device"])
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"count": count, "each": seconds / count, "together": together, "peak": peak}


PARTS: dict[str, Callable[[Told], Told]] = {part.__name__: part for part in (built, surveyed, bushu, plain)}
SIDES = {"bushu": "Bushu", "plain": "plain script"}


def child(part: str, told: Told) -> Told:
    """What a process of its own answers to a part of the work."""
    command = [sys.executable, str(Path(__file__).resolve()), "--part", part]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": paths, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, input=json.dumps(told), capture_output=True, text=True, env=environment, check=False)
    try:
        return json.loads(done.stdout.strip().rpartition("\n")[2])  # type: ignore[no-any-return]
    except ValueError:
        sys.exit(f"bench: {part} ended with status {done.returncode}\n{done.stderr.strip()}")


@dataclass(frozen=True, slots=True)
class Bench:
    """What was asked for and found here, and what the rounds of each side took."""

    told: Told
    taken: dict[str, list[Told]]

    @property
    def ratio(self) -> float:
        """How many times as fast Bushu is, by the medians."""
        return self._each("plain") / self._each("bushu")

    @property
    def is_within(self) -> bool:
        """True if Bushu never took more than its cap."""
        return all(one["peak"] <= self.told["cap"] for one in self.taken["bushu"])

    def _each(self, side: str) -> float:
        return float(median(one["each"] for one in self.taken[side]))

    def heading(self) -> Iterator[str]:
        """What was measured, and on what."""
        versions = ", ".join(f"{package} {version}" for package, version in self.told["versions"].items())
        yield f"{self.told['name']} ({self.told['device']}); {versions}."
        size, rounds = self.told["size"], self.told["rounds"]
        yield f"{size} × {size} pixels, {self.told['steps']} steps, guidance {GUIDANCE}; medians of {rounds} rounds, loading left out."
        if self.told["steps"] < STEPS:
            yield f"Not the {STEPS} steps of a picture that is to be looked at: of fewer, the VAE takes a larger share."

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The table, its headings first."""
        yield HEADINGS
        yield ("---", "---") + ("--:",) * (len(HEADINGS) - 2)
        for side, name in SIDES.items():
            rounds, each, ours = self.taken[side], self._each(side), side == "bushu"
            peak = max(one["peak"] for one in rounds) / 1e9
            yield (
                name,
                self.told["dtype"] if ours else "float32",
                str(max(one["together"] for one in rounds)),
                f"{len(rounds)} × {rounds[0]['count']}",
                f"{each:.3g}",
                f"{1 / each:.3g}",
                f"{self.ratio:.2f}" if ours else "1",
                f"{peak:.1f}",
                f"{self.told['cap'] / 1e9:.1f}" if ours else "–",
            )

    def lines(self) -> Iterator[str]:
        """All there is to say, in Markdown."""
        yield from self.heading()
        yield ""
        yield from (f"| {' | '.join(row)} |" for row in self.rows())
        yield ""
        pairs = zip(self.taken["plain"], self.taken["bushu"], strict=True)
        ratios = [other["each"] / ours["each"] for other, ours in pairs]
        yield f"Ratio by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}."
        if not self.is_within:
            yield "Bushu took more than its cap."


def measured(given: argparse.Namespace, folder: Path) -> Bench:
    """Measure both sides in turn."""
    found = child("surveyed", {"device": given.device})
    images, rounds, steps = (
        wanted or usual for wanted, usual in zip((given.images, given.rounds, given.steps), DEFAULTS[found["kind"]], strict=True)
    )
    weights = given.weights.resolve() if given.weights else folder / "sd15"
    told = found | {"images": images, "rounds": rounds, "steps": steps, "size": given.size, "weights": str(weights)}
    if given.memory:
        told["cap"] = int(given.memory * 1e9)
    if not given.weights:
        child("built", told)
    taken: dict[str, list[Told]] = {side: [] for side in SIDES}
    for at in range(rounds):
        for side, name in SIDES.items():
            place = folder / f"{side}-{at}"
            place.mkdir()
            taken[side].append(child(side, told | {"folder": str(place)}))
            print(f"round {at + 1} of {rounds}, {name}: {taken[side][-1]['each']:.3g} s a picture", file=sys.stderr, flush=True)
    return Bench(told, taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    parser.add_argument(
        "--images", type=int, help=f"pictures a round (cuda: {DEFAULTS['cuda'][0]}, the plain script {FEWER} times fewer; cpu: 1)"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each side")
    parser.add_argument("--steps", type=int, help=f"steps a picture ({STEPS}; cpu: {DEFAULTS['cpu'][2]})")
    parser.add_argument("--size", type=int, default=512, help="pixels a side")
    parser.add_argument("--memory", type=float, help="the cap in GB (default: as in bushu illustrate)")
    parser.add_argument("--weights", type=Path, help="a folder with a Stable Diffusion pipeline, in place of random weights of its size")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        answer = PARTS[given.part](json.loads(sys.stdin.read()))
        print(json.dumps(answer))
        return 0
    with tempfile.TemporaryDirectory(prefix="bushu-bench-") as name:
        bench = measured(given, Path(name))
    print("\n".join(bench.lines()))
    return int(not bench.is_within)


if __name__ == "__main__":
    sys.exit(main())
