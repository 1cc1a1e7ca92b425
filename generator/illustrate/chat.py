"""A chat endpoint of the OpenAI kind: OpenAI's own, Ollama, llama.cpp, vLLM or any other server that speaks like it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.illustrate.making import Failed, Spoilt
from generator.illustrate.remote import Service, library, secret
from generator.model import Error, nearest

if TYPE_CHECKING:
    from generator.illustrate.retrying import Failure

KEY = "OPENAI_API_KEY"
"""The environment's variable with the key."""
OPENAI = "https://api.openai.com/v1"
OURS = {"messages", "model", "n", "stream", "extra_headers", "extra_query", "extra_body"}
"""Arguments of the call that no profile says."""
SECONDS = 900.0
"""In which an answer must be whole, unless the profile's ``call`` says otherwise with ``timeout``: ten drawings are long ones."""
SEEDS = 2**31
"""What every endpoint takes for a seed."""
AMISS = (400, 422)
"""Statuses by which an endpoint says that a question is not one that it takes."""


class Silent(Exception):
    """The endpoint has no answer this time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said; ``is_cut`` if the endpoint's limit ended it. ``model`` is what the endpoint calls the one that answered."""

    text: str
    is_cut: bool
    model: str


def _refuse_unknown(create: Callable[..., Any], arguments: Mapping[str, Any], where: str) -> None:
    """:class:`Error` for an argument that the call does not take."""
    known = [name for name in inspect.signature(create).parameters if name not in OURS]
    if unknown := [name for name in arguments if name not in known]:
        raise Error(f"{where}: call.{unknown[0]}: no argument of chat.completions.create, {nearest(unknown[0], known)}")


def _seconds(arguments: Mapping[str, Any], where: str) -> float:
    value = arguments.get("timeout", SECONDS)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise Error(f"{where}: call.timeout: {value!r}, should be a number of seconds")
    return float(value)


def _service(url: str, model: str, seconds: float) -> Service:
    """The endpoint, which has so many seconds for a whole answer."""
    from generator.illustrate.sessions import Session, address

    address(url)
    return Service(Session(url, seconds=seconds), model, KEY, secret((KEY,), url))


class Chat:
    """A model at an endpoint. ``seed: false`` in the *arguments* of the call keeps the seed from endpoints that know none."""

    def __init__(self, settings: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        sdk = library("openai")
        self.model = str(settings["repo"])
        self.where = f"models.yml: {self.model}"
        url = str(settings.get("url") or OPENAI)
        self.service = _service(url, self.model, _seconds(arguments, self.where))
        session, key = self.service.session, self.service.key or "none"
        client = sdk.OpenAI(api_key=key, base_url=url, http_client=session.client, timeout=session.timeout, max_retries=0)
        self.create: Callable[..., Any] = client.chat.completions.create
        _refuse_unknown(self.create, arguments, self.where)
        self.is_seeded = arguments.get("seed") is not False
        self.arguments = {name: value for name, value in arguments.items() if name not in ("seed", "timeout")}
        self.has_answered = False

    def ask(self, messages: Sequence[Mapping[str, str]], seed: int) -> Answer:
        """The answer to a talk. :class:`Silent` if there is none this time, :class:`Error` if there will be none at all."""
        from generator.illustrate.retrying import failure, tried

        seeded = {"seed": seed % SEEDS} if self.is_seeded else {}
        self.service.session.asked = 0
        try:
            completion = tried(self.service.session, lambda: self.create(model=self.model, messages=messages, **self.arguments, **seeded))
            answer = self._read(completion)
        except Exception as error:  # noqa: BLE001  # libraries raise what they like, and its text may have the key in it
            raise self._reason(failure(error)) from None
        self.has_answered = True
        return answer

    def _reason(self, failure: "Failure") -> Silent:
        """Why there is no answer. :class:`Error` if there will be none at all."""
        from generator.illustrate.sessions import is_here

        session = self.service.session
        if failure.kind == "unreachable" and is_here(session.url):
            raise Error(f"{self.where}: {session.url} cannot be reached, is the server running (ollama serve, llama-server)?") from None
        outcome = self.service.judged(failure)
        assert isinstance(outcome, Failed | Spoilt)
        if failure.status in AMISS and not self.has_answered:
            raise Error(f"{self.where}: {outcome.message}, correct its call") from None
        advice = ", ask for fewer at once (call.batch) or allow more seconds (call.timeout)" if failure.kind == "silent" else ""
        return Silent(outcome.message + advice)

    def _read(self, completion: Any) -> Answer:
        """What an endpoint sent as an answer. :class:`ValueError` if it is none; one that says nothing is one."""
        choices = getattr(completion, "choices", None)
        if not isinstance(choices, list) or not choices or not (message := getattr(choices[0], "message", None)):
            raise ValueError("no choices in it")
        text = getattr(message, "content", None) or ""
        model = getattr(completion, "model", None) or self.model
        return Answer(str(text), getattr(choices[0], "finish_reason", None) == "length", self.service.plain(str(model)))
