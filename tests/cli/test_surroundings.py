"""What the steps run in: the release by its date, the clock, interpreters and platforms. With real releases of uv."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import CommandLine, WriteMre, no_sandbox
from tests.releases.caches import VERSIONS
from uvmre.core.mre.manifest import parse
from uvmre.errors import CannotTell
from uvmre.run import environment
from uvmre.run.environment import RunDirs, find_clock
from uvmre.run.interpreters import available

MANIFEST = """\
title = "t"
[environment]
uv = "{uv}"
{more}
[[step]]
run = '''
{step}
'''
[symptom]
exit = {exit}
output = {output}
"""


@pytest.fixture(params=["local", pytest.param("sandbox", marks=pytest.mark.slow)])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "sandbox" and (why := no_sandbox()):
        pytest.skip(why)
    return str(request.param)


def manifest(step: str, output: list[str], *, uv: str = VERSIONS[0], more: str = "", exit: int = 3) -> str:
    return MANIFEST.format(step=step, output=json.dumps(output), uv=uv, more=more, exit=exit)


@pytest.mark.parametrize(
    ("named", "release"), [("latest", "0.4.19"), ("@2024-08-08", "0.4.1"), ("@2024-08-14", "0.4.1")]
)
@pytest.mark.few(1)
def test_a_release_by_its_day_is_resolved_and_named_in_the_report(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, named: str, release: str
) -> None:
    folder = write_mre(manifest("uv; exit 3", [f"uv {release}"], uv=named))
    for options in ([], ["--replay"]):
        ran = uvmre("run", folder, "--json", *options, XDG_CACHE_HOME=str(home)).json("run")
        assert (ran["verdict"], ran["uv"], ran["reported_uv"]) == ("reproducible", release, release)
        assert ran["reason"].startswith(f"`{named}` is uv {release}, as of {datetime.now(UTC):%Y-%m-%d}: The symptom")
    report = uvmre("report", folder, XDG_CACHE_HOME=str(home))
    assert f"`{named}` is uv {release}" in report.stdout.replace("\\", ""), report
    matrix = uvmre("matrix", folder, "--json", XDG_CACHE_HOME=str(home)).json("matrix")
    assert {cell["release"] for cell in matrix["cells"]} == {release, "0.4.19"}
    found = uvmre("bisect", folder, "--json", XDG_CACHE_HOME=str(home)).json("bisect")
    assert found["reported"] == release


def test_a_day_before_the_first_release_and_a_wrong_word_are_mistakes(
    uvmre: CommandLine, write_mre: WriteMre, home: Path
) -> None:
    ran = uvmre("run", write_mre(manifest("uv", [], uv="@2020-01-01")), XDG_CACHE_HOME=str(home))
    assert (ran.exit, "uv had no release on 2020-01-01" in ran.stderr) == (2, True)
    ran = uvmre("run", write_mre(manifest("uv", [], uv="newest")), XDG_CACHE_HOME=str(home))
    assert (ran.exit, 'must be a release, such as "0.5.21", "latest"' in ran.stderr) == (2, True)


def test_no_dockerfile_is_made_for_a_release_without_a_name(
    uvmre: CommandLine, write_mre: WriteMre, home: Path
) -> None:
    ran = uvmre(
        "report", "--format", "dockerfile", write_mre(manifest("uv", ["uv 0.4"], uv="latest")), XDG_CACHE_HOME=str(home)
    )
    assert (ran.exit, "a Dockerfile needs a release of uv, not `latest`" in ran.stderr) == (2, True), ran
    folder = write_mre(manifest("uv", ["uv 0.4"], more='pythons = ["3.8"]'))
    ran = uvmre("report", "--format", "dockerfile", folder, XDG_CACHE_HOME=str(home))
    assert (ran.exit, "`pythons` cannot be written as a Dockerfile" in ran.stderr) == (2, True), ran


@pytest.mark.network
@pytest.mark.parametrize(
    "run",
    [
        "RUN uv venv && uv pip install iniconfig && ls .venv/lib/*/site-packages",
        "ENV VIRTUAL_ENV=/opt/venv\nRUN uv venv $VIRTUAL_ENV\nRUN uv pip install iniconfig && ls /opt/venv/lib/*/site*",
        "RUN uv venv /app/v\nRUN . /app/v/bin/activate && uv pip install iniconfig && ls /app/v/lib/*/site-packages",
    ],
)
@pytest.mark.few(1)
def test_a_followed_dockerfile_installs_into_a_virtual_environment_of_its_own(
    uvmre: CommandLine, write_mre: WriteMre, backend: str, run: str
) -> None:
    text = manifest("", ["iniconfig"], uv="0.9.3", exit=0)
    folder = write_mre(text.partition("[[step]]")[0] + text[text.index("[symptom]") :])
    (folder / "Dockerfile").write_text(f"FROM python:3.12\nWORKDIR /app\n{run}\n")
    ran = uvmre("run", folder, "--backend", backend, "--json").json("run")
    assert ran["verdict"] == "reproducible", ran["reason"]


CLOCK = "exclude-newer = 2025-03-01\nclock = true"
NOW = "python -c 'import time; print(time.strftime(\"now %F %H:%M\", time.gmtime()))'"
LASTS = "python -c 'import time as t; a = t.monotonic(); t.sleep(1); print(\"slept\", round(t.monotonic() - a))'"


@pytest.mark.skipif(not find_clock(), reason="libfaketime is not installed")
@pytest.mark.parametrize(
    ("cutoff", "now"),
    [
        ("2025-03-01", "now 2025-03-02 00:00"),
        pytest.param("2025-03-01T14:30:00+01:00", "now 2025-03-01 13:30", marks=pytest.mark.slow),
    ],
)
def test_the_clock_of_all_processes_starts_at_the_cutoff_and_timeouts_stay_real(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str, cutoff: str, now: str
) -> None:
    more = f"exclude-newer = {cutoff}\nclock = true"
    text = manifest(f"date -u +'now %F %H:%M'; {LASTS}; {NOW}; exit 3", [now, "slept 1", now], more=more)
    ran = uvmre("run", write_mre(text), "--backend", backend, "--json", XDG_CACHE_HOME=str(home)).json("run")
    assert ran["verdict"] == "reproducible", ran["reason"]
    left = (path.name.rpartition("_")[2] for path in Path("/dev/shm").glob("*faketime*"))
    assert not [pid for pid in left if not Path("/proc", pid).exists()]
    text = text.replace("clock = true", "clock = false")
    ran = uvmre("run", write_mre(text), "--backend", backend, "--json", XDG_CACHE_HOME=str(home)).json("run")
    assert ran["variants"][0]["outcome"] == "different"


@pytest.mark.network
@pytest.mark.skipif(not find_clock(), reason="libfaketime is not installed")
def test_uv_counts_a_span_of_time_from_the_faked_day(uvmre: CommandLine, write_mre: WriteMre, backend: str) -> None:
    step = "echo tzdata | uv pip compile -q --exclude-newer '60 days' - || exit 9; exit 3"
    folder = write_mre(manifest(step, ["tzdata==2024.2"], uv="0.9.29", more=CLOCK))  # 2025.1 is of January 22
    ran = uvmre("run", folder, "--backend", backend, "--json").json("run")
    assert ran["verdict"] == "reproducible", ran["reason"]
    folder = write_mre(manifest(step, ["tzdata==2024.2"], uv="0.9.29", more=CLOCK.replace("true", "false")))
    ran = uvmre("run", folder, "--backend", backend, "--json").json("run")
    assert ran["variants"][0]["outcome"] == "different", ran["reason"]


def test_where_the_clock_cannot_be_set_there_is_no_verdict(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (home / "uvmre" / "uv" / VERSIONS[0] / "uv").write_bytes(b"\x7fELF" + bytes(9000))
    ran = uvmre("run", write_mre(manifest("uv", ["x123"], more=CLOCK)), XDG_CACHE_HOME=str(home))
    assert ran.exit == 125
    assert "`clock` does not work with a uv that is linked statically" in ran.stderr
    dirs, mre = RunDirs(tmp_path), parse(manifest("uv", ["x123"], more=CLOCK))
    monkeypatch.setattr(environment, "find_clock", lambda: None)
    with pytest.raises(CannotTell) as raised:
        environment.own_variables(dirs, mre)
    assert "pip install 'uvmre[clock]'" in raised.value.hint


@pytest.mark.network
def test_more_interpreters_are_in_path_and_in_variables(uvmre: CommandLine, write_mre: WriteMre, backend: str) -> None:
    others = [each for each in available() if each in ("3.8", "3.9", "3.10", "3.13")][:2]
    if len(others) < 2:
        pytest.skip("too few interpreters are installed")
    name = f"PYTHON_{others[0].replace('.', '_')}"
    step = f"""\
uv venv -q -p {others[1]} && .venv/bin/python -c 'import sys; print("venv %d.%d" % sys.version_info[:2])'
python{others[1]} -c 'import sys; print("path %d.%d" % sys.version_info[:2])'
"${name}" -c 'import sys; print("variable %d.%d" % sys.version_info[:2])'
python -c 'import sys; print("own %d.%d" % sys.version_info[:2])'
exit 3"""
    texts = [f"venv {others[1]}", f"path {others[1]}", f"variable {others[0]}", "own 3.12"]
    folder = write_mre(manifest(step, texts, uv="0.9.29", more=f'python = "3.12"\npythons = {json.dumps(others)}'))
    ran = uvmre("run", folder, "--backend", backend, "--json").json("run")
    assert ran["verdict"] == "reproducible", ran["reason"]


def test_without_one_of_the_interpreters_there_is_no_verdict(
    uvmre: CommandLine, write_mre: WriteMre, home: Path
) -> None:
    folder = write_mre(manifest("uv", ["x123"], more='pythons = ["3.77"]'))
    ran = uvmre("run", folder, XDG_CACHE_HOME=str(home))
    assert (ran.exit, "no interpreter found for Python 3.77" in ran.stderr) == (125, True), ran.stderr


@pytest.mark.network
@pytest.mark.parametrize(
    ("platform", "wheel"),
    [
        ("macosx-14.0-arm64", "idna markupsafe"),
        ("win-amd64", "markupsafe six"),
        ("linux-aarch64", "markupsafe"),
        ("netbsd-10.0-amd64", "no usable wheels"),
    ],
)
@pytest.mark.few(2)
def test_an_interpreter_claims_a_platform(
    uvmre: CommandLine, write_mre: WriteMre, backend: str, platform: str, wheel: str
) -> None:
    """Its markers and wheels are those of the platform, in environments that are made of it too."""
    step = (
        'uv venv -q && uv pip install --only-binary :all: --dry-run "markupsafe==2.1.5" '
        "\"idna==3.7; sys_platform == 'darwin'\" \"six==1.16.0; platform_system == 'Windows'\" > out 2>&1; "
        "grep -o 'idna\\|markupsafe\\|six\\|no usable wheels' out | sort -u | xargs; exit 3"
    )
    folder = write_mre(manifest(step, [wheel], uv="0.5.21", more=f'platform = "{platform}"'))
    ran = uvmre("run", folder, "--json", "--backend", backend).json("run")
    assert ran["verdict"] == "reproducible", ran["variants"][0]["steps"]


@pytest.mark.network
def test_uv_downloads_python_from_this_machine(uvmre: CommandLine, write_mre: WriteMre, backend: str) -> None:
    """What it installs runs, is listed as managed, and can be chosen."""
    (other, *_) = [minor for minor in available() if minor != "3.11"]
    step = (
        f"uv python install {other} && uv venv -q --managed-python --python {other} && "
        ".venv/bin/python -c 'import ssl, sys; print(*sys.version_info[:2], sys.base_prefix)'; exit 3"
    )
    more = f'python = "3.11"\npythons = ["{other}"]\npython-downloads = true'
    folder = write_mre(
        manifest(step, [f"{other.replace('.', ' ')} /home/.local/share/uv/python/…"], uv="0.13.9", more=more)
    )
    ran = uvmre("run", folder, "--json", "--backend", backend).json("run")
    assert ran["verdict"] == "reproducible", ran["variants"][0]["steps"]
    assert not ran["variants"][0]["requests"]


@pytest.mark.network
@pytest.mark.parametrize("uv", ["0.1.0", "0.1.2", "0.1.18", "0.1.3"])
@pytest.mark.few(1)
def test_releases_that_ignore_the_certificate_get_pypi_over_plain_http(
    uvmre: CommandLine, write_mre: WriteMre, backend: str, uv: str
) -> None:
    folder = write_mre(
        manifest("uv venv -q && uv pip install six==1.16.0 && uv pip freeze; exit 3", ["six==1.16.0"], uv=uv)
    )
    ran = uvmre("run", folder, "--json", "--backend", backend).json("run")
    assert ran["verdict"] == "reproducible", ran["reason"]
    assert ("over plain HTTP" in ran["reason"]) == (uv != "0.1.3")
