"""Put what `bushu` reads beside its code into the wheel, under generator/share/."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARE = ("radicals", "fonts", "templates", "site", "palette.yml", "sets.yml", "models.yml", "mkdocs.yml")


class Share(BuildHookInterface[Any]):
    """Include the shared files in a real wheel; an editable install reads them where they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add each of them that exists."""
        if version == "standard":
            there = (name for name in SHARE if (Path(self.root) / name).exists())
            build_data["force_include"].update({name: f"generator/share/{name}" for name in there})
