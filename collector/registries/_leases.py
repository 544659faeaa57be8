"""The rules of probe accounts: never two runs at once, and a pause after two failed sign-ins."""

from dataclasses import replace
from datetime import datetime

from collector.registry import Account, LeaseState

_FAILURES_THAT_PAUSE = 2


def fresh(name: str) -> Account:
    """An account nobody has used yet."""
    return Account(name=name, failures_in_a_row=0, paused_at=None, held_by=None, held_until=None)


def lease(
    account: Account, *, holder: str, until: datetime, now: datetime, renew: bool = False
) -> tuple[Account, LeaseState]:
    """Give the account after ``holder`` asked for it. A lease that ran out counts as given back.

    Who holds it already is told BUSY as well, unless it asks to ``renew``: one agent has several
    journeys, and a crashed one may still have a session open.
    """
    if account.paused_at is not None:
        return account, LeaseState.PAUSED
    if _held(account, now) and not (renew and account.held_by == holder):
        return account, LeaseState.BUSY
    return replace(account, held_by=holder, held_until=until), LeaseState.GRANTED


def release(account: Account, *, holder: str, authenticated: bool | None, now: datetime) -> tuple[Account, LeaseState]:
    """Give the account after ``holder`` reported how signing in went.

    The report counts even when the lease has run out: the service counted the failure too.
    """
    if account.held_by == holder:
        account = replace(account, held_by=None, held_until=None)
    if authenticated is True:
        account = replace(account, failures_in_a_row=0)
    elif authenticated is False:
        account = replace(account, failures_in_a_row=account.failures_in_a_row + 1)
    if account.failures_in_a_row >= _FAILURES_THAT_PAUSE and account.paused_at is None:
        account = replace(account, paused_at=now)
    if account.paused_at is not None:
        return account, LeaseState.PAUSED
    return account, LeaseState.BUSY if _held(account, now) else LeaseState.GRANTED


def _held(account: Account, now: datetime) -> bool:
    return account.held_until is not None and account.held_until > now
