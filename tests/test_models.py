"""models.yml: what is shipped, and what is refused before anything is loaded."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from common import DATA
from hypothesis import given
from hypothesis import strategies as st

from generator.illustrate import profiles
from generator.illustrate.conditions import conditions
from generator.illustrate.profiles import DEVICES, LOCAL, MODELS, ModelsFile, Profile
from generator.illustrate.providers import providers
from generator.illustrate.requests import canonical
from generator.model import Error
from generator.project import load, read

SHIPPED = profiles.load(load(DATA))
FILE = load(DATA).path(MODELS)
LOCALLY = {name: profile for name, profile in SHIPPED.models.items() if profile.provider in LOCAL}
ASKED = [(name, mode) for name, profile in SHIPPED.models.items() for mode in profile.modes]


@pytest.fixture
def written(copy: Path) -> Callable[[str, str], ModelsFile]:
    """The shipped file with one text replaced by another, as it is loaded."""

    def corrupt(before: str, after: str) -> ModelsFile:
        text = FILE.read_text("utf-8")
        assert before in text
        (copy / MODELS).write_text(text.replace(before, after, 1), "utf-8")
        return profiles.load(load(copy))

    return corrupt


# What is shipped


def test_what_is_there() -> None:
    """Something for every machine and every provider, and the shape embeddings."""
    assert {profile.provider for profile in SHIPPED.models.values()} == providers.keys()
    assert {"sd15", "dreamshaper", "lcm", "sdxl", "sdxl-lightning", "flux2-klein", "z-image", "demo"} <= SHIPPED.models.keys()
    assert {name for name, mode in ASKED if mode == "glyph"} == {"sd15-monster", "sdxl-scribble", "z-image-union"}
    assert len(SHIPPED.styles) >= 4
    assert next(iter(SHIPPED.models)) == "demo", "the first is what runs where nothing is downloaded"


def test_no_shipped_model_is_for_research_alone() -> None:
    assert all(SHIPPED.licences[profile.licence].commercial for profile in SHIPPED.models.values())
    assert not any(profile.accept_licence for profile in SHIPPED.models.values())
    assert sum(not licence.commercial for licence in SHIPPED.licences.values()) >= 2


def test_revisions_are_commits() -> None:
    """The weights of every local model, with its parts and adapters, are those that were looked at."""
    seen = 0
    for profile in LOCALLY.values():
        nets = [asked.controlnet for asked in profile.modes.values() if asked.controlnet]
        for weights in (profile, *profile.components.values(), *profile.adapters, *nets):
            if profile.provider == "diffusers":
                assert re.fullmatch("[0-9a-f]{40}", weights.revision), weights.repo
                assert re.fullmatch(r"[\w.-]+/[\w.-]+", weights.repo)
                seen += 1
    assert seen >= 20


def test_one_repository_has_one_revision() -> None:
    nets = [asked.controlnet for profile in LOCALLY.values() for asked in profile.modes.values() if asked.controlnet]
    parts = [part for profile in LOCALLY.values() for part in (profile, *profile.components.values(), *profile.adapters)]
    known: dict[str, str] = {}
    for weights in (*parts, *nets):
        assert known.setdefault(weights.repo, weights.revision) == weights.revision


@pytest.mark.parametrize("name", LOCALLY)
def test_a_local_model_says_what_a_machine_needs(name: str) -> None:
    profile = LOCALLY[name]
    assert set(profile.dtype) == set(profile.memory) == set(DEVICES)
    assert all(profile.memory[device] > 0 for device in DEVICES)
    assert profile.size % 16 == 0
    if profile.provider == "diffusers":
        assert profile.work


def test_z_image_is_never_asked_for_float16() -> None:
    """It gives black pictures then."""
    found = [profile for profile in SHIPPED.models.values() if "Z-Image" in profile.repo]
    assert len(found) == 2
    assert not any("float16" in listed for profile in found for listed in profile.dtype.values())


def test_clip_reads_77_tokens() -> None:
    assert all(profile.tokens == 77 for profile in SHIPPED.models.values() if profile.dialect == "tags")


def test_only_services_cost_something() -> None:
    assert all(profile.price is None for profile in LOCALLY.values())
    assert sum(bool(profile.price) for profile in SHIPPED.models.values()) >= 3


@pytest.mark.parametrize(("name", "mode"), ASKED)
def test_settings_are_canonical_json(name: str, mode: str) -> None:
    profile = SHIPPED.models[name]
    settings = profiles.settings(profile, mode, "float32")
    assert json.loads(canonical(settings)) == settings
    assert settings["repo"] == profile.repo
    assert ("image" in settings) == (profile.modes[mode].image is not None)
    assert not settings.keys() & {"memory", "work", "price", "tokens", "title", "licence", "dialect"}, "these decide no pixels"


def test_every_conditioning_image_is_used_or_for_ones_own_profiles() -> None:
    used = {asked.image for profile in SHIPPED.models.values() for asked in profile.modes.values() if asked.image}
    assert used <= conditions.keys()
    assert used >= {"picture", "scribble", "glyph", "lines"}


# What is refused

REFUSED = {
    "provider": ("provider: demo", "provider: demos", "models.demo.provider: unknown provider 'demos', did you mean demo?"),
    "licence": ("licence: mit", "licence: mitt", "models.demo.licence: unknown licence 'mitt', did you mean mit?"),
    "dialect": ("dialect: tags", "dialect: tag", "models.demo.dialect: unknown dialect 'tag', did you mean tags?"),
    "non-commercial": (
        "licence: mit",
        "licence: sai-nc-community",
        "models.demo.licence: Stability AI Non-Commercial Research Community License allows no commercial use, read https://",
    ),
    "pipeline": (
        "pipeline: StableDiffusionPipeline\n    licence: mit",
        "licence: mit",
        "models.demo.modes.text: has no pipeline, give pipeline: the name of its class in diffusers",
    ),
    "pipeline of a mode": (
        "pipeline: StableDiffusionControlNetPipeline\n        image: glyph",
        "image: glyph",
        "models.sd15-monster.modes.glyph: has no pipeline",
    ),
    "steps": ("    steps: 2\n", "", "models.demo: has no steps, give steps: how many the model was made for"),
    "guidance": ("    guidance: {guidance_scale: 3}\n", "", "models.demo: has no guidance, give guidance: {guidance_scale: …}"),
    "dtype": ("    dtype: {cuda: float32, mps: float32, cpu: float32}\n", "", "models.demo: has no dtype, give dtype: {cuda: …"),
    "image": (
        "image: glyph",
        "image: glyf",
        "models.sd15-monster.modes.glyph.image: unknown conditioning image 'glyf', did you mean glyph?",
    ),
    "style for nobody": ("      tags: gouache", "      tag: gouache", "styles.gouache.words: unknown dialect 'tag', did you mean tags?"),
    "style for not all": ("      tags: gouache", "      drawing: gouache", "styles.gouache.words: none for tags, add tags: …"),
    "field": ("{brief}, simple", "{breif}, simple", "dialects.tags.prompt: unknown field {breif}, did you mean brief?"),
    "no brief": ("{brief}, simple", "{headword}, simple", "dialects.tags.prompt: does not say {brief}, all radicals would have the same"),
    "field of a mode": (
        "{brief}, scenery",
        "{}{brief}, scenery",
        "dialects.tags.modes.glyph: unknown field {}, known: brief, headword, style",
    ),
    "format": (
        "{brief}, simple",
        "{brief:>99999999}, simple",
        "dialects.tags.prompt: {brief} is written with a format, write the name alone",
    ),
    "conversion": ("{brief}, simple", "{brief!r}, simple", "dialects.tags.prompt: {brief} is written with a format, write the name alone"),
    "attribute": (
        "{brief}, simple",
        "{brief}{brief.__class__}, simple",
        "dialects.tags.prompt: unknown field {brief.__class__}, known: brief",
    ),
    "brace": ("{brief}, simple", "{brief}}, simple", "dialects.tags.prompt: Single '}' encountered in format string, write a brace"),
    "negative": ('negative: "{avoid}"', 'negative: "{avoided}"', "dialects.tags.negative: unknown field {avoided}, did you mean avoid?"),
    "mode of a dialect": (
        "      reference: ",
        "      referrence: ",
        "dialects.prose.modes: unknown mode 'referrence', did you mean reference?",
    ),
    "family": ("unless_families: [person, body]", "unless_families: [persons]", "avoid.people.unless_families: unknown family 'persons'"),
    "mode of a group": (
        "unless_modes: [glyph]",
        "unless_modes: [gylph]",
        "avoid.lettering.unless_modes: unknown mode 'gylph', did you mean glyph?",
    ),
    "radical": ("  11: Going", "  511: Going", "subjects.511: there is no such radical"),
    "unknown key": ("steps: 2\n", "step: 2\n", "models.demo.step"),
    "number format": ("cpu: float32}", "cpu: float8}", "models.demo.dtype.cpu"),
    "device": ("cpu: float32}", "tpu: float32}", "models.demo.dtype"),
    "infinity": ("{guidance_scale: 3}", "{guidance_scale: 1e999}", "models.demo.guidance.guidance_scale"),
    "no number": ("{guidance_scale: 3}", "{guidance_scale: nan}", "models.demo.guidance.guidance_scale"),
    "two guidances": ("{guidance_scale: 3}", "{guidance_scale: 3, true_cfg_scale: 2}", "models.demo.guidance: one parameter only"),
    "half a step": ("    steps: 2\n", "    steps: 2.5\n", "models.demo.steps: should be a whole number (here: '2.5')"),
    "no number of GB": ("memory: {cuda: 1,", "memory: {cuda: much,", "models.demo.memory.cuda: should be a number (here: 'much')"),
    "no number formats": ("{cuda: float32,", "{cuda: [],", "models.demo.dtype.cuda: too short, write 1 or more"),
    "no memory": ("memory: {cuda: 1,", "memory: {cuda: 0,", "models.demo.memory.cuda: should be greater than 0"),
    "no work": ("work: 43", "work: 0", "models.sd15.work: should be greater than 0"),
    "odd size": (
        "size: 64",
        "size: 65",
        "models.demo.size: pipelines make pictures of a multiple of 8 pixels, 65 is none, give 72",
    ),
    "strength above 1": (
        "call: {strength: 0.6}",
        "call: {strength: 1.5}",
        "models.sd15.modes.img2img.call.strength: should be a number above 0 and at most 1 (here: 1.5)",
    ),
    "strength of nothing": (
        "call: {strength: 0.6}",
        "call: {strength: 0}",
        "models.sd15.modes.img2img.call.strength: should be a number above 0 and at most 1 (here: 0)",
    ),
    "strength in words": (
        "call: {strength: 0.6}",
        "call: {strength: much}",
        "models.sd15.modes.img2img.call.strength: should be a number above 0 and at most 1 (here: much)",
    ),
    "strength of no step": (
        "call: {strength: 0.6}",
        "call: {strength: 0.03}",
        "models.sd15.modes.img2img.call.strength: 0.03 leaves none of 25 steps, give at least 0.04",
    ),
    "steps in the call": (
        "    size: 64\n",
        "    size: 64\n    call: {num_inference_steps: 3}\n",
        "models.demo.call.num_inference_steps: steps of the model says it, leave it out",
    ),
    "size in a mode's call": (
        "call: {strength: 0.6}",
        "call: {strength: 0.6, width: 64}",
        "models.sd15.modes.img2img.call.width: size of the model says it, leave it out",
    ),
    "address of a local model": (
        "    size: 64\n",
        "    size: 64\n    url: http://localhost\n",
        "models.demo.url: decides nothing where a model is loaded here, leave it out",
    ),
    "infinity in the call": ("call: {strength: 0.6}", "call: {strength: 1e999}", "models.sd15.modes.img2img.call.strength"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refused(fault: str, written: Callable[[str, str], ModelsFile]) -> None:
    before, after, message = REFUSED[fault]
    with pytest.raises(Error) as caught:
        written(before, after)
    lines = str(caught.value).splitlines()
    assert any(line.startswith(f"models.yml: {message}") for line in lines), "\n".join(lines)


def test_a_model_of_ones_own_may_be_the_only_one(written: Callable[[str, str], ModelsFile]) -> None:
    """Templates and groups for modes that it does not have are no fault; a text of all the other models is taken away."""
    text = FILE.read_text("utf-8")
    others = text[text.index("  sd15:\n") :]
    found = written(others, "")
    assert list(found.models) == ["demo"]
    assert {mode for dialect in found.dialects.values() for mode in dialect.modes} == {"glyph", "reference"}


def test_modes_that_are_known_are_those_of_the_shipped_models() -> None:
    assert set(profiles.MODES) == {mode for _, mode in ASKED}


def test_all_faults_are_told_at_once(copy: Path) -> None:
    text = FILE.read_text("utf-8")
    (copy / MODELS).write_text(text.replace("licence: mit", "licence: mitt").replace("image: glyph", "image: glyf"), "utf-8")
    with pytest.raises(Error) as caught:
        profiles.load(load(copy))
    assert len(str(caught.value).splitlines()) == 2


def test_a_non_commercial_model_may_be_ones_own(written: Callable[[str, str], ModelsFile]) -> None:
    found = written("licence: mit", "licence: sai-nc-community\n    accept_licence: true")
    assert found.models["demo"].accept_licence


def test_a_service_needs_neither_price_nor_pipeline(written: Callable[[str, str], ModelsFile]) -> None:
    found = written("    price: 0.045\n", "")
    assert found.models["gemini-flash"].price is None
    assert found.models["gemini-flash"].steps is None


def test_files_are_read_from_the_project_first(copy: Path) -> None:
    assert profiles.load(load(copy)) == SHIPPED, "what a project does not have, the package brings"


# Settings


@pytest.mark.parametrize("key", ["repo", "revision", "variant", "size", "steps", "guidance", "scheduler", "call", "url"])
def test_what_decides_pixels_is_in_the_settings(key: str) -> None:
    changed = {"size": 128, "steps": 9, "guidance": {"guidance_scale": 9.0}, "scheduler": {"name": "x"}, "call": {"eta": 0.5}}
    profile = SHIPPED.models["sd15"]
    other = profile.model_copy(update={key: changed.get(key, "other")})
    assert profiles.settings(other, "text", "float32") != profiles.settings(profile, "text", "float32")


@pytest.mark.parametrize("key", ["title", "licence", "memory", "work", "price", "tokens"])
def test_what_decides_no_pixels_is_not(key: str) -> None:
    profile = SHIPPED.models["sd15"]
    other = profile.model_copy(update={key: None})
    assert profiles.settings(other, "text", "float32") == profiles.settings(profile, "text", "float32")


def test_a_modes_call_wins() -> None:
    profile = SHIPPED.models["sd15"]
    modes = {"text": profile.modes["text"].model_copy(update={"call": {"guidance_scale": 3.0}})}
    call = profiles.settings(profile.model_copy(update={"modes": modes}), "text", None)["call"]
    assert call == {"num_inference_steps": 25, "guidance_scale": 3.0}


@given(st.one_of(st.booleans(), st.integers(-(10**9), 10**9), st.floats(-1e6, 1e6, allow_nan=False)))
def test_scalars_are_what_they_say(value: bool | int | float) -> None:
    """YAML is read as text: numbers and truth come back as such."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    profile = Profile.model_validate(
        {
            "repo": "a/b",
            "title": "t",
            "provider": "demo",
            "licence": "mit",
            "dialect": "tags",
            "size": "64",
            "call": {"x": text, "y": "words"},
        }
    )
    assert profile.call["x"] == value
    assert type(profile.call["x"]) is type(value)
    assert profile.call["y"] == "words"


def test_the_file_has_no_key_that_nobody_reads() -> None:
    """Every licence, dialect and group that is shipped is used, or is there for people's own profiles."""
    raw = read(FILE, MODELS)
    used = {profile.licence for profile in SHIPPED.models.values()}
    assert {name for name in raw["licences"] if name not in used} == {
        name for name, licence in SHIPPED.licences.items() if not licence.commercial
    }
    assert set(raw["dialects"]) == {profile.dialect for profile in SHIPPED.models.values()}
    assert all(SHIPPED.avoid[name].terms for name in raw["avoid"])
