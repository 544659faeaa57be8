"""Who is asking: NTLM for a controller, a bearer token for the cloud. Neither password nor token is in any error."""

import base64
import time
from collections.abc import Generator

import httpx2
import spnego
from spnego.exceptions import SpnegoError

from collector.model.errors import SourceError
from collector.secret import remember, resolve
from collector.sources.citrix.settings import CitrixSettings

_SCHEMES = {"ntlm": "ntlm", "negotiate": "negotiate"}  # as the server offers it: as pyspnego calls it
_EARLY = 60.0  # a token is traded anew so many seconds before it ends
_Flow = Generator[httpx2.Request, httpx2.Response, None]


def way_in(settings: CitrixSettings) -> httpx2.Auth:
    """Choose by what was set. Raises SecretError."""
    if settings.user is not None and settings.password is not None:
        return Ntlm(settings.user, resolve(settings.password))
    assert settings.client is not None
    assert settings.secret is not None
    assert settings.customer is not None
    return Token(settings.trade, settings.customer, settings.client, resolve(settings.secret))


class Ntlm(httpx2.Auth):
    """NTLM, alone or in Negotiate, by pyspnego. The connection is signed in, so the client must have only one."""

    requires_response_body = True  # the next message must go over the same connection

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password

    def auth_flow(self, request: httpx2.Request) -> _Flow:
        """Ask; when told to sign in, send the two messages."""
        response = yield request
        scheme = next((one for one in _offers(response) if one in _SCHEMES), None)
        if response.status_code != httpx2.codes.UNAUTHORIZED or scheme is None:
            return
        context = spnego.client(
            self._user, self._password, hostname=request.url.host, service="HTTP", protocol=_SCHEMES[scheme]
        )
        answer: bytes | None = None
        while not context.complete:
            try:
                message = context.step(answer)
            except SpnegoError:
                raise SourceError(f"{request.url.host} answers {scheme} with a message that is none") from None
            if message is None:
                return
            request.headers["Authorization"] = f"{scheme} {base64.b64encode(message).decode()}"
            response = yield request
            answer = _challenge(response, scheme)
            if answer is None:
                return


class Token(httpx2.Auth):
    """A bearer token of Citrix Cloud: traded for id and secret, kept until shortly before it ends."""

    requires_response_body = True

    def __init__(self, url: str, customer: str, client: str, secret: str) -> None:
        self._url, self._customer, self._client, self._secret = url, customer, client, secret
        self._token, self._until = "", 0.0

    def auth_flow(self, request: httpx2.Request) -> _Flow:
        """Sign every request; a token that is refused is traded once more."""
        fresh = False
        if time.monotonic() >= self._until:
            self._take((yield self._trade()))
            fresh = True
        response = yield self._signed(request)
        if response.status_code == httpx2.codes.UNAUTHORIZED and not fresh:
            self._take((yield self._trade()))
            yield self._signed(request)

    def _signed(self, request: httpx2.Request) -> httpx2.Request:
        request.headers["Authorization"] = f"CWSAuth bearer={self._token}"
        request.headers["Citrix-CustomerId"] = self._customer
        return request

    def _trade(self) -> httpx2.Request:
        asked = {"grant_type": "client_credentials", "client_id": self._client, "client_secret": self._secret}
        return httpx2.Request("POST", self._url, data=asked, headers={"Accept": "application/json"})

    def _take(self, response: httpx2.Response) -> None:
        host = response.url.host
        if response.status_code in {400, 401, 403}:
            raise SourceError(f"{host} gives no token: check customer, client and secret", permanent=True)
        try:
            told = response.raise_for_status().json()
            self._token, lasts = str(told["access_token"]), float(told["expires_in"])
        except (httpx2.HTTPStatusError, ValueError, KeyError, TypeError):
            raise SourceError(f"{host} gives no token ({response.status_code})") from None
        remember(self._token)
        self._until = time.monotonic() + max(lasts - _EARLY, 0.0)


def _offers(response: httpx2.Response) -> list[str]:
    """Name the ways to sign in that the server offers, NTLM first: it needs the fewest messages."""
    given = response.headers.get_list("WWW-Authenticate", split_commas=True)
    return sorted({one.split()[0].lower() for one in given if one.split()}, key=lambda one: one != "ntlm")


def _challenge(response: httpx2.Response, scheme: str) -> bytes | None:
    for one in response.headers.get_list("WWW-Authenticate", split_commas=True):
        words = one.split()
        if len(words) == 2 and words[0].lower() == scheme:
            try:
                return base64.b64decode(words[1], validate=True)
            except ValueError:
                return None
    return None
