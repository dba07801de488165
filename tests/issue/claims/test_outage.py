"""The outages of a report: only if the complaint is how uv handles them, not the network itself."""

import pytest

from uvmre.core.mre import manifest
from uvmre.core.network.index import Fault
from uvmre.core.triage.parsed_issue import Claim, Command
from uvmre.issue.build_mre import to_mre
from uvmre.issue.claims.outage import required_outages
from uvmre.issue.read import read_issue

ERROR = """\
error: Failed to fetch: `{url}`
  Caused by: Request failed after 3 retries
  Caused by: error sending request for url ({url})
  Caused by: client error (Connect)
  Caused by: {link}
  Caused by: {cause}
"""
PYPI = "https://pypi.org/simple/six/"
REFUSED = "Connection refused (os error 111)"
LATE = "operation timed out"
UNKNOWN = "failed to lookup address information: {}"
COMPLAINT = "It should not need the network."
FOUND = Fault("https://pypi.org/*", refused=True)


def found(
    *, link: str = "x", cause: str = REFUSED, url: str = PYPI, run: str = "uv sync", prose: str = COMPLAINT
) -> tuple[Fault, ...]:
    command = Command(run, 1, ERROR.format(url=url, link=link, cause=cause))
    return required_outages([command], Claim("failure", 0, 1, (cause,)), prose)


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (UNKNOWN.format("Name or service not known"), "unresolvable"),
        (UNKNOWN.format("Temporary failure in name resolution"), "unresolvable"),
        (UNKNOWN.format("nodename nor servname provided, or not known"), "unresolvable"),
        ("dns error: No such host is known. (os error 11001)", "unresolvable"),
        (REFUSED, "refused"),
        ("tcp connect error: Connection refused (os error 61)", "refused"),
        ("No connection could be mre because the target machine actively refused it. (os error 10061)", "refused"),
        (LATE, "timeout"),
        ("tcp connect error: Connection timed out (os error 110)", "timeout"),
        ("invalid peer certificate: UnknownIssuer", ""),
        ("Connection reset by peer (os error 104)", ""),
        ("HTTP status server error (503 Service Unavailable)", ""),
        ("HTTP status client error (401 Unauthorized)", ""),
    ],
)
def test_kind_of_outage(cause: str, kind: str) -> None:
    assert [fault.outage for fault in found(cause=cause)] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://files.example.org/a/b.whl", "https://files.example.org/*"),
        ("http://files.example.org:8080/a", "http://files.example.org/*"),
        ("https://user:secret@files.example.org/a", "https://files.example.org/*"),
        ("http://localhost:8080/a", ""),  # no gateway between a step and localhost
        ("http://127.0.0.1:8080/a", ""),
        ("https://<redacted>/a", ""),
        ("https://https//feed.example.org/a", ""),
        ("https://unresponding_url.org/a", "https://unresponding_url.org/*"),
    ],
)
def test_host_of_the_outage(url: str, expected: str) -> None:
    assert [fault.url for fault in found(url=url)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    "prose",
    [
        "Everything is cached, but it fails.",
        "uv sync fails offline",
        "We build in an air-gapped environment",
        "It should not try to reach PyPI.",
        "It still tries to fetch hatchling.",
        "uv ignores my index.",
        "It does not fall back to the second index.",
        "It doesn't respect the index of `uv.toml`.",
        "It asks PyPI instead of the configured mirror.",
        "It panics when the index is down.",
        "uv sync gets stuck",
    ],
)
def test_a_complaint_about_uv_is_an_outage(prose: str) -> None:
    assert found(prose=prose) == (FOUND,)


@pytest.mark.parametrize(
    "prose",
    [
        "My proxy blocks PyPI.",
        "dns error",
        "uv cannot connect, pip can.",
        "I get “Could not connect, are you offline?” although I am not.",
        "I cleared the cache and tried again.",
        "It times out behind the firewall of the company.",
        "Does uv use the certificates of the system?",
        "",
    ],
)
def test_a_post_about_its_own_network_is_no_outage(prose: str) -> None:
    assert found(prose=prose) == ()


@pytest.mark.parametrize("run", ["uv sync --offline", "UV_OFFLINE=1 uv sync", "uv pip install --no-index x"])
def test_an_offline_command_is_an_outage(run: str) -> None:
    assert found(run=run, prose="") == (FOUND,)


def test_no_outage_without_a_failing_command() -> None:
    assert required_outages([], Claim("failure", -1, 1, (REFUSED,)), COMPLAINT) == ()
    assert required_outages([Command("uv sync", 1)], Claim("failure", 0, 1, ("it broke",)), COMPLAINT) == ()


def post(url: str, prose: str, project: str = "") -> str:
    error = ERROR.format(url=url, link=f"tcp connect error: {REFUSED}", cause=REFUSED)
    return f"# uv goes astray\n\n{prose}\n\n{project}```console\n$ uv pip compile in.txt\n{error}```\n\n### Version\n\nuv 0.5.20\n"


INDEX = '`pyproject.toml`:\n\n```toml\n[[tool.uv.index]]\nname = "a"\nurl = "https://index.corp-a.org/simple"\n```\n\n'


def test_the_mre_has_the_fault_and_a_control_with_the_host() -> None:
    parsed = read_issue(post(PYPI, COMPLAINT))
    mre = to_mre(parsed)
    assert mre.faults == (FOUND,)
    assert [(control.name, control.expect, control.faults) for control in mre.controls] == [
        ("with pypi.org reachable", "absent", False)
    ]
    assert mre.symptom.output == (REFUSED,)
    assert not [gap for gap in parsed.gaps if gap.blocking and "network" in gap.description]
    assert "pypi.org is unreachable, as in the posted error: it refuses connections" in parsed.stand_ins
    assert manifest.parse(manifest.dump(mre)).faults == mre.faults


def test_an_unreachable_private_index_has_no_stand_in_and_no_control() -> None:
    parsed = read_issue(post("https://index.corp-a.org/simple/six/", COMPLAINT, INDEX))
    mre = to_mre(parsed)
    assert mre.faults == (Fault("https://index.corp-a.org/*", refused=True),)
    assert (mre.indexes, mre.controls) == ((), ())
    assert not any("a local index" in each for each in parsed.stand_ins)
    assert not [gap for gap in parsed.gaps if "is not reachable" in gap.description]


def test_a_post_about_its_own_network_has_a_blocking_gap() -> None:
    parsed = read_issue(post(PYPI, "My proxy blocks it."))
    assert (parsed.outages, to_mre(parsed).faults, to_mre(parsed).controls) == ((), (), ())
    assert [gap for gap in parsed.gaps if gap.blocking and "depends on the network" in gap.description]


def test_an_error_chain_is_not_a_directory_tree() -> None:
    boxes = "  × Failed to build `a`\n  ├─▶ Failed to fetch: `b`\n  ├─▶ Request failed\n  ╰─▶ The innermost cause of it all\n"
    parsed = read_issue(
        f"# It fails\n\n```console\n$ uv build\nBuilding source distribution...\n{boxes}```\n\nuv 0.7.2\n"
    )
    assert (parsed.claim.kind, parsed.claim.output) == ("failure", ("The innermost cause of it all",))
