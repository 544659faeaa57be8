"""Rows as Citrix documents them, with names of people in every place where Citrix has some."""

from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
T0 = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
CANARIES = ("canary-user", "canary-pc", "192.0.2.77", "canary-upn")


def at(seconds: float) -> str:
    """Write a time after ``T0`` as Monitor does."""
    return (T0 + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def session(number: int, *, started: float = 0, modified: float = 60, **more: Any) -> Row:
    row = {
        "SessionKey": f"4569fdfd-54c4-44c8-81a9-{number:012d}", "StartDate": at(started), "LogOnDuration": None,
        "EndDate": None, "ExitCode": 1, "FailureId": None, "FailureDate": None, "ConnectionState": 5,
        "SessionIdleTime": None, "ConnectionStateChangeDate": at(modified), "LifecycleState": 0,
        "CurrentConnectionId": number, "UserId": number, "MachineId": "m-1", "SessionType": 0, "IsAnonymous": False,
        "CreatedDate": at(started), "ModifiedDate": at(modified), "Failure": None,
        "CurrentConnection": {"Id": number, "DisconnectCode": 0, "DisconnectDate": None},
        "User": {"Id": number, "Upn": "canary-upn@example.org", "UserName": "canary-user", "FullName": "canary-user"},
    }  # fmt: skip
    return row | more


def connection(number: int, *, began: float = 0, modified: float = 60, **more: Any) -> Row:
    """Make the first connection of a session, with every phase of its logon over."""
    row = {
        "Id": number, "ClientName": "canary-pc", "ClientAddress": "192.0.2.77", "ClientVersion": "24.2",
        "ClientPlatform": "Windows", "ConnectedViaIPAddress": "192.0.2.77", "LaunchedViaIPAddress": "192.0.2.77",
        "IsReconnect": False, "IsSecureIca": False, "Protocol": "HDX", "LogOnStartDate": at(began + 3),
        "LogOnEndDate": at(began + 20), "BrokeringDuration": 1250, "BrokeringDate": at(began),
        "DisconnectCode": 0, "DisconnectDate": None, "VMStartStartDate": None, "VMStartEndDate": None,
        "HdxStartDate": at(began + 2), "HdxEndDate": at(began + 3.5), "AuthenticationDuration": 400,
        "GpoStartDate": at(began + 4), "GpoEndDate": at(began + 10.5), "LogOnScriptsStartDate": at(began + 10.5),
        "LogOnScriptsEndDate": at(began + 12), "ProfileLoadStartDate": at(began + 12),
        "ProfileLoadEndDate": at(began + 15), "InteractiveStartDate": at(began + 15),
        "InteractiveEndDate": at(began + 20), "EstablishmentDate": at(began + 2),
        "SessionKey": f"4569fdfd-54c4-44c8-81a9-{number:012d}", "CreatedDate": at(began), "ModifiedDate": at(modified),
    }  # fmt: skip
    return row | more


def metric(number: int, of: int, *, collected: float, modified: float, **more: Any) -> Row:
    row = {
        "Id": number, "SessionId": f"4569fdfd-54c4-44c8-81a9-{of:012d}", "CollectedDate": at(collected),
        "IcaRttMS": 84, "IcaLatency": 31, "CreatedDate": at(modified), "ModifiedDate": at(modified),
    }  # fmt: skip
    return row | more


def failure(number: int, *, failed: float, machine: str | None = "m-1") -> Row:
    return {
        "Id": number, "SessionKey": None, "FailureDate": at(failed), "UserId": number, "MachineId": machine,
        "ConnectionFailureEnumValue": 12, "CreatedDate": at(failed), "ModifiedDate": at(failed),
    }  # fmt: skip


def places() -> dict[str, list[Row]]:
    """Give two delivery groups with a machine each."""
    return {
        "DesktopGroups": [
            {"Id": "g-1", "Name": "Social Care", "LifecycleState": 0},
            {"Id": "g-2", "Name": "Finance", "LifecycleState": 0},
        ],
        "Machines": [
            {"Id": "m-1", "Name": "CORP\\VDA-01", "DesktopGroupId": "g-1", "AssociatedUserNames": "canary-user"},
            {"Id": "m-2", "Name": "CORP\\VDA-02", "DesktopGroupId": "g-2", "AssociatedUserNames": "canary-user"},
        ],
    }
