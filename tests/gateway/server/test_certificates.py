"""The authority of a day, and what it signs."""

import os
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from uvmre.core.network.request import OPEN_HOSTS
from uvmre.gateway.server.certificates import (
    AUTHORITY_FILE,
    AUTHORITY_SECONDS,
    Signer,
    leaf_folder,
    load_authority,
    public_part,
)


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


def trusting(kept: str, path: Path) -> Path:
    path.write_text(public_part(kept))
    return path


def test_the_public_part_is_one_certificate_and_no_key(tmp_path: Path) -> None:
    public = public_part(load_authority(tmp_path))
    assert public.count("-----BEGIN CERTIFICATE-----") == 1
    assert "KEY" not in public
    (tmp_path / "public.pem").write_text(public)
    assert len(ssl.create_default_context(cafile=str(tmp_path / "public.pem")).get_ca_certs()) == 1


def test_it_is_kept_for_its_owner_only_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    load_authority(tmp_path)
    assert (tmp_path / AUTHORITY_FILE).stat().st_mode & 0o777 == 0o600
    assert {path.name for path in (tmp_path / AUTHORITY_FILE).parent.iterdir()} == {"authority.pem", "leaves"}
    signed = list(leaf_folder(tmp_path).iterdir())
    assert {path.stat().st_mode & 0o777 for path in signed} == {0o600}
    assert {path.name.partition("-")[2] for path in signed} == {f"{host}.pem" for host in OPEN_HOSTS}


def test_it_is_the_same_all_day_and_thrown_away_after(tmp_path: Path) -> None:
    first = load_authority(tmp_path)
    assert load_authority(tmp_path) == first
    yesterday = time.time() - AUTHORITY_SECONDS - 1
    os.utime(tmp_path / AUTHORITY_FILE, (yesterday, yesterday))
    second = load_authority(tmp_path)
    assert second != first
    assert load_authority(tmp_path) == second


@pytest.mark.parametrize("kept", [b"", b"-----BEGIN", b"\xff\xfe"])
def test_one_that_cannot_be_read_is_made_anew(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / AUTHORITY_FILE).parent.mkdir()
    (tmp_path / AUTHORITY_FILE).write_bytes(kept)
    assert "BEGIN CERTIFICATE" in load_authority(tmp_path)


def test_a_context_is_made_once_for_each_host(tmp_path: Path) -> None:
    signer = Signer(load_authority(tmp_path), leaf_folder(tmp_path))
    assert signer.context("pypi.org") is signer.context("pypi.org")
    assert signer.context("pypi.org") is not signer.context("files.pythonhosted.org")


@pytest.mark.parametrize("host", ["pypi.org", "pypi-proxy.fly.dev"])
def test_a_client_that_trusts_the_authority_accepts_its_hosts(tmp_path: Path, host: str) -> None:
    kept = load_authority(tmp_path)
    shown = handshake(Signer(kept, leaf_folder(tmp_path)).context(host), trusting(kept, tmp_path / "public.pem"), host)
    assert shown["subjectAltName"] == (("DNS", host),)


def test_a_certificate_is_good_for_its_own_host_only(tmp_path: Path) -> None:
    kept = load_authority(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate is not valid for"):
        handshake(
            Signer(kept, leaf_folder(tmp_path)).context("pypi.org"),
            trusting(kept, tmp_path / "p.pem"),
            "files.pythonhosted.org",
        )


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    other = trusting(load_authority(tmp_path / "other"), tmp_path / "other.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(Signer(load_authority(tmp_path), leaf_folder(tmp_path)).context("pypi.org"), other, "pypi.org")


def test_one_that_ran_out_is_what_a_client_says_it_is(tmp_path: Path) -> None:
    kept = load_authority(tmp_path)
    context = Signer(kept, leaf_folder(tmp_path)).context("pypi.org", "expired")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        handshake(context, trusting(kept, tmp_path / "p.pem"), "pypi.org")


def test_what_another_days_authority_signed_is_thrown_away(tmp_path: Path) -> None:
    load_authority(tmp_path)
    before = set(leaf_folder(tmp_path).iterdir())
    yesterday = time.time() - AUTHORITY_SECONDS - 1
    os.utime(tmp_path / AUTHORITY_FILE, (yesterday, yesterday))
    load_authority(tmp_path)
    assert before.isdisjoint(leaf_folder(tmp_path).iterdir())
