"""What the library of a service raises, read in terms of HTTP, and how a request is tried again."""

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal, TypeVar

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter

from generator.illustrate.sessions import Session, Unwanted

Answer = TypeVar("Answer")
TRIES = 5
"""How often a request is sent before the picture counts as failed."""
UNANSWERED = 2
"""How often a request is sent that gets no answer in time: the service may have made the picture, and charge for each."""
FIRST, LONGEST = 1.0, 60.0
"""Seconds before the second try, and at most; they double and are jittered."""
PATIENCE = 120.0
"""Seconds that a service may ask to wait; longer is not waited for."""
PASSING = {408, 409, 425, 429}
"""Statuses of answers that may be others in a moment, besides those from 500 on."""
CODES = {
    "insufficient_quota": 402,
    "billing_hard_limit_reached": 402,
    "API_KEY_INVALID": 401,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "RepoNotFound": 404,
}
"""Codes that say more than the status they come with, and the status that says the same."""
KINDS: dict[type[Exception], Literal["unwanted", "unreachable", "silent", "broken"]] = {
    Unwanted: "unwanted",
    httpx2.UnsupportedProtocol: "unwanted",
    httpx2.ConnectError: "unreachable",
    httpx2.ConnectTimeout: "unreachable",
    httpx2.ProxyError: "unreachable",
    httpx2.TimeoutException: "silent",
    httpx2.TransportError: "broken",
}
"""What exceptions of the client mean; the first that fits counts."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request came to nothing: an answer with a ``status`` (its ``body`` as text), or what ``kind`` says.

    ``words``: what the service, or else the library, has to say. ``wait``: seconds that the service wants to be left alone.
    """

    kind: Literal["answer", "unwanted", "unreachable", "silent", "broken", "other"]
    words: str
    status: int = 0
    body: str = ""
    wait: float = 0.0

    @property
    def passes(self) -> bool:
        """True if the same request may fare better in a moment."""
        if self.kind == "answer":
            return (self.status in PASSING or self.status >= 500) and self.wait <= PATIENCE
        return self.kind in ("unreachable", "silent", "broken")


def pause(seconds: float) -> None:
    """Wait between two tries."""
    time.sleep(seconds)


def failure(error: BaseException) -> Failure:
    """What an exception of a library means: it has the answer with it, or was raised from the client's own exception."""
    response = getattr(error, "response", None)
    if isinstance(response, httpx2.Response):
        body = _body(response)
        return Failure("answer", _message(response, body), _status(response, body), body, _wait(response, body))
    for one in _chain(error):
        if kind := next((kind for known, kind in KINDS.items() if isinstance(one, known)), None):
            return Failure(kind, str(one))
    return Failure("other", str(error))


def _chain(error: BaseException) -> list[BaseException]:
    """An exception and what it was raised from."""
    found = [error]
    while (cause := found[-1].__cause__) is not None and cause not in found:
        found.append(cause)
    return found


def _body(response: httpx2.Response) -> str:
    with suppress(RuntimeError):  # a stream that the library did not read
        return str(response.text)
    return ""


def _status(response: httpx2.Response, body: str) -> int:
    """The status of an answer, or that of a code in it which says more."""
    said = f'{body} "{response.headers.get("x-error-code", "")}"'
    return next((status for code, status in CODES.items() if f'"{code}"' in said), response.status_code)


def _message(response: httpx2.Response, body: str) -> str:
    """What an answer says is wrong: services put it in different places of its JSON."""
    try:
        found = json.loads(body)
    except ValueError:
        return "" if "html" in response.headers.get("content-type", "") else body
    for _ in range(4):
        if isinstance(found, list) and found:
            found = found[0]
        elif isinstance(found, dict):
            found = next((found[name] for name in ("error", "message", "detail", "msg") if found.get(name)), "")
    return found if isinstance(found, str) else ""


def _wait(response: httpx2.Response, body: str) -> float:
    """Seconds that a service wants to be left alone: a header that says how long or until when, or Google's words in the body."""
    value = response.headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return float(value)
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    told = re.search(r'"retryDelay": ?"([0-9]+(?:\.[0-9]+)?)s"', body)
    return float(told[1]) if told else 0.0


def _last(state: RetryCallState) -> Failure:
    """Why the last try came to nothing."""
    error = state.outcome.exception() if state.outcome else None
    return failure(error or RuntimeError())


def _is_enough(state: RetryCallState) -> bool:
    count: int = state.attempt_number
    return count >= (UNANSWERED if _last(state).kind == "silent" else TRIES)


def tried(session: Session, ask: Callable[[], Answer]) -> Answer:
    """What a request gives, sent again after exponentially longer times with jitter, and not before the service wants it.

    Raises what the last try raised.
    """
    backoff = wait_exponential_jitter(FIRST, LONGEST)
    retrying = Retrying(
        stop=_is_enough,
        wait=lambda state: max(backoff(state), _last(state).wait),
        retry=retry_if_exception(lambda error: failure(error).passes),
        sleep=pause,
        before=lambda _: session.begin(),
        reraise=True,
    )
    answer: Answer = retrying(ask)
    return answer
