"""Asks for a set, page by page. One request at a time: the cloud answers a second one with 429."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2
import truststore

from collector.model.errors import SourceError
from collector.sources.citrix.settings import CitrixSettings
from collector.sources.citrix.sign_in import way_in

Row = Mapping[str, Any]
_MOST_PAGES = 20_000  # two million rows in one reading: something links in a circle


class Monitor:
    """A Monitor service that is asked. It is only ever read."""

    def __init__(self, settings: CitrixSettings) -> None:
        """Make ready; nothing is sent. Raises SecretError."""
        self._base = str(settings.url).rstrip("/")
        one = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
        headers = {"User-Agent": "whichlayer", "Accept": "application/json"}
        # A controller's certificate comes from the site's own authority, which the system knows.
        trust = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if settings.url.scheme == "https" else False
        self._client = httpx2.Client(
            timeout=settings.timeout, limits=one, headers=headers, auth=way_in(settings), verify=trust
        )

    def pages(self, name: str, query: Mapping[str, str]) -> Iterator[Sequence[Row]]:
        """Give the rows of one set, as many at once as the server gives. Raises SourceError, also between pages."""
        url = httpx2.URL(f"{self._base}/{name}")
        page = url.copy_with(params=dict(query))
        for _ in range(_MOST_PAGES):
            told = self._asked(page, name)
            try:
                rows, link = list(told["value"]), told.get("@odata.nextLink")
                # Behind a balancer the link names a machine that only the servers know: its query is what counts.
                following = None if link is None else url.copy_with(query=httpx2.URL(link).query)
            except (KeyError, TypeError, AttributeError, httpx2.InvalidURL):
                raise SourceError(f"{name} of {self._base} is no page of OData v4") from None
            yield rows
            if following is None:
                return
            if following == page:
                break
            page = following
        raise SourceError(f"{name} of {self._base} links in a circle")

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _asked(self, url: httpx2.URL, name: str) -> Mapping[str, Any]:
        try:
            answer = self._client.get(url)
        except httpx2.TimeoutException:
            raise SourceError(f"{self._base} does not answer for {name} in time") from None
        except httpx2.HTTPError as error:
            raise SourceError(f"{self._base} does not answer: {type(error).__name__}") from None
        if answer.status_code != httpx2.codes.OK:
            raise _refusal(answer, self._base, name)
        try:
            told: Mapping[str, Any] = answer.json()
        except ValueError:
            raise SourceError(f"{name} of {self._base} is not JSON") from None
        return told


def _refusal(answer: httpx2.Response, base: str, name: str) -> SourceError:
    code = answer.status_code
    if code in {401, 403}:
        return SourceError(f"{base} refuses {name} ({code}): it needs a read-only administrator", permanent=True)
    if code == 404:
        return SourceError(f"{base} has no {name}: url must end in /v4/Data, or in /monitorodata", permanent=True)
    if code == 429:
        wait = answer.headers.get("Retry-After", "")
        return SourceError(f"{base} is asked too often (429{f', says to wait {wait} s' if wait.isdigit() else ''})")
    return SourceError(f"{base} cannot give {name} now ({code})")


def moment(text: str | None) -> datetime | None:
    """Read a time as Monitor writes it: UTC, with or without saying so. Raises ValueError."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def written(at: datetime) -> str:
    """Write a time for a filter."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
