"""A real directory (OpenLDAP's slapd) on loopback, with one person in it and TLS on both its doors."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

PROGRAM = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
USER, ENTRY = "cn=probe,dc=council,dc=example", "ou=people,dc=council,dc=example"
PASSWORD = "canary-4471-directory"
_CONFIGURATION = """\
include /etc/ldap/schema/core.schema
pidfile {folder}/pid
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
access to attrs=userPassword by anonymous auth
access to * by users read
database ldif
suffix "dc=council,dc=example"
directory {folder}/entries
"""
_ENTRIES = f"""\
dn: dc=council,dc=example
objectClass: dcObject
objectClass: organization
o: Council
dc: council

dn: {ENTRY}
objectClass: organizationalUnit
ou: people

dn: {USER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: probe
userPassword: {PASSWORD}
"""


@dataclass(frozen=True)
class Running:
    """The server; it is stopped for a while by ``hang``."""

    plain: int
    tls: int
    process: "subprocess.Popen[bytes]"

    @contextmanager
    def hang(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def serving(folder: Path, authority: trustme.CA) -> Iterator[Running]:
    """Skip where there is none."""
    if PROGRAM is None:
        pytest.skip("there is no directory: apt-get install slapd")
    (folder / "entries").mkdir()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    (folder / "slapd.conf").write_text(_CONFIGURATION.format(folder=folder))
    filled = [PROGRAM, "-T", "add", "-f", str(folder / "slapd.conf")]
    subprocess.run(filled, input=_ENTRIES.encode(), check=True, capture_output=True)
    plain, tls = (_free_port() for _ in range(2))
    addresses = f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls}"
    command = [PROGRAM, "-d", "0", "-f", str(folder / "slapd.conf"), "-h", addresses]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(plain, process)
        yield Running(plain, tls, process)
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError("slapd did not start")
