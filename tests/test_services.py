"""Services: each library speaks to a server on this machine that answers as the service does."""

import base64
import http.server
import io
import json
import logging
import re
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from common import contents, needs
from PIL import Image

from generator.illustrate.making import Failed, Here, Job, Made, Outcome, Spoilt
from generator.illustrate.providers import providers
from generator.illustrate.requests import Request
from generator.model import LONGEST, Error

WHY = "needs the packages of the extra `providers`"
needs("httpx2", reason=WHY)
needs("tenacity", reason=WHY)
needs("openai", reason=WHY)
needs("google.genai", reason=WHY)
needs("huggingface_hub", reason=WHY)

import huggingface_hub.constants  # noqa: E402
import huggingface_hub.hf_api  # noqa: E402
import huggingface_hub.inference._providers._common  # noqa: E402
import huggingface_hub.utils._http  # noqa: E402

from generator.illustrate import remote, retrying, services, sessions, worker  # noqa: E402  # they import what may be missing

KEY = "geheim0123456789SENTINEL"
PROMPT = "a gnarled tree with visible roots"
SEED = 3_000_000_007
"""More than 31 bits."""
VARIABLES = ("OPENAI_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "HF_TOKEN")
PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def picture(form: str = "PNG", side: int = 24) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).convert("RGB").save(out, form)
    return out.getvalue()


PICTURE, SHOWN = picture(), picture(side=40)


@dataclass(frozen=True)
class Reply:
    """What the server does with a request. ``drip``: seconds between the bytes; ``drops``: the connection, without an answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    delay: float = 0
    drip: float = 0
    drops: bool = False


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes


class Server(http.server.ThreadingHTTPServer):
    """Answers with what is in ``replies``, the last of them again and again, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[Reply] = []
        self.seen: list[Seen] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def posts(self) -> int:
        return sum(seen.method == "POST" for seen in self.seen)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append(Seen(self.command, self.path, list(self.headers.items()), body))
        reply = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        self.server.over.wait(reply.delay)
        if reply.drops:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for chunk in [reply.body] if not reply.drip else [reply.body[at : at + 1] for at in range(len(reply.body))]:
            self.wfile.write(chunk)
            self.wfile.flush()
            self.server.over.wait(reply.drip)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name in the base class
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.over.set()
    running.shutdown()
    running.server_close()


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"content-type": "application/json", **headers})


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass(frozen=True)
class Api:
    """How a service is spoken to: its answer with a picture, its way to refuse one, its way to say what is wrong."""

    name: str
    variable: str
    given: Callable[[bytes], Reply]
    refusals: tuple[Reply, ...]
    fault: Callable[[int, str], Reply]
    header: str = "authorization"

    def __str__(self) -> str:
        return self.name


def openai_fault(status: int, words: str, code: str = "") -> Reply:
    return as_json({"error": {"message": words, "type": "image_generation_user_error", "param": None, "code": code or None}}, status)


def google_fault(status: int, words: str, details: Any = ()) -> Reply:
    return as_json({"error": {"code": status, "message": words, "status": "WHATEVER", "details": list(details)}}, status)


def google_answer(parts: list[Any], finish: str = "STOP", **more: Any) -> Reply:
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0}
    return as_json({"candidates": [candidate | more], "modelVersion": "gemini-image-2026-10"})


def google_picture(content: bytes, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/png", "data": encoded(content)}, **more}


OPENAI = Api(
    "openai",
    "OPENAI_API_KEY",
    lambda content: as_json({"created": 1, "data": [{"b64_json": encoded(content), "revised_prompt": "a tree"}]}),
    (
        openai_fault(400, "Your request was rejected by the safety system", "moderation_blocked"),
        openai_fault(400, "Not allowed", "content_policy_violation"),
        as_json({"created": 1, "data": []}),
        as_json({"created": 1, "data": [{}]}),
    ),
    openai_fault,
)
GOOGLE = Api(
    "google",
    "GOOGLE_API_KEY",
    lambda content: google_answer([google_picture(content)]),
    (
        as_json({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "x"}),
        google_answer([], "IMAGE_SAFETY", finishMessage="Unable to show the generated image."),
        google_answer([{"text": "I cannot draw this."}]),
        as_json({"candidates": [{"finishReason": "NO_IMAGE", "index": 0}]}),
        as_json({}),
    ),
    google_fault,
    "x-goog-api-key",
)
HUGGINGFACE = Api(
    "huggingface",
    "HF_TOKEN",
    lambda content: Reply(200, content, {"content-type": "image/png"}),
    (as_json({"detail": [{"loc": ["body"], "msg": "flagged by a content checker", "type": "content_policy_violation"}]}, 422),),
    lambda status, words: as_json({"error": words}, status),
)
APIS = (OPENAI, GOOGLE, HUGGINGFACE)
each = pytest.mark.parametrize("api", APIS, ids=str)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited for between tries, without waiting."""
    found: list[float] = []
    monkeypatch.setattr(retrying, "pause", found.append)
    return found


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waits: list[float]) -> Iterator[None]:
    """Nothing but this machine can be reached, no key is set but the one of the tests, and libraries are left as they were."""
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        assert self.family == socket.AF_UNIX or address[0] == "127.0.0.1", f"a connection to {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)
    for name in (*VARIABLES, *PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "tokens"))
    yield
    huggingface_hub.set_client_factory(huggingface_hub.utils._http.default_client_factory)


def request(**changes: Any) -> Request:
    parts: dict[str, Any] = {"radical": 75, "model": "it", "mode": "text", "style": "plain", "prompt": PROMPT, "negative": "text, frame"}
    return Request(**{**parts, "seed": SEED, "settings": {}, **changes})


def settings(api: Api, url: str | None, **more: Any) -> dict[str, Any]:
    return {"provider": api.name, "repo": "maker/draws-1", "size": 1024, **({"url": url} if url else {}), **more}


HERE = Here("cpu", 0, 0, 1, Path(), Path())


def asked(api: Api, url: str | None, condition: bytes = b"", **more: Any) -> Outcome:
    (outcome,) = providers[api.name](settings(api, url, **more), HERE).make([Job(request(), condition)])
    return outcome


def answered(api: Api, server: Server, *replies: Reply) -> list[Outcome]:
    """What comes of jobs that are answered like this, one after the other."""
    server.replies = list(replies)
    outcomes = providers[api.name](settings(api, server.url), HERE).make([Job(request(seed=seed)) for seed in range(len(replies))])
    assert server.posts == len(outcomes) == len(replies), "each is asked for once"
    return outcomes


def failed(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed), outcome
    return outcome.message


@each
def test_a_picture(api: Api, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(api.variable, f"{KEY}\n")
    server.replies = [api.given(PICTURE)]
    made = asked(api, server.url)
    assert isinstance(made, Made)
    assert made.pixels == made.original == PICTURE
    assert made.ending == ".png"
    assert made.facts["service"] == server.url.removeprefix("http://")
    (seen,) = server.seen
    assert PROMPT in seen.body.decode()
    assert str(SEED % 2**31) in seen.body.decode()
    assert [name.lower() for name, value in seen.headers if KEY in value] == [api.header]
    assert KEY not in f"{seen.path}{seen.body!r}{made.facts}{caplog.text}"


@each
def test_the_file_stays_as_it_is(api: Api, server: Server) -> None:
    contents = {".png": picture(), ".jpg": picture("JPEG"), ".webp": picture("WEBP")}
    outcomes = answered(api, server, *map(api.given, contents.values()))
    assert {made.ending: made.original for made in outcomes if isinstance(made, Made)} == contents


@each
def test_a_reference(api: Api, server: Server) -> None:
    server.replies = [api.given(PICTURE)]
    assert isinstance(asked(api, server.url, SHOWN, image="image"), Made)
    (seen,) = server.seen
    assert SHOWN in seen.body or encoded(SHOWN).encode() in seen.body.translate(bytes.maketrans(b"-_", b"+/"))
    assert PROMPT.encode() in seen.body
    if api is OPENAI:
        assert seen.path == "/images/edits"


@each
def test_a_conditioning_image_that_is_not_asked_for_stays_here(api: Api, server: Server) -> None:
    server.replies = [api.given(PICTURE)]
    assert isinstance(asked(api, server.url, SHOWN), Made)
    assert SHOWN not in server.seen[0].body
    assert "image" not in server.seen[0].body.decode().replace('"image_config"', "").replace("imageConfig", "").replace("IMAGE", "")


@each
def test_jobs_in_order(api: Api, server: Server) -> None:
    outcomes = answered(api, server, api.given(PICTURE), api.refusals[0], api.fault(400, "no"), api.given(SHOWN))
    assert [type(outcome) for outcome in outcomes] == [Made, Spoilt, Failed, Made]
    assert [outcome.original for outcome in outcomes if isinstance(outcome, Made)] == [PICTURE, SHOWN]


def test_openai_gets_nothing_that_it_does_not_know(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "OPENAI", server.url)
    server.replies = [OPENAI.given(PICTURE)]
    made = asked(OPENAI, None, call={"quality": "low"})
    assert isinstance(made, Made)
    assert made.facts["revised_prompt"] == "a tree"
    wanted = {"model": "maker/draws-1", "prompt": PROMPT, "n": 1, "size": "1024x1024", "quality": "low"}
    assert json.loads(server.seen[0].body) == wanted
    with pytest.raises(Error, match=r"^models\.yml: maker/draws-1: .*'steps'\), correct its call$"):
        asked(OPENAI, None, call={"steps": 20})
    assert len(server.seen) == 1


def test_a_server_like_openai_gets_all(server: Server) -> None:
    server.replies = [OPENAI.given(PICTURE)]
    assert isinstance(asked(OPENAI, f"{server.url}/v1", call={"num_inference_steps": 9, "size": "512x512"}), Made)
    sent = json.loads(server.seen[0].body)
    assert server.seen[0].path == "/v1/images/generations"
    assert (sent["num_inference_steps"], sent["size"], sent["seed"], sent["negative_prompt"]) == (9, "512x512", SEED % 2**31, "text, frame")


def test_google_arguments(server: Server) -> None:
    drafts = [google_picture(SHOWN), {"text": "Here it is."}, google_picture(PICTURE), google_picture(SHOWN, thought=True)]
    server.replies = [google_answer(drafts)]
    made = asked(GOOGLE, server.url, size=2048, call={"temperature": 0.5, "aspect_ratio": "4:3"})
    assert isinstance(made, Made)
    assert made.original == PICTURE
    assert made.facts["model_version"] == "gemini-image-2026-10"
    sent = json.loads(server.seen[0].body)["generationConfig"]
    assert sent["imageConfig"] == {"aspectRatio": "4:3", "imageSize": "2K"}
    assert (sent["temperature"], sent["responseModalities"], sent["seed"]) == (0.5, ["IMAGE"], SEED % 2**31)
    assert "maker/draws-1:generateContent" in server.seen[0].path


def test_google_takes_either_key(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    server.replies = [GOOGLE.given(PICTURE)]
    asked(GOOGLE, server.url)
    assert ("x-goog-api-key", KEY) in [(name.lower(), value) for name, value in server.seen[0].headers]


def test_google_argument_of_another_service(server: Server) -> None:
    with pytest.raises(Error, match=r"^models\.yml: maker/draws-1: .*person_generation"):
        asked(GOOGLE, server.url, call={"person_generation": "ALLOW_NONE"})
    assert not server.seen


def test_google_unknown_argument(server: Server) -> None:
    with pytest.raises(Error, match=r"call: unknown argument 'temprature', did you mean temperature\?"):
        asked(GOOGLE, server.url, call={"temprature": 1})
    assert not server.seen


def test_huggingface_arguments(server: Server) -> None:
    server.replies = [HUGGINGFACE.given(PICTURE)]
    assert isinstance(asked(HUGGINGFACE, server.url, call={"num_inference_steps": 4, "output_quality": 100}), Made)
    asked(HUGGINGFACE, server.url, SHOWN, image="image", call={"guidance_scale": 2.5})
    text, shown = (json.loads(seen.body) for seen in server.seen)
    common = {"negative_prompt": "text, frame", "seed": SEED % 2**31}
    assert text == {
        "inputs": PROMPT,
        "parameters": common | {"width": 1024, "height": 1024, "num_inference_steps": 4, "output_quality": 100},
    }
    wanted = common | {"prompt": PROMPT, "guidance_scale": 2.5, "target_size": {"width": 1024, "height": 1024}}
    assert shown == {"inputs": encoded(SHOWN), "parameters": wanted}
    assert "torch" not in dict(server.seen[0].headers).get("User-Agent", "")


@pytest.fixture
def router(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The hub and its router at the server's address."""
    mapping = {"together": {"status": "live", "providerId": "black/flux", "task": "text-to-image"}}
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.url)
    monkeypatch.setattr(huggingface_hub.constants, "INFERENCE_PROXY_TEMPLATE", f"{server.url}/{{provider}}")
    monkeypatch.setenv("HF_TOKEN", f"hf_{KEY}")
    huggingface_hub.inference._providers._common._fetch_inference_provider_mapping.cache_clear()
    server.replies = [as_json({"id": "maker/draws-1", "inferenceProviderMapping": mapping})]
    return server


def test_huggingface_provider(router: Server) -> None:
    router.replies.append(as_json({"data": [{"b64_json": encoded(PICTURE)}]}))
    made = asked(HUGGINGFACE, None, call={"provider": "together"})
    assert isinstance(made, Made)
    assert made.facts["provider"] == "together"
    sent = json.loads(router.seen[-1].body)
    assert router.seen[-1].path == "/together/v1/images/generations"
    assert (sent["model"], sent["seed"], sent["width"]) == ("black/flux", SEED % 2**31, 1024)
    assert router.posts == 1


def test_huggingface_provider_that_is_never_done(router: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.inference._providers.fal_ai._POLLING_INTERVAL", 0.02)
    monkeypatch.setattr(sessions, "ANSWER", 0.25)
    mapping = {"fal-ai": {"status": "live", "providerId": "fal-ai/draws", "task": "image-to-image"}}
    waiting = {"request_id": "1", "status": "IN_QUEUE", "response_url": f"{router.url}/requests/1"}
    router.replies = [as_json({"id": "maker/draws-1", "inferenceProviderMapping": mapping}), as_json(waiting)]
    assert "in time" in failed(asked(HUGGINGFACE, None, SHOWN, image="image", call={"provider": "fal-ai"}))
    assert router.posts == retrying.UNANSWERED


@pytest.mark.parametrize(("provider", "words"), [("fal-ai", "not supported by provider fal-ai"), ("nobody", "'nobody' not supported")])
def test_huggingface_provider_without_the_model(provider: str, words: str, router: Server) -> None:
    with pytest.raises(Error, match=words):
        asked(HUGGINGFACE, None, call={"provider": provider})
    assert not router.posts


def test_huggingface_unknown_model(router: Server) -> None:
    router.replies = [as_json({"error": "Repository not found"}, 401, **{"x-error-code": "RepoNotFound"})]
    with pytest.raises(Error, match=r"knows no model maker/draws-1 .*correct its repo in models\.yml"):
        asked(HUGGINGFACE, None, call={"provider": "together"})
    assert not router.posts


def test_huggingface_token_files_are_left_alone(server: Server) -> None:
    Path(huggingface_hub.constants.HF_TOKEN_PATH).write_text(KEY)
    server.replies = [HUGGINGFACE.given(PICTURE)]
    assert isinstance(asked(HUGGINGFACE, server.url), Made)
    assert "authorization" not in [name.lower() for name, _ in server.seen[0].headers]


@each
@pytest.mark.parametrize("status", [408, 429, 500, 529])
def test_asked_again(api: Api, status: int, server: Server, waits: list[float]) -> None:
    busy = api.fault(status, "busy")
    server.replies = [busy, busy, api.given(PICTURE)]
    assert isinstance(asked(api, server.url), Made)
    assert (server.posts, len(waits)) == (3, 2)


@each
def test_asked_when_the_service_wants(api: Api, server: Server, waits: list[float]) -> None:
    server.replies = [
        Reply(429, headers={"Retry-After": "41"}),
        Reply(503, headers={"Retry-After": formatdate(time.time() + 61)}),
        api.given(PICTURE),
    ]
    assert isinstance(asked(api, server.url), Made)
    assert waits[0] == 41
    assert 50 < waits[1] <= 61


def test_google_says_it_in_the_body(server: Server, waits: list[float]) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
    server.replies = [google_fault(429, "quota", details), GOOGLE.given(PICTURE)]
    assert isinstance(asked(GOOGLE, server.url), Made)
    assert waits == [34.5]


@each
def test_not_waited_for_ever(api: Api, server: Server, waits: list[float]) -> None:
    server.replies = [Reply(429, headers={"Retry-After": "86400"})]
    assert "answers 429" in failed(asked(api, server.url))
    assert (server.posts, waits) == (1, [])


@each
def test_given_up(api: Api, server: Server, waits: list[float]) -> None:
    server.replies = [api.fault(500, "out of order")]
    assert "answers 500 (out of order)" in failed(asked(api, server.url))
    assert server.posts == retrying.TRIES == 5
    assert all(2**at <= wait <= 2**at + 1 for at, wait in enumerate(waits))
    assert len(waits) == retrying.TRIES - 1


@each
@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "does not accept the key"), (402, "wants to be paid"), (403, "let this key use"), (404, "knows no model maker/draws-1")],
)
def test_of_no_use_at_all(api: Api, status: int, words: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(api.variable, KEY)
    server.replies = [api.fault(status, "says the service")]
    with pytest.raises(Error, match=words) as error:
        asked(api, server.url)
    text = str(error.value)
    assert text.startswith(f"{server.url.removeprefix('http://')}: ")
    assert "(says the service)" in text
    assert "\n" not in text
    assert status != 401 or api.variable in text
    assert server.posts == 1


@each
def test_wants_a_key(api: Api, server: Server) -> None:
    server.replies = [api.fault(401, "who are you")]
    with pytest.raises(Error, match=f"wants a key .*set {api.variable}"):
        asked(api, server.url)


@pytest.mark.parametrize(
    ("api", "reply", "words"),
    [
        (OPENAI, openai_fault(429, "You exceeded your current quota", "insufficient_quota"), "wants to be paid"),
        (OPENAI, openai_fault(400, "Billing hard limit", "billing_hard_limit_reached"), "wants to be paid"),
        (OPENAI, openai_fault(400, "no such model", "model_not_found"), "knows no model"),
        (GOOGLE, google_fault(400, "API key not valid.", [{"reason": "API_KEY_INVALID"}]), "wants a key"),
    ],
    ids=["quota", "limit", "model", "key"],
)
def test_codes_say_more_than_statuses(api: Api, reply: Reply, words: str, server: Server) -> None:
    server.replies = [reply]
    with pytest.raises(Error, match=words):
        asked(api, server.url)
    assert server.posts == 1


@each
def test_refused(api: Api, server: Server) -> None:
    for outcome in answered(api, server, *api.refusals):
        assert isinstance(outcome, Spoilt), outcome
        assert outcome.code == "refused"
        assert "refuses (" in outcome.message


@each
def test_wrong_request(api: Api, server: Server) -> None:
    server.replies = [api.fault(400, "size must be one of\n 256,\x1b[31m 512" + " or so" * 99)]
    message = failed(asked(api, server.url))
    assert "answers 400 (size must be one of 256, [31m 512 or so" in message
    assert message.isprintable()
    assert len(message) < 2 * LONGEST
    assert server.posts == 1


BROKEN = (b"not a picture", PICTURE[: len(PICTURE) // 2], picture("GIF"), b'<svg xmlns="http://www.w3.org/2000/svg"/>')


@each
def test_no_picture(api: Api, server: Server) -> None:
    hotel = Reply(body=b"<html>Welcome to our network", headers={"content-type": "text/html"})
    for outcome in answered(api, server, *map(api.given, BROKEN), hotel):
        failed(outcome)


@each
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_too_large(api: Api, told: bool, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST", 2**20)
    body = api.given(bytes(3 * 2**20)).body
    if told:
        server.replies = [Reply(200, body)]
    else:
        server.replies = [Reply(200, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), {"transfer-encoding": "chunked"})]
        monkeypatch.setattr(Handler, "send_header", _without_length)
    assert "MB" in failed(asked(api, server.url))
    assert server.posts == 1


def _without_length(self: Handler, name: str, value: str) -> None:
    if name != "content-length":
        http.server.BaseHTTPRequestHandler.send_header(self, name, value)


@each
def test_compressed(api: Api, server: Server) -> None:
    server.replies = [Reply(200, b"\x1f\x8b", {"content-encoding": "gzip"})]
    assert "compresses" in failed(asked(api, server.url))
    assert ("accept-encoding", "identity") in [(name.lower(), value) for name, value in server.seen[0].headers]


@each
@pytest.mark.parametrize("reply", [Reply(delay=20), Reply(body=bytes(2000), drip=0.05)], ids=["silent", "dripping"])
def test_no_answer_in_time(api: Api, reply: Reply, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "ANSWER", 0.25)
    server.replies = [reply]
    assert "in time" in failed(asked(api, server.url))
    assert server.posts == retrying.UNANSWERED == 2, "each may be charged for"


@each
def test_broken_off(api: Api, server: Server) -> None:
    server.replies = [Reply(drops=True), api.given(PICTURE)]
    assert isinstance(asked(api, server.url), Made)
    server.replies, server.seen = [Reply(drops=True)], []
    assert "breaks off" in failed(asked(api, server.url))
    assert server.posts == retrying.TRIES


@each
def test_nobody_there(api: Api, waits: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(Error, match=r"cannot be reached .*check the address"):
            asked(api, url)
    assert len(waits) == retrying.TRIES - 1


@each
@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("before", [0, LONGEST - len(KEY) // 2], ids=["first", "cut"])
def test_the_key_is_not_told(
    api: Api, status: int, before: int, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv(api.variable, KEY)
    server.replies = [api.fault(status, f"{'.' * before}{KEY} is not a key, sk-proj-****cdef neither")]
    try:
        told = str(asked(api, server.url))
    except Error as error:
        told = "".join(traceback.format_exception(error))
    assert "…" in told
    assert KEY[: len(KEY) // 2] not in told
    assert "cdef" not in told
    assert KEY not in caplog.text


def test_the_key_is_not_in_facts(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.replies = [as_json({"created": 1, "data": [{"b64_json": encoded(PICTURE), "revised_prompt": f"a tree {KEY}"}]})]
    made = asked(OPENAI, server.url)
    assert isinstance(made, Made)
    assert made.facts["revised_prompt"] == "a tree …"


def test_a_word_for_a_key_stays_in_texts(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    server.replies = [openai_fault(400, "none of these sizes")]
    assert "(none of these sizes)" in failed(asked(OPENAI, server.url))


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(remote.Service(sessions.Session("http://localhost"), "it", "X", KEY))


@each
def test_missing_key(api: Api) -> None:
    for url in (None, "https://draws.example/v1"):
        with pytest.raises(Error, match=f"^{api.variable}: is not set, ") as error:
            asked(api, url)
        assert "\n" not in str(error.value)


@each
def test_a_key_that_is_none(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(api.variable, "key\r\nX-Other: header")
    with pytest.raises(Error, match=f"^{api.variable}: holds characters"):
        asked(api, None)


def test_where_keys_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    sent = {
        url: remote.secret(["OPENAI_API_KEY"], url)
        for url in (services.OPENAI, "http://localhost:1", "http://127.0.0.2", "http://[::1]:1/v1")
    }
    assert set(sent.values()) == {KEY}
    for url in (
        "http://192.168.1.7:8000/v1",
        "http://draws.example",
        "HTTP://draws.example",
        "http://localhost.example",
        "http://127.0.0.1.example",
    ):
        assert not remote.secret(["OPENAI_API_KEY"], url), url


@each
def test_the_same_address_written_otherwise(api: Api, server: Server) -> None:
    server.replies = [api.given(PICTURE)]
    assert isinstance(asked(api, server.url.replace("http://127.0.0.1", "HTTP://LocalHost")), Made)


@each
@pytest.mark.parametrize("status", [302, 307])
def test_the_key_does_not_follow_redirects(api: Api, status: int, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(api.variable, KEY)
    server.replies = [Reply(status, headers={"Location": "http://localhost:9/elsewhere"})]
    try:
        told = failed(asked(api, server.url))
    except Error as error:
        told = str(error)
    assert "is not https" in told or "correct its url" in told
    assert server.posts == 1


@pytest.mark.parametrize("api", [OPENAI, GOOGLE], ids=str)
@pytest.mark.parametrize("elsewhere", ["/other", "https://localhost:9/other"])
def test_redirects_are_not_followed(api: Api, elsewhere: str, server: Server) -> None:
    server.replies = [Reply(307, headers={"Location": elsewhere}), api.given(PICTURE)]
    with pytest.raises(Error, match=r"sends on to another address.*correct its url in models\.yml"):
        asked(api, server.url)
    assert server.posts == 1


@each
@pytest.mark.parametrize("url", ["ftp://draws.example", "draws.example/v1", "https://", "http://[", "https://draws.example:port"])
def test_no_address(api: Api, url: str) -> None:
    with pytest.raises(Error, match=r"^models\.yml: url: .* is no address"):
        asked(api, url)


@each
def test_a_key_in_the_address(api: Api) -> None:
    for url in (f"https://me:{KEY}@draws.example", f"https://{KEY}@draws.example", f"https://draws.example/v1?key={KEY}"):
        with pytest.raises(Error, match="belong in the environment") as error:
            asked(api, url)
        assert KEY not in str(error.value)


@each
def test_an_address_for_a_model(api: Api) -> None:
    with pytest.raises(Error, match=r"^models\.yml: repo: .* is an address"):
        asked(api, None, repo="https://draws.example/model")


@pytest.mark.parametrize(
    ("api", "module"), [(OPENAI, "openai"), (GOOGLE, "google.genai"), (HUGGINGFACE, "huggingface_hub"), (OPENAI, "httpx2")]
)
def test_not_installed(api: Api, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Error, match=rf"^{module.replace('.', '-')}: is not installed, it comes with pip install 'bushu\[providers\]'"):
        asked(api, None)


def given_by_address(url: str) -> Reply:
    return as_json({"created": 1, "data": [{"url": url}]})


def test_a_picture_by_its_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.replies = [given_by_address(f"{server.url}/a.png?signed=1"), Reply(503), Reply(200, PICTURE)]
    made = asked(OPENAI, server.url)
    assert isinstance(made, Made)
    assert made.original == PICTURE
    assert [seen.method for seen in server.seen] == ["POST", "GET", "GET"], "only the file is fetched again"
    assert KEY not in str(server.seen[1:])


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(404), r"an address without a picture \(404\)"),
        (Reply(500), r"an address without a picture \(500\)"),
        (Reply(302, headers={"Location": "http://localhost:9/"}), "is not https"),
        (Reply(200, headers={"content-length": str(10**10)}), "MB"),
        (Reply(200, b"no picture"), "cannot be decoded"),
    ],
    ids=["missing", "fault", "elsewhere", "endless", "broken"],
)
def test_no_picture_at_its_address(reply: Reply, words: str, server: Server) -> None:
    server.replies = [given_by_address(f"{server.url}/a.png"), reply]
    assert re.search(words, failed(asked(OPENAI, server.url)))
    assert server.posts == 1


@pytest.mark.parametrize(
    "url", ["http://localhost:9/a.png", "file:///etc/passwd", "ftp://draws.example/a.png", "data:image/png;base64,AA", "//"]
)
def test_no_such_address(url: str, server: Server) -> None:
    server.replies = [given_by_address(url)]
    failed(asked(OPENAI, server.url))
    assert len(server.seen) == 1


def test_nothing_written_has_the_key(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    told = {"created": 1, "data": [{"b64_json": encoded(picture(side=600)), "revised_prompt": f"{PROMPT} {KEY}"}]}
    server.replies = [as_json(told), openai_fault(400, f"no {KEY}", "moderation_blocked"), openai_fault(400, f"what is {KEY}")]
    said: list[dict[str, Any]] = []
    asked_for = tuple(request(settings=settings(OPENAI, server.url), seed=seed) for seed in range(2))
    task = worker.Task(asked_for, {}, HERE, tmp_path)
    worker.run(task, lambda event, **words: said.append({"event": event, **words}))
    assert [event["event"] for event in said if event["event"] in ("made", "rejected", "failed")] == ["made", "rejected", "failed"], said
    files = contents(tmp_path)
    assert {Path(name).suffix for name in files} >= {".png", ".json"}
    assert KEY not in str(said)
    assert not [name for name, content in files.items() if KEY.encode() in content]
