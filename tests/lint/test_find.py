"""Every known mistake is found where it is, and nothing where it is not: a false finding could change a verdict."""

import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lint_cases import (
    BEHIND_INDEX,
    DOCKERFILE,
    EXPLICIT,
    GIT_SOURCE,
    GIVEN,
    IN_AN_IMAGE,
    INDEX,
    JSON,
    MISTAKES,
    NAME,
    PASSWORD,
    ROOT,
    SOURCE,
    TWO_PYTHONS,
    UNAUTHORIZED,
    WORKSPACE,
    member,
    mre,
    root,
)
from uvmre.core.dockerfile.interpret import with_steps
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Mre, Step, overlay, slug
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.triage.parsed_issue import Claim, Command, Located, ParsedIssue, PostedFile
from uvmre.flows.new import new
from uvmre.folder.read import read_mre
from uvmre.lint.find import RULES, find_mistakes

NOT_UV = Symptom("failure", ("Segmentation fault",))


def changed(name: str, files: dict[str, str] | None = None, *runs: str, **fields: Any) -> Mre:
    """Return a mistake's MRE with other files, steps or fields."""
    base = MISTAKES[name]
    kept = tuple(file for file in base.files if file.path not in (files or {}))
    laid = tuple(File(path, text.encode()) for path, text in (files or {}).items() if text)
    steps = tuple(Step(run, "observe") for run in runs) or base.steps
    return replace(base, files=kept + laid, steps=steps, **fields)


def given_to(name: str, **variables: str) -> Mre:
    base = MISTAKES[name]
    return replace(base, environment=replace(base.environment, variables=variables))


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_found_once_and_can_be_fixed(name: str) -> None:
    (finding,) = find_mistakes(MISTAKES[name])
    assert finding.rule == name
    assert finding.where
    assert finding.why[0] in "`" or not finding.why[0].islower() or finding.why.startswith(("uv", "pip"))
    assert finding.why.endswith(".")
    assert "\n" not in finding.why
    assert finding.fixed is not None
    assert finding.fixed.expect == "absent"
    assert finding.fixed.explains
    assert finding.fixed.uv or overlay(MISTAKES[name], finding.fixed) != replace(MISTAKES[name], controls=())


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_fixed_is_not_found_again(name: str) -> None:
    (finding,) = find_mistakes(MISTAKES[name])
    assert finding.fixed is not None
    fixed = overlay(MISTAKES[name], finding.fixed)
    uv = finding.fixed.uv or fixed.environment.uv
    again = find_mistakes(replace(fixed, environment=replace(fixed.environment, uv=uv)))
    assert [each for each in again if each.fixed] == []


WHERE = {
    "run-export": "Dockerfile:5",
    "build-variables": "compose.yaml:4",
    "dependency-layer": "Dockerfile:5",
    "json-credential": f"mre.toml, environment.variables.{PASSWORD}",
    "member-not-built": "libs/zz-lib/pyproject.toml:1",
    "all-packages": "mre.toml, step 2",
    "sources-in-requirements": "requirements.in:2",
    "git-not-moved": "pyproject.toml:7",
    "metadata-without-version": "pyproject.toml:8",
}


@pytest.mark.parametrize("name", WHERE)
def test_a_finding_says_where_it_is(name: str) -> None:
    (finding,) = find_mistakes(MISTAKES[name])
    assert finding.where == WHERE[name]


HEAD = DOCKERFILE + "COPY . .\n"
COMPOSE = "services:\n  app:\n    build: .\n    environment:\n      UV_INDEX_PRIVATE_ONE_PASSWORD: heron\n"
SOUND = {
    # run-export
    "ENV": changed("run-export", {"Dockerfile": f"{HEAD}ENV {GIVEN}\nRUN uv lock\n"}, "uv lock"),
    "export in the same RUN": changed(
        "run-export", {"Dockerfile": f"{HEAD}RUN export {GIVEN} && uv lock\n"}, "uv lock"
    ),
    "the same RUN sets it": changed("run-export", {"Dockerfile": f"{HEAD}RUN {GIVEN} uv lock\n"}, "uv lock"),
    "export, and set again": changed(
        "run-export", {"Dockerfile": f"{HEAD}RUN export {GIVEN}\nRUN {GIVEN} uv lock\n"}, "uv lock"
    ),
    "export of what uv does not read": changed(
        "run-export", {"Dockerfile": f"{HEAD}RUN export DEBIAN_FRONTEND=noninteractive\nRUN uv lock\n"}, "uv lock"
    ),
    "export and then no uv": changed("run-export", {"Dockerfile": f"{HEAD}RUN export {GIVEN}\nRUN make\n"}, "make"),
    "export in another stage": changed(
        "run-export", {"Dockerfile": f"{HEAD}RUN export {GIVEN}\nFROM scratch\nRUN uv lock\n"}, "uv lock"
    ),
    "export in a comment": changed(
        "run-export", {"Dockerfile": f"{HEAD}# RUN export {GIVEN}\nRUN uv lock\n"}, "uv lock"
    ),
    "one step exports and goes on": changed("run-export", {"Dockerfile": ""}, f"export {GIVEN}; uv lock"),
    # build-variables
    "compose with build arguments": changed(
        "build-variables",
        {
            "compose.yaml": COMPOSE.replace("build: .", f"build:\n      args: [{PASSWORD}]"),
            "Dockerfile": f"{DOCKERFILE}ARG {PASSWORD}\nRUN uv lock\n",
        },
    ),
    "compose with a secret": changed(
        "build-variables", {"compose.yaml": COMPOSE.replace("build: .", "build:\n      secrets: [index]")}
    ),
    "compose with a mounted secret": changed(
        "build-variables", {"Dockerfile": f"{DOCKERFILE}RUN --mount=type=secret,id=x uv lock\n"}
    ),
    "compose without a build": changed("build-variables", {"compose.yaml": COMPOSE.replace("build: .", "image: x")}),
    "compose with another symptom": changed("build-variables", symptom=NOT_UV),
    "compose whose image does not run uv": changed("build-variables", {"Dockerfile": f"{DOCKERFILE}RUN make\n"}),
    "compose that is not YAML": changed("build-variables", {"compose.yaml": "services: ["}),
    # dependency-layer
    "a layer with both flags": changed(
        "dependency-layer",
        {"Dockerfile": f"{DOCKERFILE}COPY pyproject.toml .\nRUN uv sync --frozen --no-install-workspace\nCOPY . .\n"},
    ),
    "all is copied first": changed("dependency-layer", {"Dockerfile": f"{HEAD}RUN uv sync --locked\n"}),
    "the members are mounted": changed(
        "dependency-layer",
        {"Dockerfile": f"{DOCKERFILE}RUN --mount=type=bind,source=libs,target=libs uv sync --locked\n"},
    ),
    "all is mounted": changed(
        "dependency-layer", {"Dockerfile": f"{DOCKERFILE}RUN --mount=type=bind uv sync --locked\n"}
    ),
    "a layer and another symptom": changed("dependency-layer", symptom=NOT_UV),
    "members without sources": changed(
        "dependency-layer",
        {"Dockerfile": f"{DOCKERFILE}COPY pyproject.toml .\nRUN uv sync --no-sources\n"},
        "uv sync --no-sources",
    ),
    "no workspace": changed("dependency-layer", {"pyproject.toml": ROOT.format(needs="")}),
    # json-credential
    "the token alone": given_to("json-credential", **{NAME: "aws", PASSWORD: "a-made-up-token"}),
    "Google's JSON key": given_to("json-credential", **{NAME: "_json_key", PASSWORD: '{"token": "x"}'}),
    "JSON without a token": given_to("json-credential", **{NAME: "aws", PASSWORD: '{"type": "service_account"}'}),
    "JSON in no password": given_to("json-credential", **{NAME: "aws", PASSWORD: "x", "SETTINGS": JSON}),
    "aws with a query": changed(
        "json-credential",
        None,
        f"export {PASSWORD}=$(aws codeartifact get-authorization-token --domain x --query authorizationToken --output text)",
        environment=replace(MISTAKES["json-credential"].environment, variables={}),
    ),
    # index-variable
    "the index's own variables": given_to("index-variable", **{NAME: "public", PASSWORD: "wrong"}),
    "no index in the project": changed("index-variable", {"pyproject.toml": ROOT.format(needs='"six"')}),
    "an index on the command line": changed("index-variable", None, f"uv lock --index private={INDEX}"),
    "an index in uv.toml": changed("index-variable", {"uv.toml": "index = []\n"}),
    # member-not-built
    "a member with a build system": mre(
        {**root('"zz-lib"'), **member()}, MISTAKES["member-not-built"].symptom, "uv run python -c 'import zz_lib'"
    ),
    "a member that is no package on purpose": changed(
        "member-not-built",
        {"libs/zz-lib/pyproject.toml": ROOT.format(needs="").replace("app", "zz-lib") + "[tool.uv]\npackage = false\n"},
    ),
    "a member that nobody needs": changed("member-not-built", root()),
    "another module is missing": changed("member-not-built", symptom=Symptom("failure", ("No module named 'numpy'",))),
    # all-packages
    "all packages": changed("all-packages", None, "uv sync --all-packages", "uv run python -c 'import six'"),
    "one package": changed("all-packages", None, "uv run --package zz-lib python -c 'import six'"),
    "the root needs the member": mre(
        {**root('"zz-lib"'), **member('"six"')}, MISTAKES["all-packages"].symptom, "uv run python -c 'import six'"
    ),
    "the root needs it itself": changed("all-packages", root('"six"')),
    "a root that is no project": changed("all-packages", {"pyproject.toml": WORKSPACE}),
    "in the member's folder": changed("all-packages", None, "cd libs/zz-lib && uv run python -c 'import six'"),
    "somebody else's module": changed("all-packages", symptom=Symptom("failure", ("No module named 'numpy'",))),
    # undefined-extra, undefined-group
    "a group by its option": changed("undefined-extra", None, "uv run --group test python -c 'import six'"),
    "another spelling": changed(
        "undefined-extra",
        {"pyproject.toml": ROOT.format(needs="") + '[dependency-groups]\nmy_test = ["six"]\n'},
        "uv sync --group My-Test",
    ),
    "an extra of what is added": changed("undefined-extra", None, "uv add --extra test six"),
    "an option of what is run": changed("undefined-extra", None, "uv run pytest --extra test"),
    "extras that are dynamic": changed(
        "undefined-extra", {"pyproject.toml": '[project]\nname = "x"\ndynamic = ["version", "optional-dependencies"]\n'}
    ),
    "an extra of a member": changed(
        "undefined-extra",
        {"libs/x/pyproject.toml": '[project]\nname = "x"\nversion = "1"\n[project.optional-dependencies]\ntest = []\n'},
    ),
    "an extra of another project": changed("undefined-extra", None, "uv pip install ./other --extra test"),
    "no pyproject.toml": changed("undefined-extra", {"pyproject.toml": ""}),
    "dev, as uv had it": changed(
        "undefined-extra",
        {"pyproject.toml": ROOT.format(needs="") + "[tool.uv]\ndev-dependencies = ['six']\n"},
        "uv sync --group dev",
    ),
    # sources-in-requirements
    "the pyproject.toml is compiled": changed("sources-in-requirements", None, "uv pip compile pyproject.toml"),
    "both are": changed("sources-in-requirements", None, "uv pip compile pyproject.toml requirements.in"),
    "a requirement with its own source": changed("sources-in-requirements", {"requirements.in": "zz-lib @ ./lib\n"}),
    "a symptom of another package": changed(
        "sources-in-requirements", symptom=Symptom("failure", ("six was not found",))
    ),
    "a source of another package": changed(
        "sources-in-requirements", {"pyproject.toml": ROOT.format(needs="") + SOURCE.replace("zz-lib", "other")}
    ),
    # explicit-index
    "a package that names its index": changed(
        "explicit-index",
        {
            "pyproject.toml": ROOT.format(needs='"zz-lib"')
            + EXPLICIT
            + '[tool.uv.sources]\nzz-lib = { index = "hub" }\n'
        },
    ),
    "a package with a source on some platforms": changed(
        "explicit-index",
        {
            "pyproject.toml": ROOT.format(needs='"zz-lib"')
            + EXPLICIT
            + "[tool.uv.sources]\nzz-lib = [{ index = 'hub', marker = \"sys_platform == 'win32'\" }]\n"
        },
    ),
    "an index for all": changed(
        "explicit-index", {"pyproject.toml": ROOT.format(needs='"zz-lib"') + EXPLICIT.replace("true", "false")}
    ),
    "what is no dependency of the project": changed(
        "explicit-index", {"pyproject.toml": ROOT.format(needs='"other"') + EXPLICIT}
    ),
    "an explicit index and another symptom": changed("explicit-index", symptom=NOT_UV),
    # universal
    "compiled universally": changed("universal", None, "uv pip compile --universal pyproject.toml", "uv lock"),
    "nothing compared": changed("universal", None, "uv lock"),
    "environments are limited": changed(
        "universal",
        {"pyproject.toml": ROOT.format(needs='"six"') + "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n"},
    ),
    # git-not-moved
    "a pinned commit": changed("git-not-moved", {"pyproject.toml": GIT_SOURCE.replace('"REPO"', '"REPO", rev = "x"')}),
    "locked once": changed("git-not-moved", None, "uv lock"),
    "locked with --upgrade": changed("git-not-moved", None, "uv lock", "uv lock --upgrade"),
    "a lock that fails": changed("git-not-moved", symptom=Symptom("failure", ("zz-lib: panicked at",))),
    "another file": changed("git-not-moved", symptom=Symptom(files=(FileSymptom("uv.lock", "requires-python"),))),
    # metadata-without-version
    "metadata with a version": changed(
        "metadata-without-version",
        {"pyproject.toml": GIT_SOURCE + '[[tool.uv.dependency-metadata]]\nname = "zz-lib"\nversion = "1"\n'},
    ),
    "metadata for a registry's package": changed(
        "metadata-without-version",
        {"pyproject.toml": ROOT.format(needs="") + '[[tool.uv.dependency-metadata]]\nname = "zz-lib"\n'},
    ),
    # system-beside-venv
    "--system and no environment": changed("system-beside-venv", None, "uv pip show --system zz-lib"),
    "an environment and no --system": changed("system-beside-venv", None, "uv venv", "uv pip show zz-lib"),
    "--system and another symptom": changed("system-beside-venv", symptom=NOT_UV),
    # unknown-issuer
    "--native-tls was tried": changed("unknown-issuer", None, "uv --native-tls pip install six"),
    "the authority is given": given_to("unknown-issuer", SSL_CERT_FILE="ca.pem"),
    "a host that is let through": changed("unknown-issuer", {"uv.toml": 'allow-insecure-host = ["x"]\n'}),
    "another TLS error": changed("unknown-issuer", symptom=Symptom("failure", ("certificate has expired",))),
    # venv-in-sdist
    "an environment elsewhere": changed("venv-in-sdist", None, "uv venv ../env", "uv build"),
    "no environment": changed("venv-in-sdist", None, "uv build"),
    "another fault of the archive": changed("venv-in-sdist", symptom=NOT_UV),
    # all of them
    "nothing at all": mre({}, NOT_UV, "true"),
    "files that cannot be read": mre(
        {"pyproject.toml": "[project\n", "Dockerfile": "NOTHING\n", "compose.yaml": "\t"}, UNAUTHORIZED, "uv lock 'x"
    ),
}


@pytest.mark.parametrize("what", SOUND)
def test_nothing_is_found_where_nothing_is_wrong(what: str) -> None:
    assert find_mistakes(SOUND[what]) == ()


@pytest.mark.parametrize(
    "name", ["json-credential", "index-variable", "undefined-extra", "metadata-without-version", "universal"]
)
def test_with_another_symptom_a_mistake_has_no_fix(name: str) -> None:
    symptom = Symptom("failure", ("No solution found when resolving dependencies",)) if name == "universal" else NOT_UV
    (finding,) = find_mistakes(changed(name, symptom=symptom))
    assert finding.rule == name
    assert finding.fixed is None


def test_an_undefined_extra_is_a_question() -> None:
    (finding,) = find_mistakes(changed("undefined-extra", None, "uv sync --extra nowhere"))
    assert finding.fixed is None
    assert "Which `[project.optional-dependencies]` defines `nowhere`?" in finding.question


def test_an_answer_of_the_cloud_in_a_command_is_reported() -> None:
    ask = f"export {PASSWORD}=$(aws codeartifact get-authorization-token --domain x)"
    (finding,) = find_mistakes(mre({"pyproject.toml": BEHIND_INDEX}, UNAUTHORIZED, f"{ask} && uv lock"))
    assert (finding.rule, finding.fixed) == ("json-credential", None)


@pytest.mark.parametrize("name", IN_AN_IMAGE)
def test_where_the_steps_are_an_images_it_is_the_dockerfile_that_is_fixed(name: str) -> None:
    (finding,) = find_mistakes(with_steps(IN_AN_IMAGE[name]))
    assert finding.rule == name
    assert finding.fixed is not None
    assert set(finding.fixed.files) == {"Dockerfile"}
    assert finding.fixed.steps == ()
    assert find_mistakes(with_steps(overlay(IN_AN_IMAGE[name], finding.fixed))) == ()


# What only a post can show.


def test_pip_and_uv_on_two_interpreters() -> None:
    base = mre(
        {}, Symptom("failure", ("doesn't have a source distribution or wheel for the current platform",)), "uv sync"
    )
    (finding,) = find_mistakes(base, TWO_PYTHONS)
    assert finding.rule == "other-interpreter"
    assert finding.why == "pip used a wheel for Python 3.11, so it ran on that version, but uv on Python 3.12."
    assert finding.fixed is not None
    assert finding.fixed.variables == {"UV_PYTHON": "3.11"}
    assert find_mistakes(base) == ()
    same = replace(TWO_PYTHONS.commands[1], output="Using CPython 3.11.4")
    assert find_mistakes(base, replace(TWO_PYTHONS, commands=(TWO_PYTHONS.commands[0], same))) == ()


def test_variables_of_a_shell_do_not_reach_an_image_build() -> None:
    typed = ((NAME, "public"), (PASSWORD, "heron"))
    command = Command(f"export {PASSWORD}=heron", 9)
    output = ("INFO[0046] Running: [/bin/sh -c uv sync --frozen]", "401 Unauthorized")
    parsed = ParsedIssue("It asks", commands=(command,), claim=Claim("failure", 0, 12, output), variables=typed)
    (finding,) = find_mistakes(mre({"pyproject.toml": BEHIND_INDEX}, UNAUTHORIZED, "uv lock"), parsed)
    assert (finding.rule, finding.where) == ("build-variables", "the post, line 9")
    assert "ARG, a build secret, ENV" in finding.question
    assert finding.fixed is not None
    assert finding.fixed.variables == dict(typed)
    here = replace(parsed, claim=replace(parsed.claim, output=("401 Unauthorized",)))
    assert find_mistakes(mre({"pyproject.toml": BEHIND_INDEX}, UNAUTHORIZED, "uv lock"), here) == ()


def test_a_mistake_in_a_file_that_the_post_does_not_show_is_not_the_reporters() -> None:
    base = MISTAKES["member-not-built"]
    named = tuple(PostedFile(file.path, "", 0, "members names it", inferred=True) for file in base.files)
    assert find_mistakes(base, ParsedIssue("x", files=named)) == ()


def test_what_a_post_typed_into_one_shell_is_no_run_export() -> None:
    base = changed("run-export", {"Dockerfile": ""}, f"export {GIVEN}", "uv lock")
    assert [finding.rule for finding in find_mistakes(base)] == ["run-export"]
    assert find_mistakes(base, ParsedIssue("x")) == ()


def test_a_step_of_the_post_is_located_by_its_line() -> None:
    base = MISTAKES["all-packages"]
    parsed = ParsedIssue("x", commands=(Command("uv run python -c 'import six'", 31),))
    assert [finding.where for finding in find_mistakes(base, parsed)] == ["the post, line 31"]


def test_system_below_the_systems_folders_is_a_question() -> None:
    message = "failed to remove file `/usr/local/lib/python3.11/site-packages/x`\nRead-only file system (os error 30)"
    (finding,) = find_mistakes(mre({}, Symptom("failure", (message,)), "uv pip sync --system requirements.txt"))
    assert (finding.rule, finding.fixed) == ("system-beside-venv", None)
    assert finding.question


DENIED = """Our Dockerfile says:

Caused by: Failed to parse entry for: `zz-lib`
Caused by: Package is not included as workspace package in `tool.uv.workspace`
"""


def test_a_member_that_is_denied_in_an_image_not_in_the_post_is_a_question() -> None:
    base = changed("dependency-layer", {"Dockerfile": ""}, "uv run zz", symptom=NOT_UV)
    (finding,) = find_mistakes(base, ParsedIssue("x"), DENIED)
    assert (finding.rule, finding.where, finding.fixed) == ("dependency-layer", "the post, line 4", None)
    assert finding.question.startswith("Please post the Dockerfile.")
    assert find_mistakes(base, ParsedIssue("x"), DENIED.replace("Dockerfile", "script")) == ()
    assert find_mistakes(base, ParsedIssue("x", good=Located("0.3.5", 1)), DENIED) == ()
    assert find_mistakes(base, ParsedIssue("x"), DENIED + "uv sync --no-sources") == ()


def test_a_log_in_the_text_shows_both_interpreters() -> None:
    base = mre({}, Symptom("failure", ("zz-lib==1.0 has no wheels with a matching Python ABI tag",)), "uv sync")
    log = "Using CPython 3.12.4 interpreter at: /usr/bin/python\nDownloading zz_lib-1.0-cp310-cp310-linux_x86_64.whl"
    assert [finding.rule for finding in find_mistakes(base, ParsedIssue("x"), log)] == ["other-interpreter"]
    assert find_mistakes(base, ParsedIssue("x"), log.replace("cp310", "cp312")) == ()
    assert find_mistakes(base, ParsedIssue("x"), f"{log}\nDownloading b-1-cp39-cp39-linux_x86_64.whl") == ()


def test_a_post_that_tried_native_tls_has_no_finding() -> None:
    base = MISTAKES["unknown-issuer"]
    hint = "help: Consider enabling use of system TLS certificates with the `--native-tls` command-line flag"
    assert [finding.rule for finding in find_mistakes(base, ParsedIssue("x"), hint)] == ["unknown-issuer"]
    assert find_mistakes(base, ParsedIssue("x"), f"{hint}\nI tried --native-tls, too.") == ()


# Laws.


def test_fixed_variants_have_names_of_their_own() -> None:
    base = replace(MISTAKES["all-packages"], controls=(Control("Fixed: all-packages", "absent"),))
    (finding,) = find_mistakes(base)
    assert finding.fixed is not None
    assert slug(finding.fixed.name) != slug("fixed: all-packages")


def test_no_rule_is_missing_a_mistake() -> None:
    # undefined-extra has two names, other-interpreter needs a post, project-layer a Dockerfile.
    assert len(RULES) == len(MISTAKES) + 1


PIECES = st.sampled_from(
    [
        *(
            "uv",
            "sync",
            "run",
            "--extra",
            "--group",
            "--system",
            "pip",
            "install",
            "export",
            "A=1",
            "&&",
            "(",
            ")",
            ";",
        ),
        *("'", '"', "$(", "<<EOF", "|", ">", "\n", "\\", "#", "-r", "requirements.in", "UnknownIssuer", "--", "\u202e"),
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=12).map(" ".join))
VALUES = st.sampled_from(["3", '"x"', "[]", "{}", "[1]", "{ x = 1 }", "true", "[{}]", '["x"]', "{ git = 1 }"])
KEYS = st.sampled_from(
    [
        *(
            "project",
            "tool",
            "tool.uv",
            "tool.uv.sources",
            "tool.uv.index",
            "tool.uv.workspace",
            "tool.uv.workspace.members",
        ),
        *(
            "project.dependencies",
            "project.optional-dependencies",
            "project.name",
            "dependency-groups",
            "project.dynamic",
        ),
        *("tool.uv.sources.x", "tool.uv.dependency-metadata", "project.scripts", "build-system", "tool.uv.package"),
    ]
)
PROJECTS = st.lists(st.tuples(KEYS, VALUES), max_size=5).map(lambda rows: "\n".join(f"{k} = {v}" for k, v in rows))
NAMES = st.sampled_from(
    ["pyproject.toml", "a/pyproject.toml", "Dockerfile", "compose.yaml", "requirements.in", "uv.toml"]
)
SYMPTOMS = st.sampled_from([mistake.symptom for mistake in MISTAKES.values()])


@given(st.dictionaries(NAMES, st.one_of(TEXTS, PROJECTS)), st.lists(TEXTS, min_size=1, max_size=3), SYMPTOMS)
def test_no_mre_is_too_odd(files: dict[str, str], runs: list[str], symptom: Symptom) -> None:
    texts = tuple(File(path, text.encode(errors="surrogatepass")) for path, text in files.items())
    steps = tuple(Step(run or "true", "observe") for run in runs)
    odd = replace(MISTAKES["all-packages"], files=texts, steps=steps, symptom=symptom)
    names = [slug(finding.fixed.name) for finding in find_mistakes(odd, TWO_PYTHONS) if finding.fixed]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("credentials", "dockerfile"),
    [
        *product(["environment", "wrong"], ["env", "same-run", "secret", "arg", "run-export"]),
        *((c, "env") for c in ("netrc", "url", "keyring", "none")),
    ],
)
def test_the_template_has_no_mistake_but_the_one_that_was_requested(credentials: str, dockerfile: str) -> None:
    answers: dict[str, Any] = {"credentials": credentials, "members": 2, "layers": "dependencies-first"}
    if credentials in ("environment", "wrong"):
        answers["dockerfile"] = dockerfile
    with tempfile.TemporaryDirectory() as folder:
        new(Path(folder) / "bug", template="workspace-index", answers=answers)
        found = [finding.rule for finding in find_mistakes(read_mre(Path(folder) / "bug"))]
    assert found == (["run-export"] if dockerfile == "run-export" else [])


@pytest.mark.parametrize(
    ("needed", "release"),
    [
        (">=0.5.22,<1", "0.5.22"),
        ("==0.5.30", "0.5.30"),
        ("0.5.30", "0.5.30"),
        (">0.5.21", ""),
        (">=0.5.21", None),
        ("<0.6", None),
        ("no version", None),
    ],
)
def test_the_required_release(needed: str, release: str | None) -> None:
    text = ROOT.format(needs="") + f'[tool.uv]\nrequired-version = "{needed}"\n'
    found = find_mistakes(changed("required-version", {"pyproject.toml": text}))
    assert [each.fixed.uv if each.fixed else "" for each in found] == ([] if release is None else [release])


def test_a_project_layer_of_a_post() -> None:
    project = f'{ROOT.format(needs="")}readme = "README.md"\n[build-system]\nrequires = ["hatchling"]\n'
    base = mre({"pyproject.toml": project}, Symptom(output=("Readme file does not exist: README.md",)), "uv sync")
    later = PostedFile("docs/it.md", "", 1, "", inferred=True, before=1)
    (finding,) = find_mistakes(base, ParsedIssue("It fails", files=(later,)))
    assert finding.rule == "project-layer"
    assert finding.fixed
    assert [step.run for step in finding.fixed.steps] == [
        "uv sync --no-install-project",
        "mkdir -p docs\ntouch docs/it.md",
        "uv sync",
    ]
    for other in (replace(later, before=0), replace(later, inferred=False)):
        assert find_mistakes(base, ParsedIssue("It fails", files=(other,))) == ()


@pytest.mark.parametrize(
    "layer", ["COPY . .\nRUN uv sync", "COPY . .\nRUN uv sync --no-install-project\nCOPY . .", "RUN uv sync"]
)
def test_no_project_layer(layer: str) -> None:
    base = with_files(IN_AN_IMAGE["project-layer"], f"{DOCKERFILE}{layer}\n")
    assert find_mistakes(with_steps(base)) == ()


def with_files(base: Mre, dockerfile: str) -> Mre:
    kept = tuple(file for file in base.files if file.path != "Dockerfile")
    return replace(base, files=(*kept, File("Dockerfile", dockerfile.encode())))
