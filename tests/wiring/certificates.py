"""Certificates of an authority of our own, for servers on this machine."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from tests.needs import needs


def certificate(folder: Path, name: str = "IP:127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """Make one for `name`; return what a server needs of it, and the PEM file that trusts it."""
    key, pem = folder / "key.pem", folder / "cert.pem"
    made = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /O=Ours/CN=here -keyout {key} -out {pem}"
    subprocess.run(
        [needs("openssl"), *made.split(), "-addext", f"subjectAltName={name}"], check=True, capture_output=True
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem, key)
    return tls, pem
