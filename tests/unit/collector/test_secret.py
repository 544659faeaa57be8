"""Secrets come by reference and are taken out of every text."""

from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from collector import secret
from collector.model.errors import SecretError

CANARY = "canary-9f3c-pass"


class OneEntryKeyring(KeyringBackend):
    """A keyring that really stores, in memory: the machine's own needs a desktop."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_PASSWORD", CANARY)
    assert secret.resolve("env:PROBE_PASSWORD") == CANARY
    assert secret.hide(f"POST failed: password={CANARY}!") == "POST failed: password=•••!"


def test_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from-a-file\n")
    path.chmod(0o600)
    assert secret.resolve("file:password", base=tmp_path) == "from-a-file"
    path.chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        secret.resolve("file:password", base=tmp_path)


def test_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", OneEntryKeyring())
    keyring.set_password("whichlayer", "wired-1", "from-the-keyring")
    assert secret.resolve("keyring:whichlayer/wired-1") == "from-the-keyring"
    with pytest.raises(SecretError, match="keyring set whichlayer wifi-1"):
        secret.resolve("keyring:whichlayer/wifi-1")


@pytest.mark.parametrize("reference", [CANARY, "env:", f"plain:{CANARY}", "env:NOT_SET_ANYWHERE", "file:not-there"])
def test_a_bad_reference_says_what_to_do_and_never_repeats_a_value(reference: str) -> None:
    with pytest.raises(SecretError) as caught:
        secret.resolve(reference)
    assert CANARY not in str(caught.value) or reference == CANARY


def test_longer_secrets_are_hidden_first() -> None:
    secret.remember("abcd")
    secret.remember("abcd-efgh")
    assert secret.hide("abcd-efgh abcd") == "••• •••"
