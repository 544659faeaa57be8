"""The collector's doors, as an agent knocks on them: every request dials out, none is ever accepted."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2

from collector.model.errors import WhichlayerError

WAIT_SECONDS = 15.0
_NAME = f"whichlayer/{version('whichlayer')}"
_STORED = 204
_LEASES = frozenset({"granted", "busy", "paused"})


class DoorError(WhichlayerError):
    """The collector could not be reached, or its answer is not one an agent can use.

    ``retry_after`` is what it asked for, in seconds; ``status`` is None when nobody answered.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(message)


class Lease(StrEnum):
    """Whether an account may be used now, as the collector says."""

    GRANTED = "granted"
    BUSY = "busy"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """How far this clock is ahead of the collector's, ± half of the request's duration, in seconds."""

    seconds: float
    uncertainty_seconds: float


class Doors:
    """One connection to one collector. Safe to use from several threads."""

    def __init__(self, url: str, *, token: Callable[[], str] | None = None, ca_file: Path | None = None) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._client = httpx2.Client(timeout=WAIT_SECONDS, verify=_trust(url, ca_file))
        self.skew: Skew | None = None

    def send(self, kind: str, content: bytes) -> None:
        """Hand over one batch. Raises DoorError unless the collector has stored it, which it says by 204 alone."""
        answer = self._post(f"/v1/{kind}", content=content)
        if answer.status_code != _STORED:  # a portal of the network, or a proxy, answers everything with a page
            raise DoorError(f"{self._url} does not answer as a collector ({answer.status_code}): check the address")

    def lease(self, account: str, *, seconds: float, renew: bool = False) -> Lease:
        """Ask to use an account, or with ``renew`` to keep the one that is held. Raises DoorError."""
        return self._account(account, "lease", {"seconds": round(seconds), "renew": renew})

    def release(self, account: str, *, authenticated: bool | None) -> Lease:
        """Give an account back, and say whether signing in worked. Raises DoorError."""
        return self._account(account, "release", {"authenticated": authenticated})

    def enrol(self, code: str, *, endpoint: str | None = None) -> tuple[str, str]:
        """Trade a one-time code for agent id and token; one for another ``endpoint`` is refused. Raises DoorError."""
        answer = self._json("/v1/enrol", {"code": code, "endpoint": endpoint})
        agent, token = answer.get("agent_id"), answer.get("token")
        if not isinstance(agent, str) or not isinstance(token, str):
            raise DoorError(f"{self._url} does not answer as a collector: check the address")
        return agent, token

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _account(self, account: str, verb: str, body: dict[str, Any]) -> Lease:
        state = self._json(f"/v1/accounts/{account}/{verb}", body).get("state")
        if verb == "release" and state not in _LEASES:
            return Lease.GRANTED  # nothing in it but "noted"
        try:
            return Lease(str(state))
        except ValueError:
            raise DoorError(
                f"{self._url} gave an account the state {state!r}, which this agent does not know"
            ) from None

    def _json(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._post(path, json=body).json()
        except ValueError:
            raise DoorError(f"{self._url}{path} does not answer with JSON: check the address") from None
        return answer if isinstance(answer, dict) else {}

    def _post(self, path: str, **request: Any) -> httpx2.Response:  # noqa: ANN401  httpx2's own arguments
        headers = {"Content-Type": "application/json", "User-Agent": _NAME}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token()}"
        wall, started = time.time(), time.perf_counter()
        try:
            response = self._client.post(self._url + path, headers=headers, **request)
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError) as error:
            raise DoorError(f"{self._url} cannot be reached: {str(error) or type(error).__name__}") from None
        self._note_skew(response, wall, time.perf_counter() - started)
        if response.is_success:
            return response
        raise DoorError(
            f"{self._url}{path} answered {response.status_code}: {_problem(response)}",
            status=response.status_code,
            retry_after=_retry_after(response),
        )

    def _note_skew(self, response: httpx2.Response, wall: float, took: float) -> None:
        try:
            theirs = float(response.headers["X-Whichlayer-Time"])
        except (KeyError, ValueError):
            return
        self.skew = Skew(seconds=wall + took / 2 - theirs, uncertainty_seconds=took / 2)


def _trust(url: str, ca_file: Path | None) -> ssl.SSLContext | bool:
    if not url.startswith("https:"):
        return True
    import truststore  # noqa: PLC0415  5 MB that a plain address does not need

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise DoorError(f"the authority in {ca_file} cannot be read: {error}") from None
    return context


def _problem(response: httpx2.Response) -> str:
    try:
        problem = response.json()
        words = [str(problem[key]) for key in ("title", "detail", "field") if problem.get(key)]
    except (ValueError, AttributeError, TypeError):
        words = []
    return ", ".join(words)[:300] or response.reason_phrase


def _retry_after(response: httpx2.Response) -> float | None:
    try:
        return max(float(response.headers["Retry-After"]), 0.0)
    except (KeyError, ValueError):
        return None
