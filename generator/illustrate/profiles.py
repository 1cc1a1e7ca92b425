"""``models.yml``: profiles of models, dialects and styles of prompts; and what a provider is told of a profile in a mode."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from generator.illustrate import conversation
from generator.illustrate.conditions import conditions
from generator.illustrate.providers import providers
from generator.model import Error, Text, Written, nearest
from generator.project import Project, read, validated

MODELS = "models.yml"
DEVICES = ("cuda", "mps", "cpu")
Device = Literal["cuda", "mps", "cpu"]
Dtype = Literal["float16", "bfloat16", "float32"]
LOCAL = ("diffusers", "demo")
"""Providers that load a pipeline here, and so need to be told all of it."""
MODES = ("text", "img2img", "control", "glyph", "reference")
"""Modes that templates and groups may name though no model has them; others are those of models."""
SAID_BY = {"num_inference_steps": "steps", "width": "size", "height": "size"}
"""Arguments of the call that have a key of their own."""
FIELDS = {"prompt": ("brief", "headword", "style", "alone", "colours"), "negative": ("avoid",)}
"""What the templates of a dialect may have in braces."""


def _typed(value: Any) -> Any:
    """A scalar of YAML, which is read as text, as what it says: true, 25, 7.5, or text."""
    if not isinstance(value, str):
        return value
    if value in ("true", "false"):
        return value == "true"
    if re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    return float(value) if re.fullmatch(r"-?[0-9]*\.?[0-9]+(e[+-]?[0-9]+)?", value) else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Scalar = Annotated[bool | int | float | str, BeforeValidator(_typed)]
Dtypes = Annotated[tuple[Dtype, ...], BeforeValidator(_listed), Field(min_length=1)]


def _single(value: dict[str, float]) -> dict[str, float]:
    if len(value) > 1:
        raise PydanticCustomError("single", "one parameter only, keep the one that the pipeline is guided by")
    return value


class Decisive(Written):
    """What goes into keys, which are JSON and know no infinity."""

    model_config = ConfigDict(allow_inf_nan=False)


class Weights(Decisive):
    """Weights on the hub, or in a folder (``./…``, from the project's). ``revision`` is a commit, or a branch, pinned at first use."""

    repo: Text
    revision: Text = "main"
    subfolder: Text | None = None


class Component(Weights):
    """A part that takes the place of the pipeline's own, such as another VAE; ``kind`` is its class in diffusers.

    ``file``: the one file in the repository that has its weights, where it is not laid out as diffusers lays it out;
    ``config``: whose configuration it has then.
    """

    kind: Text
    file: Text | None = None
    config: Weights | None = None


class Adapter(Weights):
    """A LoRA: its ``file`` in the repository and how strongly it counts."""

    file: Text
    scale: float = 1.0


class Mode(Decisive):
    """How a model is asked: by text alone, or with a conditioning ``image`` that the call takes as ``parameter``."""

    pipeline: Text | None = None
    image: Text | None = None
    parameter: Text = "image"
    controlnet: Component | None = None
    call: dict[str, Scalar] = Field({})


class Profile(Weights):
    """A model as it is to be used. ``guidance`` is by the parameter's real name; ``call`` are further arguments of the call.

    ``memory``: GB that it needs by device. ``work``: TFLOP a picture, for an estimate of time. ``price``: US dollars a picture, of a
    service. ``url``: the address of a service that is not the provider's own. ``tokens``: how long a prompt it reads.
    """

    title: Text
    provider: Text
    pipeline: Text | None = None
    licence: Text
    accept_licence: bool = False
    dialect: Text
    size: Annotated[int, Field(ge=16, le=4096)]
    steps: Annotated[int, Field(ge=1, le=200)] | None = None
    guidance: Annotated[dict[str, float], AfterValidator(_single)] = Field({})
    scheduler: dict[str, Scalar] | None = None
    dtype: dict[Device, Dtypes] = Field({})
    memory: dict[Device, Annotated[float, Field(gt=0)]] = Field({})
    work: Annotated[float, Field(gt=0)] | None = None
    price: Annotated[float, Field(ge=0)] | None = None
    url: Text | None = None
    tokens: Annotated[int, Field(ge=1)] | None = None
    components: dict[str, Component] = Field({})
    adapters: tuple[Adapter, ...] = ()
    variant: Text | None = None
    call: dict[str, Scalar] = Field({})
    modes: Annotated[dict[str, Mode], Field(min_length=1)] = Field({"text": Mode()})

    @property
    def negates(self) -> bool:
        """True if a negative prompt does anything: only where guidance is above 1."""
        return any(value > 1 for value in self.guidance.values())


class Licence(Written):
    """A licence of models: its name, where it stands, and whether it lets pictures be used commercially."""

    title: Text
    url: Text
    commercial: bool


class Dialect(Written):
    """How a family of models wants to be spoken to: templates with ``{brief}`` and ``{style}``, and ``{avoid}`` in the negative one.

    ``alone`` is said in the prompt where a negative one would do nothing. ``modes`` are templates that take the place of
    ``prompt`` in a mode: where a glyph is to be hidden in a scene, a plain background would be in its way.
    """

    prompt: Text
    negative: Text | None = None
    alone: Text | None = None
    modes: dict[str, Text] = Field({})


class Style(Written):
    """How pictures should look, in the words of each dialect."""

    title: Text
    words: dict[str, Text]


class Avoided(Written):
    """Words of negative prompts that stand together, left out where the radical's family, words of its brief or the mode are listed."""

    terms: tuple[Text, ...]
    unless_families: tuple[Text, ...] = ()
    unless_words: tuple[Text, ...] = ()
    unless_modes: tuple[Text, ...] = ()


class ModelsFile(Written):
    """``models.yml``. The first style is the default. ``subjects``: why a radical's picture may show what another one is called."""

    licences: dict[str, Licence]
    dialects: dict[str, Dialect]
    styles: Annotated[dict[str, Style], Field(min_length=1)]
    avoid: dict[str, Avoided]
    subjects: dict[int, Text] = Field({})
    models: dict[str, Profile]


def load(project: Project) -> ModelsFile:
    """The project's ``models.yml``, or the one that the package brings, with every reference resolved."""
    found = validated(ModelsFile, read(project.path(MODELS), MODELS), MODELS)
    if faults := [f"{MODELS}: {fault}" for rule in (_dialects, _styles, _avoided, _models) for fault in rule(found, project)]:
        raise Error("\n".join(faults))
    return found


def _unknown(where: str, kind: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """A line for every name that nothing has."""
    yield from (f"{where}: unknown {kind} {name!r}, {nearest(name, known)}" for name in names if name not in known)


def _modes(models: ModelsFile) -> list[str]:
    """The modes that there are, whether a model has them or not."""
    return sorted({*MODES, *(mode for profile in models.models.values() for mode in profile.modes)})


def _dialects(models: ModelsFile, project: Project) -> Iterator[str]:
    """Templates that could not be filled in."""
    modes = _modes(models)
    for name, dialect in models.dialects.items():
        yield from _unknown(f"dialects.{name}.modes", "mode", dialect.modes, modes)
        templates = {"prompt": dialect.prompt} | {f"modes.{mode}": template for mode, template in dialect.modes.items()}
        for key, template in templates.items():
            yield from _template(f"dialects.{name}.{key}", template, FIELDS["prompt"], "brief")
        yield from _template(f"dialects.{name}.negative", dialect.negative or "{avoid}", FIELDS["negative"], "avoid")


def _template(where: str, template: str, known: Sequence[str], needed: str) -> Iterator[str]:
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        yield f"{where}: {error}, write a brace that is meant as one twice"
        return
    names = [name for _, name, _, _ in parts if name is not None]
    yield from (f"{where}: unknown field {{{name}}}, {nearest(name, known)}" for name in names if name not in known)
    yield from (f"{where}: {{{name}}} is written with a format, write the name alone" for _, name, form, turn in parts if form or turn)
    if needed not in names:
        yield f"{where}: does not say {{{needed}}}, all radicals would have the same prompt"


def _styles(models: ModelsFile, project: Project) -> Iterator[str]:
    """Styles that some model could not be told of."""
    used = {profile.dialect for profile in models.models.values()} & models.dialects.keys()
    telling = sorted(
        name for name in used if any("{style}" in text for text in (models.dialects[name].prompt, *models.dialects[name].modes.values()))
    )
    for name, style in models.styles.items():
        yield from _unknown(f"styles.{name}.words", "dialect", style.words, models.dialects)
        yield from (f"styles.{name}.words: none for {dialect}, add {dialect}: …" for dialect in telling if dialect not in style.words)


def _avoided(models: ModelsFile, project: Project) -> Iterator[str]:
    """Exceptions for what there is not."""
    modes = _modes(models)
    for name, group in models.avoid.items():
        yield from _unknown(f"avoid.{name}.unless_families", "family", group.unless_families, project.groups.families)
        yield from _unknown(f"avoid.{name}.unless_modes", "mode", group.unless_modes, modes)
    numbers = {radical.number for radical in project.radicals}
    yield from (f"subjects.{number}: there is no such radical" for number in models.subjects if number not in numbers)


def _models(models: ModelsFile, project: Project) -> Iterator[str]:
    """What is wrong with the profiles."""
    for name, profile in models.models.items():
        where = f"models.{name}"
        yield from _unknown(f"{where}.provider", "provider", [profile.provider], providers)
        yield from _unknown(f"{where}.dialect", "dialect", [profile.dialect], models.dialects)
        yield from _licensed(where, profile, models.licences)
        for mode, asked in profile.modes.items():
            yield from _unknown(f"{where}.modes.{mode}.image", "conditioning image", [asked.image] if asked.image else [], conditions)
        if profile.provider in LOCAL:
            yield from _local(where, profile)


def _local(where: str, profile: Profile) -> Iterator[str]:
    """What a profile of a local model lacks, and what could not work."""
    yield from (f"{where}: has no {key}, {said}" for key, said in SAID.items() if not getattr(profile, key))
    if profile.size % 8:
        yield f"{where}.size: pipelines make pictures of a multiple of 8 pixels, {profile.size} is none, give {-(-profile.size // 8) * 8}"
    if profile.url:
        yield f"{where}.url: decides nothing where a model is loaded here, leave it out"
    yield from _call(where, profile.call, profile.steps)
    for mode, asked in profile.modes.items():
        if not (asked.pipeline or profile.pipeline):
            yield f"{where}.modes.{mode}: has no pipeline, give pipeline: the name of its class in diffusers"
        yield from _call(f"{where}.modes.{mode}", asked.call, profile.steps)


def _call(where: str, call: Mapping[str, Any], steps: int | None) -> Iterator[str]:
    """Arguments that have a key of their own, and a strength that is no share of the steps."""
    yield from (f"{where}.call.{name}: {SAID_BY[name]} of the model says it, leave it out" for name in call if name in SAID_BY)
    strength = call.get("strength", 1)
    if isinstance(strength, bool | str) or not 0 < strength <= 1:
        yield f"{where}.call.strength: should be a number above 0 and at most 1 (here: {strength})"
    elif steps and int(steps * strength) < 1:
        yield f"{where}.call.strength: {strength} leaves none of {steps} steps, give at least {ceil(100 / steps) / 100:g}"


SAID = {
    "steps": "give steps: how many the model was made for",
    "guidance": "give guidance: {guidance_scale: …}, or what the pipeline calls it",
    "dtype": "give dtype: {cuda: …, mps: …, cpu: …}, each with what to try first",
}
"""What a profile of a local model must say."""


def _licensed(where: str, profile: Profile, licences: Mapping[str, Licence]) -> Iterator[str]:
    """A licence that is not known, or that must be accepted."""
    yield from _unknown(f"{where}.licence", "licence", [profile.licence], licences)
    licence = licences.get(profile.licence)
    if licence and not licence.commercial and not profile.accept_licence:
        yield f"{where}.licence: {licence.title} allows no commercial use, read {licence.url} and add accept_licence: true if that will do"


def settings(profile: Profile, mode: str, dtype: str | None) -> dict[str, Any]:
    """What the provider is told: everything in the profile that decides pixels, and nothing else."""
    chosen = profile.modes[mode]
    call = profile.call | ({"num_inference_steps": profile.steps} if profile.steps else {}) | profile.guidance | chosen.call
    parts: dict[str, Any] = {
        "provider": profile.provider,
        "repo": profile.repo,
        "revision": profile.revision,
        "subfolder": profile.subfolder,
        "variant": profile.variant,
        "pipeline": chosen.pipeline or profile.pipeline,
        "size": profile.size,
        "dtype": dtype,
        "url": profile.url,
        "scheduler": profile.scheduler,
        "components": {part: spec.model_dump(exclude_none=True) for part, spec in profile.components.items()},
        "adapters": [adapter.model_dump(exclude_none=True) for adapter in profile.adapters],
        "controlnet": chosen.controlnet.model_dump(exclude_none=True) if chosen.controlnet else None,
        "image": chosen.parameter if chosen.image else None,
        "call": call,
        "rules": conversation.version() if profile.provider == "svg" else None,
    }
    return {key: value for key, value in parts.items() if value not in (None, {}, [])}
