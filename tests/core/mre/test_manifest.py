"""The manifest: every fault with its line, and what is written is what is read."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uvmre.core.mre.manifest import dump, parse
from uvmre.core.mre.model import BASE, Control, Environment, Mre, Step, slug
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.text.normalize import normalize
from uvmre.errors import InputError

MINIMAL = """\
schema = 1
title = "uv sync does not ask for the password"

[environment]
uv = "0.5.21"

[[step]]
role = "observe"
run = "uv sync"

[symptom]
output = ["401 Unauthorized"]
"""

WHOLE = """\
schema = 1
title = "uv sync does not ask for the password"
issue = "https://github.com/astral-sh/uv/issues/1"

[environment]
uv = "0.5.21"
python = "3.11"
env-file = "mre.env"
exclude-newer = 2025-01-23
home = "home"
path = ["bin"]
variables = { A = "1" }

[[step]]
name = "lock it"
run = "uv lock"
timeout = 60

[[step]]
role = "observe"
run = "uv sync"

[symptom]
exit = 2
output = ["401 Unauthorized"]

[[symptom.file]]
path = "uv.lock"
contains = "name = foo"

[[control]]
name = "netrc"
expect = "absent"
why = "The same with ~/.netrc."
unset = ["A"]
variables = { B = "2" }
files = { "home/.netrc" = "machine a" }
explains = "there is no password"

[[control.step]]
role = "observe"
run = "uv sync --frozen"
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as raised:
        parse(text)
    return raised.value.faults


def test_a_minimal_manifest_is_read_with_the_defaults() -> None:
    assert parse(MINIMAL) == Mre(
        title="uv sync does not ask for the password",
        environment=Environment(uv="0.5.21"),
        steps=(Step("uv sync", "observe", "", 300),),
        symptom=Symptom(output=("401 Unauthorized",)),
    )


def test_every_key_is_read() -> None:
    assert parse(WHOLE) == Mre(
        title="uv sync does not ask for the password",
        issue="https://github.com/astral-sh/uv/issues/1",
        environment=Environment(
            "0.5.21",
            "3.11",
            exclude_newer=date(2025, 1, 23),
            env_file="mre.env",
            home="home",
            path=("bin",),
            variables={"A": "1"},
        ),
        steps=(Step("uv lock", "setup", "lock it", 60), Step("uv sync", "observe")),
        symptom=Symptom(2, ("401 Unauthorized",), (FileSymptom("uv.lock", "name = foo"),)),
        controls=(
            Control(
                name="netrc",
                expect="absent",
                why="The same with ~/.netrc.",
                variables={"B": "2"},
                unset=("A",),
                files={"home/.netrc": "machine a"},
                steps=(Step("uv sync --frozen", "observe"),),
                explains="there is no password",
            ),
        ),
    )


UV = 'must be a release, such as "0.5.21", "latest", or a day, such as "@2026-07-01"'
DAY = "must be a date, such as 2025-01-23 without quotes, or a time with its offset, such as 2025-01-23T14:00:00Z"
EXIT = 'must be an exit code from 0 to 255, "failure", "success", "timeout", or a signal, such as "SIGSEGV"'
SYMPTOM = "exit, output, step, adjacent, any, absent, raw, differs-from, slower-than, factor, guess, file, count"
LEAVES = "is outside the folder ({!r}): use a relative path with `/`"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param(
            'issue = "https://github.com/astral-sh/uv/issues/1"',
            'isue = "x"',
            "line 3: isue is not a known key: did you mean `issue`?",
            id="an unknown key at the top",
        ),
        pytest.param(
            'python = "3.11"',
            'pyton = "3.11"',
            "line 7: environment.pyton is not a known key: did you mean `python`?",
            id="an unknown key of the environment",
        ),
        pytest.param(
            'name = "lock it"',
            'label = "lock it"',
            "line 15: step[1].label is not a known key: use one of run, role, name, timeout, idle-timeout",
            id="an unknown key of a step",
        ),
        pytest.param(
            "exit = 2",
            "code = 2",
            f"line 24: symptom.code is not a known key: use one of {SYMPTOM}",
            id="an unknown key of the symptom",
        ),
        pytest.param(
            'contains = "name = foo"',
            'contains = "name = foo"\nhas = "foo"',
            "line 30: symptom.file[1].has is not a known key: use one of path, contains, absent, raw, ends-with, exists, unchanged, links-to",
            id="an unknown key of a file of the symptom",
        ),
        pytest.param(
            'why = "The same with ~/.netrc."',
            'reason = "x"',
            "line 34: control[1].reason is not a known key: "
            "use one of name, expect, why, explains, uv, python, without-uv, variables, unset, files, replace, faults, "
            "step, symptom, index",
            id="an unknown key of a control",
        ),
        pytest.param(
            'run = "uv sync --frozen"',
            'run = "uv sync --frozen"\nshell = "bash"',
            "line 43: control[1].step[1].shell is not a known key: use one of run, role, name, timeout, idle-timeout",
            id="an unknown key of a control's step",
        ),
        pytest.param(
            "schema = 1",
            "schema = 2",
            "line 1: schema must be 1, the only version that this uvmre supports, not 2",
            id="a new schema",
        ),
        pytest.param(
            "schema = 1",
            "schema = true",
            "line 1: schema must be 1, the only version that this uvmre supports, not True",
            id="a schema that is true, which Python holds for 1",
        ),
        pytest.param(
            'uv = "0.5.21"', "", "line 5: environment.uv is missing: add `uv = …`", id="no release, told at its table"
        ),
        pytest.param(
            'uv = "0.5.21"',
            'uv = "newest"',
            f"line 6: environment.uv {UV}, not 'newest'",
            id="a release that is none",
        ),
        pytest.param(
            'uv = "0.5.21"',
            "uv = 0.5",
            f"line 6: environment.uv {UV}, not 0.5",
            id="a release that is a number",
        ),
        pytest.param(
            'python = "3.11"',
            'python = "2.7"',
            "line 7: environment.python must be a Python version, such as \"3.12\", not '2.7'",
            id="an interpreter of old",
        ),
        pytest.param(
            "exclude-newer = 2025-01-23",
            'exclude-newer = "2025-01-23"',
            f"line 9: environment.exclude-newer {DAY}, not '2025-01-23'",
            id="a date in quotes",
        ),
        pytest.param(
            "exclude-newer = 2025-01-23",
            "exclude-newer = 2025-01-23T00:00:00",
            f"line 9: environment.exclude-newer {DAY}, not datetime.datetime(2025, 1, 23, 0, 0)",
            id="a time without its offset",
        ),
        pytest.param(
            'variables = { A = "1" }',
            "variables = { A = 1 }",
            "line 12: environment.variables A must be a string (in quotes)",
            id="a variable that is a number",
        ),
        pytest.param(
            'variables = { A = "1" }',
            'variables = { "A-B" = "1" }',
            "line 12: environment.variables must be a variable name, not 'A-B'",
            id="a variable's name with a dash",
        ),
        pytest.param(
            'variables = { B = "2" }',
            'variables = { 1B = "2" }',
            "line 36: control[1].variables must be a variable name, not '1B'",
            id="a control's variable that starts with a digit",
        ),
        pytest.param(
            'unset = ["A"]',
            'unset = ["A", ""]',
            "line 35: control[1].unset item 2: must be a variable name, not ''",
            id="an unset variable without a name",
        ),
        pytest.param(
            'variables = { A = "1" }',
            'variables = ["A"]',
            "line 12: environment.variables must be a table",
            id="variables that are a list",
        ),
        pytest.param(
            'env-file = "mre.env"',
            'env-file = "../mre.env"',
            f"line 8: environment.env-file {LEAVES.format('../mre.env')}",
            id="a path that goes up",
        ),
        pytest.param(
            'home = "home"',
            'home = "/home"',
            f"line 10: environment.home {LEAVES.format('/home')}",
            id="a path from the root",
        ),
        pytest.param(
            'path = ["bin"]',
            'path = ["bin", "a/../../x"]',
            f"line 11: environment.path item 2: {LEAVES.format('a/../../x')}",
            id="a path that goes down and then up",
        ),
        pytest.param(
            'path = "uv.lock"',
            'path = "a\\\\b"',
            f"line 28: symptom.file[1].path {LEAVES.format(chr(92).join('ab'))}",
            id="a path as Windows writes it",
        ),
        pytest.param(
            'files = { "home/.netrc" = "machine a" }',
            'files = { "../.netrc" = "machine a" }',
            f"line 37: control[1].files {LEAVES.format('../.netrc')}",
            id="a control's file outside the folder",
        ),
        pytest.param(
            'run = "uv lock"', "", "line 14: step[1].run is missing: add `run = …`", id="a step without a command"
        ),
        pytest.param(
            'run = "uv lock"',
            'run = " "',
            "line 16: step[1].run must be a non-empty string",
            id="a step whose command is blank",
        ),
        pytest.param(
            "timeout = 60",
            "timeout = 0",
            "line 17: step[1].timeout must be a whole number from 1 to 86400, not 0",
            id="a step that has no time",
        ),
        pytest.param(
            "timeout = 60",
            "timeout = 1.5",
            "line 17: step[1].timeout must be a whole number from 1 to 86400, not 1.5",
            id="a step's time in parts of a second",
        ),
        pytest.param(
            'role = "observe"\nrun = "uv sync"\n',
            'role = "watch"\nrun = "uv sync"\n[[step]]\nrole = "observe"\nrun = "x"\n',
            'line 20: step[2].role must be "setup" or "observe", not \'watch\'',
            id="a role that is none",
        ),
        pytest.param(
            "exit = 2",
            "exit = 256",
            f"line 24: symptom.exit {EXIT}, not 256",
            id="an exit code that no process has",
        ),
        pytest.param(
            "exit = 2",
            "exit = true",
            f"line 24: symptom.exit {EXIT}, not True",
            id="an exit code that is true",
        ),
        pytest.param(
            'output = ["401 Unauthorized"]',
            'output = "401 Unauthorized"',
            "line 25: symptom.output must be a list",
            id="one output without brackets",
        ),
        pytest.param(
            'output = ["401 Unauthorized"]',
            'output = ["401 Unauthorized", ""]',
            "line 25: symptom.output item 2: is too short (''): almost any output would match it",
            id="an output that is empty",
        ),
        pytest.param(
            'output = ["401 Unauthorized"]',
            'output = ["error: … `no`"]',
            "line 25: symptom.output item 1: is too short ('error: … `no`'): almost any output would match it",
            id="an output of which two letters count",
        ),
        pytest.param(
            'output = ["401 Unauthorized"]',
            "output = [401]",
            "line 25: symptom.output item 1: must be a non-empty string",
            id="an output that is a number",
        ),
        pytest.param(
            'contains = "name = foo"',
            'contains = "..."',
            "line 29: symptom.file[1].contains is too short ('...'): almost any output would match it",
            id="a file's content that any file has",
        ),
        pytest.param(
            'expect = "absent"',
            'expect = "gone"',
            'line 33: control[1].expect must be "absent" or "present" or "different", not \'gone\'',
            id="an expectation that is none",
        ),
        pytest.param(
            "[[control.step]]",
            '[[control]]\nname = "netrc"\nexpect = "present"\n\n[[control.step]]',
            "line 41: control[2].name is already used ('netrc'): choose another",
            id="two controls of one name",
        ),
        pytest.param(
            "[[control.step]]",
            '[[control]]\nname = ".NETRC"\nexpect = "present"\n\n[[control.step]]',
            "line 41: control[2].name is already used ('.NETRC'): choose another",
            id="two controls whose folders would be one",
        ),
        pytest.param(
            'name = "netrc"',
            'name = "as reported"',
            "line 32: control[1].name is already used ('as reported'): choose another",
            id="a control that is called as the MRE itself is",
        ),
    ],
)
def test_a_fault_is_reported_with_its_line_and_a_remedy(old: str, new: str, fault: str) -> None:
    assert WHOLE.count(old) == 1
    assert faults(WHOLE.replace(old, new)) == (fault,)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param(
            '[environment]\nuv = "0.5.21"\n',
            "",
            "line 1: environment is missing: add a [environment] table",
            id="no environment",
        ),
        pytest.param(
            '[environment]\nuv = "0.5.21"\n',
            'environment = "0.5.21"\n',
            "line 4: environment must be a table: write [environment]",
            id="an environment that is a text",
        ),
        pytest.param(
            "[[step]]",
            "[step]",
            "line 7: step must be an array of tables: write [[step]]",
            id="steps with single brackets",
        ),
        pytest.param(
            '[[step]]\nrole = "observe"\nrun = "uv sync"\n',
            "",
            "line 1: step is missing: add a [[step]] with `run`, or a Dockerfile",
            id="no steps",
        ),
        pytest.param(
            'output = ["401 Unauthorized"]',
            "",
            "line 11: symptom matches any failure: add text of the output, or of a file",
            id="a symptom that says nothing",
        ),
        pytest.param(
            'output = ["401 Unauthorized"]',
            'exit = "failure"',
            "line 11: symptom matches any failure: add text of the output, or of a file",
            id="a symptom that any failure meets",
        ),
        pytest.param(
            'output = ["401 Unauthorized"]',
            "output = []",
            "line 11: symptom matches any failure: add text of the output, or of a file",
            id="a symptom with no texts",
        ),
        pytest.param(
            'output = ["401 Unauthorized"]\n',
            'output = ["401 Unauthorized"]\nfile = "uv.lock"\n',
            "line 13: symptom.file must be an array of tables: write [[symptom.file]]",
            id="the symptom's file as a text",
        ),
    ],
)
def test_a_table_that_is_missing_or_none_is_reported(old: str, new: str, fault: str) -> None:
    assert MINIMAL.count(old) == 1
    assert faults(MINIMAL.replace(old, new)) == (fault,)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("schema = 1\ntitle = x\n", "Invalid value (at line 2, column 9)", id="a text without quotes"),
        pytest.param("a = 1\na = 2\n", "Cannot overwrite a value (at line 2, column 6)", id="a key twice"),
    ],
)
def test_what_is_not_toml_is_reported_in_the_words_of_the_parser(text: str, fault: str) -> None:
    assert faults(text) == (fault,)


def test_all_faults_are_reported_at_once_in_the_order_of_their_lines() -> None:
    text = """\
[[control]]
expect = "gone"

[symptom]
exit = 300

[[step]]
run = ""

[environment]
uv = 5
"""
    with pytest.raises(InputError) as raised:
        parse(text, source="a/mre.toml")
    assert raised.value.message == "`a/mre.toml` has 6 errors"
    assert raised.value.hint == "fix them and try again"
    assert raised.value.faults == (
        "line 1: control[1].name is missing: add `name = …`",
        "line 1: title is missing: add `title = …`",
        'line 2: control[1].expect must be "absent" or "present" or "different", not \'gone\'',
        f"line 5: symptom.exit {EXIT}, not 300",
        "line 8: step[1].run must be a non-empty string",
        f"line 11: environment.uv {UV}, not 5",
    )


def test_lines_count_as_an_editor_counts_them_beyond_the_ninth() -> None:
    text = MINIMAL.replace("schema = 1", "schema = 2").replace('output = ["401 Unauthorized"]', "exit = 999")
    assert [fault.split(":")[0] for fault in faults(text)] == ["line 1", "line 12"]


TEXTS = st.text(st.one_of(st.just("\n"), st.characters(exclude_categories=("Cc", "Cs"))), max_size=20)
SAID = TEXTS.filter(lambda text: text.strip() != "")
LINES = SAID.filter(lambda text: len(text.splitlines()) == 1)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
PATHS = st.lists(
    st.from_regex(r"[a-z.][a-z0-9. _-]{0,5}", fullmatch=True).filter(lambda part: part not in (".", "..")),
    min_size=1,
    max_size=3,
).map("/".join)
PATTERNS = TEXTS.filter(lambda text: len(normalize(text.replace("…", "").replace("...", ""))) >= 4)
VARIABLES = st.dictionaries(NAMES, TEXTS, max_size=3)
STEPS = st.tuples(
    st.lists(
        st.builds(Step, SAID, st.just("setup"), st.one_of(st.just(""), LINES), st.integers(1, 86_400)), max_size=2
    ),
    st.builds(Step, SAID, st.just("observe")),
).map(lambda parts: (*parts[0], parts[1]))
SYMPTOMS = st.builds(
    Symptom,
    st.one_of(st.none(), st.just("failure"), st.integers(0, 255)),
    st.lists(PATTERNS, max_size=3).map(tuple),
    st.lists(st.builds(FileSymptom, PATHS, PATTERNS), max_size=2).map(tuple),
).filter(lambda symptom: bool(symptom.output or symptom.files or isinstance(symptom.exit, int)))
ENVIRONMENTS = st.builds(
    Environment,
    uv=st.from_regex(r"[0-9]\.[0-9]{1,2}\.[0-9]{1,2}(rc[0-9])?", fullmatch=True),
    python=st.sampled_from(["", "3.9", "3.13", "3.12.4"]),
    variables=VARIABLES,
    env_file=st.one_of(st.just(""), PATHS),
    exclude_newer=st.one_of(st.none(), st.dates()),
    home=st.one_of(st.just(""), PATHS),
    path=st.lists(PATHS, max_size=2).map(tuple),
)
CONTROLS = st.builds(
    Control,
    name=LINES.filter(lambda name: slug(name) != slug(BASE)),
    expect=st.sampled_from(["absent", "present"]),
    why=st.one_of(st.just(""), LINES),
    variables=VARIABLES,
    unset=st.lists(NAMES, max_size=2).map(tuple),
    files=st.dictionaries(PATHS, TEXTS, max_size=2),
    steps=st.one_of(st.just(()), STEPS),
    explains=st.one_of(st.just(""), SAID),
)
MRES = st.builds(
    Mre,
    title=LINES,
    environment=ENVIRONMENTS,
    steps=STEPS,
    symptom=SYMPTOMS,
    controls=st.lists(CONTROLS, max_size=2, unique_by=lambda control: slug(control.name)).map(tuple),
    issue=st.one_of(st.just(""), LINES),
)


@given(MRES)
@settings(deadline=None, max_examples=60)
def test_what_is_written_is_what_is_read(mre: Mre) -> None:
    assert parse(dump(mre)) == mre


CONTROLLED = MINIMAL + '[[control]]\nname = "c"\n'


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        pytest.param('replace = { "uv sync" = "uv lock" }', "", id="a step by its command"),
        pytest.param(
            'replace = { sync = "uv lock" }',
            "line 15: control[1].replace names no step of the MRE ('sync'): use one of `uv sync`",
            id="a step that does not exist",
        ),
        pytest.param(
            'replace = { "uv sync" = "uv lock" }\n[[control.step]]\nrun = "uv lock"',
            "line 15: control[1].replace cannot be combined with [[control.step]], which replaces all steps",
            id="steps that are replaced twice",
        ),
        pytest.param("without-uv = true", "", id="without uv"),
        pytest.param(
            'without-uv = true\nuv = "0.5.20"',
            "line 16: control[1].uv cannot be combined with `without-uv`",
            id="uv without uv",
        ),
        pytest.param(
            'without-uv = true\nexpect = "present"',
            'line 16: control[1].expect must be "absent" with `without-uv`: if the symptom shows, it is not uv\'s',
            id="a symptom that must show without uv",
        ),
    ],
)
def test_a_control_changes_what_exists(keys: str, fault: str) -> None:
    assert (faults(CONTROLLED + keys) if fault else ()) == ((fault,) if fault else ())
    if not fault:
        mre = parse(CONTROLLED + keys)
        assert parse(dump(mre)) == mre
