"""The requests of one run: cookies and connections last as long as the run, as in a browser."""

import time
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from importlib.metadata import version
from typing import Any

import httpx2

from collector.model.run import Outcome
from probes.driver import WalkContext
from probes.drivers.http.failure import REQUEST_ERRORS, StepEnded, ended_by
from probes.drivers.http.page import Page, disappointment, find
from probes.drivers.http.transport import TimedTransport, origin
from probes.drivers.http.wire import Meter
from probes.journey import placeholder
from probes.journey.file import Step
from probes.journey.request import Request

BODY_LIMIT = 8 * 2**20  # kept of an answer to look into; the rest is received, timed and let go
_FACT_LENGTH = 100


class Session:
    """Sends the requests of a journey and keeps what they bring: cookies, captures, the last page."""

    def __init__(self, context: WalkContext, transport: TimedTransport) -> None:
        self._context = context
        self._transport = transport
        self._client = httpx2.Client(
            transport=transport,
            follow_redirects=True,
            timeout=None,
            trust_env=False,
            headers={"User-Agent": f"whichlayer/{version('whichlayer')} (synthetic; {context.journey.name})"},
        )
        base = context.values["base_url"]
        self._trusted = frozenset(origin(httpx2.URL(url)) for url in (base, *context.journey.trusted_origins))
        self.page: Page | None = None
        self.previous: Page | None = None
        self.status: int | None = None

    def begin(self, timeout_seconds: float, step: Step | None = None) -> Meter:
        """Start the clock of a step; gives the meter that will hold what it takes.

        Without ``step`` what follows is not timed, and the spans it causes are no step's.
        """
        meter = Meter(deadline_ns=time.perf_counter_ns() + round(timeout_seconds * 1e9))
        self._transport.begin(meter, partial(self._context.trace_headers, step) if step is not None else None)
        self.status = None
        return meter

    @property
    def answer(self) -> Page | None:
        """Give the page of the step under way or over; None when nothing was answered since it began."""
        return self.page if self.status is not None else None

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def do(self, request: Request, step: Step) -> None:
        """Send one request, judge its answer and keep what it captures. Raises StepEnded."""
        page, secret_sent = self.fetch(request, step.timeout)
        context = self._context
        self._note_facts(page)
        if step.sign_in and secret_sent and page.refuses_sign_in(step.authentication_failure):
            raise StepEnded(Outcome.FAILED, "authentication", f"the sign-in was refused with status {page.status}")
        lacking = disappointment(page, request.expect, context.fill)
        if lacking is not None:
            # Whatever words it uses: a page that asks for the password again has not taken this one.
            refused = step.sign_in and secret_sent and page.asks_again
            raise StepEnded(Outcome.FAILED, "authentication" if refused else lacking.kind, lacking.message)
        for name, capture in request.capture.items():
            value = find(page, capture, context.fill)
            if value is None:
                raise StepEnded(
                    Outcome.BROKEN, "capture", f"the answer was as expected but holds no {name}: correct its capture"
                )
            context.values[name] = value

    def fetch(self, request: Request, timeout_seconds: float) -> tuple[Page, bool]:
        """Send one request and take its answer; also says whether it carried a secret. Raises StepEnded."""
        url = self._address(request)
        secret_sent, extensions = self._guarded(request)
        fill = self._context.fill_secret
        failed = True
        self._transport.meter.begin_request()
        try:
            built = self._client.build_request(
                request.method,
                url,
                data={name: fill(text) for name, text in request.form.items()} if request.form is not None else None,
                json=_filled(request.json_body, fill) if request.json_body is not None else None,
                headers={name: fill(text) for name, text in request.headers.items()},
                extensions=extensions,
            )
            page = _receive(self._client.send(built, stream=True))
            failed = False
        except REQUEST_ERRORS as error:
            raise ended_by(error, self._transport.meter.stage, timeout_seconds) from None
        finally:
            self._transport.meter.end_request(failed=failed)
        self.previous, self.page = self.page, page
        self.status = page.status
        return page, secret_sent

    def _address(self, request: Request) -> httpx2.URL:
        context = self._context
        path = context.fill(request.path)
        if path.startswith("/"):
            path = context.values["base_url"].rstrip("/") + path
        query = {name: context.fill(text) for name, text in request.query.items()}
        try:
            url = httpx2.URL(path).copy_merge_params(query) if query else httpx2.URL(path)
        except httpx2.InvalidURL:
            url = httpx2.URL()
        if url.scheme not in {"http", "https"} or not url.host:
            raise StepEnded(Outcome.BROKEN, "address", f"{request.path} gives {path!r}, which is not an address")
        return url

    def _guarded(self, request: Request) -> tuple[bool, Mapping[str, Any]]:
        """Mark a request that carries a secret, so that the transport keeps it from other servers."""
        secrets = self._context.secrets.keys()
        headers = [name for name, text in request.headers.items() if secrets & set(placeholder.names(text))]
        body = set(_names_in(request.form)) | set(_names_in(request.json_body))
        if not headers and not secrets & body:
            return False, {}
        return True, {"whichlayer_trusted": self._trusted, "whichlayer_secret_headers": headers}

    def _note_facts(self, page: Page) -> None:
        for name, capture in self._context.journey.facts.items():
            if name not in self._context.facts:
                value = find(page, capture, self._context.fill)
                if value:
                    self._context.facts[name] = value[:_FACT_LENGTH]


def _receive(response: httpx2.Response) -> Page:
    """Read the whole answer, keep its beginning."""
    kept = bytearray()
    with closing(response):
        for chunk in response.iter_bytes():
            kept += chunk[: BODY_LIMIT - len(kept)]
    return Page(
        url=response.url,
        status=response.status_code,
        headers=response.headers,
        body=bytes(kept),
        charset=response.charset_encoding or "utf-8",
    )


def _filled(body: Any, fill: Any) -> Any:  # noqa: ANN401  JSON holds anything
    if isinstance(body, Mapping):
        return {key: _filled(value, fill) for key, value in body.items()}
    if isinstance(body, list | tuple):
        return [_filled(value, fill) for value in body]
    return fill(body) if isinstance(body, str) else body


def _names_in(body: Any) -> list[str]:  # noqa: ANN401
    if isinstance(body, Mapping):
        return [name for value in body.values() for name in _names_in(value)]
    if isinstance(body, list | tuple):
        return [name for value in body for name in _names_in(value)]
    return list(placeholder.names(body)) if isinstance(body, str) else []
