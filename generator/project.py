"""The project: a folder's YAML files as models, with every reference resolved. The only module that reads or writes YAML.

Scalars are read as text and the models give them their types, so that ``no`` is の in romaji and not *false*. Anchors, aliases
and absurd depth are refused, which leaves nothing for a file to loop or to explode with.
"""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from generator import palette as palettes
from generator.layouts import layouts
from generator.model import (
    COUNT,
    LONGEST,
    Error,
    FontsFile,
    Groups,
    Illustration,
    Palette,
    PaletteSpec,
    PicturesFile,
    Radical,
    SetSpec,
    brief,
    nearest,
)
from generator.patterns import patterns

MOST_STROKES = 17
DEPTH = 32
"""How deep a file may nest."""
SHARE = Path(__file__).parent / "share"
CARRIED = SHARE if SHARE.is_dir() else Path(__file__).parent.parent
"""Where the data, fonts and templates are that the package brings: inside the wheel, or the checkout itself."""

PICTURES = "radicals/pictures.yml"
ILLUSTRATIONS = "radicals/illustrations.yml"
"""Where the chosen illustrations are listed …"""
ILLUSTRATED = ILLUSTRATIONS.removesuffix(".yml")
"""… and where their files lie."""

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
Model = TypeVar("Model")


@dataclass(slots=True)
class _Frame:
    """An open list or mapping; ``key`` is the mapping's key whose value is awaited or being built."""

    container: Any
    key: str | None = None


class _Builder:
    """Builds plain lists and dicts of text from YAML events, without recursion."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.stack: list[_Frame] = []
        self.root: Any = None
        self.faults: list[str] = []

    def scalar(self, text: str, line: int) -> None:
        """A key, or a value that is text."""
        frame = self.stack[-1] if self.stack else None
        if frame and isinstance(frame.container, dict) and frame.key is None:
            if not text.isprintable() or len(text) > LONGEST:
                raise Error(f"{self.where}: line {line}: a key must be one line of at most {LONGEST} characters")
            if text in frame.container:
                trail = ".".join([f.key for f in self.stack if f.key is not None] + [text])
                self.faults.append(f"{self.where}: {trail}: duplicate key on line {line}, keep one of the two")
            frame.key = text
        else:
            self._place(text, line)
            self._placed()

    def open(self, container: Any, line: int) -> None:
        """Begin a list or a mapping."""
        if len(self.stack) >= DEPTH:
            raise Error(f"{self.where}: line {line}: nested deeper than {DEPTH} levels, nothing here needs that")
        self._place(container, line)
        self.stack.append(_Frame(container))

    def close(self) -> None:
        """End the innermost list or mapping."""
        self.stack.pop()
        self._placed()

    def _place(self, value: Any, line: int) -> None:
        if not self.stack:
            self.root = value
        elif isinstance(self.stack[-1].container, list):
            self.stack[-1].container.append(value)
        elif self.stack[-1].key is None:
            raise Error(f"{self.where}: line {line}: a key must be plain text")
        else:
            self.stack[-1].container[self.stack[-1].key] = value

    def _placed(self) -> None:
        if self.stack:
            self.stack[-1].key = None


def parse(text: str, where: str) -> Any:
    """One YAML document as dicts, lists and text. :class:`Error` for anything else, a line for every duplicate key."""
    builder = _Builder(where)
    try:
        for event in yaml.parse(text, Loader=Loader):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise Error(f"{where}: line {line}: anchors and aliases (& and *) are not supported, write the value out")
            if isinstance(event, yaml.ScalarEvent):
                builder.scalar(event.value, line)
            elif isinstance(event, yaml.MappingStartEvent):
                builder.open({}, line)
            elif isinstance(event, yaml.SequenceStartEvent):
                builder.open([], line)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                builder.close()
            elif isinstance(event, yaml.DocumentStartEvent) and builder.root is not None:
                raise Error(f"{where}: line {line}: a second document begins, keep one")
    except yaml.YAMLError as error:
        raise Error(f"{where}: {_syntax(error, text, where)}") from None
    if builder.faults:
        raise Error("\n".join(builder.faults))
    return builder.root


UNQUOTED = re.compile(r"^[^#\n\"']*[:,{\[] *(#[0-9a-fA-F]{3,8})\b", re.MULTILINE)
"""A colour that YAML takes for a comment."""


def _syntax(error: yaml.YAMLError, text: str, where: str) -> str:
    """What is wrong with the YAML, in one line."""
    if bare := UNQUOTED.search(text):
        line = text.count("\n", 0, bare.end()) + 1
        return f'line {line}: {bare[1]} begins a comment, put it in quotes: "{bare[1]}"'
    mark = getattr(error, "problem_mark", None)
    at = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return f"{at}not valid YAML ({problem}), mend it or {_instead(where)}"


def _instead(where: str) -> str:
    """What to take instead of a file that is of no use."""
    brought = (CARRIED / where).is_file() and where != ILLUSTRATIONS
    return "take the file that Bushu brings as a start" if brought else "bring it back from a copy"


def read(path: Path, where: str) -> Any:
    """A YAML file as dicts, lists and text; :class:`Error` where it cannot be read or is empty."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Error(f"{where}: byte {error.start} is not UTF-8 text, save the file as UTF-8") from None
    except OSError as error:
        raise Error(f"{where}: cannot be read ({error.strerror}), it should be a YAML file") from None
    loaded = parse(text, where)
    if loaded is None or loaded == "":
        raise Error(f"{where}: empty, {_instead(where)}")
    return loaded


def _fields(kind: Any, trail: Iterable[int | str]) -> list[str]:
    """The keys that are known where *trail* ends, for a suggestion; empty where that is not a model."""
    for step in trail:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(step))
            kind = field.annotation if field else None
        else:
            kind = next((part for part in getattr(kind, "__args__", ())[::-1] if part is not type(None) and part is not ...), None)
        while kind is not None and type(None) in getattr(kind, "__args__", ()):
            kind = kind.__args__[0]
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


PLAIN = {
    "missing": "missing, it is needed",
    "string_too_short": "empty, write a value (in quotes if it begins with #)",
    "string_type": "should be text",
    "model_type": "should be keys with values",
    "dict_type": "should be keys with values",
    "tuple_type": "should be a list",
    "too_short": "too short, write {min_length} or more",
    "too_long": "too long, write {max_length} at most",
    **dict.fromkeys(("int_parsing", "int_from_float", "int_type"), "should be a whole number"),
    **dict.fromkeys(("float_parsing", "float_type"), "should be a number"),
}
"""Faults in plain words, where pydantic's are about its types."""


def _faults(error: ValidationError, kind: Any, where: str, names: Mapping[str, str]) -> Iterator[str]:
    """One line a fault of what pydantic found; *names* renames the first step of a trail (an index to a radical's number)."""
    for fault in error.errors():
        trail = list(fault["loc"])
        shown = [names.get(str(step), str(step)) if i == 0 else str(step) for i, step in enumerate(trail)]
        key = ".".join(shown)
        if fault["type"] == "extra_forbidden":
            message = f"unknown key, {nearest(str(trail[-1]), _fields(kind, trail[:-1]))}"
        else:
            given = fault["input"]
            message = PLAIN.get(fault["type"], "").format(**fault.get("ctx", {})) or fault["msg"][0].lower() + fault["msg"][1:].replace(
                "Input should", "should"
            )
            message = message.removeprefix("input ") + (f" (here: {brief(given)!r})" if isinstance(given, str) and given else "")
        yield f"{where}: {key}: {message}" if key else f"{where}: {message}"


def validated(kind: type[Model], loaded: Any, where: str, names: Mapping[str, str] | None = None) -> Model:
    """What was read as a model (or a dict or tuple of models); :class:`Error` with a line for every fault."""
    try:
        return TypeAdapter(kind).validate_python(loaded)
    except ValidationError as error:
        raise Error("\n".join(_faults(error, kind, where, names or {}))) from None


def dump(entries: Any) -> str:
    """Canonical YAML: keys in their own order, the innermost lists and mappings on one line."""
    return str(yaml.dump(entries, Dumper=Dumper, allow_unicode=True, default_flow_style=None, sort_keys=False, width=1000))


def plain(radical: Radical) -> dict[str, Any]:
    """A radical as it is written: without what it leaves out."""
    return radical.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Lets an :class:`Error` name the file or folder that cannot be written, where the system names what stands in for it."""
    try:
        yield
    except OSError as error:
        blocked = isinstance(error, FileExistsError | NotADirectoryError)
        if place := next((place for place in path.parents if blocked and place.exists() and not place.is_dir()), None):
            raise Error(f"{place}: is not a folder, {path.name} cannot be written there, give another place") from None
        reason = error.strerror or error
        raise Error(f"{path}: cannot be written ({reason}), see that there is room and that you may write there") from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside *path* to write to; it takes *path*'s place when all went well, and is gone when not."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with writing(path):
            temporary.chmod(0o644)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def put(path: Path, content: bytes) -> None:
    """Write a file that takes its place only when it is whole."""
    with replacing(path) as temporary, writing(path):
        temporary.write_bytes(content)


def tidy(*folders: Path) -> None:
    """Delete those folders that are there and empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@dataclass(frozen=True)
class Project:
    """A folder that Bushu works on; what it lacks comes from the installed package."""

    root: Path
    radicals: tuple[Radical, ...]
    groups: Groups
    palettes: dict[str, Palette]
    sets: dict[str, SetSpec]
    fonts: FontsFile
    illustrations: dict[int, Illustration]

    @property
    def build(self) -> Path:
        """The folder of everything generated."""
        return self.root / "build"

    @cached_property
    def pictures(self) -> PicturesFile:
        """What the pictures are made of."""
        return validated(PicturesFile, read(self.path(PICTURES), PICTURES), PICTURES)

    def path(self, name: str) -> Path:
        """A file or folder of the project, else the one that the package brings."""
        return _path(self.root, name)

    def files(self, folder: str) -> dict[str, Path]:
        """Every file below a folder, by its name relative to it: the project's own ones and those that only the package has."""
        found: dict[str, Path] = {}
        for base in (CARRIED / folder, self.root / folder):
            found |= {path.relative_to(base).as_posix(): path for path in sorted(base.rglob("*")) if path.is_file()}
        return found

    @cached_property
    def by_glyph(self) -> dict[str, Radical]:
        """Radicals by every character that means them: glyph, Kangxi code point, Japanese form, variants."""
        found: dict[str, Radical] = {}
        for radical in reversed(self.radicals):
            forms = [variant.glyph for variant in radical.variants]
            found |= dict.fromkeys(filter(None, [*forms, radical.japanese]), radical)
        return found | {form: radical for radical in self.radicals for form in (radical.kangxi, radical.glyph)}


def _path(root: Path, name: str) -> Path:
    own = root / name
    return own if own.exists() else CARRIED / name


def where(root: Path, path: Path) -> str:
    """A file's name in a message: relative to the project, or just its last parts for a file of the package."""
    for base in (root, CARRIED):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return path.as_posix()


def _radicals(root: Path) -> tuple[Radical, ...]:
    found: list[Radical] = []
    for path in radical_files(root):
        name = where(root, path)
        loaded = read(path, name)
        names = {str(i): brief(str(entry["number"])) for i, entry in enumerate(loaded) if isinstance(entry, dict) and "number" in entry}
        found += validated(tuple[Radical, ...], loaded, name, names)
    return tuple(sorted(found, key=lambda radical: radical.number))


def radical_files(root: Path) -> list[Path]:
    """The files ``NN-strokes.yml``, in order; each the project's own, else the one that the package brings."""
    return [path for n in range(1, MOST_STROKES + 1) if (path := _path(root, f"radicals/{n:02d}-strokes.yml")).exists()]


def _palettes(root: Path, groups: Groups) -> dict[str, Palette]:
    specs = validated(dict[str, PaletteSpec], read(_path(root, "palette.yml"), "palette.yml"), "palette.yml")
    known = {"families": list(groups.families), "categories": list(groups.categories)}
    found: dict[str, Palette] = {}
    faults: list[str] = []
    for name, spec in specs.items():
        try:
            found[name] = palettes.resolve(f"palette.yml: {name}", spec, known, list(patterns))
        except Error as error:
            faults.append(str(error))
    if not faults and (not found or next(iter(found)) != "default" or found["default"].by != "family"):
        faults.append("palette.yml: the first palette should be default, with a swatch for every family: the pages show its colours")
    if faults:
        raise Error("\n".join(faults))
    return found


def _sets(root: Path, known: Mapping[str, Iterable[str]]) -> dict[str, SetSpec]:
    found = validated(dict[str, SetSpec], read(_path(root, "sets.yml"), "sets.yml"), "sets.yml")
    faults = [f"sets.yml: {name}: not a name for a folder, use a-z, 0-9 and -" for name in found if not re.fullmatch(r"[a-z0-9-]+", name)]
    faults += [
        f"sets.yml: {name}.{field}: unknown {field} {value!r}, {nearest(value, names)}"
        for name, spec in found.items()
        for field, names in known.items()
        if (value := getattr(spec, field)) not in names
    ]
    if not found:
        faults.append("sets.yml: no sets, there should be one at least")
    if faults:
        raise Error("\n".join(faults))
    return found


def _check_borrowed(fonts: FontsFile) -> None:
    lenders = {f"{name}.borrowed.{sign}": lender for name, face in fonts.faces.items() for sign, lender in face.borrowed.items()}
    for key, lender in lenders.items():
        if lender not in fonts.faces:
            raise Error(f"fonts/fonts.yml: faces.{key}: unknown face {lender!r}, {nearest(lender, fonts.faces)}")


def _incomplete(radicals: Iterable[Radical]) -> Iterator[str]:
    """A line for every number of 1 to 214 that does not stand once: sets, pages and prints all count on them."""
    found = Counter(radical.number for radical in radicals)
    for number in range(1, COUNT + 1):
        if found[number] != 1:
            yield f"radicals: {number}: {'missing' if not found[number] else 'there twice'}, each of the {COUNT} should stand once"


def _unknown_groups(radicals: Iterable[Radical], groups: Groups) -> Iterator[str]:
    """A line for every family or category that does not exist: no palette could colour the radical."""
    for radical in radicals:
        for field, known in (("family", list(groups.families)), ("category", list(groups.categories))):
            if (value := getattr(radical, field)) not in known:
                yield f"radicals/{radical.strokes:02d}-strokes.yml: {radical.number}.{field}: unknown {value!r}, {nearest(value, known)}"


def _illustrations(root: Path) -> dict[int, Illustration]:
    """The chosen illustrations by number; none where there is no file."""
    path = root / ILLUSTRATIONS
    if not path.exists():
        return {}
    found = validated(dict[int, Illustration], read(path, ILLUSTRATIONS), ILLUSTRATIONS)
    for number, illustration in found.items():
        if illustration.file.partition(".")[0] != f"radical_{number:03d}":
            raise Error(f"{ILLUSTRATIONS}: {number}.file: {illustration.file} is not of radical {number}, should be radical_{number:03d}.*")
        if not 1 <= number <= COUNT:
            raise Error(f"{ILLUSTRATIONS}: {number}: not a radical, the numbers are 1 to {COUNT}")
    return found


def load(root: Path | None = None) -> Project:
    """The project in *root* (default: the current folder), or an :class:`Error` that lists what is wrong with its files."""
    root = (root or Path.cwd()).resolve()
    if not root.is_dir():
        raise Error(f"{root}: not a folder, give the project's folder")
    groups = validated(Groups, read(_path(root, "radicals/groups.yml"), "radicals/groups.yml"), "radicals/groups.yml")
    fonts = validated(FontsFile, read(_path(root, "fonts/fonts.yml"), "fonts/fonts.yml"), "fonts/fonts.yml")
    _check_borrowed(fonts)
    palette = _palettes(root, groups)
    sets = _sets(root, {"layout": layouts, "font": fonts.faces, "palette": palette})
    radicals = _radicals(root)
    if faults := [*_incomplete(radicals), *_unknown_groups(radicals, groups)]:
        raise Error("\n".join(faults))
    return Project(root, radicals, groups, palette, sets, fonts, _illustrations(root))
