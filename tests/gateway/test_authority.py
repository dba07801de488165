"""The authority of one run."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from uvmre.gateway.authority import Authority


def handshake(server: ssl.SSLContext, trusted: Path, name: str) -> dict[str, object]:
    """Shake hands over a real pair of sockets, and return the certificate that the client was shown."""
    here, there = socket.socketpair()
    here.settimeout(20)
    there.settimeout(20)

    def serve() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as secured:
                secured.recv(1)
        except OSError:
            there.close()  # a client that does not trust us hangs up; it is the one that tells

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        context = ssl.create_default_context(cafile=str(trusted))
        with here, context.wrap_socket(here, server_hostname=name) as secured:
            return dict(secured.getpeercert() or {})
    finally:
        thread.join(20)


def test_what_is_written_is_one_certificate_and_no_key(tmp_path: Path) -> None:
    path = tmp_path / "authority.pem"
    Authority().write(path)
    text = path.read_text()
    assert text.count("-----BEGIN CERTIFICATE-----") == 1
    assert "PRIVATE" not in text
    assert "KEY" not in text
    loaded = ssl.create_default_context(cafile=str(path)).get_ca_certs()
    assert len(loaded) == 1


def test_nothing_else_is_written(tmp_path: Path) -> None:
    authority = Authority()
    authority.write(tmp_path / "authority.pem")
    authority.context("pypi.org")
    assert [path.name for path in tmp_path.iterdir()] == ["authority.pem"]


def test_a_context_is_made_once_for_each_host() -> None:
    authority = Authority()
    assert authority.context("pypi.org") is authority.context("pypi.org")
    assert authority.context("pypi.org") is not authority.context("files.pythonhosted.org")


def test_two_authorities_share_no_context() -> None:
    assert Authority().context("pypi.org") is not Authority().context("pypi.org")


@pytest.mark.parametrize("host", ["pypi.org", "pypi-proxy.fly.dev"])
def test_a_client_that_trusts_the_authority_accepts_its_hosts(tmp_path: Path, host: str) -> None:
    authority = Authority()
    authority.write(tmp_path / "authority.pem")
    shown = handshake(authority.context(host), tmp_path / "authority.pem", host)
    assert shown["subjectAltName"] == (("DNS", host),)


def test_a_certificate_is_good_for_its_own_host_only(tmp_path: Path) -> None:
    authority = Authority()
    authority.write(tmp_path / "authority.pem")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate is not valid for"):
        handshake(authority.context("pypi.org"), tmp_path / "authority.pem", "files.pythonhosted.org")


def test_another_runs_authority_is_not_trusted(tmp_path: Path) -> None:
    Authority().write(tmp_path / "other.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(Authority().context("pypi.org"), tmp_path / "other.pem", "pypi.org")
