"""The language of external links: what may be said, and the words for what may not."""

from pathlib import Path

import pytest

from collector.model.errors import ConfigError
from probes.journey.file import Journey, parse
from probes.journey.link import byte_count

FILE = Path("link.yaml")
PAGE = Path(__file__).parents[3] / "docs" / "drivers" / "link.md"


def journey(check: str, more: str = "") -> Journey:
    return parse(f"name: link\n{more}\nsteps: [{{step: a, link: {{{check}}}}}]", FILE)


def mistakes(check: str, more: str = "") -> str:
    with pytest.raises(ConfigError) as error:
        journey(check, more)
    return str(error.value)


def test_the_example_of_the_page_is_one() -> None:
    example = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    read = parse(example, FILE)
    assert [step.language for step in read.steps] == ["link"] * 4
    drop = read.steps[2].link
    assert drop is not None
    assert drop.file_drop is not None
    assert (drop.file_drop.oldest, drop.file_drop.smallest, drop.file_drop.largest) == (93600.0, 10_000, 2_000_000_000)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("", "needs exactly one of"),
        ("endpoint: {url: 'https://x'}, file_drop: {path: x, oldest: 1 d}", "exactly one of endpoint, file_drop"),
        ("endpoint: {url: 'ftp://x'}", "must begin with https://, http://, tls:// or tcp://"),
        ("endpoint: {url: 'https://x', send: hello}", "send is for tcp:// and tls://"),
        ("endpoint: {url: 'tcp://x:1', expect: {status: 200}}", "are for https:// and http://"),
        ("endpoint: {url: 'tls://x:1', headers: {A: b}}", "are for https:// and http://"),
        ("endpoint: {url: 'https://x', headers: {Authorization: Bearer abc}}", "holds a secret written out"),
        ("endpoint: {url: 'https://x', minimum_tls: '1.1'}", "'1.2' or '1.3'"),
        ("endpoint: {url: 'https://{nobody}'}", "{nobody} is not known here"),
        ("file_drop: {path: x}", "oldest: is missing"),
        ("file_drop: {path: x, oldest: 1 d, smallest: much}", "is not a size: write 200 kB"),
        ("report: {oldest: 1 d}", "needs exactly one of url and file"),
        ("report: {file: x, url: 'https://x', oldest: 1 d}", "needs exactly one of url and file"),
        ("report: {url: 'tcp://x:1', oldest: 1 d}", "must begin with https:// or http://"),
        ("report: {file: x, oldest: 1 d, expect: {status: 200}}", "headers and status are for a url"),
        ("report: {file: x, oldest: 1 d, longest: 1 h}", "longest needs took or started"),
        ("report: {file: x, oldest: 1 d, zone: Mars/Base}", "is not a time zone"),
    ],
)
def test_mistakes_say_what_to_write(check: str, words: str) -> None:
    assert words in mistakes(check)


@pytest.mark.parametrize(
    "key", ["url: 'https://{pin}'", "send: '{pin}', url: 'tcp://x:1'", "url: 'https://x', expect: {json: {a: '{pin}'}}"]
)
def test_a_secret_has_its_places(key: str) -> None:
    assert "{pin} is a secret" in mistakes(f"endpoint: {{{key}}}", "secrets: {pin: }")
    assert journey("endpoint: {url: 'https://x', headers: {A: '{pin}'}}", "secrets: {pin: }").secrets == {"pin": None}


@pytest.mark.parametrize(
    ("written", "bytes_meant"), [("200 kB", 200_000), ("1.5 MiB", 1_572_864), (12, 12), ("0 B", 0), (0, 0)]
)
def test_sizes(written: object, bytes_meant: int) -> None:
    assert byte_count(written) == bytes_meant


@pytest.mark.parametrize("written", ["10", "10 mb", -1, True, 1.5, "ten MB", None])
def test_what_is_no_size(written: object) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        byte_count(written)
