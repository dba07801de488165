"""What the gateway answers for an MRE: static answers and certificates, with real releases of uv."""

import json

import pytest

from tests.conftest import CommandLine, WriteMre, no_sandbox

MANIFEST = """\
title = "answers"
[environment]
uv = "{uv}"
{more}
[[step]]
run = '''
{step}
'''
[symptom]
exit = "failure"
output = {output}
"""


@pytest.fixture(params=["local", pytest.param("sandbox", marks=pytest.mark.slow)])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "sandbox" and (why := no_sandbox()):
        pytest.skip(why)
    return str(request.param)


def manifest(step: str, *output: str, more: str = "", uv: str = "0.9.15") -> str:
    return MANIFEST.format(step=step, output=json.dumps(output), more=more, uv=uv)


ANSWERS = """
[[answer]]
url = "https://static.example/links/"
credentials = "me:secret12"
headers = { "content-type" = "text/html" }
body = "<a href='acme-1.0-py3-none-any.whl'>acme-1.0-py3-none-any.whl</a>"
[[answer]]
url = "https://static.example/links/"
status = 401
[[answer]]
url = "https://static.example/links/acme-1.0-py3-none-any.whl*"
status = 418
"""


@pytest.mark.network
def test_uv_reads_links_of_a_host_that_is_no_index(uvmre: CommandLine, write_mre: WriteMre, backend: str) -> None:
    step = "uv venv -q && uv pip install --no-index --find-links https://me:secret12@static.example/links/ acme"
    ran = uvmre(
        "run", write_mre(manifest(step, "status client error (418", more=ANSWERS)), "--backend", backend, "--json"
    ).json("run")
    assert ran["verdict"] == "reproducible", ran
    step = step.replace("me:secret12@", "")
    ran = uvmre(
        "run", write_mre(manifest(step, "status client error (418", more=ANSWERS)), "--backend", backend, "--json"
    ).json("run")
    assert ran["variants"][0]["outcome"] == "different", ran


def test_a_file_that_is_missing_is_a_mistake(uvmre: CommandLine, write_mre: WriteMre) -> None:
    text = manifest("uv", "some text", more='[[answer]]\nurl = "https://a.example/x"\nfile = "x.html"')
    ran = uvmre("run", write_mre(text))
    assert (ran.exit, "names x.html, which is not in the folder" in ran.stderr) == (2, True), ran


INSTALL = "uv venv -q && UV_HTTP_RETRIES=0 uv pip install iniconfig"


@pytest.mark.network
def test_uv_meets_an_authority_that_it_does_not_trust(uvmre: CommandLine, write_mre: WriteMre, backend: str) -> None:
    fault = '[[fault]]\nurl = "https://pypi.org/*"\nuntrusted-issuer = true'
    text = manifest(INSTALL, "invalid peer certificate: UnknownIssuer", more=fault)
    ran = uvmre("run", write_mre(text), "--backend", backend, "--json").json("run")
    assert ran["verdict"] == "reproducible", ran


@pytest.mark.network
def test_a_symptom_that_is_met_counts_where_the_gateway_is_not_trusted(uvmre: CommandLine, write_mre: WriteMre) -> None:
    step = f"unset SSL_CERT_FILE; {INSTALL}"
    text = manifest(step, "invalid peer certificate: UnknownIssuer")
    ran = uvmre("run", write_mre(text), "--json").json("run")
    assert (ran["verdict"], "`untrusted-issuer = true`" in ran["variants"][0]["reason"]) == ("reproducible", True), ran
    ran = uvmre("run", write_mre(manifest(step, "error sending request")), "--json").json("run")
    assert ran["variants"][0]["outcome"] == "broken"


@pytest.mark.network
@pytest.mark.parametrize(
    ("keys", "pages"),
    [
        pytest.param('registry = "gitlab"', 1, id="PyPI's"),
        pytest.param('registry = "gitlab"\nheaders = { "cache-control" = "no-store", etag = "" }', 2, id="its own"),
    ],
)
def test_uv_requests_a_page_as_often_as_the_headers_of_the_index_say(
    uvmre: CommandLine, write_mre: WriteMre, backend: str, keys: str, pages: int
) -> None:
    index = f'[[index]]\nurl = "https://acme.example.com/simple"\n{keys}\n[index.packages.acme.versions."1.0"]'
    resolve = "echo acme | uv pip compile -q -i https://acme.example.com/simple -"
    text = manifest(f"{resolve} && {resolve} && exit 3", "acme==1.0", more=index)
    ran = uvmre("run", write_mre(text), "--backend", backend, "--json").json("run")
    assert ran["verdict"] == "reproducible", ran
    assert [request["path"] for request in ran["variants"][0]["requests"]].count("/simple/acme/") == pages
