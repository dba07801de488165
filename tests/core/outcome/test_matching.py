"""What was observed against what was reported."""

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.model import HOLDS, Role
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.network.request import DISCONNECTED, AnsweredBy, Request
from uvmre.core.outcome.matching import Outcome, match
from uvmre.core.outcome.observation import FileState, Observation, StepResult

SYMPTOM = Symptom("failure", ("No solution found", "401 Unauthorized"))
REPORTED = "error: No solution found\n  cause: 401 Unauthorized\n"


def step(
    title: str = "uv sync",
    exit: int = 0,
    *,
    err: str = "",
    out: str = "",
    role: Role = "observe",
    timed_out: bool = False,
) -> StepResult:
    return StepResult(title, title, role, exit, out, err, 2.4, timed_out)


def observed(
    *steps: StepResult, requests: tuple[Request, ...] = (), obstacle: str = "", **files: str | None
) -> Observation:
    states = tuple(FileState(path, text is not None, text) for path, text in files.items())
    return Observation("as reported", "0.5.21", "3.11.7", "local", "Linux", steps, requests, states, obstacle)


def request(answered_by: AnsweredBy, *, host: str = "pypi.org", path: str = "/simple/a/", reason: str = "") -> Request:
    status = {"upstream": 200, "stand-in": 401, "refused": 403, "unreachable": 502, "rejected-ca": 0, "fault": 0}[
        answered_by
    ]
    return Request("GET", host, path, status, False, answered_by, 0.1, reason)


@pytest.mark.parametrize(
    ("observation", "outcome"),
    [
        pytest.param(
            observed(step(exit=2, err=REPORTED)),
            Outcome("shows", "`uv sync` exits with code 2, with everything that was reported"),
            id="all of it is there",
        ),
        pytest.param(
            observed(step(exit=2, out=REPORTED)),
            Outcome("shows", "`uv sync` exits with code 2, with everything that was reported"),
            id="all of it is in standard output",
        ),
        pytest.param(
            observed(step("one", err="fine"), step("two", 1, err=REPORTED)),
            Outcome("shows", "`two` exits with code 1, with everything that was reported"),
            id="all of it is on the second of two steps",
        ),
        pytest.param(observed(step()), Outcome("absent", "`uv sync` succeeds"), id="the step succeeded"),
        pytest.param(
            observed(step(err=REPORTED)),
            Outcome("absent", "`uv sync` succeeds"),
            id="the texts are there and the step succeeded",
        ),
        pytest.param(
            observed(step("uv lock", 0, role="setup"), step("one"), step("two")),
            Outcome("absent", "`two` succeeds"),
            id="all steps succeeded",
        ),
        pytest.param(
            observed(step(exit=2, err="error: No solution found\n")),
            Outcome(
                "different",
                "`uv sync` fails (2), but not as reported: the output does not contain “401 Unauthorized”",
            ),
            id="one text is not there",
        ),
        pytest.param(
            observed(step(exit=2, err="401 Unauthorized\nNo solution found\n")),
            Outcome(
                "different",
                "`uv sync` fails (2), but not as reported: the output does not contain “401 Unauthorized”",
            ),
            id="the texts are there in another order",
        ),
        pytest.param(
            observed(step(exit=2, err="No solution found", out="401 Unauthorized")),
            Outcome(
                "different",
                "`uv sync` fails (2), but not as reported: the output does not contain “401 Unauthorized”",
            ),
            id="the texts are on two streams of one step",
        ),
        pytest.param(
            observed(step("one", 1, err="No solution found"), step("two", 1, err="401 Unauthorized")),
            Outcome(
                "different", "`one` fails (1), but not as reported: the output does not contain “401 Unauthorized”"
            ),
            id="the texts are on two steps",
        ),
        pytest.param(
            observed(step("uv lock", 0, err=REPORTED, role="setup"), step()),
            Outcome("absent", "`uv sync` succeeds"),
            id="the texts are on a step that is not observed",
        ),
    ],
)
def test_an_observation_is_judged(observation: Observation, outcome: Outcome) -> None:
    assert match(SYMPTOM, observation) == outcome


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        pytest.param(
            observed(obstacle="there is no /bin/sh"), "there is no /bin/sh", id="the steps could not be run at all"
        ),
        pytest.param(
            observed(
                step(exit=2, err=REPORTED),
                requests=(request("refused", host="example.com", reason="it is not on the list"),),
            ),
            "no response from example.com: it is not on the list",
            id="a request was refused",
        ),
        pytest.param(
            observed(
                step(exit=2, err=REPORTED),
                requests=(
                    request("unreachable", path="/a", reason="no route"),
                    request("unreachable", path="/b", reason="no route"),
                    request("unreachable", host="files.pythonhosted.org", reason="timed out"),
                ),
            ),
            "no response from pypi.org, files.pythonhosted.org: no route",
            id="two hosts could not be reached",
        ),
        pytest.param(
            observed(
                step(exit=2, err=REPORTED), requests=(request("upstream"), request("unreachable", reason="no route"))
            ),
            "no response from pypi.org: no route",
            id="a request was answered and its last try was not",
        ),
        pytest.param(
            observed(step(exit=2, err="error: no"), requests=(request("rejected-ca", reason="it broke off the TLS"),)),
            "no response from pypi.org: it broke off the TLS",
            id="the client does not trust the gateway",
        ),
        pytest.param(
            observed(step("uv lock", 2, err="warning: slow\nerror: no\n\n", role="setup")),
            "the setup step `uv lock` fails (2): error: no",
            id="a set-up step failed and said why last",
        ),
        pytest.param(
            observed(step("make it", 1, out="cannot\n", role="setup")),
            "the setup step `make it` fails (1): cannot",
            id="a set-up step failed and said why in standard output",
        ),
        pytest.param(
            observed(step("false", 1, role="setup")),
            "the setup step `false` fails (1): no output",
            id="a set-up step failed and said nothing",
        ),
        pytest.param(
            observed(step("uv lock", 2, err="error: unrecognized subcommand 'lock'\n", role="setup")),
            "the setup step `uv lock` fails (2): uv 0.5.21 does not support `lock`",
            id="a set-up step's command is not known",
        ),
        pytest.param(
            observed(step(exit=143, err=REPORTED, timed_out=True)),
            "`uv sync` exceeds its time limit (2 s)",
            id="the time was up",
        ),
        pytest.param(
            observed(step(exit=2, err=f"{REPORTED}No space left on device (os error 28)")),
            "`uv sync` fails because the disk is full",
            id="the disk was full",
        ),
        pytest.param(
            observed(step(exit=2, err="error: unrecognized subcommand 'sync'\n\nUsage: uv [OPTIONS] <COMMAND>\n")),
            "uv 0.5.21 does not support `sync`",
            id="clap 4 does not know the command",
        ),
        pytest.param(
            observed(
                step(exit=2, err="\x1b[1merror:\x1b[0m unexpected argument '\x1b[33m--all-packages\x1b[0m' found")
            ),
            "uv 0.5.21 does not support `--all-packages`",
            id="clap 4 does not know the option, in colour",
        ),
        pytest.param(
            observed(step(exit=2, err="error: Found argument '--frozen' which wasn't expected, or isn't valid")),
            "uv 0.5.21 does not support `--frozen`",
            id="clap 3 does not know the option",
        ),
        pytest.param(
            observed(step(exit=2, err="error: The subcommand 'sync' wasn't recognized")),
            "uv 0.5.21 does not support `sync`",
            id="clap 3 does not know the command",
        ),
        pytest.param(observed(step("uv lock", role="setup")), "no observe step ran", id="no observed step was reached"),
        pytest.param(observed(), "no observe step ran", id="there were no steps"),
    ],
)
def test_a_run_that_never_came_to_the_question_is_broken(observation: Observation, reason: str) -> None:
    assert match(SYMPTOM, observation) == Outcome("broken", reason)


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param((request("unreachable"), request("upstream")), id="a try that failed and then was answered"),
        pytest.param(
            (request("rejected-ca", path=""), request("upstream")), id="a connection that was not needed and broken off"
        ),
        pytest.param((request("stand-in"),), id="the stand-in answered that it may not"),
        pytest.param((), id="nothing was asked"),
    ],
)
def test_requests_that_were_answered_break_nothing(requests: tuple[Request, ...]) -> None:
    assert match(SYMPTOM, observed(step(exit=2, err=REPORTED), requests=requests)).word == "shows"


RESET = "  Caused by: client error (Connect)\n  Caused by: Connection reset by peer (os error 104)\n"
REFUSED = ("client error (Connect)", "tcp connect error: Connection refused (os error 111)")
UNRESOLVED = ("dns error", "failed to lookup address information: Name or service not known")


@pytest.mark.parametrize(
    ("texts", "requests", "word"),
    [
        pytest.param(REFUSED, ["fault: refused, request 1"], "shows", id="a host that refuses"),
        pytest.param(REFUSED, ["fault: refused, times 1, request 2", ""], "shows", id="and another that answers"),
        pytest.param(UNRESOLVED, ["fault: unresolvable, request 1"], "shows", id="a name that does not resolve"),
        pytest.param(REFUSED, ["fault: unresolvable, request 1"], "different", id="another way to fail"),
        pytest.param(REFUSED, ["fault: timeout, request 1"], "different", id="a host that hangs resets nothing"),
        pytest.param(
            REFUSED, ["fault: refused, request 1", "fault: unresolvable, request 1"], "different", id="two ways"
        ),
        pytest.param(REFUSED, ["fault: cut 0, request 1"], "different", id="a fault that does hang up"),
        pytest.param(REFUSED, [], "different", id="a reset of its own"),
        pytest.param(("Connection reset by peer (os error 104)",), [], "shows", id="a reset that was reported"),
    ],
)
def test_a_host_that_failed_on_purpose_fails_as_without_a_proxy(
    texts: tuple[str, ...], requests: list[str], word: str
) -> None:
    seen = tuple(request("fault" if reason else "upstream", reason=reason) for reason in requests)
    observation = observed(step(exit=2, err=f"error: Request failed\n{RESET}"), requests=seen)
    assert match(Symptom("failure", texts), observation).word == word


def test_a_report_about_an_unknown_command_can_show() -> None:
    symptom = Symptom(2, ("unrecognized subcommand 'sync'",))
    assert match(symptom, observed(step(exit=2, err="error: unrecognized subcommand 'sync'"))).word == "shows"


@pytest.mark.parametrize(
    ("reported", "word"),
    [
        pytest.param("unexpected argument '--all-packages' found", "shows", id="the reported one"),
        pytest.param("error: unexpected argument", "shows", id="the first words of it"),
        pytest.param("unexpected argument '…' found", "shows", id="the name shortened"),
        pytest.param("unexpected argument '--frozen' found", "broken", id="another option"),
        pytest.param("unrecognized subcommand 'lock'", "broken", id="a command"),
        pytest.param("--all-packages", "broken", id="only the name, which may come from anything"),
        pytest.param("found", "broken", id="only a word"),
    ],
)
def test_an_unsupported_option_counts_only_where_it_is_what_was_reported(reported: str, word: str) -> None:
    error = "error: unexpected argument '--all-packages' found\n\nUsage: uv sync [OPTIONS]\n"
    assert match(Symptom("failure", (reported,)), observed(step(exit=2, err=error))).word == word


def test_a_report_about_a_value_can_show_without_its_list_of_values() -> None:
    error = "error: invalid value '1' for '--no-cache'\n  [possible values: true, false]"
    assert match(Symptom(2, ("invalid value '1' for '--no-cache'",)), observed(step(exit=2, err=error))).word == "shows"
    assert match(Symptom(2, ("invalid value '2' for '--no-cache'",)), observed(step(exit=2, err=error))).word != "shows"


LACKS = {
    "command": "error: unrecognized subcommand 'lock'\n\nUsage: uv [OPTIONS] <COMMAND>",
    "option": "error: unexpected argument '--all-packages' found",
    "option, clap 3": "error: Found argument '--frozen' which wasn't expected, or isn't valid in this context",
    "command, clap 3": "error: The subcommand 'lock' wasn't recognized",
    "value": "error: invalid value 'uv' for '--build-backend <B>'\n  [possible values: hatch, flit]",
    "value, clap 3": "error: \"uv\" isn't a valid value for '--build-backend <B>'\n\t[possible values: hatch, flit]",
    "uvx": "/bin/sh: 1: uvx: not found",
    "setting": "error: Failed to parse: `uv.toml`\n  Caused by: unknown field `conflicts`, expected one of `a`",
    "setting's value": "error: Failed to parse: `uv.toml`\n  unknown variant `always`, expected `never`",
    "setting's form": "error: Failed to parse: `a`\n  data did not match any variant of untagged enum Source",
}


@pytest.mark.parametrize("stream", ["err", "out"])
@pytest.mark.parametrize("what", LACKS)
@pytest.mark.parametrize(
    "symptom",
    [Symptom(HOLDS), Symptom("failure", ("error:", "lock it")), Symptom(0), Symptom(output=("lock it",))],
    ids=["check", "text", "success", "text with any exit code"],
)
def test_a_release_that_lacks_what_is_requested_for_never_tells(symptom: Symptom, what: str, stream: str) -> None:
    said = {stream: LACKS[what]}
    assert match(symptom, observed(step(exit=HOLDS, **said))).word == "broken"  # type: ignore[arg-type]


@pytest.mark.parametrize("what", [what for what in LACKS if "setting" not in what])
def test_nor_does_one_that_lacks_a_command_where_the_error_is_swallowed(what: str) -> None:
    assert match(Symptom(output=("lock it",)), observed(step(err=LACKS[what]))).word == "broken"


def test_a_text_that_shows_beside_a_setting_that_is_ignored_still_shows() -> None:
    said = f"warning: unknown field `later`, expected one of `a`\n{REPORTED}"
    assert match(SYMPTOM, observed(step(exit=2, err=said))).word == "shows"


def test_a_full_disk_that_a_step_got_over_breaks_nothing() -> None:
    assert match(SYMPTOM, observed(step(err="No space left on device, trying elsewhere"))).word == "absent"


@pytest.mark.parametrize(
    ("wanted", "exit_code", "word"),
    [
        pytest.param(None, 0, "shows", id="any exit code is fine where none is wanted"),
        pytest.param("failure", 1, "shows", id="1 is a failure"),
        pytest.param("failure", 101, "shows", id="101 is a failure"),
        pytest.param("failure", 0, "absent", id="0 is no failure"),
        pytest.param(2, 2, "shows", id="2 is 2"),
        pytest.param(2, 1, "different", id="1 is not 2"),
        pytest.param(2, 0, "absent", id="0 is not 2"),
        pytest.param(0, 0, "shows", id="a success that should be none shows"),
        pytest.param(0, 2, "different", id="2 is not 0"),
    ],
)
def test_the_exit_code_counts(wanted: int | Literal["failure"] | None, exit_code: int, word: str) -> None:
    assert match(Symptom(wanted, ("No",)), observed(step(exit=exit_code, err="No"))).word == word


def test_a_different_exit_code_is_reported_with_both() -> None:
    outcome = match(Symptom(2), observed(step(exit=101)))
    assert outcome.reason == "`uv sync` fails (101), but not as reported: the exit code is 101, not 2"


@pytest.mark.parametrize(
    ("content", "exit_code", "outcome"),
    [
        pytest.param(
            'name = "foo"\nversion = "2"\n',
            0,
            Outcome("shows", "`uv sync` exits with code 0, with everything that was reported"),
            id="the file says it",
        ),
        pytest.param('name = "bar"\n', 0, Outcome("absent", "`uv sync` succeeds"), id="the file does not say it"),
        pytest.param(None, 0, Outcome("absent", "`uv sync` succeeds"), id="there is no file"),
        pytest.param(
            "x",
            1,
            Outcome("different", '`uv sync` fails (1), but not as reported: lock does not contain “"foo" … "2"”'),
            id="the step failed and the file does not say it",
        ),
        pytest.param(
            None,
            1,
            Outcome("different", "`uv sync` fails (1), but not as reported: there is no file lock"),
            id="the step failed and there is no file",
        ),
    ],
)
def test_a_file_is_looked_at(content: str | None, exit_code: int, outcome: Outcome) -> None:
    symptom = Symptom(files=(FileSymptom("lock", '"foo" … "2"'),))
    assert match(symptom, observed(step(exit=exit_code), lock=content)) == outcome


def test_a_file_that_no_one_looked_at_is_not_there() -> None:
    assert match(Symptom(files=(FileSymptom("lock", "a"),)), observed(step())).word == "absent"


NOISE = st.text(st.sampled_from("abc xyz.,\n"), max_size=200)


@given(NOISE, NOISE, NOISE, st.integers(1, 255))
def test_whatever_stands_around_the_reported_texts_it_shows(before: str, between: str, after: str, code: int) -> None:
    said = f"{before}\nNo solution found\n{between}\n401 Unauthorized\n{after}"
    assert match(SYMPTOM, observed(step(exit=code, err=said))).word == "shows"
    assert match(SYMPTOM, observed(step(exit=code, err=f"{before}{between}{after}"))).word == "different"


def test_a_different_outcome_names_the_step_that_failed() -> None:
    seen = observed(step("one", 0, out="a1"), step("two", 1, out="zz"))
    assert match(Symptom(output=("a1", "b1")), seen).reason.startswith("`two` fails (1)")


ISSUER = "invalid peer certificate: UnknownIssuer"


@pytest.mark.parametrize(
    ("texts", "others", "word"),
    [
        pytest.param((ISSUER,), (), "shows", id="the certificate is the symptom"),
        pytest.param(("error sending request for url", ISSUER), (), "shows", id="and more of the network"),
        pytest.param(("panicked at src/lib.rs",), (), "shows", id="no rejected certificate causes it"),
        pytest.param(("error sending request for url",), (), "broken", id="any fault of the network causes it"),
        pytest.param((), (), "broken", id="a failure without a text"),
        pytest.param(("a text that is missing",), (), "broken", id="not met"),
        pytest.param((ISSUER,), (request("refused", host="b"),), "broken", id="a host that is refused"),
        pytest.param((ISSUER,), (request("unreachable", host="b"),), "broken", id="no network"),
    ],
)
def test_a_symptom_that_is_met_in_full_counts_although_the_authority_was_rejected(
    texts: tuple[str, ...], others: tuple[Request, ...], word: str
) -> None:
    output = f"error sending request for url (https://a)\n  Caused by: {ISSUER}\nthread panicked at src/lib.rs\n"
    requests = (request("rejected-ca", path=""), *others)
    outcome = match(Symptom(2, texts), observed(step(exit=2, err=output), requests=requests))
    assert (outcome.word, "`untrusted-issuer = true`" in outcome.reason) == (word, word == "shows")


@pytest.mark.parametrize(("uv", "word"), [("0.5.21", "different"), ("0.1.18", "broken"), ("0.1.1", "broken")])
def test_a_client_that_only_disconnected_may_have_been_ended_by_uv(uv: str, word: str) -> None:
    requests = (request("rejected-ca", host="git.example.com", path="", reason=DISCONNECTED),)
    observation = replace(observed(step(exit=2, err=REPORTED), requests=requests), uv=uv)
    assert match(Symptom(2, ("another text",)), observation).word == word
