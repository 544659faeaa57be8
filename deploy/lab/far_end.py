"""The far end of the lab's external link: a service of somebody else, with a certificate, that answers as late as told.

``python -m deploy.lab.far_end ADDRESS PORT FOLDER`` writes ``authority.pem``, which vouches for it, into FOLDER.
It is told on standard input how long it thinks, as ``{"seconds": 0.5}``.
"""

import json
import ssl
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

AUTHORITY = "authority.pem"
_ISSUER = "Lab National Body CA"
_DAYS = 90  # that the certificate is good for
_ANSWER = json.dumps({"service": {"state": "open"}}).encode()


class _Service(BaseHTTPRequestHandler):
    thinks = 0.0  # seconds

    def do_GET(self) -> None:
        """Think, then say that the service is open."""
        time.sleep(self.thinks)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(_ANSWER)))
        self.end_headers()
        self.wfile.write(_ANSWER)

    def log_message(self, *_: object) -> None:
        """Keep the log for what goes wrong."""


def certify(address: str, folder: Path) -> ssl.SSLContext:
    """Make an authority and a certificate for ``address``; gives what a server needs, writes what clients trust."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _ISSUER)])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "national.example")])
    authority = _begun(issuer, authority_key, issuer).add_extension(x509.BasicConstraints(True, 0), critical=True)
    for_names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    certificate = _begun(subject, key, issuer).add_extension(for_names, critical=False)
    (folder / AUTHORITY).write_bytes(_pem(authority.sign(authority_key, hashes.SHA256())))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    mine = folder / "far-end.pem"
    mine.touch(mode=0o600)
    mine.write_bytes(private + _pem(certificate.sign(authority_key, hashes.SHA256())))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mine)
    mine.unlink()
    return context


def _begun(subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def main() -> None:
    """Serve until standard input closes."""
    address, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    context = certify(address, folder)
    with ThreadingHTTPServer((address, port), _Service) as server:
        # The handshake is the business of the connection's own thread: nobody waits for another's.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for line in sys.stdin:
            _Service.thinks = float(json.loads(line)["seconds"])
        server.shutdown()


if __name__ == "__main__":
    main()
