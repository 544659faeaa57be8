"""A small case management application on loopback, as the journeys' templates expect one."""

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

SAFE = "WHICHLAYER SAFE RECORD"
PASSWORD = "canary-5f0b2c"  # searched for in everything a run leaves behind
HEADERS = {"Server-Timing": "app;dur=3.5, db;dur=1.5", "X-Release": "3.58"}
SIGN_IN = """<h1>Sign in</h1><form method="post"><input type="hidden" name="csrf_token" value="{token}">
<label>User name <input name="username"></label><label>Password <input type="password" name="password"></label>
<button>Sign in</button></form>"""
SEARCH = """<h1>My cases</h1><form><label>Search <input name="q"></label><button>Search</button></form>"""
RECORD = """<form method="post" action="/cases/{number}/notes"><input type="hidden" name="csrf_token" value="n">
<label>Note <textarea name="note">{draft}</textarea></label><button>Save note</button></form>
<a href="/cases/{number}/print" download>Print</a>"""


@dataclass
class Casebook:
    """What the application holds and what it was asked; tests change ``titles`` and the switches."""

    titles: dict[int, str] = field(default_factory=lambda: {1: "Smith, John", 2: f"{SAFE} <&>"})
    notes: dict[int, list[str]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    keeps_notes: bool = True
    asks_again: bool = False  # answers a wrong password as many applications do: 200, and the form once more
    url: str = ""
    sessions: dict[str, str] = field(default_factory=dict)
    drafts: dict[int, str] = field(default_factory=dict)
    keeps_drafts: bool = True
    farewell: str = ""  # shown beside the sign-in form
    broken: bool = False
    hangs: bool = False  # takes requests and answers none

    def end_sessions(self, farewell: str = "") -> None:
        """End every session, and say so on the page that asks for the password again."""
        self.sessions = dict.fromkeys(self.sessions, "visitor")
        self.farewell = farewell

    def asked(self, method: str, ending: str) -> int:
        return sum(one == method and path.endswith(ending) for one, path, _ in self.seen)

    async def login(self, request: Request) -> Response:
        self._note(request)
        if request.method == "GET":
            session = secrets.token_hex(8)
            self.sessions[session] = "visitor"
            page = HTMLResponse(f"<p>{self.farewell}</p>" + SIGN_IN.format(token=f"{session}&amp;"))
            page.set_cookie("session", session)
            return page
        form = dict(parse_qsl((await request.body()).decode()))
        session = request.cookies.get("session", "")
        if form.get("csrf_token") != f"{session}&":
            return PlainTextResponse("token missing", 400)
        if form.get("password") != PASSWORD and self.asks_again:
            return HTMLResponse(
                '<p>wrong user name or password</p><form><input type="Password" name="password"></form>'
            )
        if form.get("password") != PASSWORD:
            return PlainTextResponse(f"wrong user name or password: {form.get('password')}", 401)
        self.sessions[session] = form["username"]
        return RedirectResponse("/cases", 303, headers=HEADERS)

    async def cases(self, request: Request) -> Response:
        self._note(request)
        while self.hangs:  # noqa: ASYNC110  a thread of the test lets it go on
            await asyncio.sleep(0.02)
        if self.broken:
            return PlainTextResponse("out of order", 503)
        if not self._signed_in(request):
            return RedirectResponse("/login", 303)
        words = request.query_params.get("q", "").lower()
        found = [(number, title) for number, title in self.titles.items() if words in title.lower()]
        return self._page(SEARCH + "".join(f'<a href="/cases/{number}">{title}</a>' for number, title in found))

    async def case(self, request: Request) -> Response:
        self._note(request)
        number = int(request.path_params["number"])
        notes = "".join(f"<p>{note}</p>" for note in self.notes.get(number, []))
        draft = self.drafts.get(number, "") if self.keeps_drafts else ""
        return self._page(f"<h1>{self.titles[number]}</h1>{notes}{RECORD.format(number=number, draft=draft)}")

    async def add_note(self, request: Request) -> Response:
        self._note(request)
        number = int(request.path_params["number"])
        if self.keeps_notes:
            form = dict(parse_qsl((await request.body()).decode()))
            self.notes.setdefault(number, []).append(form["note"])
        return RedirectResponse(f"/cases/{number}", 303, headers=HEADERS)

    async def leave_draft(self, request: Request) -> Response:
        self._note(request)
        form = dict(parse_qsl((await request.body()).decode()))
        self.drafts[int(request.path_params["number"])] = form["note"]
        return PlainTextResponse("", 200)

    async def print_case(self, request: Request) -> Response:
        self._note(request)
        return Response(b"%PDF-1.7 \xff" * 1000, media_type="application/pdf", headers=HEADERS)

    def _page(self, body: str) -> Response:
        return HTMLResponse(f"<body>{body}<footer>Release 3.58</footer></body>", headers=HEADERS)

    def _signed_in(self, request: Request) -> bool:
        return self.sessions.get(request.cookies.get("session", ""), "visitor") != "visitor"

    def _note(self, request: Request) -> None:
        self.seen.append((request.method, request.url.path, dict(request.headers)))

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/login", self.login, methods=["GET", "POST"]),
                Route("/cases", self.cases),
                Route("/cases/{number:int}", self.case),
                Route("/cases/{number:int}/notes", self.add_note, methods=["POST"]),
                Route("/cases/{number:int}/draft", self.leave_draft, methods=["POST"]),
                Route("/cases/{number:int}/print", self.print_case),
            ]
        )


class Site(Protocol):
    url: str

    def app(self) -> Starlette: ...


S = TypeVar("S", bound=Site)


@contextmanager
def serving(site: S, port: int = 0) -> Iterator[S]:
    """Serve it over HTTP on a free port, or on the one given."""
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(site.app(), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    site.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield site
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
