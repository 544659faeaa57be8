"""A person at a browser, run inside a namespace of the lab: walks casebook and prints how long each step took.

``python visitor.py URL USER WALKS`` with the password on standard input; one JSON object per walk.
"""

import json
import re
import sys
import time
from collections.abc import Callable

import httpx2


def walk(url: str, user: str, password: str) -> dict[str, float]:
    seconds: dict[str, float] = {}

    def step(name: str, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        began = time.perf_counter()
        answer = ask()
        seconds[name] = time.perf_counter() - began
        assert answer.status_code in (200, 303), answer.text
        return answer

    with httpx2.Client(base_url=url, timeout=30, trust_env=False) as client:
        token = csrf(step("page", lambda: client.get("/login")))
        form = {"username": user, "password": password, "csrf_token": token}
        step("login", lambda: client.post("/login", data=form))
        step("search", lambda: client.get("/cases", params={"q": "smith"}))
        found = step("find", lambda: client.get("/cases", params={"q": "WHICHLAYER"}))
        case = re.search(r"/cases/\d+", found.text)
        assert case
        token = csrf(step("open", lambda: client.get(case[0])))
        note = {"csrf_token": token, "note": "a visitor was here"}
        step("save", lambda: client.post(f"{case[0]}/notes", data=note))
        assert "a visitor was here" in client.get(case[0]).text
        assert step("print", lambda: client.get(f"{case[0]}/print")).content.startswith(b"%PDF-")
    return seconds


def csrf(page: httpx2.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def main() -> None:
    password = sys.stdin.readline().strip()
    for _ in range(int(sys.argv[3])):
        sys.stdout.write(json.dumps(walk(sys.argv[1], sys.argv[2], password)) + "\n")


if __name__ == "__main__":
    main()
