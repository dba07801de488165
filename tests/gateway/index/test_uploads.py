"""What uv uploads to an index is on its pages at once, for the same listener only, and wrong uploads get PyPI's answers."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.listeners import JSON, through
from uvmre.core.network.index import Fault, Index, StaticAnswer
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.index import uploads
from uvmre.gateway.index.distributions import sdist, wheel
from uvmre.gateway.session import Gateway
from uvmre.releases import binaries
from uvmre.run.environment import gateway_variables

PYPI = "https://upload.pypi.org"
PRIVATE = "https://pypi.example.com/api/pypi/main"
TOKEN = "pypi-AgEIcHlwaS5vcmc"
OLD = SyntheticPackage("acme-core", "0.9", wheel=False)
ACME = SyntheticPackage("acme-core", "1.0", requires=("six",))
WHEEL, SDIST = "acme_core-1.0-py3-none-any.whl", "acme_core-1.0.tar.gz"
FILES = {WHEEL: wheel(ACME, "py3-none-any"), SDIST: sdist(ACME)}
OTHER = wheel(replace(ACME, description="Another build"), "py3-none-any")


def id_token(**claims: str) -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, claims)
    )
    return f"{'.'.join(parts)}.signature"


CONFIG = GatewayConfig(
    indexes=(
        Index(
            "https://pypi.org/simple",
            synthetic="replace",
            publish_url=f"{PYPI}/legacy/",
            publish_token=TOKEN,
            trusted_publisher="org/repo",
            packages=(OLD,),
        ),
        Index(f"{PRIVATE}/simple", "artifactory", "me", "secret", "replace", publish_url=PRIVATE),
        Index("https://open.example.com/simple", "devpi", synthetic="replace", publish_url="https://open.example.com"),
    ),
    answers=(
        StaticAnswer(
            "https://actions.example.com/id?*",
            header="authorization: *runner",
            body=json.dumps({"value": id_token(aud="pypi", repository="org/repo")}),
        ),
    ),
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with Gateway(folder, folder / "recording", "replay", CONFIG) as running:
        yield running
    kept = [path for path in (folder / "recording").rglob("*") if path.is_file() and path.stat().st_size]
    assert not kept, "an upload was recorded"


def post(
    client: httpx.Client, url: str, auth: tuple[str, str] | None, filename: str = WHEEL, **fields: Any
) -> httpx.Response:
    """Upload a file as uv does; `content` and `accept` are those of the request, other fields those of its form."""
    content, accept = fields.pop("content", FILES.get(filename, b"")), fields.pop("accept", "application/json;q=0.9")
    digests = {
        "sha256_digest": sha256(content).hexdigest(),
        "blake2_256_digest": blake2b(content, digest_size=32).hexdigest(),
    }
    form = {
        ":action": "file_upload",
        **digests,
        "protocol_version": "1",
        "name": "acme-core",
        "version": "1.0",
        **fields,
    }
    sent = {"files": {"content": (filename, content)}} if filename else {"files": {"x": b""}}
    return client.post(url, data=form, headers={"accept": accept}, auth=auth, **sent)  # type: ignore[arg-type]


def names(client: httpx.Client, index: str, auth: tuple[str, str] | None = None) -> dict[str, Any]:
    page = client.get(f"{index}/acme-core/", headers=JSON, auth=auth).json()
    return {file["filename"]: file for file in page["files"]}


BY_TOKEN, BY_NAME = ("__token__", TOKEN), ("me", "secret")
DENIED = "403 Invalid or non-existent authentication information. See https://pypi.org/help/#invalid-auth for more information."
BLAKE = blake2b(OTHER, digest_size=32).hexdigest()
EXISTS = f"400 File already exists ({WHEEL!r}, with blake2_256 hash {BLAKE!r}). See https://pypi.org/help/#file-name-reuse for more information."
LEGACY = f"{PYPI}/legacy/"


@pytest.mark.parametrize(
    ("url", "auth", "form", "status", "said"),
    [
        (LEGACY, BY_TOKEN, {}, 200, ""),
        (LEGACY, BY_TOKEN, {"filename": SDIST}, 200, ""),
        (LEGACY, BY_TOKEN, {"attestations": "[{}]"}, 200, ""),
        (LEGACY, ("__token__", "pypi-wrong"), {}, 403, DENIED),
        (LEGACY, ("me", TOKEN), {}, 403, DENIED),
        (LEGACY, None, {}, 403, DENIED),
        (LEGACY, None, {"accept": "*/*"}, 403, f"{DENIED}\n"),
        (LEGACY, BY_TOKEN, {":action": "submit"}, 400, "400 Upload payload does not have a file."),
        (LEGACY, BY_TOKEN, {"filename": ""}, 400, "400 Upload payload does not have a file."),
        (LEGACY, BY_TOKEN, {"filename": "acme.exe"}, 400, "400 Invalid distribution filename: acme.exe"),
        (LEGACY, BY_TOKEN, {"name": "a.b"}, 400, "400 Start filename for 'a-b' with 'a_b'."),
        (LEGACY, BY_TOKEN, {"sha256_digest": "0"}, 400, "400 The digest supplied does not match a digest calculated from the uploaded file."),
        (LEGACY, BY_TOKEN, {"blake2_256_digest": "0"}, 400, "400 The digest supplied does not match a digest calculated from the uploaded file."),
        (PRIVATE, BY_NAME, {}, 200, ""),
        (PRIVATE, ("me", "wrong"), {}, 401, ""),
        (PRIVATE, None, {}, 401, ""),
        ("https://open.example.com", None, {}, 200, ""),
        ("https://open.example.com", BY_NAME, {}, 200, ""),
    ],
)  # fmt: skip
def test_an_upload(
    gateway: Gateway, url: str, auth: tuple[str, str] | None, form: dict[str, Any], status: int, said: str
) -> None:
    with through(gateway) as (client, listener):
        response = post(client, url, auth, **form)
        text = response.json()["code"] if response.headers["content-type"] == "application/json" else response.text
        assert (response.status_code, text) == (status, said)
        if status == 401:
            assert response.headers["www-authenticate"] == 'Basic realm="Artifactory Realm"'
        index = {LEGACY: "https://pypi.org/simple", PRIVATE: f"{PRIVATE}/simple"}.get(url, f"{url}/simple")
        page = client.get(f"{index}/acme-core/", headers=JSON, auth=BY_NAME if url == PRIVATE else None)
        assert ((form.get("filename") or WHEEL) in page.text) is (status == 200)
        assert {request.answered_by for request in listener.requests} == {"stand-in"}


def test_the_file_comes_back_with_its_metadata_and_the_time_of_its_upload(gateway: Gateway) -> None:
    with through(gateway) as (client, _):
        for filename in FILES:
            assert post(client, LEGACY, BY_TOKEN, filename).status_code == 200
        page = names(client, "https://pypi.org/simple")
        assert list(page) == ["acme_core-0.9.tar.gz", WHEEL, SDIST]
        for filename, content in FILES.items():
            assert page[filename]["hashes"]["sha256"] == sha256(content).hexdigest()
            assert page[filename]["upload-time"] > "2025"
            assert client.get(page[filename]["url"]).content == content
        metadata = client.get(f"{page[WHEEL]['url']}.metadata")
        assert "Requires-Dist: six" in metadata.text
        versions = client.get("https://pypi.org/simple/acme-core/", headers=JSON).json()["versions"]
        assert versions == ["0.9", "1.0"]


def test_the_same_file_again_is_fine_and_another_one_of_its_name_is_not(gateway: Gateway) -> None:
    with through(gateway) as (client, _):
        assert [post(client, LEGACY, BY_TOKEN).status_code for _ in range(2)] == [200, 200]
        refused = post(client, LEGACY, BY_TOKEN, content=OTHER)
        assert (refused.status_code, refused.json()["code"]) == (400, EXISTS)
        assert names(client, "https://pypi.org/simple")[WHEEL]["hashes"]["sha256"] == sha256(FILES[WHEEL]).hexdigest()
        old = post(client, LEGACY, BY_TOKEN, "acme_core-0.9.tar.gz", content=FILES[SDIST], version="0.9")
        assert old.status_code == 400, "a synthetic package is a file that exists"


def test_an_upload_exists_for_its_own_variant_and_index_only(gateway: Gateway) -> None:
    with through(gateway) as (first, _), through(gateway) as (second, _):
        assert post(first, LEGACY, BY_TOKEN).status_code == 200
        assert WHEEL in names(first, "https://pypi.org/simple")
        assert WHEEL not in names(second, "https://pypi.org/simple")
        assert post(second, LEGACY, BY_TOKEN, content=OTHER).status_code == 200
        assert first.get(f"{PRIVATE}/simple/acme-core/", auth=BY_NAME).status_code == 404
    with through(gateway) as (third, _):
        assert WHEEL not in names(third, "https://pypi.org/simple")


def test_a_fault_applies_to_uploads(gateway: Gateway) -> None:
    with through(gateway, Fault(LEGACY, times=1, status=503)) as (client, _):
        assert [post(client, LEGACY, BY_TOKEN).status_code for _ in range(2)] == [503, 200]


def test_uploads_have_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from uvmre.gateway.http.exchange import Exchange
    from uvmre.gateway.http.messages import ParsedRequest
    from uvmre.gateway.index.synthetic_files import SyntheticIndex

    monkeypatch.setattr(uploads, "RECEIVED_LIMIT", 1000)
    server = uploads.UploadServer([(CONFIG.indexes[2], SyntheticIndex((), {}))])

    def status() -> int:
        request = ParsedRequest("https")
        request.method, request.target, request.fields = b"POST", b"/", {b"host": b"open.example.com"}
        request.body += b"x" * 600
        response = server.answer(Exchange(None, request, lambda _: None))  # type: ignore[arg-type]
        assert response
        return response.status

    assert [status(), status()] == [400, 413]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"token": id_token(aud="pypi", repository="org/repo")}, 200, ""),
        ({"token": id_token(aud="pypi", project_path="org/repo")}, 200, ""),
        ({"token": id_token(aud="pypi", repository="org/other")}, 422, "invalid-publisher"),
        ({"token": id_token(aud="pypi")}, 422, "invalid-publisher"),
        ({"token": id_token(aud="testpypi", repository="org/repo")}, 422, "invalid-token"),
        ({"token": id_token(repository="org/repo")}, 422, "invalid-token"),
        ({"token": "a.bbb.c"}, 422, "invalid-token"),
        ({"token": "a.e30"}, 422, "invalid-token"),
        ({"token": f"a.{base64.b64encode(b'[]').decode()}.c"}, 422, "invalid-token"),
        ({"token": "none"}, 422, "invalid-token"),
        ({"token": "a.é.c"}, 422, "invalid-token"),
        ({"token": 1}, 422, "invalid-token"),
        ({}, 422, "invalid-token"),
        ([], 422, "invalid-token"),
    ],
)
def test_a_token_is_minted_for_the_trusted_publisher(gateway: Gateway, body: Any, status: int, code: str) -> None:
    with through(gateway) as (client, _):
        assert client.get(f"{PYPI}/_/oidc/audience").json() == {"audience": "pypi"}
        response = client.post(f"{PYPI}/_/oidc/mint-token", json=body)
        assert response.status_code == status
        if status == 200:
            assert response.json() == {"success": True, "token": TOKEN}
            assert client.post(f"{PYPI}/_/oidc/burn-token", json=response.json()).status_code == 204
        else:
            assert [error["code"] for error in response.json()["errors"]] == [code]


def test_a_registry_without_tokens_knows_no_trusted_publishing(gateway: Gateway) -> None:
    with through(gateway) as (client, _):
        assert client.get("https://pypi.example.com/_/oidc/audience").status_code == 404
        assert client.get(f"{PYPI}/_/oidc/other").status_code == 404
        assert client.get(f"{PYPI}/elsewhere").status_code == 403


@given(content=st.binary(max_size=300), value=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
@settings(max_examples=60)
def test_a_form_is_read_as_it_was_written(content: bytes, value: str) -> None:
    request = httpx.Request("POST", "http://a", data={"summary": value}, files={"content": (WHEEL, content)})
    read = uploads._read_form(request.headers["content-type"].encode(), request.read())
    assert read == ({"summary": value}, WHEEL, content)


@given(form=st.binary(max_size=60), body=st.binary(max_size=200))
@settings(max_examples=60)
def test_any_other_body_is_no_upload(form: bytes, body: bytes) -> None:
    assert uploads._read_form(form, body)[1:] == ("", b"") or b"content" in body


RUNNER = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://actions.example.com/id?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner",
}


@pytest.mark.network
@pytest.mark.parametrize("release", ["0.4.19", "0.5.21", "0.8.0", "0.13.9"])
def test_real_uv_publishes_and_installs(gateway: Gateway, release: str, cache: Path, tmp_path: Path) -> None:
    _, uv = binaries.get(release, cache / "uvmre", lambda *_: None)
    for folder, wheel_content in (("dist", FILES[WHEEL]), ("other", OTHER)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / WHEEL).write_bytes(wheel_content)
        (tmp_path / folder / SDIST).write_bytes(FILES[SDIST])
    certificate = tmp_path / "ca.pem"
    certificate.write_bytes(gateway.certificate)
    with gateway.listener() as listener:
        base = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "cache")}
        base |= gateway_variables(listener.url, certificate)

        def run(expected: int, *words: str, **more: str) -> str:
            argv, options = [str(uv), *words], {"cwd": tmp_path, "env": base | more, "stdin": subprocess.DEVNULL}
            ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload]
            output = " ".join((ended.stdout + ended.stderr).split())
            assert ended.returncode == expected, output
            return output

        assert DENIED in run(2, "publish", "--token", "pypi-wrong")
        trusted = run(0, "publish", **RUNNER)
        assert (f"::add-mask::{TOKEN}" in trusted, trusted.count("Uploading"), "warning: Failed" in trusted) == (
            True,
            2,
            False,
        )
        run(0, "publish", "--token", TOKEN)
        assert EXISTS in run(2, "publish", "--token", TOKEN, f"other/{WHEEL}")
        if release != "0.4.19":  # it has no --check-url
            checked = ("publish", "--token", TOKEN, "--check-url", "https://pypi.org/simple")
            assert run(0, *checked).count("already exists, skipping") == 2
            assert "Local file and index file do not match" in run(2, *checked, f"other/{WHEEL}")
        assert "401 Unauthorized" in run(2, "publish", "-u", "me", "-p", "wrong", "--publish-url", PRIVATE)
        run(0, "publish", "-u", "me", "-p", "secret", "--publish-url", PRIVATE)
        (tmp_path / "in.txt").write_text("acme-core")
        for index in ("https://pypi.org/simple", f"https://me:secret@{PRIVATE.removeprefix('https://')}/simple"):
            assert "acme-core==1.0" in run(0, "pip", "compile", "--no-deps", "--index-url", index, "in.txt")
