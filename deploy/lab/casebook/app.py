"""The pages of casebook: sign in, search, open, save a note, print."""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader

from deploy.lab.casebook.database import Case, Database
from deploy.lab.casebook.directory import Directory
from deploy.lab.casebook.documents import DocumentIndex
from deploy.lab.casebook.printing import print_case
from deploy.lab.casebook.stay import REASONS, Stay
from deploy.lab.casebook.timing import Timing

SESSION = "casebook_session"
VISIT = "casebook_visit"
_LARGEST_FORM = 64 * 1024
_TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is asking, and the session token their forms are bound to."""

    account: str
    token: str


class NotSignedIn(Exception):
    """The request carries no session that is known; ``reason`` says why it has ended, if that is told."""

    def __init__(self, reason: str | None) -> None:
        self.reason = reason
        super().__init__(reason)


class BadForm(Exception):
    """The form is too large, or its token is not the one we gave out."""


async def read_form(request: Request) -> dict[str, str]:
    """Read a URL-encoded form. Raises BadForm when it is too large or not UTF-8."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise BadForm
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True)
    except UnicodeDecodeError:
        raise BadForm from None
    return {name: values[-1] for name, values in fields.items()}


Form = Annotated[dict[str, str], Depends(read_form)]


@dataclass(frozen=True, slots=True)
class Casebook:
    """The application: its parts, and one method per page. Methods run in worker threads."""

    database: Database
    documents: DocumentIndex
    release: str
    secret: bytes
    directory: Directory | None = None
    stay: Stay | None = None
    server_timing: bool = True

    def login_page(self, request: Request) -> Response:
        """Show the sign-in form, its token bound to a cookie of this visit."""
        visit = request.cookies.get(VISIT) or secrets.token_urlsafe(24)
        farewell = REASONS.get(request.query_params.get("ended", ""))
        answer = self._page("login.html", csrf_token=self._csrf(visit), farewell=farewell)
        answer.set_cookie(VISIT, visit, httponly=True, samesite="strict")
        return answer

    def sign_in(self, request: Request, form: Form) -> Response:
        """Check name and password; three mistakes lock the account."""
        self._check(form, request.cookies.get(VISIT, ""))
        name, token = form.get("username", ""), secrets.token_urlsafe(24)
        hashed = password_hash(name, form.get("password", ""))
        outcome = self.database.sign_in(name, hashed, _token_hash(token), request.state.timing)
        if outcome == "in":
            if self.directory is not None:
                self.directory.teams(name, request.state.timing)
            if self.stay:
                self.stay.signed_in(name, _token_hash(token))
            answer = RedirectResponse("/cases", status_code=303)
            answer.set_cookie(SESSION, token, httponly=True, samesite="strict")
            return answer
        problem = "account locked" if outcome == "locked" else "wrong user name or password"
        visit = request.cookies.get(VISIT, "")
        status = 403 if outcome == "locked" else 401
        return self._page("login.html", status=status, problem=problem, csrf_token=self._csrf(visit))

    def cases(self, request: Request, q: str = "") -> Response:
        """List the cases of a surname, and how many scanned documents mention it."""
        user = self._who(request)
        cases = self.database.search(q, request.state.timing) if q else ()
        mentions = self.documents.mentions(q, cases[0].team) if cases else 0
        return self._page("cases.html", account=user.account, term=q, cases=cases, mentions=mentions)

    def case(self, request: Request, case_id: int) -> Response:
        """Show one case with its notes and the form for a new one."""
        user = self._who(request)
        found = self.database.case(case_id, request.state.timing)
        if found is None:
            return self._page("problem.html", status=404, account=user.account, problem="There is no such case")
        case, notes = found
        return self._page(
            "case.html",
            account=user.account,
            case=case,
            notes=notes,
            unwritten=self.stay.unwritten(case_id) if self.stay else (),
            draft=self.stay.draft(case_id, user.account) if self.stay else "",
            mentions=self._mentions(case),
            csrf_token=self._csrf(user.token),
        )

    def add_note(self, request: Request, case_id: int, form: Form) -> Response:
        """Keep a note and show the case again."""
        user = self._who(request)
        self._check(form, user.token)
        body = form.get("note", "").strip()
        if not body:
            return self._page("problem.html", status=422, account=user.account, problem="The note is empty")
        if self.stay is None or not self.stay.takes(case_id, user.account, body):
            self.database.add_note(case_id, user.account, body, request.state.timing)
        return RedirectResponse(f"/cases/{case_id}", status_code=303)

    def leave_draft(self, request: Request, case_id: int, form: Form) -> Response:
        """Keep what is being typed, as a page does by itself every few seconds."""
        user = self._who(request)
        self._check(form, user.token)
        if self.stay is None:
            return self._page("problem.html", status=404, account=user.account, problem="There are no drafts")
        self.stay.leave(case_id, user.account, form.get("note", ""))
        return RedirectResponse(f"/cases/{case_id}", status_code=303)

    def sign_out(self, request: Request) -> Response:
        """End the session."""
        token = request.cookies.get(SESSION, "")
        if self.stay and token:
            self.stay.end("token_hash", _token_hash(token), "signed_out")
        return RedirectResponse("/login", status_code=303)

    def print_out(self, request: Request, case_id: int) -> Response:
        """Give the case as PDF."""
        user = self._who(request)
        found = self.database.case(case_id, request.state.timing)
        if found is None:
            return self._page("problem.html", status=404, account=user.account, problem="There is no such case")
        case, notes = found
        name = f'inline; filename="case-{case.id}.pdf"'
        pdf = print_case(case, notes, self._mentions(case))
        return Response(pdf, media_type="application/pdf", headers={"Content-Disposition": name})

    def problem(self, status: int, words: str) -> Response:
        """Show what went wrong."""
        return self._page("problem.html", status=status, problem=words)

    def _mentions(self, case: Case) -> int:
        return self.documents.mentions(case.surname, case.team)

    def _who(self, request: Request) -> SignedIn:
        token = request.cookies.get(SESSION, "")
        if not token:
            raise NotSignedIn(None)
        if self.stay:
            self.stay.seen(_token_hash(token))
        account, ended = self.database.account_of(_token_hash(token), request.state.timing)
        if account is None:
            raise NotSignedIn(ended if self.stay and self.stay.says_why else None)
        return SignedIn(account, token)

    def _csrf(self, bound_to: str) -> str:
        return hmac.new(self.secret, bound_to.encode(), hashlib.sha256).hexdigest()

    def _check(self, form: dict[str, str], bound_to: str) -> None:
        if not bound_to or not hmac.compare_digest(form.get("csrf_token", ""), self._csrf(bound_to)):
            raise BadForm

    def _page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        values = {"account": None, "problem": None, "farewell": None, **values, "release": self.release}
        return HTMLResponse(_TEMPLATES.get_template(template).render(values), status_code=status)


def create(book: Casebook) -> FastAPI:
    """Wire the pages to their addresses."""
    app = FastAPI(title="Casebook", openapi_url=None, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def measure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        timing = request.state.timing = Timing()
        answer = await call_next(request)
        if book.server_timing:
            answer.headers["Server-Timing"] = timing.header()
        answer.headers["X-Release"] = book.release
        return answer

    @app.exception_handler(NotSignedIn)
    def to_login(_request: Request, error: Exception) -> Response:
        assert isinstance(error, NotSignedIn)
        return RedirectResponse(f"/login?ended={error.reason}" if error.reason else "/login", status_code=303)

    @app.exception_handler(BadForm)
    def refuse(_request: Request, _error: Exception) -> Response:
        return book.problem(403, "The form has expired: open the page again")

    app.add_api_route("/login", book.login_page, methods=["GET"], response_model=None)
    app.add_api_route("/login", book.sign_in, methods=["POST"], response_model=None)
    app.add_api_route("/", book.cases, methods=["GET"], response_model=None)
    app.add_api_route("/cases", book.cases, methods=["GET"], response_model=None)
    app.add_api_route("/cases/{case_id}", book.case, methods=["GET"], response_model=None)
    app.add_api_route("/cases/{case_id}/notes", book.add_note, methods=["POST"], response_model=None)
    app.add_api_route("/cases/{case_id}/draft", book.leave_draft, methods=["POST"], response_model=None)
    app.add_api_route("/logout", book.sign_out, methods=["GET"], response_model=None)
    app.add_api_route("/cases/{case_id}/print", book.print_out, methods=["GET"], response_model=None)
    return app


def password_hash(name: str, password: str) -> str:
    """Hash a password with the account's name as salt."""
    return hashlib.scrypt(password.encode(), salt=name.encode(), n=1024, r=8, p=1).hex()


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
