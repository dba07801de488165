"""An MRE is rendered again: its edits survive, whatever the template and the answers have become."""

import shutil
import subprocess
from pathlib import Path

import pytest

from uvmre.core.generated.names import ANSWERS, SCRIPT
from uvmre.core.generated.run_script import generated_files
from uvmre.errors import InputError, UsageError
from uvmre.flows.new import new
from uvmre.flows.update import NO_BASE, UpdatedMre, update
from uvmre.folder.read import read_mre
from uvmre.folder.written import hash_files, read_origin, read_record

CONFIG = """\
title: {type: str, default: It breaks}
uv: {type: str, default: 0.9.15}
count: {type: int, default: 1, validator: "{% if count > 9 %}at most 9{% endif %}"}
extra: {type: bool, default: false}
token: {type: str, secret: true, default: ""}
"""
MANIFEST = """\
title = {{ title | to_json }}

[environment]
uv = "{{ uv }}"

# The step.
[[step]]
run = "uv version"

# What shows.
[symptom]
output = ["it broke {{ count }} times"]
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "copier.yml").write_text(CONFIG)
    (folder / "mre.toml.jinja").write_text(MANIFEST)
    (folder / "a.txt.jinja").write_text("one\ntwo\nthree\nfour {{ uv }}\n")
    (folder / "{% if extra %}extra.txt{% endif %}").write_text("extra\n")
    (folder / "pyproject.toml").write_text("[project]\n")
    return folder


@pytest.fixture
def mre(source: Path, tmp_path: Path) -> Path:
    new(tmp_path / "mre", template=str(source))
    return tmp_path / "mre"


def edit(path: Path, old: str, changed: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, changed))


def written(updated: UpdatedMre) -> list[str]:
    return sorted(file.path for file in updated.merged.files)


def test_without_a_change_nothing_is_written(mre: Path) -> None:
    before = hash_files(mre)
    updated = update(mre, answers={})
    assert updated.merged.files == updated.merged.removed == updated.merged.conflicts == updated.merged.notes == ()
    assert hash_files(mre) == before == read_record(mre)


def test_an_answer_and_the_template_change_and_edits_stay(mre: Path, source: Path) -> None:
    edit(mre / "a.txt", "one", "ONE")
    edit(mre / "mre.toml", "# The step.", "# My step.")
    (mre / "notes.txt").write_text("mine")
    edit(source / "a.txt.jinja", "three", "THREE")
    edit(source / "mre.toml.jinja", "# What shows.", "# What it shows.")
    (source / "new.txt").write_text("new\n")
    (source / "pyproject.toml").unlink()
    updated = update(mre, answers={"uv": "0.9.16", "count": "2"})
    assert updated.merged.conflicts == updated.merged.notes == ()
    assert updated.merged.removed == ("pyproject.toml",)
    assert (mre / "a.txt").read_text() == "ONE\ntwo\nTHREE\nfour 0.9.16\n"
    manifest = (mre / "mre.toml").read_text()
    assert all(text in manifest for text in ("# My step.", "# What it shows.", 'uv = "0.9.16"', "it broke 2 times"))
    assert (mre / "new.txt").read_text() == "new\n"
    assert (mre / "notes.txt").read_text() == "mine"
    assert not (mre / "pyproject.toml").exists()
    answers = (mre / ANSWERS).read_text()
    assert "uv: 0.9.16\n" in answers
    assert "count: 2\n" in answers
    assert update(mre, answers={}).merged.files == (), "the answers are kept, and the template is as it was"


def test_the_script_is_that_of_the_merged_manifest(mre: Path) -> None:
    edit(mre / "mre.toml", "uv version", "uv version --short")
    updated = update(mre, answers={"count": 3})
    assert SCRIPT in written(updated)
    script = next(file for file in generated_files(read_mre(mre)) if file.path == SCRIPT)
    assert (mre / SCRIPT).read_bytes() == script.content
    assert b"uv version --short" in script.content
    assert update(mre, answers={}).merged.files == ()


def test_a_script_that_was_edited_stays(mre: Path) -> None:
    edit(mre / SCRIPT, "\n", "\n# mine\n")
    before = (mre / SCRIPT).read_text()
    update(mre, answers={"count": 3})
    assert "# mine" in (mre / SCRIPT).read_text()
    assert len((mre / SCRIPT).read_text()) >= len(before)


def test_changes_that_do_not_fit_together_are_marked_as_copier_does_and_must_be_edited(mre: Path) -> None:
    edit(mre / "a.txt", "four 0.9.15", "four of mine")
    updated = update(mre, answers={"uv": "0.9.16"})
    assert updated.merged.conflicts == ("a.txt: has conflict markers",)
    assert (mre / "a.txt").read_text() == (
        "one\ntwo\nthree\n<<<<<<< before updating\nfour of mine\n=======\nfour 0.9.16\n>>>>>>> after updating\n"
    )
    with pytest.raises(InputError, match="has conflicts of its last update") as raised:
        update(mre, answers={})
    assert raised.value.faults == ("a.txt",)
    (mre / "a.txt").write_text("one\ntwo\nthree\nfour of mine 0.9.16\n")
    assert update(mre, answers={"uv": "0.9.17"}).merged.conflicts == ("a.txt: has conflict markers",)


def test_a_manifest_with_conflicts_keeps_its_script(mre: Path) -> None:
    edit(mre / "mre.toml", "it broke 1 times", "it broke often")
    before = (mre / SCRIPT).read_bytes()
    updated = update(mre, answers={"count": 2})
    assert updated.merged.conflicts == ("mre.toml: has conflict markers",)
    assert b"it broke often" in (mre / "mre.toml").read_bytes()
    assert (mre / SCRIPT).read_bytes() in (before, next(f.content for f in updated.merged.files if f.path == SCRIPT))


def test_the_record_is_of_what_was_rendered_so_that_force_does_not_replace_edits(mre: Path, source: Path) -> None:
    edit(mre / "a.txt", "one", "ONE")
    update(mre, answers={"uv": "0.9.16"})
    with pytest.raises(InputError, match="1 file not written by uvmre") as raised:
        new(mre, template=str(source), force=True)
    assert raised.value.faults == ("a.txt: changed since uvmre wrote it",)
    edit(mre / "a.txt", "ONE", "one")
    new(mre, template=str(source), force=True)
    assert hash_files(mre) == read_record(mre)


def test_without_the_record_the_answers_are_merged_and_edits_stay(mre: Path, source: Path) -> None:
    edit(mre / "a.txt", "one", "ONE")
    shutil.rmtree(mre / ".uvmre")
    edit(source / "a.txt.jinja", "two", "TWO")
    updated = update(mre, answers={"uv": "0.9.16"})
    assert updated.merged.notes == (NO_BASE,)
    assert updated.merged.conflicts == ()
    assert (mre / "a.txt").read_text() == "ONE\ntwo\nthree\nfour 0.9.16\n"
    assert 'uv = "0.9.16"' in (mre / "mre.toml").read_text()
    assert update(mre, answers={}).merged.notes == (), "now there is one"


def git(folder: Path, *words: str) -> None:
    name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


def test_a_fetched_template_of_which_there_is_a_new_version(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPIER_CACHE_DIR", str(tmp_path / "copier"))
    git(source, "init", "-q")
    git(source, "add", "-A")
    git(source, "commit", "-qm", "1")
    git(source, "tag", "1.0")
    url = f"git+file://{source}"
    new(tmp_path / "mre", template=url, answers={"uv": "0.9.14"})
    assert read_origin(tmp_path / "mre") == "a fetched template"
    assert "_commit: '1.0'\n" in (tmp_path / "mre" / ANSWERS).read_text().replace('"', "'")
    edit(tmp_path / "mre" / "a.txt", "one", "ONE")
    shutil.copytree(tmp_path / "mre", tmp_path / "shared", ignore=shutil.ignore_patterns(".uvmre"))
    edit(source / "a.txt.jinja", "three", "THREE")
    git(source, "commit", "-qam", "2")
    git(source, "tag", "1.1")
    for folder in (tmp_path / "mre", tmp_path / "shared"):
        updated = update(folder, answers={})
        assert updated.merged.notes == updated.merged.conflicts == ()
        assert (folder / "a.txt").read_text() == "ONE\ntwo\nTHREE\nfour 0.9.14\n"
        assert read_origin(folder) == "a fetched template"
    assert "1.1" in (tmp_path / "mre" / ANSWERS).read_text()


def test_an_answer_that_the_template_no_longer_allows_gets_the_default(mre: Path, source: Path) -> None:
    update(mre, answers={"count": 8})
    edit(source / "copier.yml", "count > 9", "count > 5")
    update(mre, answers={"uv": "0.9.16"})
    assert "it broke 1 times" in (mre / "mre.toml").read_text()


def test_a_secret_is_not_kept(source: Path, tmp_path: Path) -> None:
    edit(source / "mre.toml.jinja", "# The step.", "# {{ token }}")
    new(tmp_path / "mre", template=str(source), answers={"token": "s3cr3t-1"})
    assert "# s3cr3t-1\n" in (tmp_path / "mre" / "mre.toml").read_text()
    assert "s3cr3t" not in (tmp_path / "mre" / ANSWERS).read_text()


def test_a_file_that_an_answer_removes_stays_if_it_was_edited(mre: Path) -> None:
    update(mre, answers={"extra": "true"})
    assert (mre / "extra.txt").read_text() == "extra\n"
    shutil.copytree(mre, mre.parent / "other")
    (mre / "extra.txt").write_text("mine\n")
    assert update(mre.parent / "other", answers={"extra": "false"}).merged.removed == ("extra.txt",)
    [note] = update(mre, answers={"extra": "false"}).merged.notes
    assert note.startswith("extra.txt: kept, because it was edited")
    assert (mre / "extra.txt").read_text() == "mine\n"


def test_what_is_in_the_way_of_a_file_stays(mre: Path, source: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (mre / "linked").symlink_to(tmp_path / "elsewhere")
    (mre / "file").write_text("mine")
    for name in ("linked", "file"):
        (source / name).mkdir()
        (source / name / "b.txt").write_text("b\n")
    updated = update(mre, answers={})
    assert [each.split(":")[0] for each in updated.merged.conflicts] == ["file/b.txt", "linked/b.txt"]
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (mre / "file").read_text() == "mine"


def test_the_answers_are_no_part_of_the_mre(mre: Path) -> None:
    before = read_mre(mre)
    assert ANSWERS not in [file.path for file in before.files]
    (mre / ANSWERS).unlink()
    assert read_mre(mre) == before
    assert update(mre, answers={}).merged.conflicts == (), "the record has the answers too"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "was not made from a template", id="no answers"),
        pytest.param("title: x\n", "failed to read", id="no template"),
        pytest.param("- 1\n", "failed to read", id="a list"),
        pytest.param("a: [\n", "failed to read", id="no YAML"),
        pytest.param("_src_path: no-such\n", "no template named `no-such`", id="an unknown template"),
    ],
)
def test_answers_that_name_no_template(mre: Path, text: str | None, message: str) -> None:
    shutil.rmtree(mre / ".uvmre")
    (mre / ANSWERS).unlink()
    if text is not None:
        (mre / ANSWERS).write_text(text)
    before = hash_files(mre)
    with pytest.raises(UsageError, match=message):
        update(mre, answers={})
    assert hash_files(mre) == before


def test_invalid_answers_are_reported_at_once_and_nothing_changes(mre: Path) -> None:
    before = hash_files(mre)
    with pytest.raises(InputError) as raised:
        update(mre, answers={"count": 10, "extra": "maybe", "no": 1})
    assert sorted(fault.split()[0] for fault in raised.value.faults) == ["count", "extra", "no"]
    assert hash_files(mre) == before


@pytest.mark.parametrize(
    ("line", "feature"),
    [
        pytest.param('_tasks: ["touch PWNED"]', "tasks", id="tasks"),
        pytest.param("_jinja_extensions: [jinja2.ext.do]", "jinja_extensions", id="extensions"),
    ],
)
def test_code_of_a_template_runs_with_trust_alone(source: Path, tmp_path: Path, line: str, feature: str) -> None:
    with (source / "copier.yml").open("a") as file:
        file.write(f"{line}\n")
    for answers in ({}, {"uv": "0.9.16"}):
        with pytest.raises(InputError, match="runs code of its own") as raised:
            new(tmp_path / "mre", template=str(source), answers=answers)
        assert feature in raised.value.faults[0]
        assert "--trust" in raised.value.hint
    assert not (tmp_path / "mre").exists()
    new(tmp_path / "mre", template=str(source), trust=True)
    assert (tmp_path / "mre" / "PWNED").exists() is (feature == "tasks")


@pytest.mark.parametrize(
    "path", [pytest.param(".uvmre/uv/0.9.15/uv", id="a release of uv"), pytest.param("sub/.git/config", id="git")]
)
def test_a_template_makes_no_folder_that_has_a_meaning(source: Path, tmp_path: Path, path: str) -> None:
    with (source / "copier.yml").open("a") as file:
        file.write("_exclude: [copier.yml]\n")
    (source / path).parent.mkdir(parents=True)
    (source / path).write_text("x")
    with pytest.raises(InputError, match="cannot be used") as raised:
        new(tmp_path / "mre", template=str(source))
    assert raised.value.faults[0].startswith("it makes `.")
    assert not (tmp_path / "mre").exists()


def test_a_template_with_its_own_answers_file_keeps_it(source: Path, tmp_path: Path) -> None:
    (source / "{{ _copier_conf.answers_file }}.jinja").write_text("# own\n{{ _copier_answers | to_nice_yaml }}")
    new(tmp_path / "mre", template=str(source))
    assert (tmp_path / "mre" / ANSWERS).read_text().startswith("# own\n")
    assert update(tmp_path / "mre", answers={"uv": "0.9.16"}).merged.conflicts == ()
    assert "uv: 0.9.16" in (tmp_path / "mre" / ANSWERS).read_text()
