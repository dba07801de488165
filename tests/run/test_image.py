"""The image of a Dockerfile that is followed, as folders."""

import contextlib
from pathlib import Path

import pytest

from uvmre.core.layer import Begin, Fetch, Folder, Layer
from uvmre.core.mre import Environment, File, Mre, Symptom
from uvmre.run import image
from uvmre.run.environment import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path, ("/usr/bin",))
    image.ready(made, Layer((), before=(Begin(0, None),)))
    return made


def here(place: Place, path: str) -> Path:
    return image.folder(place) / path


def test_what_comes_before_a_run_is_done_in_its_order(place: Place) -> None:
    acts = (Folder("/app"), File("app/x", b"1"), File("app/x", b"2", executable=True), File("root/.netrc", b"m"))
    assert image.ready(place, Layer((), "/app/new", before=acts)) == here(place, "app/new")
    assert here(place, "app/new").is_dir()
    assert here(place, "app/x").read_bytes() == b"2"
    assert here(place, "app/x").stat().st_mode & 0o100
    assert here(place, "root/.netrc").stat().st_mode & 0o077 == 0


def test_a_stage_does_not_see_what_another_left_and_can_fetch_it(place: Place) -> None:
    image.ready(place, Layer((), before=(File("app/x", b"x"), File("app/d/y", b"y"), File("one", b"1"))))
    here(place, "app/link").symlink_to("x")
    image.ready(place, Layer((), before=(Begin(1, None),)))
    assert not here(place, "app").exists()
    acts = (Fetch(0, "/app", "/new"), Fetch(0, "/one", "/z/"), Fetch(0, "/one", "/two"), Fetch(0, "/app/*", "/w/"))
    image.ready(place, Layer((), before=acts))
    found = {
        path.relative_to(image.folder(place)).as_posix() for path in image.folder(place).rglob("*") if path.is_file()
    }
    assert found == {"new/x", "new/d/y", "new/link", "z/one", "two", "w/x", "w/link", "w/y"}
    assert here(place, "new/link").is_symlink()


def test_a_stage_can_be_built_on_one_that_is_not_the_last(place: Place) -> None:
    image.ready(place, Layer((), before=(File("x", b"0"),)))
    image.ready(place, Layer((), before=(Begin(1, None),)))
    image.ready(place, Layer((), before=(Begin(2, 0), File("x2", b"2"))))
    assert {path.name for path in image.folder(place).iterdir()} == {"x", "x2", "root", "tmp"}
    image.ready(place, Layer((), before=(Begin(3, 0),)))
    assert not here(place, "x2").exists()


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (Fetch(0, "/no", "/x"), "/no is not in the stage that it is copied from"),
        (Fetch(0, "/no*", "/x/"), "/no* is not in the stage that it is copied from"),
        (File("root", b""), "/root cannot be written: Is a directory"),
    ],
)
def test_what_cannot_be_laid_is_said(place: Place, act: Fetch | File, why: str) -> None:
    image.ready(place, Layer((), before=(Begin(1, None),)))
    with pytest.raises(image.Missing) as raised:
        image.ready(place, Layer((), before=(act,)))
    assert str(raised.value) == why


def test_a_mount_covers_what_is_there_for_its_time(place: Place) -> None:
    image.ready(place, Layer((), before=(File("app/x", b"own"),)))
    layer = Layer((), mounts=(File("app/x", b"mounted"), File("run/secrets/s", b"s")))
    with contextlib.suppress(KeyboardInterrupt), image.mounts(place, layer):
        assert (here(place, "app/x").read_bytes(), here(place, "run/secrets/s").read_bytes()) == (b"mounted", b"s")
        raise KeyboardInterrupt
    assert here(place, "app/x").read_bytes() == b"own"
    assert not here(place, "run/secrets/s").exists()


@pytest.mark.parametrize("path", ["../../x", "/../x", "a/../../../x"])
def test_nothing_is_laid_outside(place: Place, path: str) -> None:
    assert image.inside(place, path).is_relative_to(image.folder(place))
    image.ready(place, Layer((), before=(File(path, b"x"),)))
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
def test_the_image_s_own_paths_are_those_of_this_machine(place: Place, text: str, same: str) -> None:
    layer = Layer((), owned=("/app", "/root", "/etc/uv/uv.toml"))
    assert image.translated(place, layer, text) == (same or text).replace("R/", f"{image.folder(place)}/")


def test_a_run_sees_the_builder_s_variables_and_over_them_the_manifest_s(place: Place) -> None:
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
    seen = image.variables(place, mre, layer, "http://gate:1")
    root = image.folder(place)
    assert seen["A"] == f"{root}/app/a"
    assert seen["B"] == "manifest"
    assert seen["HOME"] == f"{root}/app/home"
    assert seen["PATH"] == f"{root}/app/bin:{root}/usr/bin:{place.tools}:/usr/bin"
    assert seen["HTTPS_PROXY"] == "http://gate:1"
    assert "E" not in seen
