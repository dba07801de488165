"""The documentation names every command, option, manifest key, module and decision, and no others."""

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import click
import jsonschema
import pytest

from uvmre.cli.main import cli
from uvmre.core.mre.manifest import parse

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
REFERENCE = (ROOT / "docs" / "manifest.md").read_text()


@pytest.mark.parametrize("verb", sorted(cli.commands))
def test_the_readme_names_every_verb_and_option(verb: str) -> None:
    (row,) = [line for line in README.splitlines() if re.match(rf"\| `uvmre {verb}\b", line)]
    listed = set(re.findall(r"`(-{1,2}[a-z-]+)", row))
    command = cli.commands[verb]
    inner = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    assert all(name in row for name in getattr(command, "commands", ()))
    options = [param for each in inner for param in each.params if isinstance(param, click.Option) and not param.hidden]
    assert listed == {min(option.opts, key=len) for option in options}


def test_the_readme_does_not_invent_commands() -> None:
    for verb in re.findall(r"^    uvmre (\w+)", README, re.MULTILINE):
        assert verb in cli.commands


def test_the_example_of_the_reference_is_a_manifest() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", REFERENCE, re.DOTALL)
    mre = parse(block)
    assert mre.controls[0].explains


def test_the_reference_of_the_keys_is_that_of_the_model() -> None:
    page = subprocess.run([sys.executable, ROOT / ".ci" / "manifest-reference"], capture_output=True, check=True).stdout
    assert (ROOT / "docs" / "manifest-keys.md").read_bytes() == page, (
        "run .ci/manifest-reference > docs/manifest-keys.md"
    )


def test_the_schema_of_the_manifest_is_that_of_the_model() -> None:
    command = [sys.executable, ROOT / ".ci" / "manifest-reference", "--schema"]
    schema = subprocess.run(command, capture_output=True, check=True).stdout
    assert (ROOT / "docs" / "schemas" / "mre.json").read_bytes() == schema, (
        "run .ci/manifest-reference --schema > docs/schemas/mre.json"
    )
    (block,) = re.findall(r"```toml\n(.*?)```", REFERENCE, re.DOTALL)
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    validator.check_schema(validator.schema)
    assert not list(validator.iter_errors(tomllib.loads(block)))
    assert list(validator.iter_errors({**tomllib.loads(block), "no-such-key": 1}))


def test_the_page_of_repairs_is_that_of_the_rules() -> None:
    page = subprocess.run([sys.executable, ROOT / ".ci" / "repairs-reference"], capture_output=True, check=True).stdout
    assert (ROOT / "docs" / "repairs.md").read_bytes() == page, "run .ci/repairs-reference > docs/repairs.md"


def test_the_architecture_names_every_module() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    files = [path for path in (ROOT / "src" / "uvmre").rglob("*.py") if not {"flows", "cli"} & set(path.parts)]
    # Packages have modules of the same name.
    for name, count in Counter(path.name for path in files if not path.name.startswith("__")).items():
        assert len(re.findall(rf"(?<![\w-]){re.escape(name)}\b", page)) >= count, (
            f"{name} is not in docs/architecture.md {count} times"
        )


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text()
    for path in (ROOT / "docs" / "decisions").glob("[a-z]*.md"):
        assert f"({path.name})" in listed


def test_nothing_tracked_names_a_machine() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*"), *(ROOT / "src").rglob("*.py")]:
        if path.is_file():
            assert not re.search(r"/(root/\.\w+|work|home/\w+)/", path.read_text()), (
                f"{path} names a path of some machine"
            )
