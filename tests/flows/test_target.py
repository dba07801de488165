"""What a search runs on a release, and under which key its outcomes are stored."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import WriteMre
from uvmre.core.mre.model import BASE, Mre
from uvmre.errors import UsageError
from uvmre.flows.probe.target import ProbeTarget, of_mre, of_script
from uvmre.folder.read import read_mre

MANIFEST = """\
schema = 1
title = "It breaks"
[environment]
uv = "0.4.9"
[[step]]
role = "observe"
run = "uv lock"
[symptom]
exit = "failure"
output = ["error"]
[[control]]
name = "fixed"
expect = "absent"
[[control.step]]
role = "observe"
run = "uv"
[[control]]
name = "other"
expect = "absent"
[[control.step]]
role = "observe"
run = "uv version"
"""


@pytest.fixture
def folder(write_mre: WriteMre) -> Path:
    return write_mre(MANIFEST)


@pytest.mark.parametrize(
    ("names", "every", "variants", "controls"),
    [
        pytest.param((), False, [BASE], ["fixed", "other"], id="the MRE itself by default"),
        pytest.param(("fixed",), False, ["fixed"], [], id="a control"),
        pytest.param(("other", BASE), False, [BASE, "other"], ["fixed", "other"], id="several"),
        pytest.param((), True, [BASE, "fixed", "other"], ["fixed", "other"], id="all"),
    ],
)
def test_selected_variants(
    folder: Path, names: tuple[str, ...], every: bool, variants: list[str], controls: list[str]
) -> None:
    target = of_mre(folder, names, every=every)
    assert (list(target.variants), list(target.controls)) == (variants, controls)


def test_an_unknown_variant_is_an_error_that_lists_the_others(folder: Path) -> None:
    with pytest.raises(UsageError, match="no variant “unknown”") as raised:
        of_mre(folder, ["unknown"])
    assert "“fixed”, “other”" in raised.value.hint


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({"title": "Other"}, True, id="the title decides nothing"),
        pytest.param({"issue": "https://github.com/astral-sh/uv/issues/1"}, True, id="nor does the issue"),
        pytest.param({"controls": ()}, False, id="the controls do, as the MRE counts only where they behave"),
    ],
)
def test_the_key_of_stored_outcomes(folder: Path, change: dict[str, object], same: bool) -> None:
    def key(mre: Mre) -> str:
        return of_mre(folder, mre=mre).key(BASE)

    mre = read_mre(folder)
    assert (key(replace(mre, **change)) == key(mre)) is same  # type: ignore[arg-type]


def test_the_key_names_the_reported_release_that_outcomes_are_compared_with(folder: Path) -> None:
    target = of_mre(folder)
    assert target.key(BASE) != replace(target, reported="0.4.8").key(BASE)
    assert target.key(BASE) != target.key("fixed")


def test_a_script_gets_the_release_and_no_reported_one(tmp_path: Path) -> None:
    target: ProbeTarget = of_script(["sh", "-c", "exit 1"], tmp_path)
    assert target.variant(BASE, "0.4.9").environment.variables["UVMRE_UV"] == "0.4.9"
    assert (target.reported, target.title) == ("", "sh -c 'exit 1'")


def test_the_path_of_a_script_lacks_the_active_virtual_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'venv' / 'bin'}:/usr/bin:/bin")
    assert of_script(["/bin/sh"], tmp_path).path == ("/usr/bin", "/bin")
