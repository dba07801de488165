"""The environment of a step: a fresh folder, home, cache and temp, and no inherited variables."""

import contextlib
import functools
import importlib.util
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre
from uvmre.core.network.simple_page import cutoff_time
from uvmre.errors import CannotTell, UsageError
from uvmre.run import process
from uvmre.run.claimed_platform import claim_platform
from uvmre.run.interpreters import Interpreter, require_interpreter
from uvmre.run.python_downloads import LIST, VARIABLE, offer_downloads

NO_PROXY = "localhost,127.0.0.1"
IGNORE_CERTIFICATES = frozenset({"0.1.0", "0.1.1", "0.1.2", "0.1.18"})
"""The releases of uv that ignore `SSL_CERT_FILE`, so that they reject the gateway's CA."""
NO_RESOLVER = {"RES_OPTIONS": "attempts:0"}
"""Keeps glibc from asking a nameserver; `/etc/hosts` and systemd's resolver still count."""
GETENT_NOT_FOUND = 2
"""getent's exit code for an unknown name."""
PROBE_HOST = "pypi.org"
"""Stands for every host."""
RESOLVER_SECONDS = 5
CLOCKS = ("lib*/faketime/libfaketime.so.1", "lib*/*/faketime/libfaketime.so.1", "vendor/*/src/libfaketime.so.1")
LOADER_WITHIN = 8192
"""Bytes of a binary that have the name of its loader, if it has one."""
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


@dataclass(frozen=True)
class RunDirs:
    """The folders of one run of one variant. Steps write to `writable`, and read the others."""

    root: Path
    system_path: tuple[str, ...] = SYSTEM_PATH
    """The end of the steps' PATH."""

    @property
    def writable(self) -> Path:
        """Return the folder of all that steps write; in the sandbox one mount, in which hard links work."""
        return self.root / "w"

    @property
    def work(self) -> Path:
        """Return the folder of the MRE's files, in which the steps run."""
        return self.writable / "mre"

    @property
    def home(self) -> Path:
        """Return the steps' home, with uv's cache below it."""
        return self.writable / "home"

    @property
    def temp(self) -> Path:
        """Return the steps' temporary folder."""
        return self.writable / "tmp"

    @property
    def tools(self) -> Path:
        """Return the folder with uv and the interpreter, which comes in PATH after the MRE's own."""
        return self.root / "bin"

    @property
    def downloads(self) -> Path:
        """Return the folder of what uv can download as Python."""
        return self.root / "downloads"

    @property
    def authority(self) -> Path:
        """Return the path of the gateway's CA."""
        return self.root / "authority.pem"


def prepare(dirs: RunDirs, mre: Mre, uv: Path, interpreter: Interpreter | None, *, without_uv: bool = False) -> None:
    """Create the folders and write the MRE's files; without an interpreter the steps use what PATH has."""
    # Releases like uv 0.2.30 read their cache before they create it.
    for folder in (dirs.work, dirs.home / ".cache" / "uv", dirs.temp, dirs.tools):
        folder.mkdir(parents=True)
    home = f"{mre.environment.home.rstrip('/')}/"
    for file in mre.files:
        write_file(dirs.work, file)
        if mre.environment.home and file.path.startswith(home):
            write_file(dirs.home, File(file.path.removeprefix(home), file.content, file.executable))
    # Some tools refuse a .netrc that others can read.
    for kept in dirs.home.iterdir():
        kept.chmod(kept.stat().st_mode & 0o700)
    for name, tool in (("uv", uv), ("uvx", uv.with_name("uvx"))):  # a local build may have another name
        if without_uv:  # in place of one that the system's PATH may have
            write_file(dirs.tools, File(name, f"#!/bin/sh\necho '{name}: not found' >&2\nexit 127\n".encode(), True))
        elif tool.exists():
            (dirs.tools / name).symlink_to(tool)
    if interpreter is None:
        return
    path = interpreter.path
    if mre.environment.platform:  # environments name the folder of `python`, so that it must have the libraries too
        path = claim_platform(dirs.tools.parent, path, mre.environment.platform)
    links = dict.fromkeys(("python", "python3", f"python{interpreter.minor}"), path)
    others = [require_interpreter(version) for version in mre.environment.pythons]
    if mre.environment.python_downloads:
        offer_downloads(dirs.downloads, [interpreter, *others])
    for name, path in ({f"python{each.minor}": each.path for each in others} | links).items():
        if dirs.tools / name != path:
            (dirs.tools / name).symlink_to(path)


def write_file(folder: Path, file: File) -> None:
    """Write a file below a folder, never outside it."""
    target = folder / file.path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"`{file.path}` is outside the MRE", "use a path inside the folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.content)
    if file.executable:
        target.chmod(0o755)


def variables(dirs: RunDirs, mre: Mre, gateway: str) -> dict[str, str]:
    """Return all the variables of a step; those of the variant override the others."""
    own = [str(dirs.work / folder) for folder in mre.environment.path]
    return {
        "PATH": join_path([*own, str(dirs.tools), *dirs.system_path]),
        "HOME": str(dirs.home),
        "TMPDIR": str(dirs.temp),
        "LANG": "C.UTF-8",
        **gateway_variables(gateway, dirs.authority),
        **outage_variables(mre),
        **own_variables(dirs, mre),
        **git_variables(mre),
        **mre.variables,
    }


def gateway_variables(url: str, authority: Path) -> dict[str, str]:
    """Return the variables that make a client use the gateway and trust its CA."""
    return {
        # requests, pip before 24.2, curl and git do not read SSL_CERT_FILE.
        **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"), str(authority)),
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy"), url),
        "NO_PROXY": NO_PROXY,
    }


def without_tls(mre: Mre, uv: str) -> Mre:
    """Return an MRE whose index is PyPI over plain HTTP, for a release that rejects the gateway's CA."""
    if uv not in IGNORE_CERTIFICATES or any(name.endswith("INDEX_URL") for name in mre.variables):
        return mre
    variables = {"UV_INDEX_URL": "http://pypi.org/simple", **mre.environment.variables}
    return replace(mre, environment=replace(mre.environment, variables=variables))


def git_variables(mre: Mre) -> dict[str, str]:
    """Return the variables with which git reaches the MRE's repositories through the gateway instead of ssh.

    With their credentials, as their host would accept the key of the ssh client.
    """
    keys = []
    for repository in mre.repositories:
        scheme, _, rest = repository.url.removesuffix(".git").partition("://")
        host, _, path = rest.partition("/")
        user = f"{quote(repository.username, safe='')}:{quote(repository.password, safe='')}@"
        key = f"url.{scheme}://{user if repository.password else ''}{host}/{path}.insteadOf"
        keys += [(key, f"git@{host}:{path}"), (key, f"ssh://git@{host}/{path}")]
    pairs = {
        f"GIT_CONFIG_{name}_{n}": each[i] for n, each in enumerate(keys) for i, name in enumerate(("KEY", "VALUE"))
    }
    return {"GIT_CONFIG_COUNT": str(len(keys)), **pairs} if keys else {}


def own_variables(dirs: RunDirs, mre: Mre) -> dict[str, str]:
    """Return the variables with the paths of more interpreters, and with which the clock starts at the cutoff date.

    Raises:
        CannotTell: when there is no libfaketime, or uv is a static binary, which loads no library.
    """
    minors = (".".join(version.split(".")[:2]) for version in mre.environment.pythons)
    found = {f"PYTHON_{minor.replace('.', '_')}": str(dirs.tools / f"python{minor}") for minor in minors}
    if mre.environment.python_downloads:
        found[VARIABLE] = str(dirs.downloads / LIST)
    if not (mre.environment.clock and (cutoff := mre.environment.exclude_newer)):
        return found
    if not (library := find_clock()):
        raise CannotTell("`clock` needs the library libfaketime", "install it with `pip install 'uvmre[clock]'`")
    with contextlib.suppress(FileNotFoundError), (dirs.tools / "uv").open("rb") as file:  # a control may have none
        if (head := file.read(LOADER_WITHIN)).startswith(b"\x7fELF") and b"/ld-" not in head:
            raise CannotTell("`clock` does not work with a uv that is linked statically", "use the uv of another wheel")
    offset = cutoff_time(cutoff).timestamp() - dirs.authority.stat().st_mtime  # the same for all steps
    apart = dict.fromkeys(("DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"), "1")
    return {**found, "LD_PRELOAD": str(library), "FAKETIME": f"{math.ceil(offset):+}", **apart}


@functools.cache
def find_clock() -> Path | None:
    """Return the library of libfaketime: the system's, else that of the PyPI package."""
    package = importlib.util.find_spec("libfaketime")
    below = [Path(package.origin).parent] if package and package.origin else []
    found = (each for folder in (Path("/usr"), *below) for pattern in CLOCKS for each in folder.glob(pattern))
    return next(found, None)


def outage_variables(mre: Mre) -> dict[str, str]:
    """Return the variables that bypass the gateway for hosts that must not resolve, so that uv sees the DNS error.

    Where the resolver of this machine finds them anyway, there are none, and the gateway fails the connections.
    """
    hosts = tuple(dict.fromkeys(fault.host for fault in mre.faults if fault.unresolvable))
    if not hosts or any(_resolves(host.removeprefix("*.") if host != "*" else PROBE_HOST) for host in hosts):
        return {}
    return {"NO_PROXY": ",".join((NO_PROXY, *(host.removeprefix("*") or "*" for host in hosts))), **NO_RESOLVER}


@functools.cache
def _resolves(host: str) -> bool:
    """Return whether glibc's resolver finds a host without a nameserver."""
    try:
        result = process.run(
            ("getent", "ahosts", host),
            cwd=Path("/"),
            environment={"PATH": join_path(SYSTEM_PATH), **NO_RESOLVER},
            timeout=RESOLVER_SECONDS,
            stop=threading.Event(),
        )
    except OSError:  # not glibc
        return True
    return result.exit != GETENT_NOT_FOUND


def join_path(folders: Sequence[str]) -> str:
    """Join the folders of a PATH."""
    return os.pathsep.join(folders)
