"""The directory as casebook uses it: at each log-on it asks what the person belongs to."""

import httpx2

from deploy.lab.casebook.timing import Timing

_TIMEOUT = 10.0  # seconds


class Directory:
    """One directory service, by its address."""

    def __init__(self, url: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=_TIMEOUT, trust_env=False)

    def teams(self, account: str, timing: Timing) -> list[str]:
        """Name the teams of an account. Raises httpx2.HTTPError when the directory does not answer."""
        with timing.identity():
            answer = self._client.get(f"/people/{account}")
        answer.raise_for_status()
        return list(answer.json()["teams"])
