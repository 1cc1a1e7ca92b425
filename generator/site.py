"""The gallery from start to end: MkDocs run over the project, strictly, into a folder that takes the old site's place at the end."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, ConfigurationError

from generator.gallery import Gallery
from generator.model import Error
from generator.project import Project
from generator.sets import swap


class _Collector(logging.Handler):
    """Keeps what MkDocs complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _complaints() -> Iterator[list[str]]:
    collector, logger = _Collector(), logging.getLogger("mkdocs")
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield collector.lines
    finally:
        logger.removeHandler(collector)
        logger.propagate = True


def _config(project: Project, made: Path) -> MkDocsConfig:
    """MkDocs' configuration; where the project has its own but no templates, with those of the package."""
    path = project.path("mkdocs.yml")
    theme: dict[str, Any] = {}
    if not (path.parent / "templates").is_dir():
        theme = {"theme": {"name": None, "custom_dir": str(project.path("templates")), "static_templates": ["404.html"]}}
    return load_config(str(path), site_dir=str(made), docs_dir=str(project.path("site")), strict=True, **theme)


def _place(error: TemplateError) -> str:
    """Where a template is wrong, as far as Jinja says."""
    if isinstance(error, TemplateSyntaxError) and error.filename:
        return f"{Path(error.filename).name}: line {error.lineno}"
    return "a template"


def build(project: Project) -> int:
    """Build the gallery into ``build/site``: the number of pages. :class:`Error` says what MkDocs complained of."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # the sitemap's dates; make gives the last commit's
    project.build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=project.build, prefix=".site-") as name, _complaints() as complaints:
        made, gallery = Path(name) / "site", None
        try:
            config = _config(project, made)
            gallery = config.plugins.get("bushu")
            if not isinstance(gallery, Gallery):
                raise Error("mkdocs.yml: plugins: bushu is missing, it should be there")
            gallery.project, gallery.failure = project, None  # MkDocs keeps a plugin from one build to the next
            mkdocs_build(config)
        except (Abort, ConfigurationError) as error:
            raise (gallery and gallery.failure) or Error("\n".join(complaints) or f"mkdocs.yml: {error}") from None
        except TemplateError as error:
            raise Error(f"templates: {_place(error)}: {error}, mend it or take the template that Bushu brings") from None
        except UnicodeDecodeError as error:
            raise Error(f"site: a page is not UTF-8 text ({error.reason}), save it as UTF-8") from None
        swap(made, project.build / "site")
    return sum(1 for _ in (project.build / "site").rglob("*.html"))
