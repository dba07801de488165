"""Every kind of place where a secret stands, each with what looks alike and is none."""

import time
import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uvmre.core.secrets.redact import find_secrets, redact
from uvmre.core.secrets.rules import BY_LITERAL

TAIL = "aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2"
"""Obviously made up, and long enough for any of the shapes."""

MASKED = [
    # by shape
    ("fatal: glpat-{t} was refused", "fatal: **** was refused"),
    *((f"{prefix}{{t}}", "****") for prefix in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "npm_")),
    ("see ghp_{t}.", "see ****."),
    ("pypi-AgEIcHlwaS5vcmcCJ{t}", "****"),
    ("AKIA0123456789ABCDEF", "****"),
    ("id AKIA0123456789ABCDEF,", "id ****,"),
    ("sk-proj-{t}", "****"),
    ("xoxb-0123456789-{t}", "****"),
    ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWRlIHVwIn0.c2lnbmF0dXJl", "****"),
    ("escaped \\nghp_{t}\\n", "escaped \\n****\\n"),
    ("%3Aghp_{t}%40", "%3A****%40"),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nTUFERSBVUA==\n{t}\n-----END RSA PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\n****\n-----END RSA PRIVATE KEY-----\n",
    ),
    ("-----BEGIN PRIVATE KEY-----\n{t}{t}\n{t}{t}\n", "-----BEGIN PRIVATE KEY-----\n****\n"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\\n{t}\\n-----END", "-----BEGIN OPENSSH PRIVATE KEY-----****-----END"),
    # in a URL
    ("uv add https://me:hunter22@host/simple", "uv add https://me:****@host/simple"),
    ("https://user:pass@host/", "https://user:****@host/"),
    ("https://me:p@ss:word@host/", "https://me:****@host/"),
    ("git+https://x-access-token:made-up@host/a.git", "git+https://x-access-token:****@host/a.git"),
    ("https://:hunter22@host/", "https://:****@host/"),
    ("https://glpat-{t}@host/simple", "https://****@host/simple"),
    ("https://{t}@host/simple", "https://****@host/simple"),
    ("https://s3cr3tt0ken@host/simple", "https://****@host/simple"),
    ("https://{t}:x-oauth-basic@host/", "https://****:x-oauth-basic@host/"),
    ("https://host/simple?private_token=hunter22&page=2", "https://host/simple?private_token=****&page=2"),
    ("GET /a?access_token=hunter22#x", "GET /a?access_token=****#x"),
    ("/a?b=1&token=hunter22 401", "/a?b=1&token=**** 401"),
    ("https://host/a?sv=1&sig=aB%2Bc%3D&se=2", "https://host/a?sv=1&sig=****&se=2"),
    (
        "https://host/a?X-Amz-Expires=300&X-Amz-Signature=0a1b2c3d",
        "https://host/a?X-Amz-Expires=300&X-Amz-Signature=****",
    ),
    # in a header
    ("curl --header 'PRIVATE-TOKEN: hunter22' https://host", "curl --header 'PRIVATE-TOKEN: ****' https://host"),
    ("> Authorization: Bearer hunter\n", "> Authorization: Bearer ****\n"),
    ('curl -H "Authorization: Basic bWU6aHVudGVyMjI=" x', 'curl -H "Authorization: Basic ****" x'),
    ('{{"authorization": "Bearer hunter22"}}', '{{"authorization": "Bearer ****"}}'),
    ("sent Bearer {t}, refused", "sent Bearer ****, refused"),
    ("Cookie: session=hunter22; a=b\n", "Cookie: ****\n"),
    ("curl -u me:hunter22 https://host", "curl -u me:**** https://host"),
    ("curl -sSL --user 'me:hunter22' https://host", "curl -sSL --user 'me:****' https://host"),
    # behind a name, in a shell
    (
        "UV_PUBLISH_TOKEN=abc123; uv lock --offline && echo TOKEN=abc123|cat; false",
        "UV_PUBLISH_TOKEN=****; uv lock --offline && echo TOKEN=****|cat; false",
    ),
    ("(export A_PASSWORD=hunter22)&uv sync>log", "(export A_PASSWORD=****)&uv sync>log"),
    ("A_TOKEN=hunter22\\\n  uv sync", "A_TOKEN=****\\\n  uv sync"),
    ("`A_TOKEN=hunter22`", "`A_TOKEN=****`"),
    ('A_TOKEN="hunter 22" uv sync', 'A_TOKEN="****" uv sync'),
    ("A_TOKEN='hunter 22' uv sync", "A_TOKEN='****' uv sync"),
    ('echo "A_TOKEN=hunter22" "b c"', 'echo "A_TOKEN=****" "b c"'),
    ('["A_TOKEN=hunter22", "B=1"]', '["A_TOKEN=****", "B=1"]'),
    ('sh -c "A_TOKEN=\\"hunter22\\" uv sync"', 'sh -c "A_TOKEN=\\"****\\" uv sync"'),
    ("GITLAB_PAT=hunter22", "GITLAB_PAT=****"),
    ("PAT=hunter22 uv sync", "PAT=**** uv sync"),
    ("UV_INDEX_MINE_PASSWORD=hunter", "UV_INDEX_MINE_PASSWORD=****"),
    ("AWS_SECRET_ACCESS_KEY=aB/cD+eF", "AWS_SECRET_ACCESS_KEY=****"),
    ("MYPASSWORD=hunter22", "MYPASSWORD=****"),
    ("GITHUBTOKEN=hunter22", "GITHUBTOKEN=****"),
    ("UV_INDEX_MINE_USERNAME={t}", "UV_INDEX_MINE_USERNAME=****"),
    ("uv publish --token hunter22 dist/*", "uv publish --token **** dist/*"),
    ("uv publish --password=hunter22", "uv publish --password=****"),
    ("$env:UV_PUBLISH_TOKEN = 'hunter22'", "$env:UV_PUBLISH_TOKEN = '****'"),
    ("ENV A_TOKEN hunter22\nRUN uv sync", "ENV A_TOKEN ****\nRUN uv sync"),
    # behind a name, in a file
    ('token = "hunter22"', 'token = "****"'),
    ("api_key = hunter22", "api_key = ****"),
    ("[pypi]\nusername: __token__\npassword: hunter", "[pypi]\nusername: __token__\npassword: ****"),
    ("  api_key: hunter22  # mine", "  api_key: ****  # mine"),
    ('{{"access_token": "hunter22", "a": 1}}', '{{"access_token": "****", "a": 1}}'),
    ('"apiKey":"hunter22"', '"apiKey":"****"'),
    ("//registry.npmjs.org/:_authToken=hunter22", "//registry.npmjs.org/:_authToken=****"),
    ('{{"auths": {{"host": {{"auth": "bWU6aHVudGVyMjI="}}}}}}', '{{"auths": {{"host": {{"auth": "****"}}}}}}'),
    ("machine host login me password hunter", "machine host login me password ****"),
    ("machine host\n  password hunter\n  login me", "machine host\n  password ****\n  login me"),
    ("<password>hunter22</password>", "<password>****</password>"),
    ('os.environ["A_TOKEN"] = "hunter22"', 'os.environ["A_TOKEN"] = "****"'),
    ('token: str = "hunter22"', 'token: str = "****"'),
    ('say "A_TOKEN=hunter22', 'say "A_TOKEN=****'),
    ('token = "hunter22 and more', 'token = "**** and more'),
    ('f(token=b"hunter22")', 'f(token=b"****")'),
]

LEFT = [
    # public, or for somebody to fill in
    "https://public:heron@host/simple",
    "curl -u public:heron https://host",
    "Authorization: Basic cHVibGljOmhlcm9u",
    *(
        f"A_TOKEN={value}"
        for value in (
            "${TOKEN}",
            "$TOKEN",
            '"$TOKEN"',
            "<token>",
            "***",
            "xxx",
            "xxxxxxxx",
            "...",
            "$(cat token)",
            "%TOKEN%",
        )
    ),
    "token: ${{ secrets.A_TOKEN }}",
    "token: secrets.A_TOKEN",
    "https://user:${TOKEN}@host/",
    "https://$TOKEN@host/",
    "https://<token>@host/",
    "https://host/?private_token=<token>",
    "PRIVATE-TOKEN: $TOKEN",
    "Authorization: Bearer ${TOKEN}",
    "A_TOKEN=your-token-here",
    "ghp_xxxxxxxxxxxxxxxxxxxx",
    # ordinary user names, hosts and paths
    *(
        f"https://{name}@host/"
        for name in (
            "user",
            "git",
            "__token__",
            "oauth2accesstoken",
            "john.smith",
            "deploy-bot",
            "user%40corp.com",
            "svc1",
        )
    ),
    "https://host:8080/a@b",
    "git@github.com:a/b.git",
    "https://files.example.org/packages/0a/1b/2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9/a-1.0.tar.gz",
    # hashes and versions
    'hash = "sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"',
    "a==1.0 --hash=sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "git+https://host/a@0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d",
    "tiktoken==0.5.1",
    'tiktoken = "^0.5.1"',
    'tokenizers = ">=0.15.0"',
    'name = "secretstorage"',
    'secretstorage = "3.3.3"',
    "npm_config_registry=https://host",
    "task-force-1234567890123456",
    "pypi-proxy.fly.dev",
    "asiatisch",
    # code, help and messages
    'if token == "hunter22":',
    "token = None",
    "token=token, other=1",
    "f(token=token)",
    'API_KEY = os.environ["X"]',
    "password = get_password()",
    "token = config.token",
    "def f(token: str, password: Optional[str] = None):",
    "max_tokens=4096",
    'echo "A_TOKEN=" && uv lock',
    "environment.A_PASSWORD: json-credential: `A_PASSWORD` holds a whole answer",
    "PATH=/usr/bin:/bin",
    "PWD=/root/work",
    "CACHE_KEY=uv-1234",
    "TOKEN_FILE=/run/token1",
    "token_url = 'https://host/oauth2'",
    "--mount=type=secret,id=uv_token",
    "docker build --secret id=netrc,src=.netrc .",
    "      --token <TOKEN>  The token of the upload",
    "Pass --token when publishing.",
    "Your password is asked for.",
    "error: unexpected token: `import`",
    "error: invalid token: 'import'",
    "Basic authentication and Bearer authentication",
    "-----BEGIN CERTIFICATE-----\nTUFERSBVUA==\n-----END CERTIFICATE-----",
    "the line `-----BEGIN PRIVATE KEY-----` begins one, as a reader knows",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_only_the_value_is_masked(text: str, expected: str) -> None:
    text, expected = (
        text.format(t=TAIL) if "{t}" in text or "{{" in text else text,
        expected.replace("{{", "{").replace("}}", "}"),
    )
    assert redact(text) == expected
    assert redact(expected) == expected


@pytest.mark.parametrize("text", LEFT)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


SECRETS = [
    f"ghp_{TAIL}",
    f"glpat-{TAIL}",
    f"https://me:{TAIL}@host/",
    f"A_TOKEN={TAIL}",
    f"Authorization: Bearer {TAIL}",
]
PIECES = st.one_of(
    st.sampled_from(
        [*SECRETS, *BY_LITERAL, "A_TOKEN=", "token: ", "***", "****", "-----BEGIN PRIVATE KEY-----", "-----END"]
    ),
    st.sampled_from([*"@:\"'=\n;|&{}$/?# ", "//", "machine a ", "curl -u ", "Bearer ", "cookie: a="]),
    st.text("abc1 \n=:@/\"'*-_", max_size=6),
    st.text(max_size=3),
)


@given(st.lists(PIECES, max_size=12).map("".join), st.sets(st.text("ab1-", min_size=4, max_size=6), max_size=3))
@settings(deadline=None)
def test_what_is_masked_once_stays_as_it_is(text: str, values: set[str]) -> None:
    once = redact(text, values)
    assert redact(once, values) == once


@given(st.text(max_size=40), st.sampled_from(SECRETS), st.text(max_size=40))
@settings(deadline=None)
def test_a_secret_that_stands_by_itself_is_masked_in_any_text(before: str, secret: str, after: str) -> None:
    assert TAIL not in redact(f"{before}\n{secret}\n{after}")


@pytest.mark.parametrize("literal", sorted(BY_LITERAL))
def test_a_text_full_of_what_begins_a_secret_takes_linear_time(literal: str) -> None:
    def seconds(times: int) -> float:
        text = f"{literal}=a" * times
        return min(timeit.repeat(lambda: find_secrets(text), number=1, repeat=3, timer=time.process_time))

    seconds(10)
    assert seconds(4_000) < 40 * seconds(500) + 0.01
