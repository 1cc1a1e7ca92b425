"""A hub of models on this machine, and a process that loads models from it: ``python hub.py FOLDER`` says in JSON how each visit went.

The address of a hub is settled when its client is imported, so it takes a process of its own.
"""

import hashlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

COMMIT = "1" * 40
REFUSED = {
    "o/none": (404, "RepoNotFound"),
    "o/private": (401, "RepoNotFound"),
    "o/gated": (403, "GatedRepo"),
    "o/gated-anonymous": (401, "GatedRepo"),
    "o/broken": (503, ""),
}


class Hub(BaseHTTPRequestHandler):
    """The repositories of a folder as ``o/name``, with one revision."""

    folder: ClassVar[Path]

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        about = parts[0] == "api"
        owner, name, *rest = parts[2:] if about else parts
        if refused := REFUSED.get(f"{owner}/{name}"):
            self.answer(refused[0], b"{}", {"X-Error-Code": refused[1]})
            return
        files = {path.relative_to(self.folder / name).as_posix(): path for path in (self.folder / name).rglob("*") if path.is_file()}
        if rest[1:2] not in ([], ["main"], [COMMIT]):
            self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif rest[:1] == ["tree"]:
            tree = [{"type": "file", "path": file, "size": path.stat().st_size, "oid": COMMIT} for file, path in files.items()]
            self.answer(200, json.dumps(tree).encode())
        elif about:
            siblings = [{"rfilename": file} for file in files]
            self.answer(200, json.dumps({"id": f"{owner}/{name}", "sha": COMMIT, "siblings": siblings}).encode())
        elif path := files.get("/".join(rest[2:])):
            content = path.read_bytes()
            self.answer(200, content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT})
        else:
            self.answer(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})

    def do_HEAD(self) -> None:
        self.do_GET()

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def main(folder: Path) -> None:
    """Load models from a hub, then from one that is away, then without looking for one."""
    Hub.folder = folder
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    os.environ |= {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
    from huggingface_hub import constants

    from generator.illustrate import engine
    from generator.illustrate.making import Here, Job
    from generator.illustrate.requests import Request
    from generator.model import Error

    here = Here("cpu", 0, 0, 1, folder, folder)
    call = {"num_inference_steps": 2, "guidance_scale": 3.0}

    def visit(name: str, **more: Any) -> None:
        settings = {"repo": "o/sd", "pipeline": "StableDiffusionPipeline", "size": 64, "dtype": "float32", "call": call} | more
        try:
            maker = engine.maker(settings, here)
            (outcome,) = maker.make([Job(Request(1, "tiny", "text", "gouache", "a fox", "person", 1, settings))])
            told = hashlib.sha256(outcome.pixels.tobytes()).hexdigest()  # type: ignore[union-attr]
        except Error as error:
            told = str(error)
        print(json.dumps([name, told]), flush=True)

    visit("loaded")
    visit("pinned", revision=COMMIT)
    for repo in (*REFUSED, "o/binary", "o/cut", "o/controlnet", "not a name", "o/a/b"):
        visit(repo, repo=repo)
    visit("revision", revision="v9")
    visit("part", components={"vae": {"kind": "AutoencoderKL", "repo": "o/gated"}})
    visit("file", components={"vae": {"kind": "AutoencoderKL", "repo": "o/sd", "file": "vae.safetensors"}})
    server.shutdown()
    server.server_close()
    visit("cached")
    visit("unreachable", repo="o/sdxl")
    constants.HF_HUB_OFFLINE = True
    visit("cached offline")
    visit("offline", repo="o/sdxl")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
