"""What ``bushu check`` does: prove the data, check the drawn sets or any files, and say how much was looked at."""

from collections.abc import Callable
from pathlib import Path

from generator import against, illustrations, proof
from generator.cards import expected, recipe
from generator.checks import Expected, checks, examine
from generator.illustrate import profiles, prompts
from generator.layouts import layouts
from generator.model import Error, Finding, Unsound
from generator.project import Project, put
from generator.sets import CARDS, CHOSEN, MANIFEST, examine_folder, manifest, set_checks

Say = Callable[[str], None]


def _expectations(project: Project, folder: Path) -> dict[str, Expected]:
    """What the project expects of the cards in a folder that has a manifest of a set it knows: file to expectation."""
    head = manifest(folder) if (folder / MANIFEST).is_file() else {}
    name, palette = head.get("set"), head.get("palette")
    if name not in project.sets or palette not in project.palettes or head.get("layout") not in layouts:
        return {}
    spec = project.sets[name].model_copy(update={"palette": palette, "layout": head["layout"]})
    made = recipe(project, name, spec, bare=bool(head.get("bare")))
    by_number = {radical.number: radical for radical in project.radicals}
    return {entry["file"]: expected(made, by_number.get(entry.get("number"), entry["character"])) for entry in head["cards"]}


def _folder(project: Project, folder: Path) -> list[Finding]:
    """What the checks of a whole set find in a folder with a manifest; only in ``build/sets`` must all 214 be there."""
    if not (folder / MANIFEST).is_file():
        return []
    shipped = folder.resolve().parent == project.build / "sets"
    return [finding for finding in examine_folder(folder, folder.name) if shipped or finding.code != "complete"]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix in CARDS)
        if not found:
            raise Error(f"{path}: no cards in it, give cards or a folder of them")
        return found
    if not path.is_file():
        raise Error(f"{path}: not there, give a card or a folder of cards")
    return [path]


def _chosen(folder: Path) -> set[str]:
    """The files of a set that are illustrations, which look as whoever made them wished."""
    entries = manifest(folder)["cards"] if (folder / MANIFEST).is_file() else []
    return {entry["file"] for entry in entries if entry["origin"] == CHOSEN}


def _illustration(where: str, file: Path) -> list[Finding]:
    try:
        illustrations.prove(file)
    except Error as error:
        return [Finding(where, "form", str(error))]
    return []


def _card(where: str, file: Path, known: Expected | None) -> list[Finding]:
    try:
        return examine(where, file.read_text("utf-8"), known)
    except (UnicodeDecodeError, OSError) as error:
        return [Finding(where, "parse", f"not text that can be read ({error})")]


def cards(project: Project, paths: list[Path]) -> tuple[int, list[Finding]]:
    """Check every card in *paths*, and every whole set among them: how many cards, and what was found."""
    files = [file for path in paths for file in _files(path)]
    findings: list[Finding] = []
    known: dict[Path, dict[str, Expected]] = {}
    chosen: dict[Path, set[str]] = {}
    for file in files:
        folder = file.parent
        if folder not in known:
            known[folder], chosen[folder] = _expectations(project, folder), _chosen(folder)
            findings += _folder(project, folder)
        where = f"{folder.name}/{file.name}"
        if file.suffix == ".webp" or file.name in chosen[folder]:
            findings += _illustration(where, file)
        else:
            findings += _card(where, file, known[folder].get(file.name))
    return len(files), findings


def check(project: Project, paths: list[Path], say: Say) -> None:
    """Check *paths*, or the data and what is drawn. :class:`Unsound` lists what was found."""
    findings: list[Finding] = []
    drawn = project.build / "sets"
    if not paths:
        findings += proof.prove(project)
        findings += illustrations.examine(project)
        models = profiles.load(project)
        findings += prompts.lint(models, project)
        say(f"{len(project.radicals)} radicals by {len(proof.rules)} rules, {len(project.palettes)} palettes")
        say(f"the prompts of {len(models.models)} models by {len(prompts.rules)} rules")
        if project.illustrations:
            say(f"{len(project.illustrations)} illustrations")
        paths = [drawn / name for name in project.sets if (drawn / name / MANIFEST).is_file()]
    count, found = cards(project, paths)
    say(f"{count} cards by {len(checks)} checks, and {len(set_checks)} of whole sets")
    if findings + found:
        raise Unsound("\n".join(map(str, findings + found)))
    say("nothing found")


def compare(project: Project, table: Path, say: Say) -> None:
    """List where a table of the kanji site says something else. :class:`Unsound` if it does anywhere."""
    lines = against.differences(project, table)
    if lines:
        raise Unsound("\n".join([*lines, f"{len(lines)} differences"]))
    say("no differences")


def canonicalise(project: Project, say: Say) -> None:
    """Put the project's own data files into canonical form."""
    for path, text in (proof.canonical_files(project) | illustrations.canonical_files(project)).items():
        if path.is_relative_to(project.root) and path.read_text("utf-8") != text:
            put(path, text.encode())
            say(f"rewrote {path.relative_to(project.root)}")
