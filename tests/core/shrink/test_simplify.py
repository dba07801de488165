import pytest

from uvmre.core.mre.manifest import dump, parse
from uvmre.core.mre.model import MANIFEST, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Index
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.shrink.edits import Subject
from uvmre.core.shrink.simplify import lock_pass, rename_passes

NAMES, VERSIONS = rename_passes()


def subject(requires: str = "corp-b==7.1", *, project: str = "", **files: str) -> Subject:
    mre = Mre(
        "corp-b is in the title",
        Environment("0.8.0"),
        (Step("uv sync --package corp-a", "observe"),),
        Symptom(exit="failure", output=("Corp_B==7.1 is wrong",)),
        indexes=(
            Index(
                "https://pypi.example.com/simple",
                packages=(SyntheticPackage("corp-b", "7.1"), SyntheticPackage("corp-b", "7.2", requires=(requires,))),
            ),
        ),
    )
    others = {name: text.encode() for name, text in files.items()}
    return {
        MANIFEST: dump(mre).encode(),
        "pyproject.toml": (project or '[project]\nname = "corp-a"\n').encode(),
        **others,
    }


def renamed(found: Subject) -> str:
    for each in (NAMES, VERSIONS):
        changed = each.without(found, each.units(found))
        assert changed is not None
        found = changed
    return "\n".join(content.decode() for content in found.values())


def test_names_and_versions_become_the_simplest_everywhere_but_in_the_title() -> None:
    text = renamed(subject())
    assert '"a==1.0.0 is wrong"' in text
    assert 'run = "uv sync --package b"' in text
    assert 'title = "corp-b is in the title"' in text
    assert "7.1" not in text.partition("\n")[2].replace("corp-b is in the title", "")


def test_names_of_pypi_and_of_files_that_hold_a_letter_stay() -> None:
    project = '[project]\nname = "corp-a"\ndependencies = ["six", "a>=1"]\n'
    text = renamed(subject(project=project))
    assert '"six", "a>=1"' in text
    assert "index.packages.b.versions" in text


@pytest.mark.parametrize(
    ("requires", "offered"),
    [
        ("corp-b==7.1", True),
        ("corp-b>=7.1,<7.2", True),
        ("corp-b>=7", False),
        ("Corp_B~=7.1.0", False),
        ("corp-bc>=7", True),
    ],
)
def test_versions_are_offered_only_where_every_requirement_can_follow(requires: str, offered: bool) -> None:
    assert bool(VERSIONS.units(subject(requires))) is offered


def test_a_lock_becomes_a_step_before_the_one_that_needs_it() -> None:
    found = subject(**{"uv.lock": "version = 1\n"})
    changed = lock_pass().without(found, lock_pass().units(found))
    assert changed is not None
    assert "uv.lock" not in changed
    assert [step.run for step in parse(changed[MANIFEST].decode()).steps] == ["uv lock", "uv sync --package corp-a"]


def test_without_a_lock_there_is_nothing_to_replace() -> None:
    assert lock_pass().units(subject()) == []
