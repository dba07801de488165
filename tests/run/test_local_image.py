"""The image of a Dockerfile that is followed, as folders."""

import contextlib
from pathlib import Path

import pytest

from uvmre.core.mre.files import File
from uvmre.core.mre.layer import Layer, LayerFolder, StageFetch, StageStart
from uvmre.core.mre.model import Environment, Mre
from uvmre.core.mre.symptom import Symptom
from uvmre.run import local_image
from uvmre.run.environment import RunDirs


@pytest.fixture
def place(tmp_path: Path) -> RunDirs:
    made = RunDirs(tmp_path, ("/usr/bin",))
    local_image.prepare(made, Layer((), before=(StageStart(0, None),)))
    return made


def here(place: RunDirs, path: str) -> Path:
    return local_image.folder(place) / path


def test_what_comes_before_a_run_is_done_in_its_order(place: RunDirs) -> None:
    acts = (LayerFolder("/app"), File("app/x", b"1"), File("app/x", b"2", executable=True), File("root/.netrc", b"m"))
    assert local_image.prepare(place, Layer((), "/app/new", before=acts)) == here(place, "app/new")
    assert here(place, "app/new").is_dir()
    assert here(place, "app/x").read_bytes() == b"2"
    assert here(place, "app/x").stat().st_mode & 0o100
    assert here(place, "root/.netrc").stat().st_mode & 0o077 == 0


def test_a_stage_does_not_see_what_another_left_and_can_fetch_it(place: RunDirs) -> None:
    local_image.prepare(place, Layer((), before=(File("app/x", b"x"), File("app/d/y", b"y"), File("one", b"1"))))
    here(place, "app/link").symlink_to("x")
    local_image.prepare(place, Layer((), before=(StageStart(1, None),)))
    assert not here(place, "app").exists()
    acts = (
        StageFetch(0, "/app", "/new"),
        StageFetch(0, "/one", "/z/"),
        StageFetch(0, "/one", "/two"),
        StageFetch(0, "/app/*", "/w/"),
    )
    local_image.prepare(place, Layer((), before=acts))
    found = {
        path.relative_to(local_image.folder(place)).as_posix()
        for path in local_image.folder(place).rglob("*")
        if path.is_file()
    }
    assert found == {"new/x", "new/d/y", "new/link", "z/one", "two", "w/x", "w/link", "w/y"}
    assert here(place, "new/link").is_symlink()


def test_a_stage_can_be_built_on_one_that_is_not_the_last(place: RunDirs) -> None:
    local_image.prepare(place, Layer((), before=(File("x", b"0"),)))
    local_image.prepare(place, Layer((), before=(StageStart(1, None),)))
    local_image.prepare(place, Layer((), before=(StageStart(2, 0), File("x2", b"2"))))
    assert {path.name for path in local_image.folder(place).iterdir()} == {"x", "x2", "root", "tmp"}
    local_image.prepare(place, Layer((), before=(StageStart(3, 0),)))
    assert not here(place, "x2").exists()


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (StageFetch(0, "/no", "/x"), "`/no` is not in the stage that it is copied from"),
        (StageFetch(0, "/no*", "/x/"), "`/no*` is not in the stage that it is copied from"),
        (File("root", b""), "`/root` cannot be written: Is a directory"),
    ],
)
def test_what_cannot_be_laid_is_reported(place: RunDirs, event: StageFetch | File, why: str) -> None:
    local_image.prepare(place, Layer((), before=(StageStart(1, None),)))
    with pytest.raises(local_image.CannotRunStep) as raised:
        local_image.prepare(place, Layer((), before=(event,)))
    assert str(raised.value) == why


def test_a_mount_covers_what_is_there_for_its_time(place: RunDirs) -> None:
    local_image.prepare(place, Layer((), before=(File("app/x", b"own"),)))
    layer = Layer((), mounts=(File("app/x", b"mounted"), File("run/secrets/s", b"s")))
    with contextlib.suppress(KeyboardInterrupt), local_image.mounts(place, layer):
        assert (here(place, "app/x").read_bytes(), here(place, "run/secrets/s").read_bytes()) == (b"mounted", b"s")
        raise KeyboardInterrupt
    assert here(place, "app/x").read_bytes() == b"own"
    assert not here(place, "run/secrets/s").exists()


@pytest.mark.parametrize("path", ["../../x", "/../x", "a/../../../x"])
def test_nothing_is_laid_outside(place: RunDirs, path: str) -> None:
    assert local_image.inside(place, path).is_relative_to(local_image.folder(place))
    local_image.prepare(place, Layer((), before=(File(path, b"x"),)))
    assert not (place.root / "x").exists()
    assert not (place.root.parent / "x").exists()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("cd /app && cat '/app/x' >/app/y", "cd R/app && cat 'R/app/x' >R/app/y"),
        ("PATH=/app/bin:/usr/bin:/root/b", "PATH=R/app/bin:/usr/bin:R/root/b"),
        ("file:///app/x -C=/app", "file://R/app/x -C=R/app"),
        ("https://h/app /application ./app a/app $HOME/app ${X}/app /app-x", ""),
        ("/etc/uv/uv.toml /etc/uv", "R/etc/uv/uv.toml /etc/uv"),
        ("sed -i 's/app/root/' x", ""),
    ],
)
def test_the_image_s_own_paths_are_those_of_this_machine(place: RunDirs, text: str, same: str) -> None:
    layer = Layer((), owned=("/app", "/root", "/etc/uv/uv.toml"))
    assert local_image.translate(place, layer, text) == (same or text).replace("R/", f"{local_image.folder(place)}/")


def test_a_run_sees_the_builder_s_variables_and_over_them_the_manifest_s(place: RunDirs) -> None:
    mre = Mre(
        "t",
        Environment("0.5.21", variables={"B": "manifest"}, env_file="e"),
        (),
        Symptom(1),
        files=(File("e", b"E=1"),),
    )
    layer = Layer(
        (), variables={"A": "/app/a", "B": "own", "PATH": "/app/bin:/usr/bin", "HOME": "/app/home"}, owned=("/app",)
    )
    path = local_image.variables(place, mre, layer, "http://gate:1")
    root = local_image.folder(place)
    assert path["A"] == f"{root}/app/a"
    assert path["B"] == "manifest"
    assert path["HOME"] == f"{root}/app/home"
    assert path["PATH"] == f"{root}/app/bin:{root}/usr/bin:{place.tools}:/usr/bin"
    assert path["HTTPS_PROXY"] == "http://gate:1"
    assert "E" not in path
