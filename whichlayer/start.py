"""Writes the first configuration of a site: one commented whichlayer.yaml and the journey it names."""

import io
import json
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from collector.document import parse
from collector.model.errors import WhichlayerError
from probes.journey import file as journeys
from whichlayer.draft import Draft
from whichlayer.settings import Settings

CONFIGURATION = "whichlayer.yaml"
JOURNEY = "first-journey.yaml"

_JOURNEY_HEAD = """\
# A journey drafted by `whichlayer init` from what {url} shows. Make it what your users do all day:
#   targets   what your users and your contract call acceptable; a step over its target is slow from day one;
#   expect    texts that only the right answer shows;
#   steps     docs/journeys.md explains every key.
# Then: whichlayer journey check {journey}
# The hash of this file's content goes with every result, so an edit never passes as a change of the system.
"""

_CONFIGURATION = """\
# whichlayer.yaml, written by `whichlayer init` on {day}. Every key is explained in docs/reference.md.
# Check it: whichlayer agent check --config {configuration}
# Run it:   whichlayer up --config {configuration}

site: {site}

# What `whichlayer up` serves: doors for agents, and the pages on http://127.0.0.1:8620/.
collector:
  data: whichlayer-data
  host: 127.0.0.1     # any other address needs tls, or --behind-proxy
  port: 8620

# The endpoint on this machine. Other machines have an agent section of their own, enrolled with
# `whichlayer agent enrol`; runs of the same slot on different endpoints are compared with each other.
agent:
  endpoint: {endpoint}
  access:
    link: {link}       # the label wins over detection, and every run says that it is a label
  journeys:
    - file: {journey}
      every: 5 min
      account: {account}     # one account per endpoint, made for the probe: never used twice at once
      secrets:
        username: {username}
        password: {password}
  samplers:
    # The probe's own machine, so that a busy endpoint is never mistaken for a slow system. Put an agent
    # without journeys on the application server to see its memory, processes and volumes.
    - sampler: host
      component: {endpoint}
      every: 10 s
      settings: {{role: endpoint}}
  # The most all probes together may cost the live system; `agent check` refuses a plan that exceeds it.
  budget:
    logons_per_hour: 12
    writes_per_hour: {writes}
    pages_per_day: 0
    concurrent_licences: 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What ``init`` asked for. ``username`` and ``password`` are secret references."""

    url: str
    username: str
    password: str
    link: str
    site: str
    endpoint: str
    writes: bool


def endpoint_name() -> str:
    """Give this machine's name in a form that can name an endpoint."""
    return re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-") or "endpoint-1"


def absolute(reference: str) -> str:
    """Give the same secret reference, with the path of a file: made absolute."""
    kind, _, rest = reference.partition(":")
    return f"file:{Path(rest).expanduser().absolute()}" if kind == "file" and rest else reference


def write(folder: Path, answers: Answers, draft: Draft) -> tuple[Path, Path]:
    """Write both files; give their paths. Raises WhichlayerError when the folder does not take them."""
    configuration, journey = folder / CONFIGURATION, folder / JOURNEY
    walked = _JOURNEY_HEAD.format(url=answers.url, journey=JOURNEY) + "\n" + _yaml(draft.journey)
    journeys.parse(walked, journey)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        journey.write_text(walked, encoding="utf-8")
        configuration.write_text(_configuration(answers), encoding="utf-8")
    except OSError as error:
        raise WhichlayerError(f"{folder} cannot be written to: {error.strerror}; choose another --folder") from None
    return configuration, journey


def check(folder: Path, answers: Answers) -> None:
    """Look at the answers before anything is asked of the application. Raises ConfigError, or as ``write`` does."""
    for path in (folder / CONFIGURATION, folder / JOURNEY):
        if path.exists():
            raise WhichlayerError(f"{path} is there already: move it away, or choose another --folder")
    parse(_configuration(answers), folder / CONFIGURATION, Settings)


def _configuration(answers: Answers) -> str:
    return _CONFIGURATION.format(
        day=datetime.now(UTC).date().isoformat(),
        configuration=CONFIGURATION,
        site=_quoted(answers.site),
        endpoint=_quoted(answers.endpoint),
        link=_quoted(answers.link),
        journey=JOURNEY,
        account=_quoted(f"probe-{answers.endpoint}"[:100]),
        username=_quoted(answers.username),
        password=_quoted(answers.password),
        writes=12 if answers.writes else 0,
    )


def _quoted(text: str) -> str:
    """Write a text so that YAML reads exactly it, whatever is in it: plainly where that is possible."""
    return text if re.fullmatch(r"[A-Za-z][\w./:-]*", text) else json.dumps(text)


def _yaml(content: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "")
    )
    text = io.StringIO()
    yaml.dump(content, text)
    return text.getvalue()
