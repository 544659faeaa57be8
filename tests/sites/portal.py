"""A portal as councils have them: pages that wait for data, and an identity provider at another address."""

import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pyotp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

PASSWORD = "canary-8d1e7a"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

FORM = """<h1>Identity</h1>{said}<form method="post" action="/authorize?back={back}">
<label>Account <input name="account"></label><label>Password <input type="password" name="password"></label>
<button>Next</button></form>"""
CODE = """<h1>One more thing</h1><form method="post" action="/code?back={back}">
<label>Code <input name="code" autocomplete="one-time-code"></label><button>Verify</button></form>"""
PUSH = "<h1>Approve sign in request</h1><p>Enter the number shown in your app.</p>"
WORK = """<main style="position:absolute;left:0;top:0;width:600px;height:200px;margin:0;background:#fff">
<input aria-label="Key" style="position:absolute;left:20px;top:20px;width:200px;height:40px;padding:0;border:0">
<p id="echo" style="position:absolute;left:20px;top:100px;width:300px;height:30px;margin:0"></p></main>
<aside style="position:absolute;left:0;top:300px">Somebody's address</aside>
<script>document.querySelector('input').oninput = e => document.getElementById('echo').textContent = e.target.value
</script>"""
APP = """<h1>Board</h1><p id="out">nothing yet</p>
<label>Status <select><option>Closed<option>Open</select></label><iframe title="Menu" src="/menu"></iframe>
<button onclick="fetch('/data?wait={wait}').then(answer => answer.text())
.then(text => document.getElementById('out').textContent = text)">Load</button>
<button onclick="for (;;) ;">Hang</button><button onclick="window.open('/menu')">Window</button>"""

BUSY = "<script>for (const from = performance.now(); performance.now() - from < 200;);</script><h1>Done</h1>"


def _wait(request: Request, name: str = "wait") -> None:
    time.sleep(int(request.query_params.get(name, "0")) / 1e3)


@dataclass
class Identity:
    """The identity provider: a form, for some a code, for some a push; each page takes ``wait_seconds``."""

    wait_seconds: float = 0.1
    url: str = ""

    def authorize(self, request: Request) -> Response:
        time.sleep(self.wait_seconds)
        return HTMLResponse(FORM.format(back=request.query_params["back"], said=""))

    async def take(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        back = request.query_params["back"]
        if given.get("account", "").startswith("push"):
            return HTMLResponse(PUSH)
        if given.get("password") != PASSWORD:
            return HTMLResponse(FORM.format(back=back, said="<p>That was not right.</p>"))
        if given.get("account", "").startswith("code"):
            return HTMLResponse(CODE.format(back=back))
        return RedirectResponse(f"{back}?code=once", 303)

    async def code(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        if not pyotp.TOTP(SEED).verify(given.get("code", ""), valid_window=1):
            return PlainTextResponse("wrong code", 401)
        return RedirectResponse(f"{request.query_params['back']}?code=once", 303)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/authorize", self.authorize),
                Route("/authorize", self.take, methods=["POST"]),
                Route("/code", self.code, methods=["POST"]),
            ]
        )


@dataclass
class Portal:
    """The application; whoever has no session is sent to ``identity``."""

    identity: Identity
    url: str = ""
    headers: list[dict[str, str]] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)

    def home(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        if request.cookies.get("session") not in self.sessions:
            return RedirectResponse(f"{self.identity.url}/authorize?back={self.url}/callback")
        return HTMLResponse("<h1>Welcome</h1>")

    def callback(self, _request: Request) -> Response:
        session = secrets.token_hex(8)
        self.sessions.add(session)
        answer = RedirectResponse("/", 303)
        answer.set_cookie("session", session)
        return answer

    def board(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        _wait(request, "before")
        return HTMLResponse(
            APP.replace("{wait}", request.query_params.get("wait", "0")), headers={"Server-Timing": "db;dur=7"}
        )

    def data(self, request: Request) -> Response:
        _wait(request)
        return PlainTextResponse("12 results")

    def menu(self, _request: Request) -> Response:
        return HTMLResponse("<a href='/data'>Reports</a>")

    def busy(self, _request: Request) -> Response:
        return HTMLResponse(BUSY)

    def work(self, _request: Request) -> Response:
        return HTMLResponse(WORK)

    def wrong(self, request: Request) -> Response:
        return PlainTextResponse("sorry", int(request.path_params["status"]))

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/callback", self.callback),
                Route("/board", self.board),
                Route("/data", self.data),
                Route("/menu", self.menu),
                Route("/busy", self.busy),
                Route("/work", self.work),
                Route("/wrong/{status:int}", self.wrong),
            ]
        )
