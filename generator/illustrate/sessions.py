"""The HTTP client that the libraries of all services are given: it ends in time, takes no endless answers and keeps to its addresses."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import httpx2

from generator.model import Error, brief

CONNECT = 10.0
"""Seconds until a service has to be reached."""
ANSWER = 300.0
"""Seconds that a picture may take, from the request to its last byte."""
MOST = 64 * 2**20
"""Bytes that an answer may have: a picture of 4096 × 4096 pixels in base64 is smaller."""


class Unwanted(Exception):
    """An answer or an address that is not taken, and why; asking again would bring the same."""


def address(url: str) -> SplitResult:
    """The parts of a service's address. :class:`Error` if it is none, or if there is more in it, such as a password or a key."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), None
    if parts.username is not None or parts.query or parts.fragment:
        raise Error("models.yml: url: has a user, a password or a query in it, keys belong in the environment")
    if parts.scheme not in ("http", "https") or not host:
        raise Error(f"models.yml: url: {brief(url)!r} is no address, it should begin with https:// (http:// for this machine)")
    return parts


def is_here(url: str) -> bool:
    """True for an address of this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@dataclass(slots=True)
class Session:
    """What talks to the service at ``url``. ``follow``: redirects are followed; keys in headers of a library's own would go along.

    ``seconds`` are what a whole answer may take. ``asked`` counts requests for something; a new picture sets it to 0.
    """

    url: str
    follow: bool = False
    seconds: float = field(default_factory=lambda: ANSWER)
    asked: int = 0
    until: float = math.inf
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.opened()

    @property
    def host(self) -> str:
        """The service's name, with its port."""
        return address(self.url).netloc

    def opened(self) -> httpx2.Client:
        """A client that keeps to the bounds. Addresses of this machine are never asked for through a proxy."""
        return httpx2.Client(
            timeout=self.timeout,
            follow_redirects=self.follow,
            trust_env=not is_here(self.url),
            headers={"accept-encoding": "identity"},  # so that bytes counted are bytes held
            event_hooks={"request": [self._sending], "response": [self._received]},
        )

    @property
    def timeout(self) -> httpx2.Timeout:
        """How long to wait for the connection, and for each part of the answer."""
        return httpx2.Timeout(self.seconds, connect=CONNECT)

    def begin(self) -> None:
        """Begin a request: its time runs."""
        self.until = time.monotonic() + self.seconds

    def fetched(self, url: str) -> bytes:
        """What lies at an address that the service gave; no key is sent there."""
        response = self.client.get(url, follow_redirects=True)
        response.raise_for_status()
        return bytes(response.content)

    def _sending(self, request: httpx2.Request) -> None:
        """Refuse what goes elsewhere unprotected."""
        if request.url.scheme != "https" and request.url.netloc != httpx2.URL(self.url).netloc:
            raise Unwanted(f"gave the address {brief(str(request.url.copy_with(query=None)))!r}, which is not https")
        self.asked += request.method == "POST"

    def _received(self, response: httpx2.Response) -> None:
        """Bound an answer before it is read."""
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Unwanted("compresses its answer, which it was asked not to do")
        if (length := response.headers.get("content-length", "")).isdecimal() and int(length) > MOST:
            raise Unwanted(f"gave {int(length) // 2**20} MB, more than {MOST // 2**20}")
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, self.until, response.request)


@dataclass(frozen=True, slots=True)
class _Bounded(httpx2.SyncByteStream):
    """The bytes of an answer, as many as may be, for as long as they may take: libraries that poll have no end of their own."""

    inner: httpx2.SyncByteStream
    until: float
    request: httpx2.Request

    def __iter__(self) -> Iterator[bytes]:
        count = 0
        for chunk in self.inner:
            count += len(chunk)
            if count > MOST:
                raise Unwanted(f"gave more than {MOST // 2**20} MB")
            if time.monotonic() > self.until:
                raise httpx2.ReadTimeout("the answer takes too long", request=self.request)
            yield chunk

    def close(self) -> None:
        self.inner.close()
