"""The command ``bushu``: thin around the modules that do the work, and the only place that catches :class:`Error`."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from generator import __version__
from generator.cards import Recipe, Type, brought, recipe
from generator.illustrate.command import illustrate
from generator.layouts import layouts
from generator.model import Error, Radical, SetSpec, nearest
from generator.project import Project, load
from generator.sets import is_whole, render
from generator.terminal import known, progress_bar, shown, subjects

FONT_FILES = (".ttf", ".otf", ".ttc", ".woff2", ".woff")


class _Commands(click.Group):
    """Turns an :class:`Error` into its message and its exit status, and so a disk that is full or may not be written."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Error as error:
            click.echo(str(error), err=True)
            ctx.exit(error.status)
        except BrokenPipeError:
            raise  # click's own business
        except OSError as error:
            click.echo(f"{error.filename or 'bushu'}: {error.strerror or error}", err=True)
            ctx.exit(Error.status)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bushu")
@click.option("--project", "root", type=click.Path(path_type=Path), default=Path(), help="The folder to work on (default: this one).")
@click.pass_context
def main(ctx: click.Context, root: Path) -> None:
    """Draw the 214 kanji radicals as cards and publish them as a gallery."""
    ctx.obj = root


def _font(project: Project, font: str | None) -> tuple[str | None, Type | None]:
    """``--font`` is a name of ``fonts.yml`` or a font file."""
    if font is None or font in project.fonts.faces:
        return font, None
    if Path(font).suffix.lower() in FONT_FILES or Path(font).exists():
        return None, brought(project, Path(font))
    raise Error(f"--font: unknown font {font!r}, {nearest(font, project.fonts.faces)}; or give a font file")


def _recipes(
    project: Project, names: Sequence[str], changes: dict[str, str | None], type_: Type | None = None, bare: bool = False
) -> list[Recipe]:
    given = {field: value for field, value in changes.items() if value is not None}
    if bare and not names:
        raise Error("--bare: of which set? give --set picture")
    chosen = names or ([next(iter(project.sets))] if given or type_ else list(project.sets))
    found = []
    for name in chosen:
        known("set", name, project.sets)
        spec: SetSpec = project.sets[name].model_copy(update=given)
        found.append(recipe(project, name, spec, type_, bare))
    return found


@main.command("render")
@click.argument("numbers", nargs=-1)
@click.option("--set", "names", multiple=True, help="A set of sets.yml, as often as wanted (default: all; to change one, the first).")
@click.option("--layout", help=f"Another layout: {', '.join(layouts)}.")
@click.option("--font", help="Another face of fonts.yml, or a font file; with a file, any character it has can be drawn.")
@click.option("--palette", help="Another palette of palette.yml.")
@click.option("--bare", is_flag=True, help="The pictures alone, without glyphs, of sets that have pictures.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder of sets to write to.")
@click.option("--png", type=click.IntRange(16, 4096), metavar="SIZE", help="Also write PNG files of SIZE pixels.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that draw.")
@click.pass_obj
def _render(
    root: Path,
    numbers: tuple[str, ...],
    names: tuple[str, ...],
    layout: str | None,
    font: str | None,
    palette: str | None,
    bare: bool,
    out: Path | None,
    png: int | None,
    jobs: int,
) -> None:
    """Draw cards: all sets, or the NUMBERS given (85, 1-10, 水).

    Whole sets as sets.yml has them go to build/sets; anything else to build/cards; or all to --out.
    """
    project = load(root)
    face, type_ = _font(project, font)
    changes = {"layout": known("layout", layout, layouts), "palette": known("palette", palette, project.palettes), "font": face}
    recipes = _recipes(project, names, changes, type_, bare)
    drawn = subjects(project, numbers, any_character=type_ is not None) if numbers else list(project.radicals)
    if not drawn:
        raise Error("NUMBERS: empty, give 85, 1-10 or 水, or leave it out to draw all")
    shipped = is_whole(drawn) and not type_ and not bare and not any(changes.values())
    folder = out or project.build / ("sets" if shipped else "cards")
    with progress_bar(len(drawn) * len(recipes), "drawing") as progress:
        render(recipes, drawn, folder, jobs=jobs, png=png or 0, progress=progress)
    for made in recipes:
        click.echo(f"{made.name}: {len(drawn)} {'card' if len(drawn) == 1 else 'cards'} in {shown(folder / made.name)}")


@main.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--against", type=click.Path(path_type=Path), help="A table of the kanji site (r214.yml) to compare the data with.")
@click.option("--write", is_flag=True, help="First put the data files into canonical form.")
@click.pass_obj
def _check(root: Path, paths: tuple[Path, ...], against: Path | None, write: bool) -> None:
    """Check the data and the drawn sets, or the cards and folders in PATHS."""
    from generator import inspection

    project = load(root)
    if against:
        inspection.compare(project, against, click.echo)
        return
    if write:
        inspection.canonicalise(project, click.echo)
    inspection.check(project, list(paths), click.echo)


@main.command("palette")
@click.argument("names", nargs=-1)
@click.pass_obj
def _palette(root: Path, names: tuple[str, ...]) -> None:
    """Show the palettes (or those named): swatches, contrast, and the closest pair in normal and colour-blind vision."""
    from generator import swatches

    project = load(root)
    for name in names or project.palettes:
        known("palette", name, project.palettes)
        for line in swatches.lines(name, project.palettes[name]):
            click.echo(line)


@main.command("sheet")
@click.argument("names", metavar="SET...", nargs=-1, required=True)
@click.option("--size", type=click.IntRange(8, 1024), default=96, show_default=True, metavar="PX", help="Pixels a card.")
@click.option("--grey", is_flag=True, help="In grey, to see whether the cards hold without colour.")
@click.option("--bare", is_flag=True, help="The pictures alone, without glyphs.")
@click.pass_obj
def _sheet(root: Path, names: tuple[str, ...], size: int, grey: bool, bare: bool) -> None:
    """Make contact sheets: every card of a SET in one PNG, in build/sheets."""
    from generator import sheets

    project = load(root)
    for made in _recipes(project, names, {}, bare=bare):
        with progress_bar(len(project.radicals), made.name) as progress:
            path = sheets.write(project, made, size, grey, progress)
        click.echo(shown(path))


def _number(project: Project, word: str, option: str) -> int:
    """A radical's number, given as number or glyph."""
    found = subjects(project, [word], where=f"--{option}")
    if len(found) != 1 or not isinstance(found[0], Radical):
        raise Error(f"--{option}: {word!r} is not one radical, give 85 or 水")
    return found[0].number


@main.command("adopt")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--radical", help="The radical (85 or 水) that the one file is for, whatever its name is.")
@click.option("--source", help="Where the files come from: an address, a person, a service.")
@click.option("--author", help="Who made them.")
@click.option("--licence", metavar="SPDX", help="Their licence, as CC-BY-4.0.")
@click.option("--model", help="The model that made them, of machine-made ones.")
@click.option("--prompt", help="What it was asked for.")
@click.option("--seed", help="Its seed.")
@click.option("--date", metavar="YYYY-MM-DD", help="When they were made.")
@click.option("--crop", is_flag=True, help="Take the middle of what is not square, and cut drawings to their canvas.")
@click.option("--replace", is_flag=True, help="Take them in the place of pictures that were chosen before.")
@click.option("--remove", multiple=True, metavar="RADICAL", help="Take the choice for a radical back, as often as wanted.")
@click.option("--dry-run", is_flag=True, help="Write nothing: say what would be taken, and why the rest would not.")
@click.pass_obj
def _adopt(
    root: Path,
    /,
    paths: tuple[Path, ...],
    radical: str | None,
    crop: bool,
    replace: bool,
    remove: tuple[str, ...],
    dry_run: bool,
    **said: str | None,
) -> None:
    """Take pictures made elsewhere into the set of illustrations.

    PATH is a PNG, JPEG, WebP or SVG file, or a folder of files radical_NNN.*. All are examined first; if one is refused, none is
    taken. What the files say of their source, author, licence and generator is kept; the options say it instead.
    """
    from generator import adopt

    project = load(root)
    if remove:
        if paths:
            raise Error("--remove: takes choices back and adopts nothing, leave the files out")
        for gone in adopt.give_back(project, [_number(project, word, "remove") for word in remove], dry_run):
            click.echo(f"{shown(gone)}: {'would be' if dry_run else 'is'} gone")
        return
    if not paths:
        raise Error("PATH: missing, give files or a folder of radical_NNN.*")
    terms = adopt.Terms(adopt.given(said), crop, replace)
    files = adopt.wanted(paths, None if radical is None else _number(project, radical, "radical"))
    with progress_bar(len(files), "examining") as progress:
        rows = adopt.plan(project, files, terms, progress)
    told = "\n".join([*adopt.table(project, rows), *adopt.left_out(paths)])
    if adopt.refused(rows):
        click.echo(told)
    taken = adopt.take(project, rows, dry_run)
    click.echo(told)  # only now: it speaks of what is there
    click.echo(f"{taken} {'would be taken' if dry_run else 'taken'}, {len(rows) - taken} as before")


@main.command("quiz")
@click.argument("paths", metavar="DIR|ANSWERS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--set", "name", default="picture", show_default=True, help="The set whose pictures are shown.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed makes other codes in another order.")
@click.option("--numbers", multiple=True, help="Only these radicals (85, 1-10, 水), as often as wanted.")
@click.option("--key", "key_file", type=click.Path(path_type=Path), help="The file of the key (default: DIR.key.json).")
@click.option("--score", is_flag=True, help="Score answer forms by the --key.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the score to this file.")
@click.pass_obj
def _quiz(
    root: Path,
    paths: tuple[Path, ...],
    name: str,
    seed: int,
    numbers: tuple[str, ...],
    key_file: Path | None,
    score: bool,
    json_file: Path | None,
) -> None:
    """Make a blind test of the pictures in DIR, with its key beside it; or with --score, score the ANSWERS to one."""
    if score:
        from generator import scoring

        if not key_file:
            raise Error("--key: missing, give the .key.json that was made with the test")
        scoring.run(paths, key_file, json_file, click.echo)
        return
    from generator import quiz

    if len(paths) > 1 or json_file:
        raise Error("quiz: a test is made in one DIR; to score answers, add --score")
    project = load(root)
    known("set", name, project.sets)
    asked = subjects(project, " ".join(numbers).split(), where="--numbers") if numbers else project.radicals
    if not asked:
        raise Error("--numbers: empty, give 85, 1-10 or 水, or leave it out to ask all")
    key = quiz.make_key(project, name, seed, [radical for radical in asked if isinstance(radical, Radical)])
    place = key_file or quiz.key_path(paths[0])
    with progress_bar(len(key.pictures), "drawing") as progress:
        quiz.write(project, key, paths[0], place, progress)
    click.echo(f"{len(key.pictures)} pictures in {shown(paths[0])}, the key in {shown(place)}")


@main.group("export")
def _export() -> None:
    """Take a set elsewhere.

    It is drawn afresh, and nothing is exported while the checks find anything.
    """


def _of_a_set(write: Callable[..., str]) -> Callable[..., None]:
    """Makes a command of an export: with the options that all have, it says what the export says."""

    @click.option("--set", "name", default="picture", show_default=True, help="A set of sets.yml.")
    @click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that draw.")
    @click.pass_obj
    @wraps(write)
    def command(root: Path, /, name: str, **options: Any) -> None:
        project = load(root)
        known("set", name, project.sets)
        click.echo(write(project, name, **options))

    return command


@_export.command("kanji-site")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if anything would be written.")
@click.option("--prune", is_flag=True, help="Delete pictures and cards of other radicals that are there.")
@_of_a_set
def _kanji_site(project: Project, name: str, **options: Any) -> str:
    """Update the kanji site.

    DEST is its folder; pictures, cards and a manifest are written there, and what is the same is not touched.
    """
    from generator import kanji_site

    return kanji_site.write(project, name, **options)


@_export.command("anki")
@click.argument("out", metavar="OUT.apkg", type=click.Path(path_type=Path))
@_of_a_set
def _anki(project: Project, name: str, **options: Any) -> str:
    """Write an Anki deck.

    Imported again, it changes the notes that are there if it has a later date: that of the newest file of data or code, or
    SOURCE_DATE_EPOCH, with which the deck is the same bytes wherever it is made.
    """
    from generator import anki

    return anki.write(project, name, **options)


@_export.command("print")
@click.argument("out", metavar="OUT.pdf", type=click.Path(path_type=Path))
@click.option("--paper", default="a4", show_default=True, help="a4 or letter.")
@_of_a_set
def _print(project: Project, name: str, **options: Any) -> str:
    """Write cards to print and cut out. The sheets are printed on both sides and turned over their long edge."""
    from generator import flashcards

    return flashcards.write(project, name, **options)


@_export.command("zip")
@click.argument("out", metavar="OUT.zip", type=click.Path(path_type=Path))
@click.option("--png", is_flag=True, help="With a PNG beside each card.")
@_of_a_set
def _zip(project: Project, name: str, **options: Any) -> str:
    """Write one set as a file. Its credits and licences are in it."""
    from generator import bundle

    return bundle.write(project, name, **options)


@main.command("site")
@click.pass_obj
def _site(root: Path) -> None:
    """Draw all sets, check them and build the gallery into build/site, which is replaced only when all went well."""
    from generator import site

    project = load(root)
    pages = site.build(project)
    click.echo(f"{pages} pages in {shown(project.build / 'site')}")


main.add_command(illustrate)


if __name__ == "__main__":
    main()
