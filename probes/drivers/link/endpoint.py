"""One look at a server: connect, secure, ask, and give the answer. Phases are taken by the timed wire."""

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import httpcore2
import httpx2

from collector.model.run import Outcome, Phase
from probes.driver import WalkContext
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.page import Page, disappointment
from probes.drivers.http.session import BODY_LIMIT
from probes.drivers.http.wire import Meter, TimedStream, Wire
from probes.drivers.link import certificate
from probes.drivers.link.certificate import Presented
from probes.drivers.link.failure import NETWORK_ERRORS, ended_by, hung_up
from probes.drivers.link.stream import SocketStream, Tls
from probes.journey.link import Endpoint, Report
from probes.journey.request import Expect

_PORTS = {"https": 443, "http": 80}
_SECURED = frozenset({"https", "tls"})
_PART_BYTES = 65536


@dataclass(slots=True)
class Seen:
    """What one look has shown so far, also when it ended early."""

    presented: Presented | None = None
    page: Page | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks servers, with one clock for one step."""

    context: WalkContext
    trust: ssl.SSLContext
    meter: Meter
    timeout_seconds: float

    def ask(self, asked: Endpoint, seen: Seen) -> None:
        """Reach, ask and judge; ``seen`` holds what was learnt. Raises StepEnded."""
        url = self._address(asked.url)
        ready = self._ready(url, asked.minimum_tls)
        self.meter.begin_request()
        self.meter.requests += 1
        failed = True
        try:
            with self._connected(url, ready, seen) as stream:
                if url.scheme in _PORTS:
                    seen.page = self._web(stream, url, asked)
                else:
                    self._raw(stream, asked)
            failed = False
        except NETWORK_ERRORS as error:
            raise ended_by(error, self.meter.stage, self.timeout_seconds) from None
        finally:
            self.meter.end_request(failed=failed)
        if seen.page is not None:
            lacking = disappointment(seen.page, asked.expect, self.context.fill)
            if lacking is not None:
                raise StepEnded(Outcome.FAILED, lacking.kind, f"{lacking.message}: the far end answers, but not this")

    def _address(self, written: str) -> httpx2.URL:
        filled = self.context.fill(written)
        try:
            url = httpx2.URL(filled)
        except httpx2.InvalidURL:
            url = httpx2.URL()
        if not url.host or not (url.port or url.scheme in _PORTS):
            raise StepEnded(Outcome.BROKEN, "address", f"{written} gives {filled!r}, which lacks a host or a port")
        return url

    def _ready(self, url: httpx2.URL, minimum: str) -> Tls | None:
        if url.scheme not in _SECURED:
            return None
        self.trust.minimum_version = ssl.TLSVersion[f"TLSv{minimum.replace('.', '_')}"]
        return Tls(self.trust, url.host)

    @contextmanager
    def _connected(self, url: httpx2.URL, ready: Tls | None, seen: Seen) -> Iterator[httpcore2.NetworkStream]:
        wire = Wire(self.meter)
        plain = wire.connect_tcp(url.host, url.port or _PORTS[url.scheme])
        connection = SocketStream(plain.get_extra_info("socket"), ready=ready)
        try:
            stream: httpcore2.NetworkStream = TimedStream(connection, wire)
            if ready is not None:
                stream = stream.start_tls(self.trust, url.host)
                seen.presented = certificate.take(stream)
            yield stream
        finally:
            connection.close()

    def _web(self, stream: httpcore2.NetworkStream, url: httpx2.URL, asked: Endpoint) -> Page:
        """Send one request and take its answer; redirects are answers like any other."""
        origin = httpcore2.Origin(url.raw_scheme, url.raw_host, url.port or _PORTS[url.scheme])
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        headers = httpx2.Headers(
            {
                "Host": url.netloc.decode("ascii"),
                "User-Agent": f"whichlayer/{version('whichlayer')} (synthetic; {self.context.journey.name})",
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "Connection": "close",
            }
        )
        headers.update(_filled(asked.headers, self.context))
        connection = httpcore2.HTTP11Connection(origin, stream)
        answer = connection.handle_request(httpcore2.Request(asked.method, target, headers=headers.raw))
        kept = bytearray()
        for part in answer.iter_stream():
            kept += part[: BODY_LIMIT - len(kept)]
        answer.close()
        given = httpx2.Response(answer.status, headers=answer.headers)
        return Page(
            url=url,
            status=answer.status,
            headers=given.headers,
            body=bytes(kept),
            charset=given.charset_encoding or "utf-8",
        )

    def _raw(self, stream: httpcore2.NetworkStream, asked: Endpoint) -> None:
        """Send what is to be sent, and read until the answer is what was expected. Raises StepEnded."""
        if asked.send is not None:
            stream.write(self.context.fill(asked.send).encode())
        expect = _with_texts(asked.expect, self.context)
        received = b""
        first = asked.send is None
        while not _holds(received, expect):
            if first:
                self.meter.begins(Phase.PROCESSING)
            try:
                part = stream.read(_PART_BYTES)
            except httpcore2.ReadTimeout:
                if not received:
                    raise
                raise _unmet(received, expect, self.meter.stage) from None
            if first:  # the wire knows of no wait for a far end that speaks first: it took it for receiving
                self.meter.spent_ns[Phase.PROCESSING] = self.meter.spent_ns.pop(Phase.TRANSFER)
                first = False
            if not part:
                raise _unmet(received, expect, self.meter.stage)
            received = (received + part)[-BODY_LIMIT:]


def _filled(headers: Mapping[str, str], context: WalkContext) -> dict[str, str]:
    return {name: context.fill_secret(text) for name, text in headers.items()}


def _with_texts(expect: Expect, context: WalkContext) -> Expect:
    return expect.model_copy(update={"text": tuple(context.fill(text) for text in expect.text)})


def _holds(received: bytes, expect: Expect) -> bool:
    text = received.decode("utf-8", errors="replace")
    return all(words in text for words in expect.text) and all(
        re.search(pattern, text, re.MULTILINE) for pattern in expect.regex
    )


def _unmet(received: bytes, expect: Expect, stage: Phase) -> StepEnded:
    if not received:
        return hung_up(stage)
    wanted = ", ".join(map(repr, (*expect.text, *expect.regex)))
    return StepEnded(Outcome.FAILED, "expect", f"the far end answered, but did not say {wanted}")


def web(report: Report) -> Endpoint:
    """Give the look at the address of a report."""
    return Endpoint(
        url=report.url or "",
        headers=report.headers,
        expect=report.expect,
        minimum_tls=report.minimum_tls,
        certificate_left=report.certificate_left,
    )
