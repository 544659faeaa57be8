"""Generated input for the bench of sources: drawn by rule, shaped as products write it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BEGIN = datetime(2026, 11, 26, 8, tzinfo=UTC)
_SWITCH = ("ifHCInOctets", "ifHCOutOctets", "ifInErrors", "ifOutErrors", "ifInDiscards", "ifOutDiscards")


def switch_page(ports: int, reading: int) -> bytes:
    """Write what snmp_exporter gives of a switch with so many ports, at the reading of that number."""
    lines = []
    for name in _SWITCH:
        lines.append(f"# TYPE {name} counter")
        lines += [f"{name}{{{_port(port)}}} {reading * 1000 + port}" for port in range(ports)]
    lines.append("# TYPE ifHighSpeed gauge")
    lines += [f"ifHighSpeed{{{_port(port)}}} 1000" for port in range(ports)]
    return ("\n".join(lines) + "\n").encode()


def _port(port: int) -> str:
    return f'ifAlias="",ifDescr="GigabitEthernet1/0/{port}",ifIndex="{port}",ifName="Gi1/0/{port}"'


def windows_past(hosts: int, begin: float, end: float) -> str:
    """Write an OpenMetrics past of windows_exporter on so many hosts, every 15 seconds."""
    lines = []
    for name, kind in (("windows_memory_available_bytes", "gauge"), ("windows_cpu_time", "counter")):
        lines.append(f"# TYPE {name} {kind}")
        for host in range(hosts):
            labels = f'instance="app{host:02d}:9182"' + (',core="0,0",mode="idle"' if kind == "counter" else "")
            series = f"{name}{'_total' if kind == 'counter' else ''}{{{labels}}}"
            lines += [f"{series} {(at - begin) * 0.7 + 1:.3f} {at:.0f}" for at in _times(begin, end)]
    return "\n".join([*lines, "# EOF\n"])


def _times(begin: float, end: float) -> list[float]:
    return [begin + 15 * number for number in range(int((end - begin) // 15))]


def perfmon(path: Path, rows: int) -> None:
    """Write a performance log of so many rows with four counters."""
    names = (r"\Memory\Available MBytes", r"\System\Processor Queue Length", r"\LogicalDisk(D:)\Avg. Disk sec/Read")
    heads = ["(PDH-CSV 4.0) (GMT Standard Time)(0)", *(rf"\\APP01{name}" for name in names)]
    lines = [",".join(f'"{head}"' for head in heads)]
    for number in range(rows):
        at = (_BEGIN + timedelta(seconds=15 * number)).strftime("%m/%d/%Y %H:%M:%S.000")
        lines.append(f'"{at}","{2000 + number % 50}","{number % 4}","0.00{number % 9 + 1}"')
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")


def array_report(path: Path, rows: int) -> None:
    """Write the report of an array as CSV or, by its name, as Excel; with it ``array.yaml``, its mapping."""
    table: list[list[object]] = [["LUN", "time", "read (ms)", "write (ms)"]]
    for number in range(rows):
        at = f"{_BEGIN + timedelta(minutes=5 * (number // 20)):%Y-%m-%dT%H:%M:%S}"
        table.append([f"LUN-{number % 20}", at, 1 + number % 7, 2 + number % 5])
    path.with_name("array.yaml").write_text(
        "product: bench\ntime: {columns: [time], format: iso, zone: UTC}\ncomponent: {column: LUN}\nperiod: 5 min\n"
        "metrics:\n  - {name: read (ms), metric: storage.lun.read.latency, unit: ms}\n"
        "  - {name: write (ms), metric: storage.lun.write.latency, unit: ms}\n"
    )
    if path.suffix == ".csv":
        path.write_text("\n".join(";".join(map(str, row)) for row in table) + "\n")
        return
    from openpyxl import Workbook  # noqa: PLC0415  an extra

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in table:
        sheet.append(row)
    book.save(path)


def junit(path: Path, suites: int) -> None:
    """Write a report of so many suites of ten tests."""
    tests = "".join(f'<testcase classname="c" name="step-{number}" time="0.42"/>' for number in range(10))
    times = (_BEGIN + timedelta(minutes=number) for number in range(suites))
    told = (f'<testsuite name="cases" timestamp="{at:%Y-%m-%dT%H:%M:%S}+00:00">{tests}</testsuite>' for at in times)
    path.write_text(f"<testsuites>{''.join(told)}</testsuites>")


def k6(path: Path, iterations: int) -> None:
    """Write the points of so many iterations of a script with three groups."""
    lines = []
    for number in range(iterations):
        for group in range(3):
            at = _BEGIN + timedelta(seconds=3 * number + group)
            tags = {"scenario": "default", "group": f"::step-{group}", "vu": "1", "iter": str(number)}
            data = {"time": at.isoformat(), "value": 420.5, "tags": tags}
            lines.append(json.dumps({"type": "Point", "metric": "group_duration", "data": data}))
    path.write_text("\n".join(lines) + "\n")
