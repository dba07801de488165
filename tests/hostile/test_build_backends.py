"""Build backends that attack from within real uv: in the tree of the MRE, and in an sdist of an index."""

import io
import tarfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.hostile.conftest import CANARY, PRELUDE, Attack, Host, RunAttack
from uvmre.run.sandbox import bubblewrap

pytestmark = pytest.mark.network  # for uv itself

UV = "0.5.21"
BACKEND = """\
{prelude}
def attempt():
{body}

def attack(*_, **__):
    try:
        found = attempt()
    except OSError as error:
        raise SystemExit(f"stopped by {{errno.errorcode[error.errno]}}")
    raise SystemExit(f"GOT OUT {{found}}" if found else "stopped without an error")

build_wheel = build_sdist = prepare_metadata_for_build_wheel = attack
"""
PROJECT = """\
[project]
name = "acme"
version = "1.0"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BuildAttack = Callable[..., Attack]


@pytest.fixture
def real_uv(uvmre: CommandLine, cache: Path, tmp_path: Path) -> Path:
    """Return a release of uv, fetched once."""
    path = cache / "uvmre" / "uv" / UV / "uv"
    if not path.exists():
        folder = tmp_path / "fetch"
        folder.mkdir()
        step = '[[step]]\nrole = "observe"\nrun = "uv --version"\n[symptom]\nexit = 0\noutput = ["uv 0.5.21"]\n'
        (folder / "mre.toml").write_text(f'schema = 1\ntitle = "fetch"\n[environment]\nuv = "{UV}"\n{step}')
        assert uvmre("run", folder).exit == 0
    return path


def backend_of(body: str) -> str:
    return BACKEND.format(prelude=PRELUDE, body=textwrap.indent(textwrap.dedent(body).strip("\n"), "    "))


@pytest.fixture
def build(attack: RunAttack, real_uv: Path) -> BuildAttack:
    """Return a function that builds a project whose backend runs code."""

    def run(body: str, *more: str, **options: object) -> Attack:
        files = {"pyproject.toml": PROJECT, "backend.py": backend_of(body)}
        symptom = {"exit": "failure", "output": ["GOT OUT"]}
        return attack(
            "$ uv build --wheel 2>&1", *more, files=files, symptom=symptom, options=("--uv", str(real_uv)), **options
        )

    return run


ATTACKS = {
    "the user's private key": ("return text({secret!r})", "stopped by ENOENT"),
    "the shadow file": ("return text('/etc/shadow')", "stopped by ENOENT"),
    "the first process": (
        "return text('/proc/1/environ')",
        "stopped by EACCES" if bubblewrap.is_root() else "without an error",  # it is empty
    ),
    "the caller's variables": (
        "return [value for value in os.environ.values() if {canary!r} in value]",
        "without an error",
    ),
    "a service of the host": ("return socket.create_connection(('127.0.0.1', {port}), 3)", "stopped by ECONNREFUSED"),
    "a Unix socket of the host": (
        "socket.socket(socket.AF_UNIX).connect('\\0' + {abstract!r}); return 1",
        "stopped by ECONNREFUSED",
    ),
    "the internet": ("return socket.create_connection(('1.1.1.1', 443), 3)", "stopped by ENETUNREACH"),
    "uv itself": ("os.unlink(shutil.which('uv')); return 1", "stopped by EROFS"),
    "uv's content": ("return open(os.path.realpath(shutil.which('uv')), 'ab')", "stopped by E"),
    "the interpreter": ("return open(os.path.realpath(sys.executable), 'ab')", "stopped by E"),
    "the certificate": ("return open(os.environ['SSL_CERT_FILE'], 'ab')", "stopped by E"),
    "a trace": ("return check(libc.ptrace(16, os.getppid(), 0, 0)) + 1", "stopped by EPERM"),
    "a mount": ("return check(libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)) + 1", "stopped by EPERM"),
    "a user namespace": ("return check(libc.unshare(0x10000000)) + 1", "stopped by EPERM"),
    "io_uring": ("return check(libc.syscall(425, 1, 0)) + 1", "stopped by ENOSYS"),
    "the kernel's settings": ("return open('/proc/sys/kernel/core_pattern', 'w')", "stopped by E"),
}


@pytest.mark.parametrize(("body", "expected"), ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.few(4)
def test_a_backend_in_the_tree_stays_in_the_sandbox(build: BuildAttack, host: Host, body: str, expected: str) -> None:
    services = host.services
    found = build(
        body.format(secret=str(host.secret), canary=CANARY, port=services.ports["4"], abstract=services.abstract)
    )
    assert expected in found.printed
    assert found.outcome == "different"


def test_a_backend_that_reaches_for_another_host_is_named(build: BuildAttack) -> None:
    found = build(
        """
        host, port = os.environ["HTTPS_PROXY"].removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)))
        connection.sendall(b"CONNECT example.com:443 HTTP/1.1\\r\\n\\r\\n")
        return b"200" in connection.recv(100)
    """.replace("\r\n", "\\r\\n")
    )
    assert found.outcome == "broken"
    assert found.reason == "no response from example.com: example.com is not a host of this MRE"


def test_a_daemon_of_a_backend_ends_with_its_step(build: BuildAttack) -> None:
    found = build(
        """
        if os.fork():
            return
        os.setsid()
        if os.fork():
            os._exit(0)
        os.closerange(0, 100)
        time.sleep(300)
        """,
        "$ exit 7",
    )  # attack() checks that no process is left
    assert "stopped without an error" in found.steps[0]["stdout"]
    assert found.seconds < 30


def test_a_bomb_in_a_backend_ends_at_the_limits(build: BuildAttack) -> None:
    found = build("while True: os.fork()", timeout=5)
    assert found.outcome in ("broken", "different")
    assert found.seconds < 40


def test_a_huge_file_of_a_backend_is_not_written(build: BuildAttack) -> None:
    found = build("os.truncate(os.open('huge', os.O_CREAT | os.O_RDWR), 10**10)\nreturn 1")
    assert "GOT OUT" not in found.printed
    assert found.outcome in ("broken", "different")


@pytest.mark.parametrize(
    "body", ["return text({secret!r})", "return socket.create_connection(('127.0.0.1', {port}), 3)"]
)
def test_a_backend_in_an_sdist_of_an_index_stays_in_the_sandbox(
    attack: RunAttack, real_uv: Path, host: Host, body: str
) -> None:
    body = body.format(secret=str(host.secret), port=host.services.ports["4"])
    members = {"pyproject.toml": PROJECT, "backend.py": backend_of(body), "PKG-INFO": "Name: acme\nVersion: 1.0\n"}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(f"acme-1.0/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    index = {
        "url": "https://packages.example.com/simple",
        "synthetic": "replace",
        "packages": {"acme": {"versions": {"1.0": {"file": "dist/acme-1.0.tar.gz"}}}},
    }
    found = attack(
        "$ uv pip install --python python --target t --index-url https://packages.example.com/simple acme 2>&1",
        files={"dist/acme-1.0.tar.gz": content.getvalue()},
        index=[index],
        symptom={"exit": "failure", "output": ["GOT OUT"]},
        options=("--uv", str(real_uv)),
    )
    assert "stopped by E" in found.printed, found.printed
    assert found.outcome == "different"
