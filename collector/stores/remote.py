"""The store of the owner process, for the other commands of the same machine."""

import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
from pydantic import TypeAdapter

from collector import tables
from collector.model.errors import NotInStore, RejectedBatch, StoreError, StoreFull
from collector.store import Batch, Every, Forgotten, Slice, StoreStatus
from collector.stores._batch import from_ipc, to_ipc
from collector.stores._columns import fitting

_TIMEOUT_SECONDS = 120.0  # thirty days of rows take a while
_LONG_SECONDS = 4 * 3600.0  # a whole lake may have to be written again
_ARROW = "application/vnd.apache.arrow.stream"
_JSON = "application/json"
_BATCH = TypeAdapter(Batch)
_STATUS = TypeAdapter(StoreStatus)
_FORGOTTEN = TypeAdapter(Forgotten)
_QUESTION = TypeAdapter(dict[str, Any])


class RemoteStore:
    """Sends each call to a door of ``collector/api/facts.py`` with the operator's token. Safe for many threads."""

    def __init__(
        self, url: str, token: str, *, certificate: Path | None = None, client: httpx2.Client | None = None
    ) -> None:
        """Connect to the owner at ``url``, who shows ``certificate``; ``client`` replaces the one made here."""
        verify = True if certificate is None else _pinned(certificate)
        self._client = client or httpx2.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False, verify=verify)
        self._authorization = {"Authorization": f"Bearer {token}"}

    def append(self, batch: Batch) -> bool:
        """See ``Store.append``."""
        return self._send("/v1/batches", _BATCH.dump_json(batch), _JSON)

    def append_table(self, batch_id: str, sender: str, name: str, rows: pa.Table) -> bool:
        """See ``Store.append_table``."""
        named = {"batch_id": batch_id, "sender": sender}
        return self._send(f"/v1/batches/{_path(name)}", to_ipc(fitting(name, rows)), _ARROW, named)

    def flush(self) -> int:
        """See ``Store.flush``."""
        return int(self._ask("POST", "/v1/flush").json()["snapshot"])

    def scan(
        self, name: str, rows: Slice, *, columns: Sequence[str] | None = None, snapshot: int | None = None
    ) -> pa.Table:
        """See ``Store.scan``."""
        question = _question(rows, snapshot) | {"table": name, "columns": columns}
        return self._read("/v1/scan", question)

    def counts(self, name: str, rows: Slice, *, snapshot: int | None = None) -> pa.Table:
        """See ``Store.counts``."""
        return self._read("/v1/counts", _question(rows, snapshot) | {"table": name})

    def hourly(self, rows: Slice, *, snapshot: int | None = None) -> pa.Table:
        """See ``Store.hourly``."""
        return self._read("/v1/hourly", _question(rows, snapshot))

    def trend(
        self, name: str, rows: Slice, *, every: Every, by: Sequence[str] = (), snapshot: int | None = None
    ) -> pa.Table:
        """See ``Store.trend``."""
        asked = {"table": name, "every": str(every), "by": list(by)}
        return self._read("/v1/trend", _question(rows, snapshot) | asked)

    def pin(self, snapshot: int) -> None:
        """See ``Store.pin``."""
        self._ask("POST", "/v1/pin", _QUESTION.dump_json({"snapshot": snapshot}))

    def maintain(self, now: datetime) -> None:
        """See ``Store.maintain``."""
        self._ask("POST", "/v1/maintain", _QUESTION.dump_json({"now": now}))

    def forget(self, site: str, *, dry_run: bool = False) -> Forgotten:
        """See ``Store.forget``."""
        asked = _QUESTION.dump_json({"site": site, "dry_run": dry_run})
        return _FORGOTTEN.validate_json(self._ask("POST", "/v1/forget", asked, within=_LONG_SECONDS).content)

    def status(self) -> StoreStatus:
        """See ``Store.status``."""
        return _STATUS.validate_json(self._ask("GET", "/v1/store").content)

    def close(self) -> None:
        """Let go of connections; the owner commits by itself."""
        self._client.close()

    def _send(self, path: str, content: bytes, kind: str, named: Mapping[str, str] | None = None) -> bool:
        answer = self._ask("POST", path, content, kind, named)
        return answer.headers.get("X-Whichlayer-New") == "true"

    def _read(self, path: str, question: Mapping[str, Any]) -> pa.Table:
        return from_ipc(self._ask("POST", path, _QUESTION.dump_json(dict(question))).content)

    def _ask(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        kind: str = _JSON,
        named: Mapping[str, str] | None = None,
        within: float = _TIMEOUT_SECONDS,
    ) -> httpx2.Response:
        headers = self._authorization | ({"Content-Type": kind} if content else {})
        patience = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), within)}
        try:
            answer = self._client.request(
                method, path, content=content, headers=headers, params=named, extensions=patience
            )
        except httpx2.HTTPError as error:
            raise StoreError(f"the collector does not answer ({type(error).__name__}): is whichlayer up?") from None
        if not answer.is_success:
            raise _refusal(answer)
        return answer


def _question(rows: Slice, snapshot: int | None) -> dict[str, Any]:
    where = {column: list(values) for column, values in rows.where.items()}
    return {"start": rows.start, "end": rows.end, "where": where, "snapshot": snapshot}


def _path(name: str) -> str:
    tables.schema(name)  # a name that is no table must not become a path
    return name


def _refusal(answer: httpx2.Response) -> Exception:
    """Give the error the owner's store raised."""
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    detail = str(problem.get("detail", "no reason was given"))
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return NotInStore(detail)
    if answer.status_code in _REJECTED:
        return RejectedBatch(detail, field=problem.get("field"))
    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and answer.request.url.path.startswith("/v1/batches"):
        return StoreFull(detail)
    return StoreError(f"the collector refused {answer.request.url.path} with {answer.status_code}: {detail}")


_REJECTED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})


def _pinned(certificate: Path) -> ssl.SSLContext:
    """Trust exactly this certificate, whatever name it carries: the owner's own, reached over loopback."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # without the authority that signed it
    return context
