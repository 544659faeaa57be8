"""Signing in as estates have it, and whose time that is."""

import base64
import hashlib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from collector.model.run import Outcome, Phase, Run
from probes.driver import WalkContext, Witness
from probes.drivers.browser.plugin import PLUGIN
from probes.journey.file import parse
from tests.sites import casebook, challenge, raw
from tests.sites.portal import PASSWORD, SEED, Identity, Portal
from tests.stages.browser import SETTINGS, browse, needed

pytestmark = [pytest.mark.integration, pytest.mark.browser]

ACCOUNT = {"account": "probe-user", "password": PASSWORD}
FORM = (
    "{open: /}, {fill_secret: '{account}', into: {label: Account}},"
    " {fill_secret: '{password}', into: {label: Password}}, {click: {role: button, name: Next}}"
)
SIGNED_IN = "{wait_for: {role: heading, name: Welcome}}"


AUTHORITY = trustme.CA()
PINNED = trustme.CA().issue_cert("localhost")  # of an authority that nobody here knows
Browse = partial[Run]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Browse:
    """Give ``browse`` with settings that are the same for all of these tests: so they share one browser."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(path)
    key = load_pem_private_key(PINNED.private_key_pem.bytes(), None).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return partial(browse, ca_file=str(path), accepted_keys=[base64.b64encode(digest).decode()])


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    needed()
    with casebook.serving(Identity()) as identity, casebook.serving(Portal(identity)) as running:
        yield running


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    needed()
    with ExitStack() as stack:
        yield stack


def sign_in(
    walked: Browse, portal: Portal, *actions: str, secrets: dict[str, str], trusted: bool = True, **settings: object
) -> Run:
    step = f"{{step: login, sign_in: true, timeout: 10 s, browser: [{', '.join(actions)}]}}"
    head = f"trusted_origins: ['{portal.identity.url}']" if trusted else ""
    return walked(portal.url, step, head=head, secrets=secrets, **settings)


def test_the_identity_provider_s_time_is_a_phase_of_its_own(walked: Browse, portal: Portal) -> None:
    (step,) = sign_in(walked, portal, FORM, SIGNED_IN, secrets=ACCOUNT).steps
    assert step.outcome is Outcome.OK, step
    assert step.phases[Phase.IDENTITY] == pytest.approx(portal.identity.wait_seconds, abs=0.1)
    assert step.phases[Phase.IDENTITY] > portal.identity.wait_seconds
    assert step.phases[Phase.PROCESSING] < portal.identity.wait_seconds  # the application's own pages


def test_a_code_of_an_authenticator_is_made_from_its_secret(walked: Browse, portal: Portal) -> None:
    code = "{totp: '{seed}', into: {label: Code}}, {click: {role: button, name: Verify}}"
    secrets = {"account": "code-user", "password": PASSWORD, "seed": SEED}
    assert sign_in(walked, portal, FORM, code, SIGNED_IN, secrets=secrets).outcome is Outcome.OK


def test_a_refused_password_is_told_from_a_page_that_is_wrong(walked: Browse, portal: Portal) -> None:
    wrong = {"account": "probe-user", "password": "canary-wrong"}
    (step,) = sign_in(walked, portal, FORM, "{expect: {text: Welcome}}", secrets=wrong).steps
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "authentication")


def test_a_sign_in_that_needs_a_person_asks_for_the_exemption(walked: Browse, portal: Portal) -> None:
    push = {"account": "push-user", "password": PASSWORD}
    (step,) = sign_in(walked, portal, FORM, SIGNED_IN, secrets=push).steps
    assert (step.outcome, step.error_kind, step.seconds) == (Outcome.NOT_READY, "second_factor", None)
    assert "ask for an exemption" in (step.error or "")
    texts = ["number shown in your app"]
    (step,) = sign_in(
        walked, portal, FORM, SIGNED_IN, secrets=push, conditional_access=texts, second_factor=["none"]
    ).steps
    assert step.error_kind == "second_factor"  # a site adds to what is known, it does not replace it


def test_a_secret_is_not_given_to_a_page_of_another_server(walked: Browse, portal: Portal) -> None:
    (step,) = sign_in(walked, portal, FORM, SIGNED_IN, secrets=ACCOUNT, trusted=False).steps
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "address")
    assert "trusted_origins" in (step.error or "")


STEP = (
    "{step: login, sign_in: true, browser: [{credentials: {username: '%s', password: '{password}'}}, {open: /},"
    " {expect: {text: Good morning}}]}"
)


def test_the_browser_answers_for_itself_when_a_server_asks(walked: Browse, servers: ExitStack) -> None:
    users: list[str] = []
    port = servers.enter_context(raw.serving(challenge.ntlm(users)))
    run = walked(f"http://127.0.0.1:{port}", STEP % "CORP\\probe", secrets={"password": PASSWORD})
    assert run.outcome is Outcome.OK, run.steps
    assert users == ["CORP\\probe"]


@pytest.mark.parametrize(("given", "outcome"), [(PASSWORD, Outcome.OK), ("canary-wrong", Outcome.FAILED)])
def test_basic_sign_in(walked: Browse, servers: ExitStack, given: str, outcome: Outcome) -> None:
    port = servers.enter_context(raw.serving(challenge.basic("probe", PASSWORD)))
    run = walked(f"http://127.0.0.1:{port}", STEP % "probe", secrets={"password": given})
    assert run.outcome is outcome, run.steps
    assert run.steps[0].error_kind == (None if outcome is Outcome.OK else "authentication")


def test_a_client_certificate_is_shown(walked: Browse, servers: ExitStack, tmp_path: Path) -> None:
    issued = AUTHORITY.issue_cert("probe@council.example")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "probe.pem")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    (tmp_path / "probe.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    AUTHORITY.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    port = servers.enter_context(raw.serving(raw.answering(), tls=context))
    shown = f"client_certificate: {{certificate: '{tmp_path}/probe.pem', key: '{tmp_path}/probe.key'}}"
    step = "{step: a, timeout: 10 s, browser: [{open: /}, {expect: {text: ok}}]}"
    assert walked(f"https://localhost:{port}", step, head=shown).outcome is Outcome.OK
    assert walked(f"https://localhost:{port}", step).steps[0].error_kind == "tls"


def test_a_certificate_nobody_vouches_for_is_refused_unless_its_key_is_accepted(
    walked: Browse, servers: ExitStack
) -> None:
    step, kinds = "{step: a, timeout: 10 s, browser: [{open: /}, {expect: {text: ok}}]}", []
    for certificate in (PINNED, AUTHORITY.issue_cert("localhost")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        port = servers.enter_context(raw.serving(raw.answering(), tls=context))
        kinds.append(walked(f"https://localhost:{port}", step).steps[0].error_kind)
    assert kinds == [None, "tls"]


def test_it_tells_what_its_window_shows(walked: Browse, portal: Portal) -> None:
    """Sessions held open ask an open driver, after a step, why theirs may have ended."""
    context = WalkContext(
        run_id="0" * 32,
        journey=parse("name: a\nvariables: {base_url: }\nsteps: [{step: a, browser: [{open: /}]}]", Path("a.yaml")),
        values={"base_url": portal.url},
    )
    opened = PLUGIN.configured(SETTINGS | walked.keywords).open(context)
    try:
        assert isinstance(opened, Witness)
        assert opened.perform(context.journey.steps[0]).outcome is Outcome.OK
        assert (opened.shows("Identity"), opened.shows("Welcome"), opened.asks_for_password()) == (True, False, True)
    finally:
        opened.close()
