"""An MRE with synthetic packages as a packse scenario, and back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.sample import MRE, sample
from uvmre.core.mre.files import File
from uvmre.core.mre.import_packse import import_scenario
from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.errors import InputError
from uvmre.report.bundle import Bundle
from uvmre.report.upstream.packse import write_packse

NAMES = st.sampled_from(["a", "b-c", "d.e"])
VERSIONS = st.sampled_from(["1.0.0", "2.0b1", "1.2+local"])
PACKAGE = st.fixed_dictionaries(
    {},
    optional={
        "requires": st.lists(st.sampled_from(["a>1", "b-c[x]==1; sys_platform == 'win32'"]), max_size=2),
        "requires_python": st.sampled_from([">=3.8", "<4"]),
        "extras": st.just({"x": ["a"]}),
        "sdist": st.just(False),
        "yanked": st.sampled_from([True, "a reason"]),
        "wheel_tags": st.just(["cp312-abi3-linux_x86_64"]),
        "description": st.just('Its "summary"'),
    },
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "resolution": st.sampled_from(["lowest", "lowest-direct"]),
        "prereleases": st.booleans(),
        "no_build": st.just(["a"]),
        "no_binary": st.just(["a", "b-c"]),
    },
)
KINDS = {
    "install": {"python_platform": "linux"},
    "compile": {"python": "3.11", "universal": True},
    "lock": {"universal": True, "required_environments": ["sys_platform == 'win32'"]},
}


@st.composite
def scenarios(draw: st.DrawFn) -> str:
    import tomli_w

    kind = draw(st.sampled_from(sorted(KINDS)))
    own = {key: value for key, value in KINDS[kind].items() if draw(st.booleans())}
    expected = draw(
        st.sampled_from(
            [
                {"satisfiable": False},
                {"satisfiable": True},
                {"satisfiable": True, "packages": {"a": "1.0.0", "b-c": "1.2+local"}},
            ]
        )
    )
    return tomli_w.dumps(
        {
            "name": draw(st.sampled_from(["x", "fork-basic"])),
            "description": draw(st.sampled_from(["", "One sentence. Another: one."])),
            "root": {
                "requires": draw(
                    st.lists(st.sampled_from(["a", "b-c>=1; python_version < '4'"]), max_size=2, unique=True)
                )
            },
            "expected": expected,
            "environment": {"python": "3.12"},
            "resolver_options": {**draw(OPTIONS), **own},
            "testgen": {"kind": kind},
            "packages": draw(
                st.dictionaries(
                    NAMES,
                    st.fixed_dictionaries({"versions": st.dictionaries(VERSIONS, PACKAGE, min_size=1)}),
                    max_size=3,
                )
            ),
        }
    )


@settings(max_examples=200, deadline=None)
@given(scenarios())
def test_a_scenario_comes_back_as_the_same_mre(scenario: str) -> None:
    mre = import_scenario(scenario, "s", uv="0.5.21")
    again = import_scenario(write_packse(Bundle(mre, None, dump(mre))), "s", uv="0.5.21")
    readme = File("README.md", b"")
    kept = [replace(each, files=(readme, *each.files[1:]), indexes=()) for each in (mre, again)]
    assert kept[0] == kept[1]

    def packages(each: Mre) -> list[SyntheticPackage]:
        return sorted(
            (replace(one, requires_python=one.requires_python or ">=0") for one in each.indexes[0].packages), key=repr
        )

    assert packages(mre) == packages(again)


SCENARIO = """
name = "tea"
[root]
requires = ["a"]
[expected]
satisfiable = false
[resolver_options]
universal = true
[packages.a.versions."1.0.0"]
"""
TEA = import_scenario(SCENARIO, "s", uv="0.5.21")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"steps": (Step("uv lock && uv sync", "observe"),)}, "its steps"),
        ({"steps": (Step("uv lock --offline", "observe"),)}, "its steps"),
        ({"symptom": Symptom("failure", ("panicked",))}, "its symptom"),
        ({"environment": Environment("0.5.21", variables={"UV_X": "1"})}, "its environment"),
        ({"files": (*TEA.files, File("uv.toml", b""))}, "its files"),
        (
            {
                "files": (
                    File(
                        "pyproject.toml",
                        b"[project]\nname = 'x'\nversion = '1'\nrequires-python = '>=3.12'\ndependencies = ['a']\n[tool.uv]\nno-index = true\n",
                    ),
                )
            },
            "its files",
        ),
        ({"files": (File("pyproject.toml", b"["),)}, "its pyproject.toml is not valid"),
        ({"files": (File("pyproject.toml", b"\xff"),)}, "its pyproject.toml is not valid"),
        ({"indexes": ()}, "its only index"),
        ({"indexes": (replace(TEA.indexes[0], synthetic="merge"),)}, "its only index"),
        (
            {"indexes": (replace(TEA.indexes[0], packages=(SyntheticPackage("a", "1", build_backend="hatchling"),)),)},
            "its packages",
        ),
        (
            {
                "indexes": (
                    replace(
                        TEA.indexes[0],
                        packages=(SyntheticPackage("a", "1", uploaded=datetime(2025, 1, 1, tzinfo=UTC)),),
                    ),
                )
            },
            "its packages",
        ),
        ({"needs": ("uv lock",)}, "it has `needs`"),
    ],
)
def test_what_a_scenario_cannot_express_is_refused(change: dict[str, object], fault: str) -> None:
    mre: Mre = replace(TEA, **change)  # type: ignore[arg-type]
    with pytest.raises(InputError) as raised:
        write_packse(Bundle(mre, None, dump(mre)))
    assert [each for each in raised.value.faults if each.startswith(fault)]
    assert len(raised.value.faults) == 1


def test_all_reasons_come_at_once() -> None:
    mre = replace(TEA, steps=(Step("uv sync", "observe"),), symptom=Symptom("failure"), controls=MRE.controls)
    with pytest.raises(InputError) as raised:
        write_packse(sample(mre))
    assert [each.split(" ")[1] for each in raised.value.faults] == ["has", "steps", "symptom"]


def test_another_name_of_the_project_changes_nothing() -> None:
    text = b"[project]\nname = 'mine'\nversion = '3'\nrequires-python = '>=3.12'\ndependencies = ['a']\n"
    mre = replace(TEA, files=(File("pyproject.toml", text),))
    assert import_scenario(write_packse(Bundle(mre, None, "")), "s", uv="0.5.21").steps == TEA.steps
