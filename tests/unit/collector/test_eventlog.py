"""Windows event logs as files: which entries are kept, as what, of whom, and what is wrong with a file by its line.

Entries have the documented shapes; none was exported from a real machine.
"""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collector.importer import Asked, Imported
from collector.importers.eventlog import PLUGIN
from collector.importers.table.plugin import PLUGIN as TABLE
from collector.model.errors import ConfigError
from collector.model.host_event import HostLog
from collector.model.session import EndCause
from collector.pseudonym import Pseudonyms

KEY = Pseudonyms(b"k" * 32)
LONDON = ZoneInfo("Europe/London")
MANAGER = "Microsoft-Windows-TerminalServices-LocalSessionManager"
XMLNS = "http://schemas.microsoft.com/win/2004/08/events/event"


def event(number: int, said: str, *, provider: str = MANAGER, at: str = "09:40:12.1234567", data: bool = False) -> str:
    body = (
        f"<EventData>{said}</EventData>"
        if data
        else f'<UserData><EventXML xmlns="Event_NS">{said}</EventXML></UserData>'
    )
    return (
        f'<Event xmlns="{XMLNS}"><System><Provider Name="{provider}" Guid="{{0}}"/><EventID Qualifiers="1">{number}'
        f'</EventID><TimeCreated SystemTime="2026-11-26T{at}Z"/><Computer>TS01.council.example</Computer></System>'
        f"{body}</Event>\r\n"
    )


def person(name: str, session: int) -> str:
    return f"<User>COUNCIL\\{name}</User><SessionID>{session}</SessionID><Address>10.0.0.5</Address>"


KERNEL = "Microsoft-Windows-Kernel-Power"
LOG = "".join([
    event(21, person("Smith", 3), at="08:00:00"),
    event(21, person("probe-3", 4), at="08:00:01"),
    event(24, person("Smith", 3)),
    event(40, "<Session>4</Session><Reason>3</Reason>"),
    event(40, "<Session>4</Session><Reason>0</Reason>", at="09:50:00"),
    event(40, "<Session>9</Session><Reason>3489661057</Reason>", at="09:51:00"),
    event(39, "<TargetSession>4</TargetSession><Source>7</Source>", at="09:52:00"),
    event(39, "<TargetSession>4</TargetSession><Source>4</Source>", at="09:53:00"),
    event(23, person("probe-3", 4), at="09:54:00"),
    event(6008, "<Data>09:40:12</Data><Data>26/11/2026</Data>", provider="EventLog", at="10:00:00", data=True),
    event(41, '<Data Name="BugcheckCode">0</Data>', provider=KERNEL, at="10:00:01", data=True),
    event(1074, '<Data Name="param7">COUNCIL\\Admin</Data>', provider="User32", at="10:05:00", data=True),
    event(1000, "<Data>casebook.exe</Data><Data>1.0</Data>", provider="Application Error", at="10:06:00", data=True),
    event(1002, '<Data Name="AppName">C:\\x\\a b.exe</Data>', provider="Application Hang", at="10:07:00", data=True),
    event(7036, "<Data>spooler</Data>", provider="Service Control Manager", data=True),
])  # fmt: skip


def read(path: Path, text: str, *, encoding: str = "utf-8", zone: ZoneInfo | None = None) -> Imported:
    path.write_bytes(text.encode(encoding))
    held = {"probe-3": "ward-3-pc"}
    return PLUGIN.read(path, Asked(site="council", zone=zone, held=held, pseudonyms=lambda: KEY))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("around", ["{}", '<?xml version="1.0" encoding="utf-16"?>\n<Events>{}</Events>'])
def test_what_ends_sessions_is_kept_with_its_cause(tmp_path: Path, encoding: str, around: str) -> None:
    found = read(tmp_path / "a.xml", around.format(LOG), encoding=encoding)
    events = found.facts.host_events
    assert [(one.event_number, one.cause) for one in events] == [
        (21, None), (21, None), (24, None), (40, EndCause.IDLE), (40, None), (40, None), (39, EndCause.REPLACED),
        (39, None), (23, None), (6008, EndCause.HOST), (41, EndCause.HOST), (1074, EndCause.ADMIN),
        (1000, EndCause.APPLICATION), (1002, EndCause.APPLICATION),
    ]  # fmt: skip
    assert (events[3].said, events[3].code) == ("disconnected: idle time limit (reason 3)", 3)
    assert (events[5].code, "without a name" in events[5].said) == (3489661057, True)
    assert [one.program for one in events[-2:]] == ["casebook.exe", "a b.exe"]
    assert {one.log for one in events[:9]} == {HostLog.SESSIONS}
    assert {one.host for one in events} == {"ts01.council.example"}
    assert events[2].at == datetime(2026, 11, 26, 9, 40, 12, 123456, tzinfo=UTC)
    assert list(found.warnings) == [
        "1 events of other kinds are not kept",
        "1 disconnections do not say whose: the log on is not in the file",
    ]


def test_names_become_pseudonyms_and_a_session_that_has_a_number_only_gets_its_user(tmp_path: Path) -> None:
    events = read(tmp_path / "a.xml", LOG).facts.host_events
    written = repr(events)
    assert [name for name in ("Smith", "probe-3", "Admin", "COUNCIL", "10.0.0.5") if name in written] == []
    smith, probe = KEY.of("user", "council\\smith"), KEY.of("user", "council\\probe-3")
    assert [one.user for one in events[:6]] == [smith, probe, smith, probe, probe, None]
    assert [one.endpoint for one in events[:6]] == [None, "ward-3-pc", None, "ward-3-pc", "ward-3-pc", None]
    with pytest.raises(ConfigError, match="without the key of the site"):
        PLUGIN.read(tmp_path / "a.xml", Asked(site="council"))


HEADINGS = '"Message","Id","ProviderName","MachineName","TimeCreated"'


def row(number: int, message: str, at: str, provider: str = MANAGER) -> str:
    return f'"{message}","{number}","{provider}","TS01.council.example","{at}"'


ENGLISH = [
    row(21, "Remote Desktop Services: Session logon succeeded:\r\n\r\nUser: COUNCIL\\probe-3\r\nSession ID: 4\r\n"
            "Source Network Address: 10.0.0.5", "26/11/2026 09:00:00"),
    row(40, "Session 4 has been disconnected, reason code 5", "26/11/2026 09:40:12"),
    row(1000, "Faulting application name: casebook.exe, version: 1.0", "26/11/2026 09:41:00", "Application Error"),
]  # fmt: skip
GERMAN = [
    row(
        21, "Sitzungsanmeldung erfolgreich:\r\n\r\nBenutzer: COUNCIL\\probe-3\r\nSitzungs-ID: 4", "26.11.2026 09:00:00"
    ),
    row(40, "Die Sitzung 4 wurde getrennt, Ursachencode 5", "26.11.2026 09:40:12"),
    row(
        1000, "Name der fehlerhaften Anwendung: casebook.exe, Version: 1.0", "26.11.2026 09:41:00", "Application Error"
    ),
]
AMERICAN = [
    one.replace("26/11/2026 09", "11/26/2026 9").replace(':00"', ':00 AM"').replace(':12"', ':12 AM"')
    for one in ENGLISH
]
ISO = [one.replace("26/11/2026 ", "2026-11-26T") for one in ENGLISH]


@pytest.mark.parametrize("rows", [ENGLISH, GERMAN, AMERICAN, ISO], ids=["English", "German", "American", "ISO"])
@pytest.mark.parametrize("first", ["", "#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\r\n"])
def test_csv_is_read_in_any_language_by_the_place_of_numbers(tmp_path: Path, rows: list[str], first: str) -> None:
    text = first + "\r\n".join([HEADINGS, *rows]) + "\r\n"
    on, off, crash = read(tmp_path / "a.csv", text, encoding="utf-16", zone=LONDON).facts.host_events
    assert (off.cause, off.code, off.session, off.endpoint) == (EndCause.REPLACED, 5, 4, "ward-3-pc")
    assert on.user == off.user == KEY.of("user", "council\\probe-3")
    assert (crash.program, off.at) == ("casebook.exe", datetime(2026, 11, 26, 9, 40, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (event(24, person("a", 1)) + event(24, person("b", 2))[:-30], ":2:"),
        ("<Events>\n<Event><System/></Event></Events>", ":2:1 is an event without EventID"),
        (LOG.replace("2026-11-26T09:50:00Z", "yesterday"), ":5:1 is an event without a time"),
        (event(40, "<Session>4</Session>"), ":1:1 is a disconnection (40) without a session and a reason code"),
        (event(40, "<Session>x</Session><Reason>1</Reason>"), ":1:1 has a session that is no number"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>\n' + LOG, "is no event log"),
        (f"<Event xmlns='{XMLNS}'><!DOCTYPE a></Event>", ":1:"),
        ("\r\n".join([HEADINGS, ENGLISH[0], '"cut","40"']), ":7:1 has 2 columns, the headings are 5: is it cut?"),
        (
            "\r\n".join([HEADINGS, *(one.replace("26/", "06/") for one in ENGLISH)]),
            ":2:1 has times in which day and month",
        ),
        ("\r\n".join([HEADINGS, row(40, "", "soon")]), ":2:1 has no time that can be read: 'soon'"),
        ("\r\n".join([HEADINGS, ENGLISH[1].replace("40", "x", 1)]), ":2:1 has an Id that is no number"),
        ("a,b\r\n1,2", "has no columns Id, ProviderName, MachineName, TimeCreated"),
        ("", "has no columns"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "a.log", text, zone=LONDON)
    assert said in str(caught.value)


def test_local_times_need_a_zone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give --zone"):
        read(tmp_path / "a.csv", "\r\n".join([HEADINGS, *ENGLISH]))


def test_it_is_known_by_its_beginning_and_no_table_is_taken_for_it() -> None:
    assert PLUGIN.knows("a.txt", LOG.encode("utf-16")[:4096])
    assert PLUGIN.knows("a.csv", HEADINGS.encode())
    assert not TABLE.knows("a.csv", HEADINGS.encode("utf-16"))
    assert not PLUGIN.knows("a.xml", b"<testsuites><testsuite name='Event'/>")
