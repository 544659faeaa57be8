"""The remote driver with FreeRDP's client and an RDP host (xrdp): what the window viewer is for."""

from pathlib import Path

import pytest

from collector.model.run import MEASURED, Outcome, Phase
from deploy.bench.remote_display import SETTINGS
from deploy.lab import rdp_host
from probes.driver import WalkContext
from probes.drivers.remote.plugin import PLUGIN
from probes.journey.file import parse

MISSING = rdp_host.missing()
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(MISSING is not None, reason=MISSING or ""),
]

PASSWORD = "canary-rdp-4711"
JOURNEY = """
name: rdp
variables: {host: 127.0.0.1, port: "3389"}
secrets: {password: env:RDP_PASSWORD}
steps:
  - step: logon
    sign_in: true
    screen:
      - logon:
          credentials: {password: "{password}"}
          ready: {colour: "#20a040", region: [0, 0, 800, 16], share: 0.9}
  - step: type
    screen: [{keystrokes: {keys: asd, region: [0, 180, 800, 120]}}]
"""


def test_a_session_over_rdp_is_timed_and_its_end_is_told(tmp_path: Path) -> None:
    journey = parse(JOURNEY, tmp_path / "journey.yaml")
    with rdp_host.serving(PASSWORD) as host:
        values = {"host": "127.0.0.1", "port": str(host.port)}
        context = WalkContext(run_id="0" * 32, journey=journey, values=values, secrets={"password": PASSWORD})
        session = PLUGIN.configured(SETTINGS["rdp"]).open(context)
        try:
            logon, typed = map(session.perform, journey.steps)
            host.session_process("Xorg").kill()
            dropped = session.perform(journey.steps[1])
        finally:
            session.close()
    assert logon.outcome in MEASURED, logon
    assert set(logon.phases) == {Phase.LAUNCH, Phase.PIXELS, Phase.READY}
    assert typed.outcome in MEASURED, typed
    assert (dropped.outcome, dropped.error_kind) == (Outcome.DROPPED, "logged_off")
    assert PASSWORD not in repr((logon, typed, dropped))
