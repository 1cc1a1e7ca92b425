"""The MkDocs plugin: hands the pages of :mod:`generator.pages` to MkDocs and tells it what to watch."""

import re
from pathlib import Path
from typing import Any, Literal
from xml.etree.ElementTree import Element

from jinja2 import Environment
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.util import AtomicString
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as SitePage
from mkdocs.utils.templates import TemplateContext

from generator import pages, project, proof, sets, views
from generator.model import Error, Unsound

log = get_plugin_logger("bushu")

WATCHED = ("palette.yml", "sets.yml", "radicals", "fonts", "templates")
"""What redraws the site when it is saved, under ``mkdocs serve``."""


class _Run(InlineProcessor):
    """Marks a run of Japanese in Markdown text."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:
        """The run as a ``<span lang="ja">``."""
        span = Element("span", {"lang": "ja"})
        span.text = AtomicString(m[0])
        return span, m.start(), m.end()


class Japanese(Extension):
    """A Markdown extension that marks Japanese as such, outside code."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Register the pattern, after those for code, links and emphasis."""
        md.inlinePatterns.register(_Run(views.JAPANESE.pattern), "japanese", 15)


class Options(Config):  # type: ignore[no-untyped-call]  # MkDocs types a part of itself
    """There are none: what can be chosen stands in the project's own files."""


class Gallery(BasePlugin[Options]):  # type: ignore[no-untyped-call]
    """Draws the sets and adds the gallery to the site."""

    def __init__(self) -> None:
        self.pages: dict[str, pages.Page] = {}
        self.shared: dict[str, Any] = {}
        self.project: project.Project | None = None  # one that is loaded already, maybe of another folder than mkdocs.yml's
        self.last: sets.Published | None = None
        self.standing: pages.Studio | None = None
        self.failure: Error | None = None

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Under ``mkdocs serve``, remember from one build to the next what the cards were drawn from."""
        self.last = {} if command == "serve" else None

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Watch the data, the palettes and the templates; look for templates in the project first, then in the package."""
        root = self._root(config)
        config.watch += [str(path) for name in WATCHED if (path := root / name).exists()]
        own = [str(folder / "templates") for folder in (root, project.CARRIED) if (folder / "templates").is_dir()]
        config.markdown_extensions.append(Japanese())
        config.theme.dirs[:] = dict.fromkeys([*own, *config.theme.dirs])
        return config

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Draw the sets; add the pages, the cards and everything else that is made."""
        try:
            self._make(files, config, self._studio(self._root(config)))
        except Error as error:
            self.failure = error
            if not self.standing:
                raise PluginError(str(error)) from None
            log.error("%s", error)  # under `mkdocs serve` the last good pages stay until it is mended
            self._make(files, config, self.standing)
        return files

    def _root(self, config: MkDocsConfig) -> Path:
        """The project's folder."""
        return self.project.root if self.project else Path(config.config_file_path).parent

    def _studio(self, root: Path) -> pages.Studio:
        """The project with its sets drawn, once its data is proved; how its files are laid out is no matter for a visitor."""
        loaded = self.project or project.load(root)
        if findings := proof.prove(loaded, but={"canonical"}):
            raise Unsound("\n".join(map(str, findings)))
        return pages.Studio(loaded, sets.publish(loaded, self.last))

    def _make(self, files: Files, config: MkDocsConfig, studio: pages.Studio) -> None:
        for uri, path in studio.project.files("site").items():
            if not files.get_file_from_path(uri):
                _add(files, File.generated(config, uri, abs_src_path=str(path)))
        self.pages = {page.uri: page for page in pages.pages(studio)}
        self.shared = pages.shared(studio)
        for page in self.pages.values():
            _add(files, File.generated(config, page.uri, content=page.text))
        for uri, text in pages.texts(studio):
            _add(files, File.generated(config, uri, content=text))
        for uri, path in pages.copies(studio):
            _add(files, File.generated(config, uri, abs_src_path=str(path)))
        if self.last is not None:
            self.standing = studio

    def on_page_markdown(self, markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        """Give a made page its template, title and description, as front matter would."""
        if made := self.pages.get(page.file.src_uri):
            page.meta.update(template=made.template, title=made.title, description=made.description, upright=made.upright)
        return markdown

    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> Environment:
        """Set up Jinja: text is escaped unless marked safe, and tags leave no blank lines."""
        env.autoescape = env.trim_blocks = env.lstrip_blocks = True
        env.globals.update(self.shared)
        return env

    def on_page_context(self, context: TemplateContext, *, page: SitePage, config: MkDocsConfig, nav: Navigation) -> TemplateContext:
        """What the page's template shows."""
        if made := self.pages.get(page.file.src_uri):
            context.update(made.view)  # type: ignore[typeddict-item]
        return context


def _add(files: Files, file: File) -> None:
    """Add a file; it takes the place of one that a person keeps under the same name, such as the styles before the fonts are added."""
    if before := files.get_file_from_path(file.src_uri):
        files.remove(before)
    files.append(file)
