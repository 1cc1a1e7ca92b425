"""What many tests share: the project as it stands, its sets as they are drawn, and a copy of its files that may be corrupted."""

import shutil
from pathlib import Path

import pytest
from common import DATA, ILLUSTRATED, ROOT, illustrated, webp
from hypothesis import settings

from generator import cards, sets, site
from generator.project import Project, load

settings.register_profile("bushu", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("bushu")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write what is drawn as the golden files (make golden)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that leave threads behind in this process, of torch and of Dask, come last: others fork, which threads do not survive."""
    items.sort(key=lambda item: bool(item.get_closest_marker("diffusion")) or item.path.stem == "test_cluster")


@pytest.fixture(scope="session")
def project() -> Project:
    """The repository's data and fonts with the tests' own palettes and sets."""
    return load(DATA)


@pytest.fixture(scope="session")
def drawn(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All shipped sets, drawn and checked once: a folder of sets."""
    out = tmp_path_factory.mktemp("sets")
    sets.render([cards.recipe(project, name) for name in project.sets], project.radicals, out)
    return out


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A project folder of its own, to be corrupted; the pictures, which are many files, are the package's."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("palette.yml", "sets.yml"):
        shutil.copy(DATA / name, folder / name)
    for name in ("radicals", "fonts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("drawings", "pictures", "pictograms"))
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery, built once, with one illustration chosen: its folder."""
    folder = tmp_path_factory.mktemp("gallery") / "project"
    shutil.copytree(DATA, folder)
    illustrated(folder, ILLUSTRATED, webp("navy"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        site.build(load(folder))
    return folder / "build" / "site"
