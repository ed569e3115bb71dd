"""Certificates for servers that play a real host, from mitmproxy's own CA: who trusts the proxy trusts them."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mitmproxy.certs import CertStore
from mitmproxy.options import CONF_BASENAME, KEY_SIZE


def host_certificate(confdir: Path, *names: str) -> Path:
    """A PEM file with key and certificate for these names. Makes the CA in `confdir` if mitmproxy has not yet."""
    store = CertStore.from_store(confdir, CONF_BASENAME, KEY_SIZE)
    made = store.get_cert(names[0], [x509.DNSName(name) for name in names])
    path = confdir / f"{names[0]}.pem"
    key = made.privatekey.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + made.cert.to_pem())
    return path
