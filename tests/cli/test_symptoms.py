"""What a symptom can be about, by the real command line and a real uv, on both backends that run steps here."""

from typing import Any

import pytest

from tests.conftest import CommandLine, WriteMre

pytestmark = pytest.mark.network
HEAD = 'title = "t"\n[environment]\nuv = "0.5.21"\nexclude-newer = 2025-01-23\n'
VERSION = '[[step]]\nname = "version"\nrole = "observe"\nrun = "uv --version"\n'
INIT = '[[step]]\nrole = "setup"\nrun = "uv init --bare -q --name a . 2>/dev/null || uv init -q --name a ."\n'
SIX = "echo six | uv pip compile -q -"


def step(run: str, *keys: str) -> str:
    return "\n".join(("[[step]]", 'name = "it"', 'role = "observe"', *keys, f"run = '''{run}'''\n"))


@pytest.fixture(params=["local", pytest.param("sandbox", marks=pytest.mark.slow)])
def judge(uvmre: CommandLine, write_mre: WriteMre, request: pytest.FixtureRequest) -> Any:
    """Return a function that runs a manifest and returns what the MRE itself did."""

    def run(manifest: str) -> Any:
        ended = uvmre("run", write_mre(HEAD + manifest), "--json", "--backend", request.param)
        return ended.json("run")["variants"][0]

    return run


@pytest.mark.parametrize(
    ("steps", "symptom", "outcome"),
    [
        pytest.param(VERSION + step("uv lock"), 'step = "version"\noutput = ["uv 0.5.21"]', "shows", id="step"),
        pytest.param(
            VERSION + step("uv lock; true"), 'step = "it"\noutput = ["uv 0.5.21"]', "absent", id="another step"
        ),
        pytest.param(step("uv lock; true"), 'exit = "success"\nabsent = ["uv 0.5"]', "shows", id="absent"),
        pytest.param(step("uv --version"), 'exit = "success"\nabsent = ["uv 0.5.21"]', "absent", id="not absent"),
        pytest.param(step("uv --version"), 'any = ["uv 0.5.2", "uv 0.5.21"]', "shows", id="any"),
        pytest.param(step("uv lock --color always"), 'raw = ["\\u001b["]', "shows", id="raw"),
        pytest.param(step("uv lock --color never; true"), 'raw = ["\\u001b["]', "absent", id="no color"),
        pytest.param(
            step("uv cache --help"),
            'adjacent = true\noutput = ["Clear the cache", "Prune all"]',
            "shows",
            id="adjacent",
        ),
        pytest.param(
            step("uv cache --help"),
            'adjacent = true\noutput = ["Clear the cache", "Show the cache directory"]',
            "absent",
            id="two lines further",
        ),
        pytest.param(
            VERSION + step("uv cache dir"), 'step = "it"\ndiffers-from = "version"', "shows", id="differs-from"
        ),
        pytest.param(VERSION + step("uv --version"), 'step = "it"\ndiffers-from = "version"', "absent", id="the same"),
        pytest.param(
            VERSION + step("uv --version; sleep 0.8"), 'step = "it"\nslower-than = "version"', "shows", id="slower-than"
        ),
        pytest.param(
            VERSION + step("uv cache dir"), 'step = "it"\nslower-than = "version"\nfactor = 50', "absent", id="as fast"
        ),
        pytest.param(step("uv --version; kill -SEGV $$"), 'exit = "SIGSEGV"', "shows", id="a signal"),
        pytest.param(
            VERSION + step(SIX),
            'step = "it"\n[[symptom.count]]\nrequests = "https://pypi.org/simple/six/"\nleast = 1\nmost = 1',
            "shows",
            id="a count of requests",
        ),
        pytest.param(
            step(SIX) + VERSION,
            'step = "version"\n[[symptom.count]]\nrequests = "https://pypi.org/simple/*"',
            "absent",
            id="requests of another step",
        ),
        pytest.param(
            step("uv --version; uv --version"), '[[symptom.count]]\nlines = "uv 0.5.21"\nleast = 2', "shows", id="lines"
        ),
        pytest.param(
            step("uv --version"), '[[symptom.count]]\nlines = "uv 0.5.21"\nleast = 2', "absent", id="one line"
        ),
        pytest.param(step("uv --version"), 'output = ["uv 0.5.2"]', "different", id="cut"),
    ],
)
@pytest.mark.few(8)
def test_a_symptom(judge: Any, steps: str, symptom: str, outcome: str) -> None:
    assert judge(f"{steps}[symptom]\n{symptom}\n")["outcome"] == outcome


@pytest.mark.parametrize(
    ("file", "outcome"),
    [
        pytest.param('path = "uv.lock"\nexists = true', "shows", id="exists"),
        pytest.param('path = ".venv"\nexists = true', "shows", id="a folder exists"),
        pytest.param('path = "uv.lock"\nexists = false', "absent", id="it exists"),
        pytest.param('path = "gone"\nexists = false', "shows", id="it does not exist"),
        pytest.param('path = "pyproject.toml"\nunchanged = true', "shows", id="unchanged"),
        pytest.param('path = "uv.lock"\nunchanged = true', "absent", id="it is new"),
        pytest.param('path = ".venv"\nunchanged = true', "different", id="a folder is not compared"),
        pytest.param('path = "uv.lock"\nabsent = "name = \\"six\\""', "shows", id="absent"),
        pytest.param('path = "uv.lock"\nabsent = "name = \\"a\\""', "absent", id="not absent"),
        pytest.param('path = "uv.lock"\nraw = "[[package]]\\nname = \\"a\\"\\n"', "shows", id="raw"),
        pytest.param('path = "uv.lock"\nraw = "[[package]] name"', "absent", id="not raw"),
        pytest.param('path = "uv.lock"\nends-with = "}\\n"', "shows", id="ends-with"),
        pytest.param('path = "uv.lock"\nends-with = "}"', "absent", id="a newline at its end"),
        pytest.param('path = "~/.cache/uv/CACHEDIR.TAG"\ncontains = "Signature"', "shows", id="home"),
        pytest.param('path = ".venv/bin/python3"\nlinks-to = "python"', "shows", id="links-to"),
        pytest.param('path = "out"\nlinks-to = "/etc/pass…"', "shows", id="links-to outside"),
        pytest.param('path = "own"\nlinks-to = "/mre/uv.lock"', "shows", id="no folder of the run"),
        pytest.param('path = "out"\ncontains = "root"', "different", id="nothing outside is read"),
    ],
)
@pytest.mark.few(5)
def test_a_file_symptom(judge: Any, file: str, outcome: str) -> None:
    run = "uv lock -q && uv venv -q && ln -s /etc/passwd out && ln -s $PWD/uv.lock own"
    found = judge(f'{INIT}{step(run)}[symptom]\nexit = "success"\n[[symptom.file]]\n{file}\n')
    assert found["outcome"] == outcome, found["reason"]


HANGS = "uv --version; exec sleep 30"


@pytest.mark.parametrize(
    ("manifest", "outcome", "reason"),
    [
        pytest.param(
            step(HANGS, "idle-timeout = 1") + '[symptom]\nexit = "timeout"', "shows", "exceeds", id="it hangs"
        ),
        pytest.param(step(HANGS, "timeout = 1") + '[symptom]\nexit = "timeout"', "shows", "exceeds", id="a time limit"),
        pytest.param(
            step("uv --version; for i in 1 2 3 4 5; do sleep 0.4; echo; done", "idle-timeout = 1")
            + '[symptom]\nexit = "timeout"',
            "absent",
            "succeeds",
            id="output is progress",
        ),
        pytest.param(
            step(HANGS, "idle-timeout = 1") + '[symptom]\noutput = ["uv 0.5.21"]',
            "broken",
            "time limit",
            id="no key",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            step("uv pip compile -q --index-url https://no.example/simple - <<E\nsix\nE\nsleep 30", "idle-timeout = 1")
            + '[symptom]\nexit = "timeout"',
            "broken",
            "no response from no.example",
            id="no response",
        ),
        pytest.param(
            step(SIX, "idle-timeout = 1")
            + '[symptom]\nexit = "timeout"\n[[fault]]\nurl = "https://pypi.org/*"\ndelay = 60\n',
            "shows",
            "exceeds",
            id="a fault",
        ),
    ],
)
@pytest.mark.few(2)
def test_a_hang(judge: Any, manifest: str, outcome: str, reason: str) -> None:
    found = judge(manifest)
    assert found["outcome"] == outcome, found["reason"]
    assert reason in found["reason"]
    assert found["seconds"] < 5
    if outcome == "shows":
        assert 0.5 < found["steps"][-1]["idle_seconds"] < 3


@pytest.mark.parametrize(
    ("run", "expected", "outcome"),
    [
        pytest.param("uv --version", 'output = ["uv 0.5.21"]', "absent", id="what is expected"),
        pytest.param("uv cache dir", 'output = ["uv 0.5.21"]', "different", id="neither"),
        pytest.param("uv --version; false", 'output = ["uv 0.5.21"]', "different", id="a failure"),
        pytest.param("uv --version; false", 'exit = 1\noutput = ["uv 0.5.21"]', "absent", id="an expected failure"),
    ],
)
@pytest.mark.few(2)
def test_what_is_expected(judge: Any, run: str, expected: str, outcome: str) -> None:
    assert judge(f'{step(run)}[symptom]\noutput = ["panicked"]\n[expected]\n{expected}\n')["outcome"] == outcome


def test_a_control_has_file_symptoms_of_its_own(uvmre: CommandLine, write_mre: WriteMre) -> None:
    control = (
        '[[control]]\nname = "c"\nexpect = "present"\n[control.symptom]\n[[control.symptom.file]]\npath = "uv.lock"\n'
    )
    manifest = (
        f'{HEAD}{INIT}{step("uv lock")}[symptom]\noutput = ["Resolved 1 package"]\n{control}contains = "name = a"\n'
    )
    assert uvmre("run", write_mre(manifest), "--json").json("run")["verdict"] == "reproducible"
