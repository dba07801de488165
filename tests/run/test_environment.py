"""What a step sees: its folders and its variables."""

import os
import shutil
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from uvmre import temp_folders
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Fault
from uvmre.errors import UsageError
from uvmre.run import environment
from uvmre.run.environment import RunDirs, prepare, variables, write_file
from uvmre.run.interpreters import Interpreter

DOOR = "http://127.0.0.1:4711"
NAMES = {
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "https_proxy",
    "http_proxy",
    "NO_PROXY",
}
MRE = Mre("a title", Environment("0.5.21"), (Step("uv sync", "observe"),), Symptom(exit=1))
FILES = (
    File("pyproject.toml", b'[project]\nname = "x"\n'),
    File("run.sh", b"#!/bin/sh\n", executable=True),
    File("packages/a/src/a/__init__.py", b""),
    File("data.bin", bytes(range(256))),
    File("home/.netrc", b"machine x login y password z\n"),
    File("home/.config/uv/uv.toml", b"# of the home\n"),
    File("homely/file", b"not of the home"),
)


@pytest.fixture
def place(tmp_path: Path) -> RunDirs:
    return RunDirs(tmp_path / "variant")


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    """Return a release in a cache: `uv` with `uvx` beside it."""
    folder = tmp_path / "cache" / "uv" / "0.5.21"
    folder.mkdir(parents=True)
    for name in ("uv", "uvx"):
        (folder / name).write_text(f"#!/bin/sh\necho {name}\n")
        (folder / name).chmod(0o755)
    return folder / "uv"


PYTHON = Interpreter(Path(sys.executable), "3.11.7")


def mre(files: tuple[File, ...] = (), **fields: object) -> Mre:
    return replace(MRE, environment=replace(MRE.environment, **fields), files=files)  # type: ignore[arg-type]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_files_of_the_mre_are_in_its_work_folder(place: RunDirs, uv: Path) -> None:
    prepare(place, mre(FILES), uv, PYTHON)
    laid = {path.relative_to(place.work).as_posix(): path for path in place.work.rglob("*") if path.is_file()}
    assert {name: path.read_bytes() for name, path in laid.items()} == {file.path: file.content for file in FILES}
    assert [name for name, path in laid.items() if os.access(path, os.X_OK)] == ["run.sh"]


def test_the_folders_are_fresh_and_empty(place: RunDirs, uv: Path) -> None:
    prepare(place, mre(), uv, PYTHON)
    cache = place.home / ".cache" / "uv"
    assert [list(folder.iterdir()) for folder in (place.work, cache, place.temp)] == [[], [], []]


def test_folders_that_are_there_already_are_not_accepted_for_fresh(place: RunDirs, uv: Path) -> None:
    prepare(place, mre(), uv, PYTHON)
    with pytest.raises(FileExistsError):
        prepare(place, mre(), uv, PYTHON)


@pytest.mark.parametrize("home", ["home", "home/"], ids=["without a slash", "with a slash"])
def test_the_home_folder_is_copied_into_the_home(place: RunDirs, uv: Path, home: str) -> None:
    prepare(place, mre(FILES, home=home), uv, PYTHON)
    found = {path.relative_to(place.home).as_posix() for path in place.home.rglob("*") if path.is_file()}
    assert found == {".netrc", ".config/uv/uv.toml"}
    assert (place.home / ".netrc").read_bytes() == b"machine x login y password z\n"
    assert mode(place.home / ".netrc") == 0o600


def test_without_a_home_folder_the_home_has_an_empty_cache_and_nothing_else(place: RunDirs, uv: Path) -> None:
    prepare(place, mre(FILES), uv, PYTHON)
    assert [path for path in place.home.rglob("*") if not path.is_dir()] == []
    assert list(place.home.iterdir()) == [place.home / ".cache"]


def test_the_tools_are_uv_and_the_interpreter(place: RunDirs, uv: Path) -> None:
    prepare(place, mre(), uv, PYTHON)
    links = {path.name: path.readlink() for path in place.tools.iterdir()}
    python = Path(sys.executable)
    assert links == {
        "uv": uv,
        "uvx": uv.with_name("uvx"),
        "python": python,
        "python3": python,
        "python3.11": python,
    }


def test_an_old_release_without_uvx_has_no_uvx(place: RunDirs, uv: Path) -> None:
    uv.with_name("uvx").unlink()
    prepare(place, mre(), uv, PYTHON)
    assert sorted(path.name for path in place.tools.iterdir()) == ["python", "python3", "python3.11", "uv"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../outside", id="the folder above"),
        pytest.param("a/../../outside", id="the folder above, by a way round"),
        pytest.param("link/outside", id="a link that leaves it"),
        pytest.param("file-link", id="a link to a file outside"),
    ],
)
def test_a_file_outside_the_folder_is_not_written(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "mre"
    folder.mkdir()
    (tmp_path / "outside").write_text("as it was")
    (folder / "link").symlink_to(tmp_path)
    (folder / "file-link").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="is outside the MRE"):
        write_file(folder, File(path, b"new"))
    assert (tmp_path / "outside").read_text() == "as it was"


def test_an_absolute_path_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "mre").mkdir()
    with pytest.raises(UsageError, match="is outside the MRE"):
        write_file(tmp_path / "mre", File(str(tmp_path / "outside"), b"new"))
    assert not (tmp_path / "outside").exists()


def test_a_way_round_inside_is_written(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_file(tmp_path, File("a/../b/c", b"new"))
    assert (tmp_path / "b" / "c").read_bytes() == b"new"


def test_a_step_has_these_variables_and_no_others(place: RunDirs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_FOO_PASSWORD", "of the one who runs it")
    assert set(variables(place, MRE, DOOR)) == NAMES


def test_everything_lies_below_the_place_and_leads_to_the_listener(place: RunDirs) -> None:
    given = variables(place, MRE, DOOR)
    assert (given["HOME"], given["TMPDIR"]) == (str(place.writable / "home"), str(place.writable / "tmp"))
    assert {given[name] for name in NAMES if name.lower().endswith("_proxy") and name != "NO_PROXY"} == {DOOR}
    certificates = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
    assert {given[name] for name in certificates} == {str(place.authority)}


def test_the_path_has_the_mres_own_folders_first_then_the_tools_then_the_system(place: RunDirs) -> None:
    given = variables(place, mre(path=("bin", "more/bin")), DOOR)
    own = [str(place.work / "bin"), str(place.work / "more/bin")]
    assert given["PATH"].split(os.pathsep) == [*own, str(place.tools), *environment.SYSTEM_PATH]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_mres_own_variables_win(place: RunDirs, name: str) -> None:
    given = variables(place, mre(variables={name: "its own", "MORE": "1"}), DOOR)
    assert (given[name], given["MORE"]) == ("its own", "1")
    assert set(given) == NAMES | {"MORE"}


def test_the_manifest_wins_over_the_env_file(place: RunDirs) -> None:
    files = (File("mre.env", b"# a comment\nA=of the file\nB=of the file\n\nLANG=C\n"),)
    given = variables(place, mre(files, env_file="mre.env", variables={"B": "of the manifest"}), DOOR)
    assert (given["A"], given["B"], given["LANG"]) == ("of the file", "of the manifest", "C")


def test_clear_removes_everything(place: RunDirs, uv: Path) -> None:
    prepare(place, mre(FILES), uv, PYTHON)
    temp_folders.delete_tree(place.root)
    assert not place.root.exists()
    assert uv.exists()


def failing(*hosts: str, **does: bool) -> Mre:
    return replace(MRE, faults=tuple(Fault(f"https://{host}/*", **(does or {"unresolvable": True})) for host in hosts))


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        pytest.param(["nothing.invalid"], "localhost,127.0.0.1,nothing.invalid", id="a name"),
        pytest.param(["*.nothing.invalid"], "localhost,127.0.0.1,.nothing.invalid", id="all below a name"),
        pytest.param(["*"], "localhost,127.0.0.1,*", id="all"),
        pytest.param(["A.invalid", "a.invalid", "b.invalid"], "localhost,127.0.0.1,a.invalid,b.invalid", id="several"),
    ],
)
@pytest.mark.skipif(not shutil.which("getent"), reason="there is no glibc here")
def test_a_name_that_must_not_resolve_is_not_requested_from_the_gateway(hosts: list[str], expected: str) -> None:
    assert environment.outage_variables(failing(*hosts)) == {"NO_PROXY": expected, "RES_OPTIONS": "attempts:0"}


@pytest.mark.parametrize(
    "mre",
    [
        pytest.param(MRE, id="no fault"),
        pytest.param(failing("nothing.invalid", refused=True), id="a host that refuses"),
        pytest.param(failing("nothing.invalid", timeout=True), id="a host that hangs"),
        pytest.param(failing("localhost"), id="a name that resolves all the same"),
        pytest.param(failing("nothing.invalid", "localhost"), id="one of two"),
    ],
)
def test_nothing_else_goes_past_the_gateway(mre: Mre) -> None:
    assert environment.outage_variables(mre) == {}


def test_without_a_resolver_that_can_be_switched_off_nothing_goes_past_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment, "SYSTEM_PATH", ("/nowhere",))
    assert environment.outage_variables(failing("elsewhere.invalid")) == {}
