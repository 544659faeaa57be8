"""The stage of the link driver: a far end with a certificate, a file drop, the report of a job. All are only read."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from probes.journey.file import parse
from tests.sites import raw
from tests.stages.stage import Stage

JOURNEY = """
name: national-link
variables: {place: }
secrets: {token: }
steps:
  - step: reach
    target: 2 s
    timeout: 3 s
    link:
      endpoint:
        url: https://{place}/status
        headers: {Authorization: "Bearer {token}"}
        expect: {text: ok}
        certificate_left: 1 d
  - {step: drop, link: {file_drop: {path: "*.xml", oldest: 1 d}}}
  - {step: extract, target: 2 s, link: {report: {file: extract.json, took: {json: took}, oldest: 1 d, longest: 1 h}}}
"""


@contextmanager
def serving() -> Iterator[Stage]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with tempfile.TemporaryDirectory() as name, raw.serving(raw.answering(), tls=context) as port:
        folder = Path(name)
        authority.cert_pem.write_to_path(folder / "ca.pem")
        (folder / "day.xml").write_text("<day/>")
        (folder / "extract.json").write_text('{"took": "12 min"}')
        yield Stage(
            journey=parse(JOURNEY, folder / "national-link.yaml"),
            variables={"place": f"127.0.0.1:{port}"},
            nowhere={"place": "127.0.0.1:9"},  # the discard port: nobody listens
            secrets={"token": "canary-link-stage"},
            settings={"ca_file": folder / "ca.pem"},
        )
