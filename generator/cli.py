"""The command ``bushu``: thin around the modules that do the work, and the only place that catches :class:`Error`."""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from generator import __version__
from generator.cards import Recipe, Subject, Type, brought, recipe
from generator.layouts import layouts
from generator.model import COUNT, Error, SetSpec, nearest
from generator.project import Project, load
from generator.sets import is_whole, render

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


def _numbers(word: str) -> range:
    first, _, last = word.partition("-")
    found = range(int(first), int(last or first) + 1)
    if not found or found[0] < 1 or found[-1] > COUNT:
        raise Error(f"NUMBERS: {word}: not radicals, give numbers from 1 to {COUNT}, the lower one first")
    return found


def _ideograph(sign: str) -> bool:
    return unicodedata.category(sign) == "Lo" or "RADICAL" in unicodedata.name(sign, "")


def subjects(project: Project, words: Iterable[str], any_character: bool) -> list[Subject]:
    """What to draw: radicals by number, range or glyph; with *any_character* (a font was brought) a glyph is just that character."""
    by_number = {radical.number: radical for radical in project.radicals}
    found: dict[Subject, None] = {}
    for word in words:
        if re.fullmatch("[0-9]+(-[0-9]+)?", word):
            found |= dict.fromkeys(by_number[number] for number in _numbers(word) if number in by_number)
            continue
        for sign in word:
            if any_character and _ideograph(sign):
                found[sign] = None
            elif not any_character and sign in project.by_glyph:
                found[project.by_glyph[sign]] = None
            else:
                advice = "give --font FILE to draw any character" if _ideograph(sign) and not any_character else "give 85, 1-10 or 水"
                raise Error(f"NUMBERS: {word}: {sign!r} is not a radical, {advice}")
    return list(found)


def _known(option: str, value: str | None, names: Iterable[str]) -> str | None:
    names = list(names)
    if value is not None and value not in names:
        raise Error(f"--{option}: unknown {option} {value!r}, {nearest(value, names)}")
    return value


def _font(project: Project, font: str | None) -> tuple[str | None, Type | None]:
    """``--font`` is a name of ``fonts.yml`` or a font file."""
    if font is None or font in project.fonts.faces:
        return font, None
    if Path(font).suffix.lower() in FONT_FILES or Path(font).exists():
        return None, brought(project, Path(font))
    raise Error(f"--font: unknown font {font!r}, {nearest(font, project.fonts.faces)}; or give a font file")


def _recipes(project: Project, names: Sequence[str], changes: dict[str, str | None], type_: Type | None) -> list[Recipe]:
    given = {field: value for field, value in changes.items() if value is not None}
    chosen = names or ([next(iter(project.sets))] if given or type_ else list(project.sets))
    found = []
    for name in chosen:
        _known("set", name, project.sets)
        spec: SetSpec = project.sets[name].model_copy(update=given)
        found.append(recipe(project, name, spec, type_))
    return found


@contextmanager
def _progress(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield bar.update


@main.command("render")
@click.argument("numbers", nargs=-1)
@click.option("--set", "names", multiple=True, help="A set of sets.yml, as often as wanted (default: all; to change one, the first).")
@click.option("--layout", help=f"Another layout: {', '.join(layouts)}.")
@click.option("--font", help="Another face of fonts.yml, or a font file; with a file, any character it has can be drawn.")
@click.option("--palette", help="Another palette of palette.yml.")
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
    out: Path | None,
    png: int | None,
    jobs: int,
) -> None:
    """Draw cards: all sets, or the NUMBERS given (85, 1-10, 水).

    Whole sets as sets.yml has them go to build/sets; anything else to build/cards; or all to --out.
    """
    project = load(root)
    face, type_ = _font(project, font)
    changes = {"layout": _known("layout", layout, layouts), "palette": _known("palette", palette, project.palettes), "font": face}
    recipes = _recipes(project, names, changes, type_)
    drawn = subjects(project, numbers, any_character=type_ is not None) if numbers else list(project.radicals)
    if not drawn:
        raise Error("NUMBERS: empty, give 85, 1-10 or 水, or leave it out to draw all")
    shipped = is_whole(drawn) and not type_ and not any(changes.values())
    folder = out or project.build / ("sets" if shipped else "cards")
    with _progress(len(drawn) * len(recipes), "drawing") as progress:
        render(recipes, drawn, folder, jobs=jobs, png=png or 0, progress=progress)
    for made in recipes:
        click.echo(f"{made.name}: {len(drawn)} {'card' if len(drawn) == 1 else 'cards'} in {_shown(folder / made.name)}")


def _shown(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


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
        _known("palette", name, project.palettes)
        for line in swatches.lines(name, project.palettes[name]):
            click.echo(line)


@main.command("sheet")
@click.argument("names", metavar="SET...", nargs=-1, required=True)
@click.option("--size", type=click.IntRange(8, 1024), default=96, show_default=True, metavar="PX", help="Pixels a card.")
@click.option("--grey", is_flag=True, help="In grey, to see whether the cards hold without colour.")
@click.pass_obj
def _sheet(root: Path, names: tuple[str, ...], size: int, grey: bool) -> None:
    """Make contact sheets: every card of a SET in one PNG, in build/sheets."""
    from generator import sheets

    project = load(root)
    recipes = _recipes(project, names, {}, None)
    for made in recipes:
        with _progress(len(project.radicals), made.name) as progress:
            path = sheets.write(project, made, size, grey, progress)
        click.echo(_shown(path))


@main.command("site")
@click.pass_obj
def _site(root: Path) -> None:
    """Draw all sets, check them and build the gallery into build/site, which is replaced only when all went well."""
    from generator import site

    project = load(root)
    pages = site.build(project)
    click.echo(f"{pages} pages in {_shown(project.build / 'site')}")


if __name__ == "__main__":
    main()
