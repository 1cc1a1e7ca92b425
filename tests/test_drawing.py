"""Language models that draw, against a server on this machine that speaks as chat endpoints do."""

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from common import ROOT, contents, needs
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from generator import adopt, cards, illustrations, raster, vectors
from generator import project as projects
from generator.illustrate import conversation, drawing, worker
from generator.illustrate.making import Failed, Here, Job, Made, Maker, Spoilt
from generator.illustrate.requests import RETRIES, Request
from generator.model import Error
from generator.project import Project
from generator.store import Store

TRIES = 5
KEY = "sk-of-nobody-0123456789"
TEN = (1, 9, 29, 30, 46, 61, 75, 85, 86, 173)


# What a model might answer.


def svg(number: int, inside: str = "", label: str = "") -> str:
    """A drawing that looks like no other: squares where the bits of its number are."""
    bits = "".join(
        f'<rect x="{40 + 110 * (bit % 4)}" y="{60 + 200 * (bit // 4)}" width="100" height="190" fill="#c64131"/>'
        for bit in range(8)
        if (number * 73 % 255) >> bit & 1
    )
    head = f'<svg id="{label or f"radical-{number:03d}"}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">'
    return f'{head}<rect width="512" height="512" fill="#f5f2ea"/>{bits}<circle cx="256" cy="256" r="60" fill="#4587d4"/>{inside}</svg>'


def fenced(*drawings: str) -> str:
    return "\n\n".join(f"```svg\n{text}\n```" for text in drawings)


def said(text: str | None, finish: str = "stop") -> dict[str, Any]:
    """An answer as an endpoint packs it."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "painter-2", "choices": [choice]}


def asked(request: dict[str, Any]) -> list[int]:
    """The radicals whose briefs a question has."""
    return [int(number) for number in re.findall(r"^## radical-(\d+)", request["messages"][1]["content"], re.MULTILINE)]


def obliging(request: dict[str, Any]) -> str:
    return fenced(*(svg(number) for number in asked(request)))


# The endpoint.


@dataclass
class Endpoint:
    """A server that answers each question with the next of its answers, and then with the last one again."""

    answers: list[Any] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def host(self) -> str:
        return self.url.split("/")[2]

    def answer(self, question: dict[str, Any]) -> tuple[int, bytes]:
        given = self.answers[min(len(self.questions), len(self.answers)) - 1]
        given = given(question) if callable(given) else given
        if isinstance(given, tuple):
            return given[0], given[1] if isinstance(given[1], bytes) else json.dumps(given[1]).encode()
        return 200, json.dumps(said(given) if isinstance(given, str) else given).encode()


def one_after_the_other(_: float) -> None:
    """No time passes between two tries."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    for package in ("openai", "httpx2", "tenacity"):
        needs(package)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr("generator.illustrate.retrying.pause", one_after_the_other)
    one = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            one.questions.append(question | {"path": self.path})
            one.heads.append({name.lower(): value for name, value in self.headers.items()})
            status, body = one.answer(question)
            self.send_response(status)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("X-Served", "here")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who asked has gone."""

    server = Server(("127.0.0.1", 0), Handler)
    one.url = f"http://127.0.0.1:{server.server_port}/v1"
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield one
    server.shutdown()
    server.server_close()


Make = Callable[..., Maker]


@pytest.fixture
def maker(endpoint: Endpoint, tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Make:
    """The provider at the endpoint with arguments of the call. The radicals are read once for all tests."""
    monkeypatch.setattr(drawing, "project", SimpleNamespace(load=lambda root: replace(project, root=root)))

    def made(**call: Any) -> Maker:
        return drawing.maker(settings(endpoint.url, **call), Here("cpu", 0, 0, 1, tmp_path, tmp_path))

    return made


def settings(url: str, **call: Any) -> dict[str, Any]:
    return {"provider": "svg", "repo": "painter", "url": url, "call": call}


def request(number: int, seed: int = 5, prompt: str = "", **call: Any) -> Request:
    words = prompt or f"a picture of thing {number}"
    return Request(number, "drawn", "text", "plain", words, "frame, text", seed, settings("", **call))


def jobs(numbers: Sequence[int]) -> list[Job]:
    return [Job(request(number)) for number in numbers]


def made(outcome: Any) -> Made:
    assert isinstance(outcome, Made), outcome
    return outcome


def roles(question: dict[str, Any]) -> list[str]:
    return [message["role"] for message in question["messages"]]


# What comes of good answers.


def test_a_batch_of_ten(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [obliging]
    at_hand = maker(temperature=0.5, max_tokens=9000)
    outcomes = [made(outcome) for outcome in at_hand.make(jobs(TEN))]
    assert (at_hand.most, len(outcomes), len(endpoint.questions)) == (10, 10, 1)
    (question,) = endpoint.questions
    assert question["path"] == "/v1/chat/completions"
    assert (question["model"], question["temperature"], question["max_tokens"], question["seed"]) == ("painter", 0.5, 9000, 5)
    assert {"batch", "repairs"}.isdisjoint(question)
    assert roles(question) == ["system", "user"]
    assert question["messages"][0]["content"] == conversation.RULES
    assert all(f"## radical-{n:03d}\na picture of thing {n}\nLeave out: frame, text" in question["messages"][1]["content"] for n in TEN)
    for outcome in outcomes:
        assert (outcome.ending, dict(outcome.facts)) == (".svg", {"repairs": 0, "answered_by": "painter-2"})
        picture = Image.open(io.BytesIO(outcome.pixels))
        assert (picture.format, picture.size, picture.mode) == ("PNG", (512, 512), "RGB")
        assert picture.getpixel((256, 256)) == (0x45, 0x87, 0xD4)
        assert picture.getpixel((5, 5)) == (0xF5, 0xF2, 0xEA)
    assert len({outcome.original for outcome in outcomes}) == 10


def test_one_at_a_time(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [obliging]
    at_hand = maker(batch=1)
    assert at_hand.most == 1
    for number in TEN[:3]:
        made(at_hand.make(jobs([number]))[0])
    assert [asked(question) for question in endpoint.questions] == [[1], [9], [29]]


def test_what_is_made_is_what_adopting_stores(endpoint: Endpoint, maker: Make, copy: Path) -> None:
    endpoint.answers = [fenced(svg(85, inside="<g><title>note</title><path d='M10 10h20v20z'/></g>"))]
    outcome = made(maker().make([Job(request(85, prompt="rapids & <stones>"))])[0])
    vectors.prove(outcome.original, illustrations.prefix("085"))
    path = copy / "radical_085.svg"
    path.write_bytes(outcome.original)
    project = projects.load(copy)
    rows = adopt.plan(project, adopt.wanted([path], None), adopt.Terms({}))
    assert [row.verdict for row in rows] == [adopt.NEW]
    assert rows[0].stored is not None
    assert rows[0].stored.content == outcome.original
    assert rows[0].illustration is not None
    assert (rows[0].illustration.model, rows[0].illustration.prompt) == ("painter", "rapids & <stones>")
    assert f"<title>{project.radicals[84].glyph}" not in outcome.original.decode()
    assert cards.title(project.radicals[84]) in outcome.original.decode()
    assert b"trainedAlgorithmicMedia" in outcome.original


def test_same_answers_same_bytes(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [obliging]
    first, second = (maker().make(jobs(TEN)) for _ in range(2))
    assert [(made(one).pixels, made(one).original) for one in first] == [(made(one).pixels, made(one).original) for one in second]


# What is found in an answer.

ONE, TWO = svg(9), svg(85)
BARE = TWO.replace(' xmlns="http://www.w3.org/2000/svg"', "").replace(' id="radical-085"', "")
ANSWERS = {
    "fenced": fenced(ONE, TWO),
    "prose": f"Sure! Here are <b>two</b> drawings.\n\n{ONE}\nThe second one:\n{TWO}\nI hope that radical-009 pleases you.",
    "one fence": f"```xml\n<?xml version='1.0'?>\n{ONE}\n{TWO}\n```",
    "headings": f"### radical-085: rapids\n```svg\n{BARE}\n```\n**Radical 9**\n{ONE}",
    "the other way round": fenced(TWO, ONE),
    "entities": fenced(ONE, TWO).replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"),
    "no names": fenced(ONE.replace(' id="radical-009"', ""), BARE),
    "one name": fenced(BARE, ONE),
    "not asked for": fenced(ONE, svg(100), TWO),
    "twice": fenced(ONE.replace("#c64131", "#000000"), ONE, TWO, TWO),
    "cut off after": fenced(ONE, TWO) + f"\n```svg\n{ONE[:200]}",
    "thoughts": f"<think>first {fenced(svg(9, inside='<circle r=9/>'))} then</think>{fenced(ONE, TWO)}",
    "thoughts without a beginning": f"{fenced(svg(85), svg(9, 'x'))}</think>{fenced(ONE, TWO)}",
    "single quotes": fenced(ONE.replace('id="radical-009"', "id = 'Radical_9'"), TWO),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_drawings_are_found(name: str) -> None:
    found = conversation.drawings(ANSWERS[name], ["radical-009", "radical-085"])
    assert set(found) == {"radical-009", "radical-085"}
    assert all(map(conversation.is_whole, found.values()))
    shapes = {label: found[label][found[label].index("<rect") :] for label in found}
    assert shapes == {"radical-009": ONE[ONE.index("<rect") :], "radical-085": TWO[TWO.index("<rect") :]}
    assert all(text.startswith("<svg ") and 'xmlns="http://www.w3.org/2000/svg"' in text.partition(">")[0] for text in found.values())


def test_nothing_is_made_up() -> None:
    """What cannot be told apart is asked for again."""
    labels = ["radical-009", "radical-085", "radical-086"]
    for answer in ("", "I cannot draw.", "<think>", f"<think>{ONE}", fenced(BARE), fenced(svg(100))):
        assert conversation.drawings(answer, labels) == {}
    assert conversation.drawings(f"radical-009 and radical-085:\n{BARE}", labels) == {}
    assert set(conversation.drawings(ONE, labels)) == {"radical-009"}


PIECES = [
    "<svg",
    " id='radical-009'",
    "radical-085",
    ">",
    "</svg>",
    "</svg ",
    "<SVG>",
    "```",
    "<think>",
    "</think>",
    "&lt;svg",
    "<g/>",
    " ",
    "<!--",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join))
def test_no_answer_does_harm(project: Project, answer: str) -> None:
    """Whatever is said, it is a drawing that was asked for or nothing, and a drawing is stored or refused."""
    found = conversation.drawings(answer, ["radical-009", "radical-085"])
    assert found.keys() <= {"radical-009", "radical-085"}
    for text in found.values():
        assert text.startswith(("<svg", "<SVG"))
        with suppress(Error):
            vectors.prove(drawing.form(text, project.radicals[8], {}), illustrations.prefix("009"))


def test_drawings_of_one_radical_have_labels_of_their_own() -> None:
    several = [request(85), request(9), request(85, seed=6)]
    assert list(conversation.labelled(several)) == ["radical-085", "radical-009", "radical-085-2"]
    answer = fenced(svg(85), svg(9), svg(86, label="radical-085-2"))
    assert set(conversation.drawings(answer, ["radical-085", "radical-009", "radical-085-2"])) == {
        "radical-085",
        "radical-009",
        "radical-085-2",
    }


def test_lost_namespaces_are_added(endpoint: Endpoint, maker: Make) -> None:
    inside = '<defs><circle id="dot" r="9" fill="#000000"/></defs><use xlink:href="#dot" x="100" y="100"/>'
    endpoint.answers = [svg(9, inside).replace(' xmlns="http://www.w3.org/2000/svg"', "")]
    assert Image.open(io.BytesIO(made(maker().make(jobs([9]))[0]).pixels)).getpixel((100, 100)) == (0, 0, 0)


def test_other_words_are_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = conversation.version()
    assert re.fullmatch("[0-9a-f]{12}", before)
    monkeypatch.setattr(conversation, "AGAIN", "Once more.")
    assert conversation.version() != before


def test_the_colours_of_a_family(project: Project) -> None:
    swatch = project.palettes["default"].swatch(project.radicals[84])
    assert {swatch.paper, swatch.tint, swatch.deep} <= set(re.findall("#[0-9a-f]{6}", conversation.colours(swatch)))


# Repairs.


def test_findings_are_sent_back(endpoint: Endpoint, maker: Make) -> None:
    broken = svg(9, inside="<text x='9' y='99'>river</text><style>*{}</style>")
    endpoint.answers = [broken, obliging]
    outcome = made(maker().make(jobs([9]))[0])
    assert outcome.facts["repairs"] == 1
    first, second = endpoint.questions
    assert roles(first) == ["system", "user"]
    assert roles(second) == ["system", "user", "assistant", "user"]
    assert second["messages"][:2] == first["messages"]
    assert broken in second["messages"][2]["content"]
    findings = second["messages"][3]["content"]
    assert "- radical-009: <text> looks different on every machine" in findings
    assert "<style> is a style sheet" in findings, "all that is not allowed is said at once"
    assert conversation.AGAIN in findings


def test_only_the_bad_one_of_ten_is_asked_for_again(endpoint: Endpoint, maker: Make) -> None:
    bad = svg(61).replace('viewBox="0 0 512 512"', 'viewBox="0 0 512 300"')
    endpoint.answers = [lambda question: fenced(*(bad if n == 61 else svg(n) for n in asked(question))), obliging]
    outcomes = maker().make(jobs(TEN))
    assert [made(outcome).facts["repairs"] for outcome in outcomes] == [int(n == 61) for n in TEN]
    assert [asked(question) for question in endpoint.questions] == [list(TEN), [61]]
    talk = endpoint.questions[1]["messages"]
    assert talk[2]["content"].count("<svg") == 1
    assert "512 × 300 is not square, cut it\n" in talk[3]["content"], "without the words for the command line"


def test_given_up_after_so_many_repairs(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [svg(9, inside="<script>1</script>")]
    outcome = maker(repairs=2).make(jobs([9]))[0]
    assert outcome == Spoilt("drawing", "<script> runs code, which no picture needs")
    assert len(endpoint.questions) == 3
    endpoint.questions.clear()
    assert isinstance(maker(repairs=0).make(jobs([9]))[0], Spoilt)
    assert len(endpoint.questions) == 1


def test_nothing_said_is_asked_again(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [said(None), "I would rather write a poem.", obliging]
    assert made(maker().make(jobs([9]))[0]).facts["repairs"] == 2
    assert endpoint.questions[1]["messages"][2]["content"] == conversation.NOTHING
    assert "- radical-009: is not in the answer, give it under its label" in endpoint.questions[1]["messages"][3]["content"]


def test_what_was_cut_off_is_asked_for_again(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [said(fenced(svg(9)) + "\n```svg\n" + svg(85)[:300], "length"), obliging]
    outcomes = maker().make(jobs([9, 85, 86]))
    assert [made(outcome).facts["repairs"] for outcome in outcomes] == [0, 1, 1]
    findings = endpoint.questions[1]["messages"][3]["content"]
    assert "- radical-085: was cut off before its </svg>" in findings
    assert "- radical-086: is not in the answer, which was cut off" in findings


def copies(question: dict[str, Any]) -> str:
    """The same picture for everything that is asked for, as good as."""
    return fenced(*(svg(9, label=f"radical-{n:03d}").replace("#c64131", f"#b52{n:03d}") for n in asked(question)))


def test_copies_are_refused(endpoint: Endpoint, maker: Make, tmp_path: Path) -> None:
    """The same picture for another radical in a later batch, and in the candidates of an earlier run."""
    endpoint.answers = [copies]
    at_hand = maker(repairs=0)
    first = made(at_hand.make(jobs([9]))[0])
    (second,) = at_hand.make(jobs([61]))
    assert isinstance(second, Spoilt)
    assert "shows the same picture as radical 9" in second.message
    assert "another drawing of this radical" in str(at_hand.make(jobs([9]))[0])
    facts = {"radical": 9, "model": "drawn", "mode": "text", "style": "plain", "request": {"prompt": "", "seed": 1}, "made": {}}
    made(maker(repairs=0).make(jobs([75]))[0])
    stored = Store(tmp_path / "build/candidates").add("ab12" * 5, facts, first.pixels, first.original, ".svg")
    assert isinstance(maker(repairs=0).make(jobs([75]))[0], Spoilt)
    stored.path.unlink()
    made(maker(repairs=0).make(jobs([75]))[0])
    endpoint.answers = [obliging]
    assert isinstance(at_hand.make(jobs([30]))[0], Made)


def test_of_copies_in_a_batch_all_are_drawn_again(endpoint: Endpoint, maker: Make) -> None:
    """Nobody knows which of them it shows: what comes first may be the wrong one."""
    endpoint.answers = [lambda question: copies(question) + "\n" + fenced(svg(85)), obliging]
    outcomes = maker(repairs=1).make(jobs([9, 30, 61, 85]))
    assert [made(outcome).facts["repairs"] for outcome in outcomes] == [1, 1, 1, 0]
    assert asked(endpoint.questions[1]) == [9, 30, 61]
    assert "- radical-009: shows the same picture as radical-0" in endpoint.questions[1]["messages"][3]["content"]
    assert "- radical-030: shows the same picture as radical-0" in endpoint.questions[1]["messages"][3]["content"]
    assert {type(outcome) for outcome in maker(repairs=0, seed=False).make([*jobs([29]), *jobs([29])])} == {Made, Spoilt}


def test_what_was_taken_is_drawn_again_if_it_was_for_another(endpoint: Endpoint, maker: Make) -> None:
    wrong = svg(85, label="radical-009")
    endpoint.answers = [fenced(wrong, svg(85, "<text/>")), obliging, obliging]
    outcomes = maker().make(jobs([9, 85]))
    assert [made(outcome).facts["repairs"] for outcome in outcomes] == [2, 2]
    assert [asked(question) for question in endpoint.questions] == [[9, 85], [85], [9, 85]]


def test_pictures_of_other_models_are_not_looked_at(endpoint: Endpoint, maker: Make, tmp_path: Path) -> None:
    """There may be thousands, and none that was not drawn is a copy of what was."""
    facts = {"radical": 9, "model": "painted", "mode": "text", "style": "plain", "request": {"prompt": "", "seed": 1}, "made": {}}
    Store(tmp_path / "build/candidates").add("ab12" * 5, facts, raster.png(svg(9).encode(), 512))
    endpoint.answers = [obliging]
    made(maker().make(jobs([9]))[0])


REFUSED = {
    "script": "<script>alert(1)</script>",
    "handler": '<circle r="9" onclick="alert(1)"/>',
    "link": '<a href="https://example.org"><circle r="9"/></a>',
    "image": '<image href="https://example.org/x.png" width="9" height="9"/>',
    "outside": '<use href="https://example.org/x.svg#a"/>',
    "file": '<use href="file:///etc/passwd#a"/>',
    "paint": '<circle r="9" fill="url(https://example.org/#a)"/>',
    "import": '<style>@import "https://example.org/x.css";</style>',
    "page": '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml">x</body></foreignObject>',
    "entity": "<circle r='9'/>&boom;",
    "instruction": '<?xml-stylesheet href="https://example.org/x.css"?>',
    "loop": '<g id="a"><use href="#a"/></g>',
    "deep": "<g>" * 40 + "</g>" * 40,
    "many": "<path d='M0 0h1'/>" * 2500,
    "huge": f"<path d='M0 0{'h1' * 60_000}'/>",
    "over the edge": '<circle cx="500" cy="256" r="90"/>',
    "lost": '<use href="#nothing"/>',
    "not closed": "<g>",
    "inner": '<svg viewBox="0 0 9 9"><circle r="9"/></svg>',
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_adopting_refuses_is_refused(endpoint: Endpoint, maker: Make, tmp_path: Path, name: str) -> None:
    endpoint.answers = [fenced(svg(9, inside=REFUSED[name]))]
    outcome = maker(repairs=0).make(jobs([9]))[0]
    assert isinstance(outcome, Spoilt)
    assert (outcome.code, "\n" in outcome.message) == ("drawing", False)
    assert contents(tmp_path) == {}


def test_a_doctype_is_left_behind(endpoint: Endpoint, maker: Make) -> None:
    """What stands before a drawing is no part of it; what it would have meant is lost, and so refused."""
    doctype = '<!DOCTYPE svg [<!ENTITY boom SYSTEM "file:///etc/passwd">]>'
    endpoint.answers = [doctype + svg(9), doctype + svg(9, inside="<title>&boom;</title>")]
    at_hand = maker(repairs=0)
    assert b"passwd" not in made(at_hand.make(jobs([9]))[0]).original
    assert "not XML" in str(at_hand.make(jobs([9]))[0])


EMPTY = '<svg id="radical-009" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">{}</svg>'


@pytest.mark.parametrize("inside", ["", '<rect width="512" height="512" fill="#f5f2ea"/>', '<circle cx="-90" r="9"/>'])
def test_empty_drawings_are_refused(endpoint: Endpoint, maker: Make, inside: str) -> None:
    endpoint.answers = [EMPTY.format(inside)]
    assert isinstance(maker(repairs=0).make(jobs([9]))[0], Spoilt)


def test_lone_surrogates_do_no_harm(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [svg(9, inside="<title>\ud800</title>")]
    made(maker().make(jobs([9]))[0])


# A whole run.


def test_until_every_radical_is_there_or_given_up(endpoint: Endpoint, tmp_path: Path) -> None:
    """Through the worker: killed after some radicals it goes on with the rest, and what came to nothing says why."""
    told = settings(endpoint.url, repairs=1, batch=1)
    asked_for = tuple(Request(n, "drawn", "text", "plain", f"thing {n}", "", 5, told) for n in (9, 61, 85, 86))
    task = worker.Task(asked_for, {}, Here("cpu", 0, 0, 1, tmp_path, tmp_path), tmp_path / "build/candidates")
    endpoint.answers = [obliging]
    events: list[str] = []

    def killed(event: str, **_: Any) -> None:
        events.append(event)
        if event == "made":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.run(task, killed)
    candidates = Store(task.candidates)
    assert [candidate.radical for candidate in candidates.candidates()] == [9]

    endpoint.questions.clear()
    endpoint.answers = [lambda question: fenced(*(svg(n, "<text/>" if n == 61 else "") for n in asked(question)))]
    worker.run(task, lambda event, **_: events.append(event))
    assert [candidate.radical for candidate in candidates.candidates()] == [9, 85, 86]
    assert all(candidate.original.suffix == ".svg" and candidate.path.suffix == ".png" for candidate in candidates.candidates())
    assert all(b"<svg" in candidate.original.read_bytes()[:5] for candidate in candidates.candidates())
    rejected = [reject.rejected for reject in candidates.rejects()]
    assert len(rejected) == RETRIES + 1
    assert rejected[0] == {"code": "drawing", "message": "<text> looks different on every machine, convert it to paths"}
    assert 9 not in {number for question in endpoint.questions for number in asked(question)}
    assert sum(61 in asked(question) for question in endpoint.questions) == 2 * (RETRIES + 1)

    endpoint.questions.clear()
    worker.run(task, lambda event, **_: events.append(event))
    assert endpoint.questions == []
    assert events[-1] == "done"


# The endpoint fails.


def test_busy_for_a_while(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [(429, {"error": {"message": "slow down"}}), (503, {"error": {"message": "loading"}}), obliging]
    made(maker().make(jobs([9]))[0])
    assert len(endpoint.questions) == 3


def test_busy_for_good(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [(500, {"error": {"message": "no room"}})]
    assert maker().make(jobs([9, 85])) == [Failed(f"{endpoint.host}: answers 500 (no room)")] * 2
    assert len(endpoint.questions) == TRIES


def test_what_was_drawn_before_it_fell_silent_is_kept(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [fenced(svg(9)), (503, {"error": "gone"})]
    first, second = maker().make(jobs([9, 85]))
    assert isinstance(first, Made)
    assert isinstance(second, Failed)
    endpoint.questions.clear()
    endpoint.answers = [fenced(svg(9)), (401, {"error": "no more"})]
    at_hand = maker()
    first, second = at_hand.make(jobs([9, 85]))
    assert isinstance(first, Made)
    assert isinstance(second, Failed)
    with pytest.raises(Error, match="does not accept the key"):
        at_hand.make(jobs([85]))


@pytest.mark.parametrize(
    "body", [b"<html>hello</html>", b"{}", b'{"choices": []}', b'{"choices": [{}]}', b'{"choices": {"a": 1}}', b"null", b"\xff\xfe", b""]
)
def test_what_is_no_answer(endpoint: Endpoint, maker: Make, body: bytes) -> None:
    endpoint.answers = [(200, body)]
    (outcome,) = maker().make(jobs([9]))
    assert isinstance(outcome, Failed)
    assert "gives an answer that is none" in outcome.message


def test_unreachable(endpoint: Endpoint, tmp_path: Path) -> None:
    nobody = drawing.maker(settings("http://127.0.0.1:9/v1"), Here("cpu", 0, 0, 1, tmp_path, tmp_path))
    with pytest.raises(Error, match=r"painter: http://127.0.0.1:9/v1 cannot be reached, is the server running"):
        nobody.make(jobs([9]))


def test_too_slow(endpoint: Endpoint, maker: Make) -> None:
    waiting = Event()
    endpoint.answers = [lambda _: waiting.wait(5) or ""]
    (outcome,) = maker(timeout=0.05).make(jobs([9]))
    waiting.set()
    assert isinstance(outcome, Failed)
    assert "call.timeout" in outcome.message
    assert len(endpoint.questions) == 2, "whoever was too slow twice is so again"


@pytest.mark.parametrize(
    ("status", "words", "right"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}, "set OPENAI_API_KEY to one that is valid"),
        (402, {"error": {"message": "no credit"}}, "see to the account"),
        (404, {"error": {"message": 'model "painter" not found, try pulling it first'}}, "try pulling it first"),
        (400, {"error": {"message": "temperature must be at most 2"}}, "(temperature must be at most 2), correct its call"),
        (429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, "see to the account"),
    ],
)
def test_of_no_use(endpoint: Endpoint, maker: Make, status: int, words: Any, right: str) -> None:
    endpoint.answers = [(status, words)]
    with pytest.raises(Error) as raised:
        maker().make(jobs([9]))
    assert endpoint.host in str(raised.value)
    assert right in str(raised.value)
    assert KEY not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(endpoint.questions) == 1


def test_a_brief_that_the_endpoint_minds_is_no_fault_of_the_model(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [obliging, (400, {"error": {"message": "content policy"}}), obliging]
    at_hand = maker()
    made(at_hand.make(jobs([9]))[0])
    assert isinstance(at_hand.make(jobs([85]))[0], Failed)
    made(at_hand.make(jobs([85]))[0])


# The key, and what is refused before anything is asked.


def test_the_key_is_in_the_header_and_nowhere_else(
    endpoint: Endpoint, maker: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    endpoint.answers = [said(svg(9)) | {"model": KEY}, (500, {"error": {"message": f"bad {KEY}"}})]
    at_hand = maker()
    outcomes = at_hand.make(jobs([9])) + at_hand.make(jobs([85]))
    assert [head["authorization"] for head in endpoint.heads] == [f"Bearer {KEY}"] * len(endpoint.heads)
    assert KEY not in json.dumps(endpoint.questions)
    assert KEY not in json.dumps([{k: v for k, v in head.items() if k != "authorization"} for head in endpoint.heads])
    assert KEY not in repr(outcomes) + repr(at_hand) + repr(contents(tmp_path)) + "".join(capfd.readouterr()) + caplog.text
    assert isinstance(outcomes[1], Failed)


def test_a_server_of_ones_own_needs_no_key(endpoint: Endpoint, maker: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    endpoint.answers = [obliging]
    made(maker().make(jobs([9]))[0])


def refusal(folder: Path, told: dict[str, Any]) -> str:
    with pytest.raises(Error) as raised:
        drawing.maker(told, Here("cpu", 0, 0, 1, folder, folder))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_key_is_asked_for(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "OPENAI_API_KEY: is not set" in refusal(tmp_path, {"repo": "painter"})


def test_the_key_is_not_sent_unencrypted(endpoint: Endpoint) -> None:
    from generator.illustrate import chat

    keys = {url: chat.Chat({"repo": "m", "url": url}, {}).service.key for url in ("http://192.0.2.1/v1", "https://192.0.2.1/v1")}
    assert keys == {"http://192.0.2.1/v1": "", "https://192.0.2.1/v1": KEY}


@pytest.mark.parametrize(
    ("url", "call", "words"),
    [
        ("localhost:11434/v1", {}, "is no address, it should begin with https://"),
        ("http://me:secret@localhost/v1", {}, "keys belong in the environment"),
        ("http://localhost/v1", {"temprature": 1}, "call.temprature: no argument of chat.completions.create, did you mean temperature?"),
        ("http://localhost/v1", {"stream": True}, "call.stream: no argument"),
        ("http://localhost/v1", {"timeout": "long"}, "call.timeout: 'long', should be a number of seconds"),
        ("http://localhost/v1", {"batch": 0}, "call.batch: 0, should be a whole number from 1"),
        ("http://localhost/v1", {"batch": True}, "call.batch: True, should be a whole number from 1"),
        ("http://localhost/v1", {"repairs": -1}, "call.repairs: -1, should be a whole number from 0"),
    ],
)
def test_settings_are_refused(endpoint: Endpoint, tmp_path: Path, url: str, call: dict[str, Any], words: str) -> None:
    message = refusal(tmp_path, settings(url, **call))
    assert message.startswith("models.yml: ")
    assert words in message
    assert "secret" not in message


def test_a_seed_where_there_is_none(endpoint: Endpoint, maker: Make) -> None:
    endpoint.answers = [obliging]
    maker(seed=False).make(jobs([9]))
    assert "seed" not in endpoint.questions[0]
    maker().make([Job(request(9, seed=2**32 - 1))])
    assert 0 <= endpoint.questions[1]["seed"] < 2**31


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "openai", None)
    assert "pip install 'bushu[providers]'" in refusal(tmp_path, settings("http://localhost/v1"))


def test_the_pictures_of_the_package_are_known() -> None:
    """Radicals are found by their place."""
    assert [radical.number for radical in projects.load(ROOT).radicals] == list(range(1, 215))
