"""Prompts: what every radical is asked for, in every dialect and style, and the rules that hold them together."""

import difflib
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from common import DATA
from hypothesis import given
from hypothesis import strategies as st

from generator.illustrate import profiles
from generator.illustrate.profiles import Avoided, ModelsFile
from generator.illustrate.prompts import avoided, every, lint, means, prompt, rules, stems, subject, tokens, ways
from generator.model import Finding, Radical
from generator.project import Project, load

SHIPPED = profiles.load(load(DATA))
RADICALS = {radical.number: radical for radical in load(DATA).radicals}
DEFAULT = next(iter(SHIPPED.styles))
GOLDEN = Path(__file__).parent / "golden"
READABLE, DIGESTS = GOLDEN / "prompts.txt", GOLDEN / "prompts.json"
# A thing, a rare thing, a hand, a person, a beast's head, writing, a frame, several things.
SHOWN = (69, 62, 64, 9, 93, 67, 13, 12)
# A model of each dialect, and the modes that change the words.
SPOKEN = (
    ("sd15", "text"),
    ("sd15-monster", "glyph"),
    ("lcm", "text"),
    ("flux2-klein", "text"),
    ("flux2-klein", "reference"),
    ("z-image-union", "glyph"),
    ("gemini-flash", "text"),
    ("gemini-flash", "reference"),
    ("svg-ollama", "text"),
)
PLAIN = SHIPPED.model_copy(update={"styles": {DEFAULT: SHIPPED.styles[DEFAULT]}})
"""With one style, which is enough to corrupt."""
ALL = [(name, mode, style) for name, profile in SHIPPED.models.items() for mode in profile.modes for style in SHIPPED.styles]


def said(name: str, mode: str, style: str, radical: Radical, models: ModelsFile = SHIPPED) -> tuple[str, str]:
    return prompt(models, models.models[name], style, radical, mode, "ground #f3efe6")


def readable() -> str:
    """Some prompts as one would read them."""
    lines = []
    for name, mode in SPOKEN:
        lines += [f"== {name}, {mode}, {DEFAULT}", ""]
        for number in SHOWN:
            text, negative = said(name, mode, DEFAULT, RADICALS[number])
            lines += [f"{number} {RADICALS[number].headword}: {text}", *([f"  not: {negative}"] if negative else []), ""]
    return "\n".join(lines)


def digests() -> dict[str, str]:
    """A digest of the 214 prompts of each model, mode and style."""
    texts = {f"{name}, {mode}, {style}": [said(name, mode, style, radical) for radical in RADICALS.values()] for name, mode, style in ALL}
    return {way: hashlib.sha256(json.dumps(prompts).encode()).hexdigest() for way, prompts in texts.items()}


@pytest.fixture(scope="session", autouse=True)
def written(request: pytest.FixtureRequest) -> None:
    """With ``--golden`` (make golden), write what is said as what shall be."""
    if request.config.getoption("--golden"):
        READABLE.write_text(readable(), "utf-8")
        DIGESTS.write_text(json.dumps(digests(), indent=0) + "\n", "utf-8")


# What is said


def test_some_prompts_to_read() -> None:
    now, then = readable(), READABLE.read_text("utf-8")
    lines = difflib.unified_diff(then.splitlines(), now.splitlines(), READABLE.name, "said now", lineterm="")
    assert now == then, "\n".join(lines) + "\nIf this is meant: make golden"


def test_every_prompt() -> None:
    now, then = digests(), json.loads(DIGESTS.read_text("utf-8"))
    assert len(now) == len(ALL) > 100
    assert now.keys() == then.keys(), "If this is meant: make golden"
    moved = [way for way in now if now[way] != then[way]]
    assert not moved, f"{len(moved)} differ, first {moved[0]}. If this is meant: make golden"


@pytest.mark.parametrize("name", SHIPPED.models)
def test_every_prompt_is_whole(name: str) -> None:
    """Of every radical in every mode and style: its brief, no brace that was not filled, no sign that was left over."""
    seen = 0
    for mode in SHIPPED.models[name].modes:
        for style in SHIPPED.styles:
            for radical in RADICALS.values():
                text, negative = said(name, mode, style, radical)
                assert radical.brief in text
                assert not re.search(r"[{}\n]|  |\.\.|,,| [,.]|^\W|[\s,]$", text + "|" + negative), text
                assert text[-1] == "." or SHIPPED.models[name].dialect in ("tags", "drawing")
                assert bool(negative) == SHIPPED.models[name].negates
                seen += 1
    assert seen == 214 * len(SHIPPED.styles) * len(SHIPPED.models[name].modes)


@pytest.mark.parametrize("style", SHIPPED.styles)
def test_a_style_is_heard_in_every_dialect_that_has_styles(style: str) -> None:
    for name, mode in SPOKEN:
        dialect = SHIPPED.models[name].dialect
        words = SHIPPED.styles[style].words.get(dialect)
        assert (words is None) == (dialect == "drawing")
        assert words is None or words in said(name, mode, style, RADICALS[69])[0]


def test_what_cannot_be_negated_is_said_to_be_alone() -> None:
    seen = 0
    for name, profile in SHIPPED.models.items():
        dialect = SHIPPED.dialects[profile.dialect]
        text, negative = said(name, "text", DEFAULT, RADICALS[69])
        if dialect.alone:
            assert (dialect.alone in text) != bool(negative), name
            seen += 1
    assert seen > 10


def test_where_a_glyph_is_to_be_hidden_no_background_is_plain() -> None:
    for name, mode in (("sd15-monster", "glyph"), ("sdxl-scribble", "glyph"), ("z-image-union", "glyph")):
        text, negative = said(name, mode, DEFAULT, RADICALS[69])
        assert "background" not in text
        assert "nothing else" not in text.casefold()
        assert not {"text", "letters"} & set(negative.split(", "))
    assert "background" in said("sdxl-scribble", "control", DEFAULT, RADICALS[69])[0]


# What is kept out

KEPT_OUT = {
    69: ({"person", "face", "hands", "text", "frame"}, set()),
    64: ({"text", "frame"}, {"hands", "fingers", "person"}),
    9: ({"text", "frame"}, {"person", "man", "woman", "face", "hands"}),
    88: ({"text"}, {"person", "man", "child", "face"}),
    93: ({"person", "hands"}, {"face"}),
    67: ({"person", "frame"}, {"text", "letters"}),
    13: ({"person", "text"}, {"frame", "border"}),
    101: ({"text"}, {"hands", "fingers", "person"}),
    181: ({"text"}, {"face", "person"}),
}


@pytest.mark.parametrize("number", KEPT_OUT)
def test_what_is_kept_out(number: int) -> None:
    there, away = KEPT_OUT[number]
    terms = said("sd15", "text", DEFAULT, RADICALS[number])[1].split(", ")
    assert len(terms) == len(set(terms))
    assert there <= set(terms)
    assert not away & set(terms)


def test_most_radicals_keep_people_out() -> None:
    """Models made for portraits put them everywhere."""
    kept = [radical for radical in RADICALS.values() if "person" in avoided(SHIPPED, radical)]
    assert 140 < len(kept) < 180
    assert not {radical.family for radical in kept} & {"person", "body"}


def test_words_are_whole_words() -> None:
    """A ``hand`` is not in a ``handle``, and ``man`` is not in ``woman``."""
    group = Avoided(terms=("x",), unless_words=("hand", "red cuff"))
    models = SHIPPED.model_copy(update={"avoid": {"only": group}})
    assert "handle" in RADICALS[69].brief
    assert avoided(models, RADICALS[69]) == ["x"]
    assert avoided(models, RADICALS[29]) == []


# Lint


def test_the_shipped_prompts_are_sound(project: Project) -> None:
    assert lint(SHIPPED, project) == []


def test_all_that_differs_is_examined(project: Project) -> None:
    asked = list(every(SHIPPED, project))
    assert len(asked) == 214 * len(ways(SHIPPED))
    texts = {(radical.number, words) for _, radical, words in asked}
    everything = {
        (radical.number, prompt(SHIPPED, SHIPPED.models[name], style, radical, mode))
        for name, mode, style in ALL
        for radical in RADICALS.values()
    }
    assert texts == everything
    assert len(everything) > 5000


def told(project: Project, **briefs: str) -> Project:
    """The project with other briefs: ``r69="…"``."""
    changed = {int(key[1:]): brief for key, brief in briefs.items()}
    radicals = tuple(r.model_copy(update={"brief": changed.get(r.number, r.brief)}) for r in project.radicals)
    return replace(project, radicals=radicals)


def changed(kind: str, name: str, **update: object) -> ModelsFile:
    entries = getattr(PLAIN, kind)
    return PLAIN.model_copy(update={kind: entries | {name: entries[name].model_copy(update=update)}})


WORDY = "a very small object " + "with intricate ornamental filigree, " * 20
CORRUPTIONS: dict[str, list[tuple[str, Callable[[Project], tuple[ModelsFile, Project]]]]] = {
    "alike": [
        ("radicals 69, 111 have the same prompt", lambda project: (PLAIN, told(project, r69="an adze", r111="an Adze"))),
        ("have the same prompt", lambda project: (changed("dialects", "drawing", prompt="a drawing"), project)),
    ],
    "subjects": [
        ("is of 'wooden bow', and 'bow' is radical 57", lambda project: (PLAIN, told(project, r69="a wooden bow with an arrow"))),
        (
            "is of 'three green bamboo', and 'bamboo' is radical 118",
            lambda project: (PLAIN, told(project, r75="three green bamboo, leafy")),
        ),
        ("is of 'two dog', and 'dog' is radical 94", lambda project: (PLAIN, told(project, r93="two dogs running through a field"))),
        (
            "is of 'very small bird', and 'small bird' is radical 172",
            lambda project: (PLAIN, told(project, r195="a very small bird beside a pond")),
        ),
        (
            "excuses nothing: the brief is of 'axe'",
            lambda project: (PLAIN.model_copy(update={"subjects": {69: "because"} | PLAIN.subjects}), project),
        ),
        ("is of 'person', and 'person' is radical 9", lambda project: (PLAIN.model_copy(update={"subjects": {}}), project)),
    ],
    "long": [
        ("the prompt of radical 69 has about", lambda project: (PLAIN, told(project, r69=f"an axe: {WORDY}"))),
        (
            "the negative prompt of radical 1 has about",
            lambda project: (changed("avoid", "faults", terms=tuple(f"filigree {n}" for n in range(40))), project),
        ),
    ],
    "useless": [
        (
            "does nothing without guidance above 1",
            lambda project: (changed("models", "lcm", call={"negative_prompt": "people"}), project),
        ),
        (
            "does nothing without guidance above 1",
            lambda project: (
                changed(
                    "models",
                    "lcm",
                    modes={"text": PLAIN.models["lcm"].modes["text"].model_copy(update={"call": {"negative_prompt": "x"}})},
                ),
                project,
            ),
        ),
        ("lcm, sdxl-lightning cannot be told by a negative prompt", lambda project: (changed("dialects", "tags", alone=None), project)),
    ],
    "contrary": [
        ("hands, fingers would be kept out of radical 64", lambda project: (changed("avoid", "hands", unless_words=()), project)),
        (
            "frame would be kept out of radical 13 ('an empty picture frame",
            lambda project: (changed("avoid", "frames", unless_words=()), project),
        ),
        (
            "text: person would be kept out of radical 69",
            lambda project: (changed("avoid", "people", unless_words=()), told(project, r69="an axe of a person")),
        ),
    ],
}


def test_every_rule_has_a_corruption() -> None:
    assert CORRUPTIONS.keys() == rules.keys()


@pytest.mark.parametrize(("code", "at"), [(code, at) for code, found in CORRUPTIONS.items() for at in range(len(found))])
def test_a_corruption_is_found(code: str, at: int, project: Project) -> None:
    message, corrupt = CORRUPTIONS[code][at]
    found: list[Finding] = lint(*corrupt(project))
    assert {finding.code for finding in found} == {code}, found[:3]
    assert any(message in finding.message for finding in found), found[:3]


def test_a_rule_speaks_once_of_what_models_share(project: Project) -> None:
    """A long brief is found once in a dialect, not once a model."""
    found = [finding for finding in lint(PLAIN, told(project, r69=f"an axe: {WORDY}")) if "prompt of radical 69" in finding.message]
    assert 1 <= len(found) < 5


# Parts

SUBJECTS = {
    "a hammer striking a nail into a board": "hammer",
    "a small boat with red and orange striped sails": "small boat",
    "two bare human legs from the hips down": "two bare human leg",
    "a halberd: a long pole with a spike": "halberd",
    "water running in a thick blue stream": "water",
    "a round yellow sun with eight pointed rays": "round yellow sun",
    "three little village houses with roofs": "three little village house",
    "a dog's head from the front": "dog head",
    "the claws of an eagle": "claw",
    "one long curved slash through a sheet": "one long curved slash",
    "running": "running",
}


@pytest.mark.parametrize("brief", SUBJECTS)
def test_the_subject_of_a_brief(brief: str) -> None:
    assert " ".join(subject(brief)) == SUBJECTS[brief]


def test_every_brief_has_a_subject() -> None:
    assert sum(bool(subject(radical.brief)) for radical in RADICALS.values()) == 214


def test_a_deed_is_meant_in_any_form() -> None:
    run, see = RADICALS[156], RADICALS[147]
    assert means("a person running at full speed", run)
    assert means("a person who runs, fast", run)
    assert not means("a person at full speed, running", run), "what comes after the first clause is by the way"
    assert not means("a prune on a plate", run)
    assert means("a person seeing far", see)


def test_stems() -> None:
    assert stems("The leaves, axes and women's boxes") == ["the", "leaf", "axe", "and", "woman", "boxe"]


# Counted with CLIP's own vocabulary, beginning and end included.
COUNTED = {
    "an axe with a red steel head and a pale wooden handle, simple composition, centered, plain cream background, gouache painting, "
    "soft matte colors, rounded simple shapes, calm": 36,
    "a halberd: a long pole with a spike, an axe blade and a back hook, simple composition, centered, plain cream background, "
    "gouache painting, soft matte colors, rounded simple shapes, calm": 43,
    "person, people, man, woman, child, hands, fingers, text, letters, numbers, watermark, signature, frame, border, clutter, collage, "
    "several pictures, blurry, deformed, cropped, low quality": 47,
}


def test_tokens_are_rather_too_many() -> None:
    for text, count in COUNTED.items():
        assert count <= tokens(text) <= count * 1.5
    assert tokens("") == 2
    assert tokens("7 10, don't!?") == 2 + 1 + 2 + 1 + 1 + 1 + 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_tokens_add_up(one: str, other: str) -> None:
    assert tokens(f"{one} {other}") == tokens(one) + tokens(other) - 2
    assert tokens(one) >= 2


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=140))
def test_any_brief_is_taken_as_it_is(brief: str) -> None:
    """Nothing in a brief is a template."""
    radical = RADICALS[69].model_copy(update={"brief": brief})
    for name in ("sd15", "flux2-klein", "svg-ollama"):
        text, _ = said(name, "text", DEFAULT, radical)
        assert " ".join(brief.split()) in text
