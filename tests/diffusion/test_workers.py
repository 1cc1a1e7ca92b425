"""The demo, which is a real pipeline, on the workers of a Dask cluster."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clusters import Cluster
from common import contents, needs

from generator.illustrate import cluster, supervise
from generator.illustrate.making import Here
from generator.illustrate.requests import Request
from generator.illustrate.supervise import Terms
from generator.store import Store

pytestmark = pytest.mark.diffusion


def test_two_workers_make_the_bytes_that_a_child_makes(settings: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    needs("distributed")
    given = settings(provider="demo")
    requests = [Request(number, "demo", "text", "plain", f"a square {number}", "", 1, given) for number in (1, 2, 3, 4, 5, 6)]
    here = Here("cpu", 0, 0, 1, tmp_path, tmp_path / "scratch")
    supervise.run(Store(tmp_path / "alone"), requests, Terms(here, ("cpu",), 2), lambda _: None)
    verdicts: list[tuple[str, str]] = []
    terms = Terms(
        here, ("cpu",), 2, probe=lambda _: not verdicts, probed=lambda request, verdict: verdicts.append((request.model, verdict))
    )
    two = Cluster(tmp_path)
    try:
        two.grow(2)
        tally = cluster.run(two.address, Store(tmp_path / "together"), requests, terms, lambda _: None)
    finally:
        two.end()
    assert (tally.made, tally.failed, tally.given_up) == (6, {}, {})
    assert set(verdicts) == {("demo", "sound")}
    alone, together = (digests(tmp_path / which) for which in ("alone", "together"))
    assert len(alone) == 6
    assert together == alone


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every picture: what differs is told in a line, not in megabytes."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents(folder).items() if name.endswith(".png")}
