from pathlib import Path

import pytest

from collector.model.errors import ConfigError, WhichlayerError
from probes.drivers.browser import executable
from probes.drivers.browser.failure import not_loaded
from probes.drivers.browser.plugin import PLUGIN
from probes.journey.file import parse

DOCS = Path(__file__).parents[3] / "docs" / "drivers" / "browser.md"


def test_the_journey_of_the_docs_is_correct() -> None:
    text = DOCS.read_text(encoding="utf-8").split("## A journey")[1].split("```yaml\n")[1].split("```")[0]
    assert [step.language for step in parse(text, Path("case-search.yaml")).steps] == ["browser", "browser"]


def test_every_setting_is_in_the_docs() -> None:
    table = DOCS.read_text(encoding="utf-8").split("## Settings")[1].split("## What is measured")[0]
    assert [name for name in type(PLUGIN.settings).model_fields if f"`{name}`" not in table] == []


def test_settings_become_arguments() -> None:
    given = {"proxy": "none", "negotiate": ["*.example.org"], "accepted_keys": ["a=", "b="]}
    assert PLUGIN.configured(given).settings.arguments == (
        "--no-proxy-server",
        "--auth-server-allowlist=*.example.org",
        "--ignore-certificate-errors-spki-list=a=,b=",
    )
    assert PLUGIN.settings.arguments == ()
    with pytest.raises(ConfigError, match="must be environment, none, or an address"):
        PLUGIN.configured({"proxy": "proxy:3128"})


def test_a_browser_is_found_on_path_or_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = tmp_path / "microsoft-edge"
    edge.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert executable.find(None) == edge
    edge.unlink()
    with pytest.raises(WhichlayerError, match="apt-get install chromium"):
        executable.find(None)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ERR_NAME_NOT_RESOLVED", "resolve"),
        ("ERR_PROXY_CONNECTION_FAILED", "proxy"),
        ("ERR_TUNNEL_CONNECTION_FAILED", "proxy"),
        ("ERR_CONNECTION_REFUSED", "connect"),
        ("ERR_ADDRESS_UNREACHABLE", "connect"),
        ("ERR_CONNECTION_TIMED_OUT", "connect"),
        ("ERR_CERT_AUTHORITY_INVALID", "tls"),
        ("ERR_BAD_SSL_CLIENT_AUTH_CERT", "tls"),
        ("ERR_CONNECTION_RESET", "reset"),
        ("ERR_EMPTY_RESPONSE", "reset"),
        ("ERR_TOO_MANY_REDIRECTS", "redirect"),
        ("ERR_INVALID_AUTH_CREDENTIALS", "authentication"),
        ("ERR_HTTP2_PROTOCOL_ERROR", "protocol"),
    ],
)
def test_errors_of_the_browser_have_the_kinds_of_the_http_driver(code: str, kind: str) -> None:
    assert not_loaded(f"Page.goto: net::{code} at http://app/").kind == kind
