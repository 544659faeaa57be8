"""A look at an external link, as a journey says it: an endpoint, a file drop, or the report of a scheduled job.

It only ever reads: nothing is signed in to, written or fetched and kept.
"""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from collector.document import Document, Seconds
from probes.journey.request import Capture, Expect
from probes.journey.text import Template, Text, looks_sensitive

DAY_SECONDS = 86400.0
WEB = ("https://", "http://")
RAW = ("tls://", "tcp://")

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|KiB|MiB|GiB)\s*")
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def byte_count(written: object) -> int:
    """Read one size as bytes. Raises ValueError that shows how to write one."""
    if isinstance(written, int) and not isinstance(written, bool) and written >= 0:
        return written
    if isinstance(written, str) and (match := _SIZE.fullmatch(written)):
        return round(float(match[1]) * _UNITS[match[2]])
    raise ValueError("is not a size: write 200 kB, 10 MB, 1 GiB or a number of bytes")


Bytes = Annotated[int, BeforeValidator(byte_count)]
"""A size as files write it (``200 kB``, ``10 MiB``, a number of bytes), in bytes."""

Headers = dict[str, Template]


class Secured(Document):
    """What a TLS connection must be, for addresses that have one."""

    minimum_tls: Literal["1.2", "1.3"] = Field(default="1.2", description="Oldest version of TLS that is accepted.")
    certificate_left: Seconds = Field(
        default=30 * DAY_SECONDS,
        description="A certificate of the chain that ends sooner is told; the step goes on being measured.",
    )


def _no_literal_secret(headers: Headers) -> Headers:
    plain = [name for name, text in headers.items() if looks_sensitive(name) and "{" not in text]
    if plain:
        raise ValueError(f"{', '.join(plain)} holds a secret written out: declare it under secrets, write {{its name}}")
    return headers


class Endpoint(Secured):
    """A server at the far end: reached, its certificate looked at, one question asked, the answer judged."""

    url: Template = Field(description="`https://`, `http://`, `tls://HOST:PORT` or `tcp://HOST:PORT`.")
    method: Literal["GET", "HEAD"] = Field(default="GET", description="HTTP method; redirects are not followed.")
    headers: Headers = Field(default={}, description="Additional request headers (HTTP).")
    send: Template | None = Field(default=None, description="Text that is sent first (tcp and tls).")
    expect: Expect = Field(
        default=Expect(), description="What the answer must be; with tcp and tls `text` and `regex`, none by default."
    )

    _headers = field_validator("headers")(_no_literal_secret)

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        if not url.startswith((*WEB, *RAW)):
            raise ValueError("must begin with https://, http://, tls:// or tcp://")
        return url

    @model_validator(mode="after")
    def _fits_scheme(self) -> "Endpoint":
        if self.url.startswith(WEB) and self.send is not None:
            raise ValueError("send is for tcp:// and tls://: an HTTP request says what it wants by its url")
        if self.url.startswith(RAW):
            expect = self.expect
            if self.method != "GET" or self.headers or expect.status or expect.not_text or expect.json_values:
                raise ValueError("method, headers, status, not_text and json are for https:// and http://")
        return self


class Limits(Document):
    """What the newest delivery must be. Its age is judged; the step's duration is how long looking took."""

    oldest: Seconds = Field(description="Greatest age, weekends and holidays included: older is `stale`.")
    smallest: Bytes | None = Field(default=None, description="Least size; below it is `small`.")
    largest: Bytes | None = Field(default=None, description="Greatest size; above it is `large`.")


class FileDrop(Limits):
    """A folder, or the files that fit a pattern: the newest of them is judged."""

    path: Template = Field(
        description="A folder, or files (`/mnt/drop/*.xml`), relative to the journey file; hidden files do not count."
    )


class Report(Limits, Secured):
    """The result of a scheduled job: when it last finished, how long it took, how big its result is."""

    url: Template | None = Field(default=None, description="Where the result is told (`https://`, `http://`).")
    file: Template | None = Field(default=None, description="Or the file it leaves: as `path` of a file drop.")
    headers: Headers = Field(default={}, description="Additional request headers (HTTP).")
    expect: Expect = Field(default=Expect(), description="What the result must say, such as that it succeeded.")
    finished: Capture | None = Field(
        default=None, description="Where its end stands; `Last-Modified` or the file's own time if not given."
    )
    started: Capture | None = Field(default=None, description="Where its start stands, to know how long it took.")
    took: Capture | None = Field(
        default=None, description="Where its duration stands: seconds, `12 min`, `00:12:34` or `PT12M34S`."
    )
    size: Capture | None = Field(default=None, description="Where its size in bytes stands; what was read if not.")
    longest: Seconds | None = Field(default=None, description="Longest the job may take; longer is `long`.")
    zone: Text = Field(default="UTC", description="Time zone of times that do not name one: `Europe/London`.")
    time_format: Text | None = Field(
        default=None, description="How times are written, as in strptime; ISO 8601, HTTP and Unix times need none."
    )

    _headers = field_validator("headers")(_no_literal_secret)

    @field_validator("url")
    @classmethod
    def _web(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(WEB):
            raise ValueError("must begin with https:// or http://")
        return url

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError):
            raise ValueError("is not a time zone this machine knows: write UTC or Europe/London") from None
        return zone

    @model_validator(mode="after")
    def _fits(self) -> "Report":
        if (self.url is None) == (self.file is None):
            raise ValueError("needs exactly one of url and file")
        if self.file is not None and (self.headers or self.expect.status):
            raise ValueError("headers and status are for a url")
        if self.longest is not None and self.took is None and self.started is None:
            raise ValueError("longest needs took or started: where the duration stands")
        return self

    @property
    def reads(self) -> bool:
        """Say whether its file has to be opened: its age and size are known without."""
        captured = (self.finished, self.started, self.took, self.size)
        return self.expect != Expect() or any(one is not None for one in captured)


class LinkCheck(Document):
    """A look at an external link: exactly one of these."""

    endpoint: Endpoint | None = Field(default=None, description="A server at the far end.")
    file_drop: FileDrop | None = Field(default=None, description="A place where files are delivered.")
    report: Report | None = Field(default=None, description="The result of a scheduled extract or report job.")

    @model_validator(mode="after")
    def _exactly_one(self) -> "LinkCheck":
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError("needs exactly one of endpoint, file_drop and report")
        return self
