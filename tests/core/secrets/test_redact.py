"""Secrets are found where they usually stand, and masked; what is public stays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Index
from uvmre.core.network.request import Request
from uvmre.core.outcome.observation import FileState, Observation, StepResult
from uvmre.core.secrets.redact import redact, redact_deep, secrets


def mre(
    *,
    variables: dict[str, str] | None = None,
    files: tuple[File, ...] = (),
    run: str = "uv sync",
    controls: tuple[Control, ...] = (),
) -> Mre:
    steps = (Step(run, "observe"),)
    return Mre("t", Environment("0.5.21", variables=variables or {}), steps, Symptom(2), controls, files=files)


@pytest.mark.parametrize(
    ("given_mre", "values"),
    [
        pytest.param(mre(variables={"UV_INDEX_MINE_PASSWORD": "s3cr3t"}), {"s3cr3t"}, id="a password by its name"),
        pytest.param(mre(variables={"GITHUB_TOKEN": "ghp_1"}), {"ghp_1"}, id="a token by its name"),
        pytest.param(mre(variables={"aws_secret": "x/y+z="}), {"x/y+z="}, id="a secret by its name in lower case"),
        pytest.param(
            mre(variables={"MY_API_KEY": "key-1", "MY_APIKEY": "key-2"}), {"key-1", "key-2"}, id="keys by their names"
        ),
        pytest.param(mre(variables={"UV_INDEX_MINE_USERNAME": "me", "A": "1"}), set(), id="other variables are none"),
        pytest.param(
            mre(
                variables={"A_PASSWORD": "heron", "B_PASSWORD": "eagle", "C_PASSWORD": "public", "D_PASSWORD": "wrong"}
            ),
            set(),
            id="the public ones are none",
        ),
        pytest.param(mre(variables={"A_PASSWORD": "", "B_TOKEN": "****"}), set(), id="nothing and a mask are none"),
        pytest.param(
            mre(controls=(Control("c", "absent", variables={"A_TOKEN": "t0ken"}),)),
            {"t0ken"},
            id="a control's variable",
        ),
        pytest.param(
            mre(files=(File("mre.env", b"# mine\nUV_INDEX_MINE_PASSWORD=s3cr3t\n"),)),
            {"s3cr3t"},
            id="a variable in an env file",
        ),
        pytest.param(
            mre(files=(File("Dockerfile", b'ENV A_TOKEN="t0ken" B=1\n'),)),
            {"t0ken"},
            id="a variable in quotes in a file",
        ),
        pytest.param(mre(run="A_PASSWORD=s3cr3t uv sync"), {"s3cr3t"}, id="a variable in a command"),
        pytest.param(mre(run="A_PASSWORD=$B uv sync"), set(), id="a variable that another gives is none"),
        pytest.param(
            mre(controls=(Control("c", "absent", steps=(Step("export A_TOKEN=t0ken", "observe"),)),)),
            {"t0ken"},
            id="a variable in a control's command",
        ),
        pytest.param(
            mre(files=(File("pyproject.toml", b'url = "https://me:s3cr3t@example.com/simple"\n'),)),
            {"s3cr3t"},
            id="a password in a URL in a file",
        ),
        pytest.param(
            mre(run="uv pip install git+https://x-token:ghp_1@example.com/a.git"), {"ghp_1"}, id="a password in a URL"
        ),
        pytest.param(mre(files=(File("a.py", b'if token == "x":'),)), set(), id="a comparison is no assignment"),
        pytest.param(mre(files=(File("a.py", b"password = None"),)), set(), id="no value is no secret"),
        pytest.param(mre(files=(File("a.py", b'API_KEY = os.environ["X"]'),)), set(), id="an expression is no secret"),
        pytest.param(mre(files=(File("e", b'A_PASSWORD=ab$cd"ef'),)), {'ab$cd"ef'}, id="all of an odd value"),
        pytest.param(mre(run="uv sync --index-url https://:t0ken@example.com/"), {"t0ken"}, id="a URL without a user"),
        pytest.param(mre(run="uv sync --index-url https://me@example.com:80/"), set(), id="a URL without a password"),
        pytest.param(
            mre(run="uv sync --index-url https://public:heron@example.com/"), set(), id="a URL with the public password"
        ),
        pytest.param(
            mre(files=(File("home/.netrc", b"machine example.com login me password s3cr3t\n"),)),
            {"s3cr3t"},
            id="a netrc of one line",
        ),
        pytest.param(
            mre(
                files=(File("home/.netrc", b"machine a\n  login me\n  password pass1\nmachine b\n  password pass2\n"),)
            ),
            {"pass1", "pass2"},
            id="a netrc of many lines",
        ),
        pytest.param(
            mre(controls=(Control("c", "absent", files={"home/.netrc": "machine a login me password s3cr3t"}),)),
            {"s3cr3t"},
            id="a netrc of a control",
        ),
        pytest.param(
            mre(files=(File("home/.netrc", b"machine a login public password heron\n"),)),
            set(),
            id="a netrc with the public password",
        ),
        pytest.param(
            mre(files=(File("README.md", b"Your password is asked for.\n"),)), set(), id="the word password in prose"
        ),
        pytest.param(
            mre(files=(File("a.bin", b"\xff\xfe A_TOKEN=t0ken \x00"),)),
            {"t0ken"},
            id="a file that is not text is read too",
        ),
    ],
)
def test_what_looks_like_a_secret_is_found(given_mre: Mre, values: set[str]) -> None:
    assert secrets(given_mre) == values


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        pytest.param("a s3cr3t, s3cr3t", {"s3cr3t"}, "a ****, ****", id="every one is masked"),
        pytest.param("abc abcdef", {"abc", "abcdef"}, "**** ****", id="the longer of two is masked whole"),
        pytest.param("a.c abc", {"a.c"}, "**** abc", id="a value is no pattern"),
        pytest.param("public:heron", set(), "public:heron", id="nothing is masked where there is nothing"),
    ],
)
def test_secrets_are_masked(text: str, values: set[str], expected: str) -> None:
    assert redact(text, values) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("│ at aaaabb\n  │ bbcccc now\n", "│ at ****\n  │ **** now\n", id="in a box"),
        pytest.param("aaaabbbb\ncccc aaaa\nbbbbcccc", "****\n**** ****\n****", id="twice"),
        pytest.param("a\naaabb\nbbcccc\n", "****\n****\n****\n", id="over three lines"),
        pytest.param("aaaabbbbcccc\naaaabbbb", "****\naaaabbbb", id="whole, and only the begin of one"),
        pytest.param("aaaabbbb\n\n  cccc", "****\n\n  ****", id="with an empty line between"),
    ],
)
def test_a_long_value_is_masked_where_it_was_wrapped(text: str, expected: str) -> None:
    assert redact(text, {"aaaabbbbcccc"}) == expected
    assert redact(expected, {"aaaabbbbcccc"}) == expected


@given(st.text("ab12", min_size=8, max_size=20), st.text("xy\n", max_size=20), st.sets(st.integers(0, 20)))
def test_no_value_survives_any_wrapping(value: str, around: str, breaks: set[int]) -> None:
    wrapped = "".join(("\n  │ " if i in breaks else "") + character for i, character in enumerate(value))
    masked = redact(f"{around}{wrapped}{around}", {value})
    assert not set("ab12") & set(masked)
    assert redact(masked, {value}) == masked


@given(st.text("abcdef "), st.sets(st.text("abcdef", min_size=1)))
def test_no_value_is_left(text: str, values: set[str]) -> None:
    masked = redact(text, values)
    assert [value for value in values if value in masked] == []
    assert masked.count("****") > 0 or masked == text


def test_an_observation_is_masked_in_all_that_it_says() -> None:
    step = StepResult("A=s3cr3t uv", "A=s3cr3t uv sync", "observe", 2, "out s3cr3t", "err s3cr3t", 1.5, True, True)
    request = Request("GET", "example.com", "/simple?key=s3cr3t", 401, True, "upstream", 0.5, "because")
    files = (FileState("uv.lock", True, "at s3cr3t", "to s3cr3t"), FileState("none", exists=False))
    seen = Observation("as reported", "0.5.21", "3.11.7", "local", "Linux", (step,), (request,), files, "no shell")
    assert redact_deep(seen, {"s3cr3t"}) == Observation(
        "as reported",
        "0.5.21",
        "3.11.7",
        "local",
        "Linux",
        (StepResult("A=**** uv", "A=**** uv sync", "observe", 2, "out ****", "err ****", 1.5, True, True),),
        (Request("GET", "example.com", "/simple?key=****", 401, True, "upstream", 0.5, "because"),),
        (FileState("uv.lock", True, "at ****", "to ****"), FileState("none", exists=False)),
        "no shell",
    )
    assert redact_deep(Observation("as reported", "0.5.21", "3.11.7", "local", "Linux", ())).steps == ()


def test_the_password_of_an_index_is_masked_too() -> None:
    indexes = (
        Index("https://private.example.com/simple", password="hunter22"),
        Index(
            "https://a.example.com", password="heron", publish_url="https://b.example.com", publish_token="pypi-T0k3n"
        ),
    )
    assert secrets(replace(mre(), indexes=indexes)) == {"hunter22", "pypi-T0k3n"}
