"""Number formats: which of them give pictures of a model on a device. Tried once, kept beside the candidates."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.illustrate.probe import DTYPES
from generator.illustrate.requests import canonical
from generator.project import put
from generator.store import read

FITNESS = "dtypes.json"
NAN = "nan"
"""The verdict on a format that gives no pictures."""
IDLE = ("dtype", "call", "scheduler", "size", "image")
"""Settings that leave the weights as they are."""


@dataclass(frozen=True, slots=True)
class Formats:
    """What is known in a folder of candidates of a device, by its kind and its name, which computes in the formats *native*."""

    candidates: Path
    device: str
    name: str
    native: tuple[str, ...] = DTYPES

    @property
    def _known(self) -> dict[str, str]:
        path = self.candidates / FITNESS
        return read(path) if path.is_file() else {}

    def _where(self, settings: Mapping[str, Any], dtype: str) -> str:
        """Weights on a device in a format: the weights by all that decides them."""
        weights = canonical({key: value for key, value in settings.items() if key not in IDLE})
        return f"{settings['repo']} {hashlib.sha256(weights.encode()).hexdigest()[:20]} on {self.device} {self.name}: {dtype}"

    def unfit(self, settings: Mapping[str, Any]) -> list[str]:
        """The formats that give no pictures of a model here, or that the device has no arithmetic for."""
        known = self._known
        return [dtype for dtype in DTYPES if dtype not in self.native or known.get(self._where(settings, dtype)) == NAN]

    def is_untried(self, settings: Mapping[str, Any]) -> bool:
        """True if nobody knows yet whether the format of a pipeline gives pictures."""
        dtype = settings.get("dtype", "float32")
        return settings["provider"] == "diffusers" and dtype != "float32" and self._where(settings, dtype) not in self._known

    def remember(self, settings: Mapping[str, Any], verdict: str) -> None:
        """Keep how the format of a pipeline did."""
        known = self._known | {self._where(settings, settings["dtype"]): verdict}
        put(self.candidates / FITNESS, f"{json.dumps(known, indent=1, sort_keys=True)}\n".encode())
