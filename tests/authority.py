"""A throw-away authority with openssl: right certificates, and each kind of wrong one, for servers on this machine."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.needs import needs

_CONFIG = """
[ca]
default_ca = ours
[ours]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
_NOW = ("20200101000000Z", "20991231000000Z")  # from, until


@dataclass(frozen=True)
class Authority:
    """Who signs, in a folder of its own."""

    folder: Path
    name: str = "authority"

    @property
    def pem(self) -> Path:
        """The file that trusts it."""
        return self.folder / f"{self.name}.pem"

    @classmethod
    def made(cls, folder: Path, name: str = "authority") -> Authority:
        """Make one."""
        (folder / "openssl.cnf").write_text(_CONFIG)
        (folder / "index.txt").touch()
        one = cls(folder, name)
        one._openssl(
            f"req -x509 -config openssl.cnf -extensions authority -days 3650 {one._new_key(name)} -out {name}.pem"
        )
        return one

    def server(
        self, name: str, address: str = "IP:127.0.0.1", lives: tuple[str, str] = _NOW, by: str | None = None
    ) -> ssl.SSLContext:
        """Return what a server needs of a new certificate `name` for an address; `by`: signed by that one of ours."""
        by = by or self.name
        made = f"req -new -config openssl.cnf {self._new_key(name)} -addext subjectAltName={address} -out {name}.csr"
        self._openssl(made)
        self._openssl(
            f"ca -batch -notext -config openssl.cnf -extensions leaf -cert {by}.pem -keyfile {by}.key "
            f"-startdate {lives[0]} -enddate {lives[1]} -in {name}.csr -out {name}.pem"
        )
        chain = self.folder / f"{name}-chain.pem"
        between = "" if by == self.name else (self.folder / f"{by}.pem").read_text()
        chain.write_text((self.folder / f"{name}.pem").read_text() + between)
        return _context(chain, self.folder / f"{name}.key")

    def signed_by_itself(self, name: str) -> ssl.SSLContext:
        """Return what a server needs of a certificate that nobody else signed."""
        made = f"req -x509 -config openssl.cnf -extensions leaf -days 3650 {self._new_key(name)} -out {name}.pem"
        self._openssl(f"{made} -addext subjectAltName=IP:127.0.0.1")
        return _context(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def subject_hash(self) -> str:
        """Return the name under which a folder of authorities has it."""
        return self._openssl(f"x509 -noout -subject_hash -in {self.name}.pem").strip()

    def _new_key(self, name: str) -> str:
        return f"-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -subj /CN={name}"

    def _openssl(self, arguments: str) -> str:
        asked = [needs("openssl"), *arguments.split()]
        return subprocess.run(asked, check=True, capture_output=True, text=True, cwd=self.folder).stdout


def _context(chain: Path, key: Path) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)
    return tls
