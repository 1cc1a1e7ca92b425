"""The lock files name exact versions with hashes and no place to fetch them from."""

import re

import pytest
from common import ROOT


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-diffusion.lock"])
def test_exact_versions_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", text).strip())
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^]]+\])?==[^ ;]+", entry), entry[:80]
        assert entry.count("--hash=sha256:") >= 1, entry[:80]
    assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links|/[a-z]+/[a-z]+/", text)


def test_every_dependency_is_locked() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    locked = set(re.findall(r"(?m)^([A-Za-z0-9._-]+)==", (ROOT / "requirements.lock").read_text("utf-8")))
    wanted = {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in project["dependencies"]}
    assert wanted <= {name.lower() for name in locked}
    assert not {"torch", "diffusers"} & locked


def test_what_stands_on_torch_is_locked_and_torch_is_not() -> None:
    locked = set(re.findall(r"(?m)^([A-Za-z0-9._-]+)==", (ROOT / "requirements-diffusion.lock").read_text("utf-8")))
    assert {"diffusers", "transformers", "accelerate", "safetensors", "huggingface-hub", "imagehash", "peft", "psutil"} <= locked
    assert not [name for name in locked if name.startswith(("torch", "nvidia", "triton"))]


def test_mkdocs_is_the_last_with_plugins() -> None:
    assert "\nmkdocs==1.6.1" in (ROOT / "requirements.lock").read_text("utf-8")
