"""The HTTP client's transport: trust, client certificate, proxy and trace header over a timed wire.

Errors of the network come out as httpcore2's own exceptions: they say which call failed, and the
driver reads the phase from the meter.
"""

import secrets
import ssl
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpcore2
import httpx2
import truststore

from collector import secret
from collector.model.errors import WhichlayerError
from probes.drivers.http import server_timing
from probes.drivers.http.wire import Meter, Wire

FROM_ENVIRONMENT = "environment"
NO_PROXY = "none"


class UntrustedAddress(Exception):
    """A request that carries a secret would have gone to an address that may not see it."""


class TimedTransport(httpx2.BaseTransport):
    """Sends requests over connections of its own. One per run: its connections are the run's."""

    def __init__(self, *, run_id: str, trust: ssl.SSLContext, proxy: str = FROM_ENVIRONMENT) -> None:
        self._run_id = run_id
        self._trust = trust
        self._proxy = proxy
        self._wire = Wire(Meter(deadline_ns=0))
        self._headers: Callable[[int], Mapping[str, str]] | None = None
        self._pools: dict[str | None, httpcore2.ConnectionPool] = {}

    @property
    def meter(self) -> Meter:
        """What the current step has taken."""
        return self._wire.meter

    def begin(self, meter: Meter, headers: Callable[[int], Mapping[str, str]] | None = None) -> None:
        """Start a step: everything is noted in ``meter``; ``headers`` gives those of its requests, by number."""
        self._wire.meter = meter
        self._headers = headers

    def disconnect(self) -> None:
        """Close every connection, so that the next request opens one."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def close(self) -> None:
        """Let go of everything."""
        self.disconnect()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request, with a trace header of its own. Raises httpcore2 errors, UntrustedAddress."""
        _guard(request)
        request.headers.update(self._trace())
        url = request.url
        self.meter.requests += 1
        answer = self._pool(url).handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        response = httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))
        for phase, seconds in server_timing.parse(response.headers.get_list("server-timing")).items():
            self.meter.server_seconds[phase] = self.meter.server_seconds.get(phase, 0.0) + seconds
        return response

    def _trace(self) -> Mapping[str, str]:
        if self._headers is None:
            return {"traceparent": f"00-{self._run_id}-{secrets.token_hex(8)}-01"}
        return self._headers(self.meter.requests)

    def _pool(self, url: httpx2.URL) -> httpcore2.ConnectionPool:
        address = _proxy_of(url, self._proxy)
        if address not in self._pools:
            self._pools[address] = httpcore2.ConnectionPool(
                ssl_context=self._trust,
                network_backend=self._wire,
                proxy=_proxy(address, self._trust) if address else None,
                max_connections=None,
            )
        return self._pools[address]


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Any) -> None:  # noqa: ANN401  httpcore2 leaves it open
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


def trust(
    *, ca_file: Path | None = None, certificate: Path | None = None, key: Path | None = None, passphrase: str = ""
) -> ssl.SSLContext:
    """Trust what the operating system trusts, and ``ca_file`` as well; show ``certificate`` when asked.

    Raises WhichlayerError when a file is not there or not what it should be.
    """
    context = _system()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise WhichlayerError(f"the CA file {ca_file.name} cannot be used: {_reason(error)}") from None
    if certificate is not None:
        try:
            # An empty passphrase makes OpenSSL fail where it would ask at the terminal.
            context.load_cert_chain(certificate, key, password=lambda: passphrase)
        except (OSError, ssl.SSLError) as error:
            raise WhichlayerError(
                f"the client certificate {certificate.name} cannot be used: {_reason(error)}"
            ) from None
    return context


def _system() -> ssl.SSLContext:
    """Trust the system's authorities, loaded now: truststore loads all of them anew inside every handshake.

    That would be counted as the network's time, tens of milliseconds of it. It is left to systems whose
    authorities OpenSSL cannot read by itself: Windows, macOS, and a Python built for other folders.
    """
    usual = ssl.get_default_verify_paths()
    if sys.platform == "linux" and (usual.cafile or (usual.capath and any(Path(usual.capath).glob("*.0")))):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
        return context
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def origin(url: httpx2.URL) -> str:
    """Give scheme, host and port: what decides whether two addresses are the same server."""
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return f"{url.scheme}://{url.host}:{port}"


def _guard(request: httpx2.Request) -> None:
    """Keep secrets from servers they were not meant for, also when a redirect leads there."""
    trusted = request.extensions.get("whichlayer_trusted")
    if trusted is None or origin(request.url) in trusted:
        return
    for name in request.extensions["whichlayer_secret_headers"]:
        request.headers.pop(name, None)
    if request.headers.get("content-length", "0") != "0":
        raise UntrustedAddress(f"would have sent a secret to {request.url.host}: name it in trusted_origins if it may")


def _proxy_of(url: httpx2.URL, setting: str) -> str | None:
    if setting == NO_PROXY:
        return None
    if setting != FROM_ENVIRONMENT:
        return setting
    if urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    if found is None:
        return None
    return found if "://" in found else f"http://{found}"


def _proxy(address: str, trusted: ssl.SSLContext) -> httpcore2.Proxy:
    url = httpx2.URL(address)
    auth = None
    if url.userinfo:
        password = unquote(url.password)
        secret.remember(password)
        auth = (unquote(url.username), password)
    bare = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/")
    return httpcore2.Proxy(bare, auth=auth, ssl_context=trusted if url.scheme == "https" else None)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or "it is not PEM").strip()
