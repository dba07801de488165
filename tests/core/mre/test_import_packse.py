"""Scenarios of packse as MREs: the command, the files and what must be seen; and all that an MRE cannot say."""

import pytest

from uvmre.core.mre import import_packse
from uvmre.core.mre.manifest import dump, parse
from uvmre.core.mre.model import Mre, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.errors import InputError


def read(text: str) -> Mre:
    mre = import_packse.import_scenario(text, "scenario.toml", uv="0.13.9")
    # What a manifest cannot take is no MRE.
    assert parse(dump(mre)).symptom == mre.symptom
    return mre


def file(mre: Mre, path: str) -> str:
    found = mre.file(path)
    assert found is not None
    return found.content.decode()


def scenario(*, root: str = '["tea"]', expected: str = "satisfiable = true", rest: str = "") -> str:
    return f'name = "kettle"\n[root]\nrequires = {root}\n[expected]\n{expected}\n{rest}\n'


def test_a_scenario_that_can_be_installed() -> None:
    mre = read("""\
name = "kettle"
description = '''
Tea wants water.  Any water
will do!

More of it.
'''
[root]
requires = ["tea", "cup>=1; os_name == 'posix'"]
[expected]
satisfiable = true
explanation = "There is only one water."
[expected.packages]
tea = "1.0.0"
Hot_Water = "2.0"
[packages.tea.versions."1.0.0"]
requires = ["hot-water"]
[packages.Hot_Water.versions."2.0"]
requires_python = ">=3.8"
sdist = false
""")
    assert mre.title == "kettle: Tea wants water."
    assert (mre.environment.uv, mre.environment.python) == ("0.13.9", "3.12")
    assert mre.environment.variables == {}
    [index] = mre.indexes
    assert (index.url, index.synthetic, index.registry) == ("https://pypi.org/simple", "replace", "pypi-proxy")
    assert index.packages == (
        SyntheticPackage("tea", "1.0.0", ("hot-water",), ">=3.12"),
        SyntheticPackage("Hot_Water", "2.0", requires_python=">=3.8", sdist=False),
    )
    assert mre.steps == (
        Step("uv venv --python 3.12"),
        Step("uv pip install -r requirements.in && uv pip list --format json", "observe"),
    )
    assert mre.symptom == Symptom(
        exit=0, output=('{"name":"hot-water","version":"2.0"}', '{"name":"tea","version":"1.0.0"}')
    )
    assert file(mre, "requirements.in") == "tea\ncup>=1; os_name == 'posix'\n"
    readme = file(mre, "README.md")
    assert readme.startswith("# kettle, for uv 0.13.9\n\nTea wants water. Any water will do! More of it.\n\n")
    assert "There is only one water." in readme
    assert all(f"    {step.run}\n" in readme for step in mre.steps)


def test_a_conflict_is_expected_to_be_reported() -> None:
    mre = read(scenario(root='["tea", "water<1"]', expected="satisfiable = false"))
    assert mre.steps[-1].run == "uv pip install -r requirements.in"
    assert mre.symptom == Symptom(exit=1, output=("No solution found when resolving",))


def test_what_packse_says_of_a_version_is_kept() -> None:
    mre = read(
        scenario(
            rest="""
[packages.tea.versions."1.0rc1"]
yanked = true
requires_python = ">=3.30"
extras = { milk = ["milk"], none = [] }
description = "hot"
[packages.tea.versions."2"]
wheel = false
wheel_tags = ["py3-none-any"]
[packages.tea.versions."3"]
wheel_tags = []
description = ""
[packages.tea.versions."4"]
wheel_tags = ["foo-none-any", "cp312-abi3-win_amd64"]
"""
        )
    )
    assert mre.indexes[0].packages == (
        SyntheticPackage(
            "tea",
            "1.0rc1",
            requires_python=">=3.30",
            extras={"milk": ("milk",), "none": ()},
            yanked=True,
            description="hot",
        ),
        SyntheticPackage("tea", "2", requires_python=">=3.12", wheel=False),
        SyntheticPackage("tea", "3", requires_python=">=3.12"),
        SyntheticPackage("tea", "4", requires_python=">=3.12", wheel_tags=("foo-none-any", "cp312-abi3-win_amd64")),
    )


def test_a_universal_scenario_is_locked() -> None:
    mre = read(
        scenario(
            root="""["tea>=2; sys_platform == 'linux'", "tea<2; sys_platform != 'linux'"]\nrequires_python = ">=3.10\"""",
            expected='satisfiable = true\npackages = { tea = "2.0" }',
            rest="""
[resolver_options]
universal = true
prereleases = true
no_build = ["tea"]
required_environments = ["sys_platform == 'win32'"]
[environment]
python = "3.13.0"
""",
        )
    )
    assert (mre.environment.python, mre.environment.variables) == ("3.13.0", {"UV_PYTHON_DOWNLOADS": "never"})
    assert mre.steps == (Step("uv lock --prerelease allow --no-build-package tea", "observe"),)
    assert mre.symptom == Symptom(exit=0, files=(FileSymptom("uv.lock", 'name = "tea"\nversion = "2.0"\nsource ='),))
    assert (
        file(mre, "pyproject.toml")
        == """\
[project]
name = "project"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = [
    "tea>=2; sys_platform == 'linux'",
    "tea<2; sys_platform != 'linux'",
]

[tool.uv]
required-environments = [
    "sys_platform == 'win32'",
]
"""
    )


def test_a_lock_that_is_expected_to_fail_is_reported_by_its_error() -> None:
    mre = read(scenario(expected="satisfiable = false", rest="[resolver_options]\nuniversal = true"))
    assert mre.symptom == Symptom(exit=1, output=("No solution found when resolving",))


def test_another_python_is_compiled_for() -> None:
    mre = read(
        scenario(
            expected='satisfiable = true\npackages = { tea = "2.0" }',
            rest='[environment]\npython = "3.11"\n[resolver_options]\npython = "3.9"\nno_binary = ["tea"]',
        )
    )
    assert mre.steps == (
        Step("uv venv --python 3.11"),
        Step("uv pip compile --no-binary tea --python-version 3.9 requirements.in", "observe"),
    )
    assert mre.symptom == Symptom(exit=0, output=("tea==2.0\n    # via",))


def test_testgen_has_the_last_word_on_the_command() -> None:
    mre = read(
        scenario(
            expected='satisfiable = true\npackages = { tea = "2.0" }',
            rest='[testgen]\nkind = "compile"\nnew = 1\n[resolver_options]\nuniversal = true\nresolution = "lowest-direct"',
        )
    )
    assert mre.steps[-1].run == "uv pip compile --resolution lowest-direct --universal requirements.in"
    assert mre.symptom.output == ("tea==2.0",)


def test_the_options_of_an_install() -> None:
    mre = read(scenario(rest='[resolver_options]\nno_build = ["tea", "cup"]\npython_platform = "x86_64-manylinux2014"'))
    assert mre.steps[-1].run == (
        "uv pip install --only-binary tea --only-binary cup --python-platform x86_64-manylinux2014 -r requirements.in"
    )


def test_all_that_is_wrong_is_reported_at_once_with_its_line() -> None:
    text = """\
name = "kettle"
author = "me"
[root]
require = ["tea"]
[expected]
packages = { tea = 1 }
[environment]
python = "latest"
additional_python = ["3.11"]
[resolver_options]
universal = true
python_platform = "linux"
resolution = "any"
[packages.tea.versions."1"]
requires_python = "3.8"
wheels = false
[packages.tea.versions."1.0"]
requires-python = ">=3.8"
"""
    with pytest.raises(InputError) as raised:
        import_packse.import_scenario(text, "a/kettle.toml", uv="0.13.9")
    assert raised.value.message == "`a/kettle.toml` is not a valid packse scenario: 12 errors"
    tables = "name, description, template, packages, root, expected, environment, resolver_options, testgen"
    assert raised.value.faults == (
        f"line 2: author is not a known key: use one of {tables}",
        "line 4: root.require is not a known key: did you mean `requires`?",
        "line 5: expected.satisfiable is missing: add `satisfiable = …`",
        "line 6: expected.packages must be a table of versions (in quotes) by package",
        "line 8: environment.python must be a Python version, such as \"3.12\", not 'latest'",
        "line 9: environment.additional_python is not supported, an MRE has one interpreter: remove it",
        "line 12: resolver_options.python_platform is not supported by `uv lock`: remove it",
        'line 13: resolver_options.resolution must be "highest" or "lowest" or "lowest-direct", not \'any\'',
        "line 15: packages.tea.versions.1.requires_python is not a valid version specifier, such as \">=3.8,<4\" (PEP 440): '3.8'",
        "line 16: packages.tea.versions.1.wheels is not a known key: did you mean `wheel`?",
        "line 17: packages.tea.versions.1.0 is the same version as 1 (PEP 440): keep one",
        "line 18: packages.tea.versions.1.0.requires-python is not a known key: did you mean `requires_python`?",
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("a = b", "Invalid value (at line 1, column 5)", id="not TOML"),
        pytest.param(
            scenario(rest="packages = 1"),
            "line 6: expected.packages must be a table of versions (in quotes) by package",
            id="packages below another table",
        ),
        pytest.param(
            scenario(rest='[resolver_options]\nrequired_environments = ["x"]'),
            "line 7: resolver_options.required_environments is not supported by `uv pip install`: remove it",
            id="an option that the command has no word for",
        ),
        pytest.param(
            scenario(rest='[packages.tea.versions."1"]\nrequires-python = ">=3.8"'),
            "line 7: packages.tea.versions.1.requires-python is not a known key: did you mean `requires_python`?",
            id="our hyphen",
        ),
        pytest.param(
            'packages.tea = "x"\n' + scenario(),
            'line 1: packages.tea must be a table: write [….versions."1.0.0"] below it',
            id="no table",
        ),
        pytest.param(
            "environment = 1\n" + scenario(), "line 1: environment must be a table: write [environment]", id="a number"
        ),
        pytest.param(
            scenario(rest='testgen = "x"').replace("name", 'testgen = "x"\nresolver_options = 1\nname', 1),
            "line 2: resolver_options must be a table: write [resolver_options]",
            id="options that are none",
        ),
    ],
)
def test_what_is_no_scenario_is_reported(text: str, fault: str) -> None:
    with pytest.raises(InputError) as raised:
        import_packse.import_scenario(text, "scenario.toml", uv="0.13.9")
    assert fault in raised.value.faults
