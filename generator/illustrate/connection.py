"""The way to a Dask cluster: whether its scheduler answers, whether the same programs are everywhere, and what its workers have.

Dask asks nobody who he is: whoever reaches the scheduler or a worker can run programs there, and here. Use it in a network that you
trust, or with certificates (addresses that begin with ``tls://``; see Dask's documentation of TLS).
"""

import logging
import socket
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from generator.illustrate.making import needed
from generator.illustrate.probe import Probed, probe
from generator.model import Error

REACHED = 5.0
"""Seconds that a scheduler has to answer, and workers to be there."""
SAME = {"bushu": "bushu[diffusion,cluster]", "distributed": "distributed"}
"""Packages that have to be everywhere in the same version, and what to ask pip for."""
START = "start `dask scheduler` on one machine and `dask worker tcp://that-machine:8786` wherever pictures are to be made"


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at an address, such as ``tcp://host:8786``.

    :class:`Error` where none answers, it has no workers, or Bushu and Dask are not everywhere in this version.
    """
    try:
        from distributed import Client
        from distributed.versions import VersionMismatchWarning
    except ImportError:
        raise needed("distributed", "cluster") from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what there is to say is said in one line, as an Error
    warnings.simplefilter("ignore", VersionMismatchWarning)
    try:
        _knock(address)
        client = Client(address, timeout=REACHED, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise Error(f"--scheduler {address}: no scheduler answers there ({reason}), {START}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=REACHED)
        except TimeoutError:
            raise Error(f"--scheduler {address}: has no workers, {START}") from None
        if found := list(strangers(client.get_versions(packages=list(SAME)))):
            raise Error("\n".join(found))
        yield client


def _knock(address: str) -> None:
    """See whether anything listens at an address: a client that finds nothing leaves threads behind, and takes its time."""
    from distributed.comm import parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    scheme, place = parse_address(address)
    get_backend(scheme)
    socket.create_connection(parse_host_port(place), REACHED).close()


def strangers(versions: Mapping[str, Any]) -> Iterator[str]:
    """What is elsewhere not as it is here, a line each; *versions* as Dask's client gives them."""
    others = {"the scheduler": versions["scheduler"], **versions["workers"]}
    for package, wanted in SAME.items():
        mine = versions["client"]["packages"][package]
        for where, told in others.items():
            theirs = told["packages"][package]
            if theirs != mine:
                has = f"has {package} {theirs}" if theirs else f"{package} is not installed"
                yield f"{where}: {has}, this machine has {mine}: the same is needed there, pip install '{wanted}=={mine}'"


def survey(address: str, device: str, pairs: Sequence[tuple[str, Mapping[str, Any]]]) -> Probed:
    """What the workers have, as :func:`generator.illustrate.probe.probe` says it of one machine: the least that any of them has.

    ``count`` is how many workers there are. :class:`Error` where they have not all the same sort of device.
    """
    with connected(address) as client:
        asked = {name: client.submit(probe, device, list(pairs), workers=[name], pure=False) for name in sorted(client.nthreads())}
        return merged(address, {name: _told(name, future) for name, future in asked.items()})


def _told(name: str, future: Any) -> Probed:
    try:
        return future.result()  # type: ignore[no-any-return]
    except Error as error:
        raise Error(f"{name}: {error}") from None


def merged(address: str, found: Mapping[str, Probed]) -> Probed:
    """What several workers have, by their names, as if they were one machine."""
    kinds = Counter(one.device.partition(":")[0] for one in found.values())
    if len(kinds) > 1:
        have = " and ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
        raise Error(f"--scheduler {address}: the workers compute on {have}, which needs different settings: take one sort, or --device cpu")
    ones = list(found.values())
    return replace(
        ones[0],
        name=" / ".join(sorted({one.name for one in ones})),
        count=len(ones),
        memory=min(one.memory for one in ones),
        ram=min(one.ram for one in ones),
        speeds={dtype: min(one.speeds.get(dtype, 0.0) for one in ones) for dtype in ones[0].speeds},
        native=tuple(dtype for dtype in ones[0].native if all(dtype in one.native for one in ones)),
        faults=tuple(dict.fromkeys(fault for one in ones for fault in one.faults)),
    )
