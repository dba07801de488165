"""Mistakes in what a manifest says of a symptom."""

import pytest

from uvmre.core.mre.manifest import parse
from uvmre.errors import InputError

HEAD = """\
title = "t"
[environment]
uv = "0.5.21"
[[step]]
name = "prepare"
run = "uv init"
[[step]]
name = "lock"
role = "observe"
run = "uv lock"
[[step]]
name = "sync"
role = "observe"
run = "uv sync"
[symptom]
"""
TEXT = 'output = ["it breaks"]\n'
OWN_STEP = '[[control]]\nname = "c"\n[[control.step]]\nname = "other"\nrun = "uv tree"\n'


@pytest.mark.parametrize(
    ("symptom", "mistake"),
    [
        pytest.param('step = "lok"\n' + TEXT, "symptom.step names no step ('lok')", id="no such step"),
        pytest.param('step = "prepare"\n' + TEXT, "names a set-up step ('prepare')", id="a set-up step"),
        pytest.param('step = "lock"\ndiffers-from = "lock"\n', "names the step itself ('lock')", id="itself"),
        pytest.param('differs-from = "x"\n', "names no step ('x')", id="differs-from no step"),
        pytest.param('slower-than = "x"\n', "names no step ('x')", id="slower-than no step"),
        pytest.param("factor = 3\n" + TEXT, "needs the step that is faster", id="a factor alone"),
        pytest.param("adjacent = true\n" + TEXT, "needs two texts", id="one adjacent text"),
        pytest.param("adjacent = true\noutput = 5\n", "must be a list", id="texts that are none"),
        pytest.param('exit = "SIGNOTHING"\n' + TEXT, "or a signal", id="no such signal"),
        pytest.param('absent = ["it breaks"]\n', "matches other failures too", id="only an absent text"),
        pytest.param('[[symptom.file]]\npath = "a"\nexists = false\n', "matches other failures too", id="no file"),
        pytest.param(TEXT + '[[symptom.file]]\npath = "a"\nexists = false\nraw = "a"\n', "with `exists = false`", id="in no file"),
        pytest.param(TEXT + '[[symptom.file]]\npath = "a"\nexists = false\nunchanged = true\n', "with `exists = false`", id="no file unchanged"),
        pytest.param('[[symptom.count]]\nlines = "abcd"\nrequests = "https://a/*"\n', "cannot be combined with `requests`", id="two counts"),
        pytest.param('[[symptom.count]]\nleast = 2\n', "says nothing", id="a count of nothing"),
        pytest.param('[[symptom.count]]\nlines = "abcd"\nmost = 0\n', "is less than `least`, which is 1 by default", id="at most 0"),
        pytest.param(TEXT + "[expected]\n", "says nothing", id="nothing expected"),
        pytest.param(TEXT + '[expected]\nstep = "x"\nexit = 0\n', "names no step ('x')", id="expected of no step"),
        pytest.param('step = "lock"\n' + TEXT + OWN_STEP, "has no step 'lock', which the symptom names", id="a control without it"),
        pytest.param('step = ["lock"]\n' + TEXT + OWN_STEP, "must be a non-empty string", id="a name that is none"),
        pytest.param(TEXT + OWN_STEP + '[control.symptom]\nstep = "lock"\noutput = ["abcd"]\n', "names no step ('lock')", id="a control's own"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported(symptom: str, mistake: str) -> None:
    with pytest.raises(InputError) as raised:
        parse(HEAD + symptom)
    assert mistake in "\n".join(raised.value.faults)


@pytest.mark.parametrize(
    "symptom",
    [
        'step = "sync"\ndiffers-from = "prepare"\n',
        'step = "sync"\nslower-than = "lock"\nfactor = 1.5\n',
        'exit = "timeout"\n',
        'exit = "SIGSEGV"\n',
        'exit = "success"\nabsent = ["it breaks"]\n',
        'exit = 2\n[[symptom.file]]\npath = "~/a"\nexists = false\n',
        '[[symptom.count]]\nlines = "abcd"\n',
        'exit = "success"\n[[symptom.count]]\nlines = "abcd"\nleast = 0\nmost = 0\n',
        'step = "lock"\n' + TEXT + OWN_STEP + '[control.symptom]\nstep = "other"\noutput = ["abcd"]\n',
        TEXT + '[expected]\nexit = "success"\n',
    ],
)
def test_what_is_right_is_read(symptom: str) -> None:
    assert parse(HEAD + symptom).symptom
