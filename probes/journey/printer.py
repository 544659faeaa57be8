"""A document that goes to a printer, as a journey says it."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from collector.document import Document, Seconds
from probes.journey.text import Template, Text

MimeType = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[A-Za-z0-9.+-]+$")]


SPOOLER = "spooler:"  # in place of an address: a printer of the Windows session the agent runs in


class PrintJob(Document):
    """A document that goes to a printer, by IPP or the Windows spooler: the answer looked at last, or a test page."""

    uri: Template = Field(
        description="Address of the printer or queue: `ipp://HOST/ipp/print`, `ipps://…`, `ipp://HOST:631/printers/NAME`;"
        " `spooler:` for a printer of this Windows session."
    )
    printer_name: Template = Field(
        description="What the printer calls itself (its name or its info): with another one there nothing is sent."
        " With `spooler:` its name in Windows; `*` and `?` stand for anything, and exactly one must match."
    )
    file: Text | None = Field(
        default=None, description="A test page, relative to the journey file; if not given, the answer looked at last."
    )
    format: MimeType | None = Field(
        default=None,
        description="Its type, such as `application/pdf`; if not given, as the answer or the file says."
        " With `spooler:` it must be given: what this printer takes as it is.",
    )
    pages: int | None = Field(default=None, ge=1, description="How many printed sides the printer must count.")
    poll: Seconds = Field(default=0.25, ge=0.02, description="Time between two looks at the job; half of it is the ±.")
    patience: Seconds = Field(
        default=2.0, description="How long the printer may stand still, or ask for paper, before the step has failed."
    )

    @field_validator("uri")
    @classmethod
    def _scheme(cls, uri: str) -> str:
        if uri != SPOOLER and not uri.startswith(("ipp://", "ipps://", "{")):
            raise ValueError("must begin with ipp:// or ipps://, be spooler:, or be the {name} of a variable that is")
        return uri
