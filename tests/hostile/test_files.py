"""Files, names and links that a stranger sent: none leads out of its folder, and none exhausts the machine."""

import json
import os
import threading
import time

import pytest

from tests.hostile.outside import MANIFEST, UV, Stranger, stranger

__all__ = ["stranger"]

LEAVES = "is a link that leaves the folder: copy the file instead"


@pytest.mark.parametrize("target", ["outside/.ssh/id_rsa", "outside", "/proc/self/environ", "/dev/zero", "/etc/passwd"])
def test_a_link_to_outside_is_not_read(stranger: Stranger, target: str) -> None:
    (stranger.mre() / "file").symlink_to(stranger.root / target)
    ended = stranger.uvmre("report", stranger.folder, "--format", "dockerfile")
    assert ended.exit == 2
    assert f"file {LEAVES}" in ended.stderr


def test_a_link_inside_is_read(stranger: Stranger) -> None:
    (stranger.mre() / "a.txt").write_text("inside\n")
    (stranger.folder / "b.txt").symlink_to("a.txt")
    ended = stranger.uvmre("report", stranger.folder, "--format", "dockerfile")
    assert ended.exit == 0
    assert ended.stdout.count("inside") == 2


@pytest.mark.parametrize("target", ["outside/.ssh/id_rsa", "/proc/self/environ"])
def test_the_manifest_is_no_link_to_outside(stranger: Stranger, target: str) -> None:
    (stranger.folder / "mre.toml").symlink_to(stranger.root / target)
    ended = stranger.uvmre("lint", stranger.folder)
    assert ended.exit == 2
    assert LEAVES.removeprefix("is ") in ended.stderr


def test_a_link_in_a_circle_and_pipes_are_named(stranger: Stranger) -> None:
    (stranger.mre() / "loop").symlink_to("loop")
    os.mkfifo(stranger.folder / "pipe")
    ended = stranger.uvmre("lint", stranger.folder)
    assert ended.exit == 2
    assert "'loop' is a broken link" in ended.stderr
    assert "pipe is neither a file nor a folder" in ended.stderr


@pytest.mark.parametrize("name", ["mre.toml", "Dockerfile"])
def test_a_pipe_is_not_waited_for(stranger: Stranger, name: str) -> None:
    os.mkfifo(stranger.folder / name)
    arguments = ("lint", stranger.folder) if name == "mre.toml" else ("new", "made", "--from-dockerfile")
    ended = stranger.uvmre(*arguments, *([stranger.folder / name] if name == "Dockerfile" else []))
    assert ended.exit == 2
    assert "is a named pipe, not a file" in ended.stderr


@pytest.mark.parametrize("link", [".uvmre", ".uvmre/runs", ".uvmre/recording", ".uvmre/uv", ".uvmre/recording/bodies"])
@pytest.mark.parametrize("verb", [("run",), ("recording", "rm"), ("report",)], ids=lambda verb: verb[-1])
@pytest.mark.few(6)
def test_a_link_in_the_folder_of_uvmre_is_not_followed(stranger: Stranger, link: str, verb: tuple[str, ...]) -> None:
    (stranger.mre() / link).parent.mkdir(parents=True, exist_ok=True)
    (stranger.folder / link).symlink_to(stranger.outside)
    ended = stranger.uvmre(*verb, stranger.folder)
    assert ended.exit == 2
    assert f"{link}` is a symbolic link\nhint: delete it" in ended.stderr


def test_the_git_ignore_of_uvmre_does_not_overwrite_a_file_of_the_user(stranger: Stranger) -> None:
    (stranger.mre() / ".uvmre").mkdir()
    (stranger.folder / ".uvmre" / ".gitignore").symlink_to(stranger.outside / ".bashrc")
    assert "is a symbolic link" in stranger.uvmre("run", stranger.folder).stderr


def test_a_bundled_uv_is_no_link_to_a_file_of_the_user(stranger: Stranger) -> None:
    from uvmre.releases import catalogue

    release = stranger.mre(MANIFEST.replace(UV, "0.9.99")) / ".uvmre" / "uv" / "0.9.99"
    release.mkdir(parents=True)
    (release / "platform").write_text(catalogue.platform())
    (release / "uv").symlink_to(stranger.outside / ".ssh" / "id_rsa")  # was made executable by everybody
    ended = stranger.uvmre("run", stranger.folder, "--replay")
    assert ended.exit == 125
    assert "uv 0.9.99 is not in the cache" in ended.stderr


def test_a_file_that_is_swapped_between_check_and_use_is_not_followed(stranger: Stranger) -> None:
    from uvmre import files
    from uvmre.errors import UvmreError

    (stranger.folder / "real").write_text("fine")
    path, ended = stranger.folder / "file", threading.Event()

    def swap() -> None:
        while not ended.is_set():
            for name, target in (("new", stranger.outside / ".bashrc"), ("new", None)):
                new = stranger.folder / name
                new.symlink_to(target) if target else os.link(stranger.folder / "real", new)
                new.rename(path)

    os.link(stranger.folder / "real", path)
    swapping = threading.Thread(target=swap)
    swapping.start()
    read, refused = 0, 0
    until = time.monotonic() + 2
    while time.monotonic() < until or not (read and refused):
        try:
            assert files.read_bytes(path, follow=False) == b"fine"
            read += 1
        except UvmreError:
            refused += 1
    ended.set()
    swapping.join()


@pytest.mark.parametrize("names", [("A.txt", "a.txt"), ("Lib/x", "lib/y"), ("caf\u00e9", "cafe\u0301"), ("MRE.toml",)])
def test_names_that_are_the_same_elsewhere_are_refused(stranger: Stranger, names: tuple[str, ...]) -> None:
    stranger.mre()
    for name in names:
        (stranger.folder / name).parent.mkdir(exist_ok=True)
        (stranger.folder / name).touch()
    ended = stranger.uvmre("lint", stranger.folder)
    assert ended.exit == 2
    assert "are the same name on some systems: rename one" in ended.stderr


@pytest.mark.parametrize("name", ["a\nerror: fake", "a\x1b[2Jb", "..\\..\\evil", "a\u202eb", "\x9b2J", "a\rb"])
def test_names_with_characters_of_terminals_or_other_systems_are_refused(stranger: Stranger, name: str) -> None:
    (stranger.mre() / name).touch()
    ended = stranger.uvmre("lint", stranger.folder)
    assert ended.exit == 2
    assert f"{name if name.isprintable() else ascii(name)} has a character that not every system has" in ended.stderr


@pytest.mark.parametrize("name", ["CON", "aux.txt", "nul", "n" * 255, "-rf", "$(touch made)", "ä b"])
def test_other_names_are_only_names(stranger: Stranger, name: str) -> None:
    (stranger.mre() / name).write_text("content\n")
    assert stranger.uvmre("lint", stranger.folder).exit == 0
    assert "content" in stranger.uvmre("report", stranger.folder, "--format", "dockerfile").stdout


@pytest.mark.parametrize("folders", [True, False], ids=["folders", "files"])
def test_a_folder_of_very_many_entries_is_refused_at_once(stranger: Stranger, folders: bool) -> None:
    stranger.mre()
    for number in range(10_001):
        path = stranger.folder / str(number)
        path.mkdir() if folders else path.touch()
    ended = stranger.uvmre("lint", stranger.folder)
    assert ended.exit == 2
    assert "it has more than 10000 files and folders" in ended.stderr


def test_folders_deeper_than_a_path_are_named(stranger: Stranger) -> None:
    deep = os.open(stranger.mre(), os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 20, dir_fd=deep)
        inner = os.open("d" * 20, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    ended = stranger.uvmre("lint", stranger.folder)
    assert ended.exit == 2
    assert "cannot be read: File name too long" in ended.stderr
    assert len(ended.stderr) < 500


@pytest.mark.parametrize(("name", "fault"), [("mre.toml", "is larger than 32 MB"), ("x", "is larger than 100 MB")])
def test_sparse_files_are_not_read(stranger: Stranger, name: str, fault: str) -> None:
    stranger.mre()
    os.truncate(os.open(stranger.folder / name, os.O_CREAT | os.O_WRONLY), 1 << 40)
    ended = stranger.uvmre("lint", stranger.folder)
    assert ended.exit == 2
    assert fault in ended.stderr


TOML_BOMBS = {
    "nested arrays": ("x = " + "[" * 100_000 + "]" * 100_000, "Nested more than 64 levels deep (at line 11)"),
    "nested tables": ("x = " + "{a=" * 5_000 + "1" + "}" * 5_000, "Nested more than 64 levels deep (at line 11)"),
    "a key of many parts": ("a." * 20_000 + "a = 1", "Nested more than 64 levels deep (at line 11)"),
    "a header of many parts": (f"[{'a.' * 20_000}a]", "Nested more than 64 levels deep (at line 11)"),
    "quoted keys of many parts": ('"a" . ' * 20_000 + "a = 1", "Nested more than 64 levels deep (at line 11)"),
    "behind four quotes": ('x = [""""""", ' + "[" * 1000 + "]]", "Nested more than 64 levels deep (at line 11)"),
    "a number without an end": ("x = " + "9" * 10_000, "Exceeds the limit"),
    "a date that there is not": ("x = 2024-02-30", "line 11"),
    "a text without an end": ("x = " + "'" * 2_000_000, "It is longer than 1000000 characters"),
    "very many steps": ("[[step]]\nrun = 'x'\n" * 2_000, "step has more than 1000 tables"),
}


@pytest.mark.parametrize("kind", ["manifest", "scenario"])
@pytest.mark.parametrize(("bomb", "fault"), TOML_BOMBS.values(), ids=TOML_BOMBS.keys())
@pytest.mark.few(6)
def test_toml_bombs_are_invalid_toml(stranger: Stranger, bomb: str, fault: str, kind: str) -> None:
    stranger.mre(f"{MANIFEST}\n{bomb}\n".replace("\n\n", "\n"))
    manifest = stranger.folder / "mre.toml"
    scenario = ("new", "made", "--from-packse", manifest, "--uv", UV)
    ended = stranger.uvmre(*(("lint", stranger.folder) if kind == "manifest" else scenario))
    assert ended.exit == 2
    assert kind == "scenario" or fault in ended.stderr
    assert not (stranger.root / "made").exists()


def test_toml_as_people_write_it_is_valid() -> None:
    from uvmre.core.text.parse_toml import parse_toml

    nested = "[" * 40 + "]" * 40
    text = (
        f'a.b.c = "a.b.c.[[[[{{{{" # {"[" * 100}\nx = {nested}\ny = """\n{"[." * 100}\n"\\""""\nz = \'{"." * 100}\'\n'
    )
    assert parse_toml(text)["a"] == {"b": {"c": "a.b.c.[[[[{{"}}


YAML_BOMBS = {
    "laughs": "\n".join(["a0: &a0 [x]", *(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(25))]),
    "merged": "\n".join(
        ["a0: &a0 {x: 1}", *(f"a{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * 9)}]}}" for n in range(25))]
    ),
    "itself": "uv: &a [*a]",
    "deep": "uv: " + "[" * 50_000,
    "a date that there is not": "uv: 2024-02-30",
    "a number without an end": "uv: " + "9" * 10_000,
    "large": "uv: " + "x" * 200_000,
    "an object of Python": "uv: !!python/object/apply:os.system ['touch made']",
}


@pytest.mark.parametrize("bomb", YAML_BOMBS.values(), ids=YAML_BOMBS.keys())
def test_yaml_bombs_are_invalid_answers(stranger: Stranger, bomb: str) -> None:
    (stranger.folder / "answers.yml").write_text(bomb)
    ended = stranger.uvmre(
        "new", "made", "-t", "workspace-index", "--defaults", "--data-file", stranger.folder / "answers.yml"
    )
    assert ended.exit == 2
    assert ended.stderr.startswith(("error: failed to parse", "error: 1 invalid answer"))
    assert not (stranger.root / "made").exists()


def test_yaml_with_a_few_aliases_is_read(stranger: Stranger) -> None:
    (stranger.folder / "answers.yml").write_text(f"title: &t a title\nuv: {UV}\nindex_name: &n corp\nmember: *n\n")
    ended = stranger.uvmre(
        "new", "made", "-t", "workspace-index", "--defaults", "--data-file", stranger.folder / "answers.yml"
    )
    assert ended.exit == 0
    assert 'title = "a title"' in (stranger.root / "made" / "mre.toml").read_text()


DOCKERFILE = f"""\
FROM ghcr.io/astral-sh/uv:{UV}-debian-slim
WORKDIR /mre
COPY <<EOF {{path}}
#!/bin/sh
EOF
RUN uv fail
"""


@pytest.mark.parametrize(
    "path",
    ["../../../../outside/x", "../../../outside/x", f".uvmre/uv/{UV}/uv", ".git/config", ".GIT/config", "mre.toml"],
)
def test_a_heredoc_writes_no_file_beside_the_mre_s_own(stranger: Stranger, path: str) -> None:
    (stranger.folder / "Dockerfile").write_text(DOCKERFILE.format(path=path))
    made = stranger.root / "made"
    ended = stranger.uvmre(
        "new", made, "--from-dockerfile", stranger.folder / "Dockerfile", "-d", "output=it broke in two"
    )
    assert ended.exit == 0
    written = {str(each.relative_to(made)) for each in made.rglob("*") if each.is_file()}
    assert written == {"mre.toml", "Dockerfile", "run.sh", ".uvmre/.gitignore", ".uvmre/written.json"} | {
        name for name in written if name == ".uvmre/origin"
    }
    assert f"COPY <<EOF {path}\n" in (made / "Dockerfile").read_text()


def test_a_heredoc_with_a_plain_name_becomes_a_file(stranger: Stranger) -> None:
    (stranger.folder / "Dockerfile").write_text(DOCKERFILE.format(path="bin/x"))
    arguments = ("--from-dockerfile", stranger.folder / "Dockerfile", "-d", "output=it broke in two")
    assert stranger.uvmre("new", stranger.root / "made", *arguments).exit == 0
    assert (stranger.root / "made" / "bin" / "x").read_text() == "#!/bin/sh\n"


def test_a_dockerfile_copies_nothing_from_above_its_folder(stranger: Stranger) -> None:
    (stranger.folder / "Dockerfile").write_text(
        f"FROM ghcr.io/astral-sh/uv:{UV}-debian-slim\nCOPY ../outside/.bashrc /etc/passwd /x/\nRUN uv fail\n"
    )
    ended = stranger.uvmre(
        "new", "made", "--from-dockerfile", stranger.folder / "Dockerfile", "-d", "output=it broke in two"
    )
    assert ended.exit == 2
    assert "../outside/.bashrc is not in the Dockerfile's folder" in ended.stderr
    assert not (stranger.root / "made").exists()


ISSUE = """\
# It breaks
uv {uv}

```sh title="{path}"
#!/bin/sh
echo fake
```

```console
$ uv fail
error: it broke in two
```
"""


@pytest.mark.parametrize(
    "path", [f".uvmre/uv/{UV}/uv", ".git/hooks/post-checkout", "mre.toml", "../outside/x", "/etc/x"]
)
def test_an_issue_writes_no_file_beside_the_mre_s_own(stranger: Stranger, path: str) -> None:
    (stranger.folder / "issue.md").write_text(ISSUE.format(uv=UV, path=path))
    made = stranger.root / "made"
    assert stranger.uvmre("new", made, "--from-issue", stranger.folder / "issue.md").exit == 0
    written = {str(each.relative_to(made)) for each in made.rglob("*") if each.is_file()}
    assert not [name for name in written if name.startswith((".git", ".uvmre/uv")) or ".." in name]
    assert "schema = 1" in (made / "mre.toml").read_text()


def test_triage_of_a_folder_reads_no_link_and_goes_as_deep_as_it_is(stranger: Stranger) -> None:
    (stranger.folder / "link.md").symlink_to(stranger.outside / "precious.md")
    (stranger.folder / "folder").symlink_to(stranger.outside)
    assert stranger.uvmre("triage", "--dry-run", stranger.folder).exit == 2
    deep = stranger.folder.joinpath(*"d" * 1_200)
    for folder in (*reversed(deep.parents), deep):
        folder.mkdir(exist_ok=True)
    (deep / "issue.md").write_text(ISSUE.format(uv=UV, path="x.sh"))
    ended = stranger.uvmre("triage", "--dry-run", stranger.folder)
    assert ended.exit == 0
    assert ended.stdout.count("found:") == 1


@pytest.mark.parametrize(
    "content", ["[" * 100_000, "[]", '{"schema": 1, "variants": [1]}', "\ud800", '{"schema": "x"}']
)
def test_the_evidence_of_a_stranger_is_no_result(stranger: Stranger, content: str) -> None:
    run = stranger.mre() / ".uvmre" / "runs" / f"20200101T000000.000000Z-uv-{UV}-aa"
    run.mkdir(parents=True)
    (run / "run.json").write_bytes(content.encode(errors="surrogatepass"))
    ended = stranger.uvmre("report", stranger.folder)
    assert ended.exit == 2
    assert "has no finished run" in ended.stderr


def test_names_of_300_characters_are_named(stranger: Stranger) -> None:
    stranger.mre(f'{MANIFEST}[[control]]\nname = "c"\nexpect = "absent"\nfiles = {{ "{"n" * 300}" = "x" }}\n')
    ended = stranger.uvmre("run", stranger.folder, "--replay", "--json")
    assert ended.exit == 2
    assert "line 14: control[1].files has a name of more than 255 bytes" in ended.stderr
    assert json.loads(ended.stdout)["exit"] == 2
