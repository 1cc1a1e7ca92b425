"""Prompts: a radical's brief in a dialect and a style, with what is to be kept out of the picture. Nobody types them per radical.

:func:`lint` proves them: no two radicals share one, none is of what another radical is called, and each can be read to its end.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from generator.illustrate.profiles import MODELS, Avoided, Dialect, ModelsFile, Profile
from generator.model import Finding, Radical, Registry
from generator.project import Project

TEXT = "text"
"""The mode that shows the model no image."""
PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)
"""How CLIP's tokenizer parts a text before it parts the words: letters, single digits, signs."""
LETTERS = 5
"""Letters of a word that :func:`tokens` counts as one token."""
ENDS = 2
"""Tokens that begin and end a prompt."""
WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
ARTICLE = re.compile(r"^(?:an?|the)\s")
LINK = re.compile(
    r"[,;:.(]|\s(?:an?|the|its|their|his|her|and|or|with|without|of|in|on|at|by|from|to|for|into|onto|over|under|between|beside|behind|"
    r"before|after|around|across|along|through|upon|against|inside|outside|above|below|down|up|out|off|near|as|that|which|who|whose|than)\b"
)
"""What ends the words for what a brief is of: a sign, or the first word of something else."""
CLAUSE = re.compile(r"[,;:.(]")
ENDINGS = (("ves", "f"), ("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("feet", "foot"), ("men", "man"), ("ness", ""))
"""Of plurals that end in more than an s (and of *sickness*), with those of their stems."""
FORMS = r"\b{root}(?:{last}|e)?(?:s|es|d|ed|ing|n)?\b"
"""The forms of a verb: *run*, *runs*, *running*; *wave*, *waved*."""
SHORTEST = 3
"""Letters of a word that says something of itself."""


class Prompt(NamedTuple):
    """What a model is asked for; ``negative`` is empty where it would do nothing."""

    text: str
    negative: str


def prompt(models: ModelsFile, profile: Profile, style: str, radical: Radical, mode: str = TEXT, colours: str = "") -> Prompt:
    """The prompt of a radical for a model, in a style and a mode; *colours* are those of the radical's family, in words."""
    dialect = models.dialects[profile.dialect]
    negates = _negates(dialect, profile)
    text = dialect.modes.get(mode, dialect.prompt).format(
        brief=radical.brief,
        headword=radical.headword,
        style=models.styles[style].words.get(profile.dialect, ""),
        alone="" if negates else dialect.alone or "",
        colours=colours,
    )
    terms = avoided(models, radical, mode) if negates else []
    negative = (dialect.negative or "").format(avoid=", ".join(terms)) if terms else ""
    return Prompt(" ".join(text.split()), negative)


def _negates(dialect: Dialect, profile: Profile) -> bool:
    """True if a model in this dialect is told what to keep out by a negative prompt."""
    return profile.negates and dialect.negative is not None


def avoided(models: ModelsFile, radical: Radical, mode: str = TEXT) -> list[str]:
    """The terms of the negative prompt: those of every group that the radical and the mode do not speak against."""
    groups = (group for group in models.avoid.values() if not _spoken_against(group, radical, mode))
    return list(dict.fromkeys(term for group in groups for term in group.terms))


def _spoken_against(group: Avoided, radical: Radical, mode: str) -> bool:
    """True if what a group keeps out may be in the picture."""
    named = _naming(group.unless_words).search(radical.brief)
    return bool(named) or radical.family in group.unless_families or mode in group.unless_modes


@cache
def _naming(words: tuple[str, ...]) -> re.Pattern[str]:
    """What is found where any of the words stands."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b" if words else r"(?!)", re.IGNORECASE)


def _words(text: str) -> list[str]:
    """The words of a text in small letters, without whose they are."""
    return [word.removesuffix("'s") for word in WORDS.findall(text.casefold())]


def _stem(word: str) -> str:
    """A noun without its plural: enough to know two forms of one word."""
    for ending, singular in ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + singular
    return word.removesuffix("s") if len(word) > SHORTEST and not word.endswith("ss") else word


def stems(text: str) -> list[str]:
    """The words of a text without their plurals."""
    return [_stem(word) for word in _words(text)]


def subject(brief: str) -> list[str]:
    """What a brief is of, as stems: the words before the first one that leads to something else.

    ``a small boat with red sails`` is of a small boat, ``a hammer striking a nail`` of a hammer.
    """
    phrase = stems(LINK.split(ARTICLE.sub("", brief.casefold()), maxsplit=1)[0])
    while len(phrase) > 1 and phrase[-1].endswith(("ing", "ed")):
        phrase.pop()
    return phrase


def means(brief: str, radical: Radical) -> bool:
    """True if a brief begins with anything that the radical means, in whatever form: ``a person running`` with *run*."""
    begins = CLAUSE.split(brief.casefold(), maxsplit=1)[0]
    roots = {stem for meaning in radical.meanings for stem in stems(meaning) if len(stem) >= SHORTEST}
    forms = (FORMS.format(root=re.escape(root.removesuffix("e")), last=root[-1]) for root in roots)
    return not roots.isdisjoint(stems(begins)) or any(re.search(form, begins) for form in forms)


def tokens(text: str) -> int:
    """About how many tokens a text has for CLIP, rather too many than too few.

    A word counts one for every five letters begun. Counted with CLIP's own vocabulary, the shipped prompts have 4 to 19 tokens fewer
    than that (11 in the mean, of about 40), and a brief by itself up to 2 more.
    """
    return ENDS + sum(1 + (len(piece) - 1) // LETTERS for piece in PIECES.findall(text))


# Lint


rules: Registry[Callable[[ModelsFile, Project], Iterator[Finding]]] = Registry()
"""What prompts must hold to: a function each, by the name that findings have."""


class Way(NamedTuple):
    """A way in which models are spoken to: the name of the first of them, its profile, mode and style."""

    model: str
    profile: Profile
    mode: str
    style: str

    @property
    def where(self) -> str:
        """Where a finding is."""
        return f"{MODELS}: models.{self.model}: {self.mode}, {self.style}"


def ways(models: ModelsFile) -> list[Way]:
    """All ways in which models are spoken to, each once: models of one dialect, and most modes, are asked in the same words."""
    found: dict[tuple[object, ...], Way] = {}
    apart = {mode for group in models.avoid.values() for mode in group.unless_modes}
    for name, profile in models.models.items():
        dialect = models.dialects[profile.dialect]
        for mode in profile.modes:
            for style in models.styles:
                other = mode if mode in apart or mode in dialect.modes else ""
                said = (profile.dialect, _negates(dialect, profile), profile.tokens, other, style)
                found.setdefault(said, Way(name, profile, mode, style))
    return list(found.values())


def every(models: ModelsFile, project: Project) -> Iterator[tuple[Way, Radical, Prompt]]:
    """Every prompt that differs, with who is asked in which way."""
    for way in ways(models):
        for radical in project.radicals:
            yield way, radical, prompt(models, way.profile, way.style, radical, way.mode)


@rules
def alike(models: ModelsFile, project: Project) -> Iterator[Finding]:
    """No two radicals share a prompt."""
    for way in ways(models):
        same: dict[str, list[int]] = defaultdict(list)
        for radical in project.radicals:
            same[prompt(models, way.profile, way.style, radical, way.mode).text.casefold()].append(radical.number)
        for numbers in (numbers for numbers in same.values() if len(numbers) > 1):
            yield Finding(way.where, "alike", f"radicals {', '.join(map(str, numbers))} have the same prompt, tell their briefs apart")


@rules
def subjects(models: ModelsFile, project: Project) -> Iterator[Finding]:
    """No picture is of what another radical is called."""
    called = {tuple(stems(radical.headword)): radical for radical in project.radicals}
    for radical in project.radicals:
        shown = subject(radical.brief)
        other = next((found for length in range(len(shown), 0, -1) if (found := called.get(tuple(shown[-length:])))), radical)
        wrong, excused = other is not radical and not means(radical.brief, radical), radical.number in models.subjects
        if wrong and not excused:
            told = f"is of {' '.join(shown)!r}, and {other.headword!r} is radical {other.number}"
            yield Finding(
                f"radicals: {radical.number} brief", "subjects", f"{told}; show {radical.headword!r}, or say why in {MODELS}, subjects"
            )
        if excused and not wrong:
            told = f"excuses nothing: the brief is of {' '.join(shown)!r}, take it out"
            yield Finding(f"{MODELS}: subjects.{radical.number}", "subjects", told)


@rules
def long(models: ModelsFile, project: Project) -> Iterator[Finding]:
    """Every model reads its prompts to the end."""
    for way, radical, words in every(models, project):
        for what, text in (("prompt", words.text), ("negative prompt", words.negative)):
            if way.profile.tokens and (count := tokens(text)) > way.profile.tokens:
                told = f"the {what} of radical {radical.number} has about {count} tokens and the model reads {way.profile.tokens}"
                yield Finding(way.where, "long", f"{told}, shorten the style or the brief")


@rules
def useless(models: ModelsFile, project: Project) -> Iterator[Finding]:
    """No negative prompt where guidance makes it do nothing, and a word in its place there."""
    for name, profile in models.models.items():
        where = f"{MODELS}: models.{name}"
        calls = {"call": profile.call} | {f"modes.{mode}.call": asked.call for mode, asked in profile.modes.items()}
        for trail, call in calls.items():
            given = sorted(key for key in call if key.startswith("negative_prompt"))
            if given and not profile.negates:
                yield Finding(f"{where}.{trail}.{given[0]}", "useless", "does nothing without guidance above 1, take it out")
    for name, dialect in models.dialects.items():
        dumb = [model for model, profile in models.models.items() if profile.dialect == name and not _negates(dialect, profile)]
        if dialect.negative and not dialect.alone and dumb:
            told = f"{', '.join(dumb)} cannot be told by a negative prompt what to keep out, say in alone what should be there by itself"
            yield Finding(f"{MODELS}: dialects.{name}.alone", "useless", told)


@rules
def contrary(models: ModelsFile, project: Project) -> Iterator[Finding]:
    """No negative prompt names what the brief asks for."""
    for mode in dict.fromkeys(way.mode for way in ways(models) if _negates(models.dialects[way.profile.dialect], way.profile)):
        for radical in project.radicals:
            asked, kept_out = set(stems(radical.brief)), avoided(models, radical, mode)
            for name, group in models.avoid.items():
                if against := [term for term in group.terms if term in kept_out and set(stems(term)) <= asked]:
                    told = f"{mode}: {', '.join(against)} would be kept out of radical {radical.number} ({radical.brief!r})"
                    yield Finding(f"{MODELS}: avoid.{name}", "contrary", f"{told}, add a word of it to unless_words")


def lint(models: ModelsFile, project: Project) -> list[Finding]:
    """What is wrong with the prompts of all models, modes, styles and radicals."""
    return [finding for rule in rules.values() for finding in rule(models, project)]
