"""The gallery from start to end: MkDocs run over the project, strictly, into a folder that takes the old site's place at the end."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
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


def build(project: Project) -> int:
    """Build the gallery into ``build/site``: the number of pages. :class:`Error` says what MkDocs complained of."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # the sitemap's dates; make gives the last commit's
    project.build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=project.build, prefix=".site-") as name, _complaints() as complaints:
        made = Path(name) / "site"
        try:
            config = load_config(str(project.path("mkdocs.yml")), site_dir=str(made), docs_dir=str(project.path("site")), strict=True)
            gallery = config.plugins["bushu"]
            assert isinstance(gallery, Gallery)
            gallery.project = project
            mkdocs_build(config)
        except (Abort, ConfigurationError) as error:
            raise Error("\n".join(complaints) or f"mkdocs.yml: {error}") from None
        swap(made, project.build / "site")
    return sum(1 for _ in (project.build / "site").rglob("*.html"))
