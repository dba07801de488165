"""A server of the MRE's own beside the steps: where it works, and one clear outcome for each way in which it does not."""

import os
import socket
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import CommandLine, WriteMre, no_sandbox
from tests.releases.caches import VERSIONS

MANIFEST = """\
title = "a server answers"
[environment]
uv = "{uv}"
[[service]]
name = "my-server"
timeout = {timeout}
run = '''
{service}
'''
{more}
[[step]]
run = '''
{step}
'''
[symptom]
exit = 3
output = ["says hello there"]
"""
SERVER = """
cat >server.py <<'END'
import http.server, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(7)
        print("asked for", self.path, flush=True)
        self.send_response(200 if self.path != "/no" else 503)
        self.end_headers()
        self.wfile.write(b"hello there")
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
END
exec python server.py"""
GET = """\
import os, sys, urllib.request
print("says", urllib.request.urlopen("http://127.0.0.1:" + os.environ[sys.argv[1]] + sys.argv[2]).read().decode())
sys.exit(3)
"""
STEP = f"cat >get.py <<'END'\n{GET}END\npython get.py"


@pytest.fixture(params=["local", "sandbox"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "sandbox" and (why := no_sandbox()):
        pytest.skip(why)
    return str(request.param)


class Run:
    """A run of one MRE, and what it left."""

    def __init__(self, uvmre: CommandLine, folder: Path, home: Path, backend: str, *options: str) -> None:
        ended = uvmre("run", folder, "--backend", backend, "--json", *options, XDG_CACHE_HOME=str(home))
        self.data: dict[str, Any] = ended.json("run")
        first = self.data["variants"][0]
        self.word, self.reason = first["outcome"], first["reason"]
        self.logs = {path.name: path.read_text() for path in Path(self.data["evidence"]).rglob("service-*.log")}


def manifest(service: str, step: str, *, timeout: int = 20, more: str = "", uv: str = VERSIONS[0]) -> str:
    return MANIFEST.format(service=service, step=step, timeout=timeout, more=more, uv=uv)


def test_steps_reach_a_service_once_it_is_ready_and_its_log_is_evidence(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str
) -> None:
    slow = SERVER.replace("exec", "echo starts >&2; sleep 0.5; exec")
    folder = write_mre(manifest(f"{slow} $PORT", f"{STEP} MY_SERVER_PORT /a && false; python get.py PORT /b"))
    run = Run(uvmre, folder, home, backend)
    assert (run.word, list(run.logs)) == ("shows", ["service-my-server.log"]), run.reason
    log = run.logs["service-my-server.log"]
    assert "starts\n" in log
    assert log.index("asked for /a") < log.index("asked for /b")


def test_a_path_must_answer_with_less_than_500(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str
) -> None:
    folder = write_mre(manifest(f"{SERVER} $PORT", f"{STEP} PORT /", more='ready = "/health"', timeout=10))
    run = Run(uvmre, folder, home, backend)
    assert run.word == "shows"
    assert "asked for /health" in run.logs["service-my-server.log"]
    folder = write_mre(manifest(f"{SERVER} $PORT", f"{STEP} PORT /", more='ready = "/no"', timeout=1))
    assert Run(uvmre, folder, home, backend).reason.startswith("the service `my-server` is not ready after 1 s")


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ("sleep 60", "the service `my-server` is not ready after 1 s: nothing answers at $PORT"),
        (
            "echo it starts; echo no such module >&2; exit 7",
            "the service `my-server` ended before it was ready (exit code 7): no such module",
        ),
        ("sleep 60 &", "the service `my-server` ended before it was ready (exit code 0): exit code 0"),
        (
            f"{SERVER} $((PORT + 1))",
            "the service `my-server` is not ready after 1 s: it listens on port {other} instead of $PORT",
        ),
    ],
)
@pytest.mark.few(4)
def test_a_service_that_is_not_ready_is_an_obstacle_with_its_reason(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str, service: str, why: str
) -> None:
    began = time.monotonic()
    run = Run(uvmre, write_mre(manifest(f"echo $PORT >port\n{service}", "true", timeout=1)), home, backend)
    assert time.monotonic() - began < 15
    assert run.word == "broken"
    start, _, end = why.partition("{other}")
    assert run.reason.startswith(start)
    assert run.reason.endswith(end)
    assert not run.data["variants"][0]["steps"]


def test_a_service_that_dies_during_the_steps_makes_every_outcome_broken(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str
) -> None:
    step = f"{STEP} PORT /die 2>/dev/null; echo says hello there; exit 3"
    run = Run(uvmre, write_mre(manifest(f"{SERVER} $PORT", step)), home, backend)
    assert run.word == "broken"
    assert run.reason.startswith("the service `my-server` ended during the steps (exit code 7)")


def test_of_a_flood_of_output_the_two_ends_are_kept(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str
) -> None:
    some = 'python -c \'print("first"); [print("x" * 999) for _ in range(20_000)]; print("last")\''
    run = Run(uvmre, write_mre(manifest(f"{some}\n{SERVER} $PORT", f"{STEP} PORT /")), home, backend)
    assert run.word == "shows"
    log = run.logs["service-my-server.log"]
    assert log.startswith("first\n")
    assert "bytes omitted" in log
    assert "last\n" in log
    assert len(log) < 1_100_000


@pytest.mark.slow
def test_a_flood_without_an_end_is_ended(uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str) -> None:
    run = Run(uvmre, write_mre(manifest(f"yes flood &\n{SERVER} $PORT", "sleep 20")), home, backend)
    assert run.word == "broken"
    assert run.reason.startswith("the service `my-server` exceeded the limit of 100 MB of output")


def test_nothing_of_a_service_outlives_its_variant(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str, tmp_path: Path
) -> None:
    stubborn = "sh -c 'trap \"\" TERM; sleep 601; :' &\nsetsid sleep 602 &\n"
    run = Run(uvmre, write_mre(manifest(f"{stubborn}{SERVER} $PORT", f"{STEP} PORT /")), home, backend)
    assert run.word == "shows"
    left = [each.info["cmdline"] for each in psutil.process_iter(["cmdline"])]
    assert not [line for line in left if line and line[-1] in ("601", "602")]


def test_every_variant_has_a_service_of_its_own(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str
) -> None:
    control = '[[control]]\nname = "other"\nexpect = "present"\n'
    text = manifest(f"{SERVER} $PORT", f"{STEP} PORT /$PORT", more="").replace("[[step]]", f"{control}[[step]]")
    run = Run(uvmre, write_mre(text), home, backend)
    assert [variant["outcome"] for variant in run.data["variants"]] == ["shows", "shows"]
    logs = [path.read_text() for path in Path(run.data["evidence"]).rglob("service-*.log")]
    assert [log.count("asked for") for log in logs] == [1, 1]


def test_two_services_have_two_ports_and_no_common_one(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str
) -> None:
    second = "[[service]]\nname = \"b\"\nrun = '''test $B_PORT = $PORT && exec python server.py $PORT'''\n"
    step = f'{STEP} B_PORT / && false; test -z "$PORT" && python get.py MY_SERVER_PORT /'
    run = Run(uvmre, write_mre(manifest(f"{SERVER} $PORT", step, more=second)), home, backend)
    assert (run.word, len(run.logs)) == ("shows", 2), run.reason


def test_a_step_beside_a_service_is_as_confined_as_another(uvmre: CommandLine, write_mre: WriteMre, home: Path) -> None:
    if why := no_sandbox():
        pytest.skip(why)
    with socket.create_server(("127.0.0.1", 0)) as outside:
        look = f"""\
import os, socket
with socket.socket() as tried:
    print("reached" if not tried.connect_ex(("127.0.0.1", {outside.getsockname()[1]})) else "refused", flush=True)
print(sorted(name for name in os.listdir("/proc/self/fd")), os.getuid(), flush=True)
print(*(line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]), flush=True)
print(next(line for line in open("/proc/self/status") if line.startswith("CapEff")), flush=True)
"""
        write = f"cat >look.py <<'END'\n{look}END\npython look.py >$1.txt 2>&1"
        service = f"set -- service\n{write}\ncat service.txt\n{SERVER} $PORT"
        step = f"set -- step\n{write}\ncat step.txt; {STEP} PORT /"
        run = Run(uvmre, write_mre(manifest(service, step)), home, "sandbox")
    assert run.word == "shows", run.reason
    for text in (run.logs["service-my-server.log"], run.data["variants"][0]["steps"][0]["stdout"]):
        reached, files, devices, capabilities = text.splitlines()[:4]
        assert (reached, devices, capabilities.split()[1]) == ("refused", "lo", "0" * 16)
        assert files.startswith("['0', '1', '2', '3']")
        assert os.geteuid() != 0 or int(files.rpartition(" ")[2]) > 1_000_000_000


@pytest.mark.network
def test_a_service_and_uv_share_the_gateway(uvmre: CommandLine, write_mre: WriteMre, backend: str) -> None:
    get = 'import urllib.request as r; print(r.urlopen("https://pypi.org/simple/iniconfig/").status)'
    service = f"python -c '{get}'\n{SERVER} $PORT"
    step = "echo iniconfig >in; uv pip compile -q in && echo says hello there && exit 3"
    folder = write_mre(manifest(service, step, uv="0.9.3"))
    ended = uvmre("run", folder, "--backend", backend, "--json")
    variant = ended.json("run")["variants"][0]
    assert variant["outcome"] == "shows", variant["reason"]
    assert [request["path"] for request in variant["requests"]].count("/simple/iniconfig/") == 2
    (log,) = (folder / ".uvmre").rglob("service-*.log")
    assert "200\n" in log.read_text()


PORT = 18_765
FIXED = """\
title = "its own server on a fixed port"
[environment]
uv = "{uv}"
[[step]]
run = '''
mkdir served && cp answer.txt served
python -m http.server --bind 127.0.0.1 {port} --directory served & trap "kill $!" EXIT
sleep 0.7
python -c "import urllib.request as r; print(r.urlopen('http://127.0.0.1:{port}/answer.txt').read().decode(), end='')" >got
cat got && cmp got answer.txt || exit 9
grep -q control got || exit 3
'''
[symptom]
exit = 3
output = ["answer of the report"]
[[control]]
name = "another answer"
files."answer.txt" = "the answer of a control"
"""


@pytest.mark.parametrize("daemon", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_variants_with_servers_of_their_own_on_one_port_run_one_after_the_other(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str, daemon: bool
) -> None:
    text = FIXED.format(uv=VERSIONS[0], port=PORT + (backend == "local") + 4 * daemon)
    if daemon:  # which only the end of its variant ends
        text = text.replace("python -m http", "setsid python -m http").replace('trap "kill $!" EXIT', "")
    folder = write_mre(text)
    (folder / "answer.txt").write_text("the answer of the report")
    for _ in range(2):
        run = Run(uvmre, folder, home, backend)
        assert [variant["outcome"] for variant in run.data["variants"]] == ["shows", "absent"], run.data


@pytest.mark.parametrize(("command", "apart"), [("sleep 1", False), ("sleep 1; : --port 8000", True)])
def test_only_variants_with_a_fixed_port_wait_for_each_other(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, command: str, apart: bool
) -> None:
    step = f"date +%s.%N\n{command}\ndate +%s.%N'''\n[symptom]\nexit = 3\n[[control]]\nname = 'other'\n"
    folder = write_mre(FIXED.partition("mkdir")[0].format(uv=VERSIONS[0]) + step)
    run = Run(uvmre, folder, home, "local")
    (one, end), (other, other_end) = (
        map(float, variant["steps"][0]["stdout"].split()) for variant in run.data["variants"]
    )
    assert (end <= other or other_end <= one) == apart


def test_cells_with_a_fixed_port_wait_for_each_other(uvmre: CommandLine, write_mre: WriteMre, home: Path) -> None:
    folder = write_mre(FIXED.format(uv=VERSIONS[0], port=PORT + 2))
    (folder / "answer.txt").write_text("the answer of the report")
    uvs = f"{VERSIONS[0]}..{VERSIONS[2]}"
    ended = uvmre("matrix", folder, "--uv", uvs, "--all-variants", "--jobs", "4", "--json", XDG_CACHE_HOME=str(home))
    cells = [(cell["variant"], cell["outcome"]) for cell in ended.json("matrix")["cells"]]
    assert sorted(cells) == [*[("another answer", "absent")] * 3, *[("as reported", "shows")] * 3]
