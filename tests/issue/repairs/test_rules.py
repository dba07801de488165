"""Each rule is triggered by what releases of uv print, and by nothing else; none touches what the report is about."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.issue.repairs.cases import CASES, CLAIM, GIT, NONE, RuleCase, block, failure, with_claim
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Step
from uvmre.core.network.index import GitCommit, Index
from uvmre.core.triage.hypothesis import Hypothesis
from uvmre.core.triage.parsed_issue import Claim, Command, PostedFile
from uvmre.issue.repairs.repair import MOST_REPAIRS, RULES, keeps_report, repair_failure

BY_RULE = {case.rule: case for case in CASES}
INDEX = Index("https://pypi.acme.example.org/simple")


def repaired(case: RuleCase, output: str) -> Hypothesis | None:
    given = failure(case, output)
    if case.rule == "private-package":
        given = replace(
            given, hypothesis=replace(given.hypothesis, mre=replace(given.hypothesis.mre, indexes=(INDEX,)))
        )
    return repair_failure(given)


def used(case: RuleCase, output: str) -> str:
    found = repaired(case, output)
    return found.repairs[-1].rule if found else ""


def files(case: RuleCase, output: str = "") -> dict[str, str]:
    found = repaired(case, output or case.messages[0])
    assert found
    return {file.path: file.content.decode() for file in found.mre.files}


def runs(case: RuleCase, output: str = "") -> list[str]:
    found = repaired(case, output or case.messages[0])
    assert found
    return [step.run for step in found.mre.steps]


def test_every_rule_has_a_case() -> None:
    assert {each.id for each in RULES} == BY_RULE.keys()


@pytest.mark.parametrize(("rule", "output"), [(case.rule, each) for case in CASES for each in case.messages])
def test_what_releases_print_triggers_a_rule(rule: str, output: str) -> None:
    found = repaired(BY_RULE[rule], output)
    assert found
    (done,) = found.repairs
    assert done.rule == rule
    assert "\n" not in done.trigger
    assert done.description


@pytest.mark.parametrize("rule", [case.rule for case in CASES if case.not_for])
def test_a_similar_output_does_not(rule: str) -> None:
    assert used(BY_RULE[rule], BY_RULE[rule].not_for) != rule


@pytest.mark.parametrize(
    "rule", [case.rule for case in CASES if case.rule not in ("quoted-error", "read-only-step", "earlier-run")]
)
def test_what_the_report_is_about_is_not_repaired(rule: str) -> None:
    case = BY_RULE[rule]
    lines = [each.strip(" ╰─▶×") for each in case.messages[0].split("\n") if each.strip()]
    assert used(with_claim(case, *lines), case.messages[0]) in ("", "quoted-error")


def test_an_earlier_run_stays_where_the_second_one_is_the_bug() -> None:
    case = replace(BY_RULE["earlier-run"], claim=replace(CLAIM, rule="repeated-run"))
    assert used(case, case.messages[0]) == ""


@pytest.mark.parametrize(
    ("printed", "rule"),
    [("Resolved 1 package in 3ms", ""), ("error: the same error\n", "earlier-run"), ("", "earlier-run")],
)
def test_an_earlier_run_stays_where_the_post_shows_that_it_succeeded(printed: str, rule: str) -> None:
    case = BY_RULE["earlier-run"]
    given = failure(case, case.messages[0])
    commands = (Command("uv sync", 3, printed), Command("uv sync", 5))
    parsed = replace(given.hypothesis.parsed, commands=commands, claim=replace(CLAIM, command=1))
    found = repair_failure(replace(given, hypothesis=replace(given.hypothesis, parsed=parsed)))
    assert (found.repairs[-1].rule if found else "") == rule


def test_a_project_in_a_folder_is_entered_by_all_later_steps() -> None:
    case = replace(BY_RULE["project-in-folder"], steps=("uv lock", "uv sync"), at=0)
    assert runs(case) == ["cd services/api\nuv lock", "cd services/api\nuv sync"]
    two = replace(case, files={**case.files, "services/web/pyproject.toml": ""})
    assert used(two, case.messages[0]) == "no-project"


def test_the_post_s_own_folder_of_an_error_does_not_matter() -> None:
    case = with_claim(BY_RULE["no-distribution"], "Distribution not found at: file://…/acme-1.0-py3-none-any.whl")
    assert not used(case, case.messages[0])


@pytest.mark.parametrize(
    "rule", ["quoted-error", "read-only-step", "decoration", "other-tool", "initialized-project", "venv-exists"]
)
def test_the_observed_step_stays(rule: str) -> None:
    case = BY_RULE[rule]
    observed = replace(case, steps=(case.steps[case.at],), at=0)
    assert used(observed, case.messages[0]) != rule


def test_the_step_with_the_reported_error_becomes_the_last_one() -> None:
    found = repaired(BY_RULE["quoted-error"], BY_RULE["quoted-error"].messages[0])
    assert found
    (step,) = found.mre.steps
    assert step.role == "observe"
    assert found.mre.symptom.output == found.parsed.claim.output


def test_a_program_other_than_uv_that_fails_in_the_set_up_is_no_report() -> None:
    case = replace(BY_RULE["quoted-error"], steps=("python -c 'import thing'", "uv run python -V"))
    case = with_claim(case, "ModuleNotFoundError: No module named 'thing'")
    assert not used(case, "ModuleNotFoundError: No module named 'thing'")


@pytest.mark.parametrize("run", ["cat a.txt > b.txt", "find . -delete", "ls; touch a", "echo a | tee b"])
def test_a_command_that_changes_something_must_succeed(run: str) -> None:
    case = replace(BY_RULE["read-only-step"], steps=(run, "uv sync"))
    assert used(case, "it failed") != "read-only-step"


def test_a_step_comes_before_the_one_that_failed_in_its_folder_and_in_controls() -> None:
    case = replace(BY_RULE["no-venv"], steps=("mkdir wall", "cd wall\nexport A=1\nuv pip install iniconfig"))
    given = failure(case, case.messages[0])
    control = Control("c", steps=(Step("mkdir wall"), Step("cd wall\nuv pip install other", "observe")))
    mre = replace(given.mre, controls=(control,))
    found = repair_failure(replace(given, hypothesis=replace(given.hypothesis, mre=mre)))
    assert found
    assert [step.run for step in found.mre.steps][1] == "cd wall\nuv venv"
    assert [step.run for step in found.mre.controls[0].steps][1] == "cd wall\nuv venv"


def test_the_folder_of_a_command_for_bash_counts_too() -> None:
    case = replace(BY_RULE["no-venv"], steps=("bash -c 'cd wall\n[[ a ]] && uv pip list'",))
    assert runs(case)[0] == "cd wall\nuv venv"


def test_the_environment_of_an_activation_script_is_made_once() -> None:
    case = BY_RULE["no-named-venv"]
    assert runs(case) == ["uv venv env", case.steps[0]]
    assert not used(replace(case, steps=("uv venv env", *case.steps)), case.messages[0])


def test_a_block_without_a_name_comes_before_an_invention() -> None:
    case = BY_RULE["no-file-but-block"]
    assert files(case) == {"requirements.in": "iniconfig==2.0.0\n\n"}
    assert files(replace(case, unplaced=(), requirements=("numpy==2.1",))) == {"requirements.in": "numpy==2.1\n"}
    assert files(replace(case, unplaced=())) == {"requirements.in": "iniconfig\n"}
    assert used(replace(case, unplaced=()), case.messages[0]) == "no-file"


def test_constraints_and_scripts_are_empty() -> None:
    case = replace(BY_RULE["no-file"], requirements=("numpy==2.1",))
    assert files(case, "error: File not found: `constraints.txt`") == {"constraints.txt": ""}
    assert files(case) == {"main.py": ""}


def test_a_made_up_requires_python_is_raised_and_a_posted_one_never() -> None:
    case = BY_RULE["python-too-old"]
    assert '">=3.10"' in files(case)["pyproject.toml"]
    assert not used(replace(case, inferred=False), case.messages[0])


def test_a_project_at_a_path_has_the_name_of_its_source() -> None:
    text = '[tool.uv.sources]\nwall = { path = "libs/acme" }\n'
    case = replace(BY_RULE["no-distribution"], files={"pyproject.toml": text}, steps=("uv lock",))
    assert 'name = "wall"' in files(case, case.messages[2])["libs/acme/pyproject.toml"]
    case = replace(case, files={"a.in": "Ext @ file:///mre/libs/acme\n"})
    assert 'name = "Ext"' in files(case, case.messages[2])["libs/acme/pyproject.toml"]


def test_a_repository_has_the_names_branches_tags_and_folders_of_its_uses() -> None:
    sources = (
        '[tool.uv.sources]\nwall = { git = "https://github.com/org/acme", branch = "dev", subdirectory = "sub" }\n'
    )
    run = "uv add 'tea @ git+ssh://git@github.com/org/acme.git@v2'"
    case = replace(BY_RULE["git-repository"], files={"pyproject.toml": sources}, steps=(run,))
    found = repaired(case, GIT)
    assert found
    (repository,) = found.mre.repositories
    root = "repositories/acme"
    assert repository.url == "https://github.com/org/acme"
    assert repository.commits == (GitCommit(root), GitCommit(root, tag="v2"), GitCommit(root, branch="dev"))
    assert {f"{root}/pyproject.toml", f"{root}/sub/pyproject.toml"} <= {file.path for file in found.mre.files}


@pytest.mark.parametrize("ref", ["0123abc", "a" * 40, "1" * 40, "v1^{}", "-x"])
def test_a_commit_cannot_be_made(ref: str) -> None:
    case = replace(BY_RULE["git-repository"], steps=(f"uv add git+https://github.com/org/acme@{ref}",))
    assert not used(case, GIT)


def test_the_packages_of_an_index_are_those_of_the_sources() -> None:
    case = BY_RULE["index"]
    found = repaired(
        replace(case, files={"pyproject.toml": case.files["pyproject.toml"] + "# acme>=2.5"}), case.messages[0]
    )
    assert found
    (index,) = found.mre.indexes
    assert [(each.name, each.version) for each in index.packages] == [("acme", "2.5")]


@pytest.mark.parametrize(
    "claim",
    [
        Claim("failure", 0, 1, ("`pyproject.toml` is missing from the wall",)),
        Claim("failure", 0, 1, test="[ -e pyproject.toml ]"),
        Claim("file", 0, 1, file="pyproject.toml", contains=("name",)),
    ],
)
def test_what_the_claim_calls_missing_is_never_made(claim: Claim) -> None:
    case = replace(BY_RULE["no-project"], claim=claim)
    assert not used(case, f"{NONE}\n")


@pytest.mark.parametrize("test", ["[ -d .venv ]", "! [ -e .venv ]"])
def test_a_check_of_an_environment_makes_none(test: str) -> None:
    assert not used(replace(BY_RULE["no-venv"], claim=Claim("output", 0, 1, test=test)), BY_RULE["no-venv"].messages[0])
    checks_lock = Claim("output", 0, 1, test="test -f uv.lock")
    assert not used(replace(BY_RULE["no-lockfile"], claim=checks_lock), BY_RULE["no-lockfile"].messages[0])


def test_the_content_of_what_uv_makes_is_uv_s() -> None:
    claim = Claim("file", 0, 1, file=".venv/bin/activate", contains=("a wall",))
    assert used(replace(BY_RULE["no-venv"], claim=claim), BY_RULE["no-venv"].messages[0]) == "no-venv"
    claim = replace(claim, contains=())
    assert not used(replace(BY_RULE["no-venv"], claim=claim), BY_RULE["no-venv"].messages[0])


def test_there_are_four_repairs_at_most() -> None:
    assert MOST_REPAIRS == 4


texts = st.text("abc/.-_ \n'`\"", max_size=30)
paths = st.sampled_from(["pyproject.toml", "main.py", "a.in", "libs/acme/pyproject.toml", "README.md", "uv.lock"])


@given(
    case=st.sampled_from(CASES),
    posted=st.dictionaries(paths, texts, max_size=3),
    claimed=st.lists(st.one_of(texts, paths.map(lambda path: f"{path} is missing")), max_size=2),
    test=st.one_of(st.just(""), paths.map(lambda path: f"[ -e {path} ]")),
    unplaced=st.lists(st.builds(block, paths, texts), max_size=2),
    message=st.integers(0, 3),
)
def test_posted_files_and_what_the_claim_is_about_stay(
    case: RuleCase,
    posted: dict[str, str],
    claimed: list[str],
    test: str,
    unplaced: list[PostedFile],
    message: int,
) -> None:
    claim = replace(CLAIM, output=tuple(claimed), test=test)
    case = replace(case, files=dict(case.files) | posted, claim=claim, unplaced=tuple(unplaced), inferred=False)
    before = failure(case, case.messages[message % len(case.messages)]).hypothesis
    found = repaired(case, case.messages[message % len(case.messages)])
    if found is None:
        return
    for path, text in case.files.items():
        file = found.mre.file(path)
        assert file
        assert file.content.decode() == text
    assert found.mre.symptom == before.mre.symptom
    assert found.mre.steps[-1].role == "observe"
    new = {file.path for file in found.mre.files} - set(case.files)
    assert not any(f"[ -e {path} ]" == test or f"{path} is missing" in claimed for path in new)
    # What is done once is done: the same output then calls for something else.
    assert found.mre != before.mre


@given(case=st.sampled_from(CASES), run=st.one_of(texts, texts.map("bash -c {}".format)), text=texts, message=texts)
def test_no_post_stops_a_rule(case: RuleCase, run: str, text: str, message: str) -> None:
    assume(run.strip())
    case = replace(case, steps=(run, run), files={"pyproject.toml": text}, inferred=True)
    repaired(case, case.messages[0] + message)
    repaired(case, message + case.messages[-1])


@given(path=paths, text=texts)
def test_a_posted_file_may_not_change(path: str, text: str) -> None:
    before = failure(replace(BY_RULE["no-venv"], files={path: "a"}), "").hypothesis
    changed = replace(before.mre, files=(File(path, text.encode()),))
    assert keeps_report(before, changed) == (text == "a")
    assert not keeps_report(before, replace(before.mre, files=()))


def test_an_environment_is_activated_once_it_is_there() -> None:
    message = "/bin/sh: 1: .: cannot open ./.venv/bin/activate: No such file\n"
    early = RuleCase("no-named-venv", (". ./.venv/bin/activate\nuv venv --seed", "uv pip list"), (message,), at=0)
    assert runs(early)[0] == "uv venv --seed"
    missing = replace(early, steps=(". ./.venv/bin/activate\nuv pip list", "uv pip list"))
    assert runs(missing)[0] == "uv venv"
