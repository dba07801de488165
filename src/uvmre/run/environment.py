"""What a step sees: a fresh folder, home, cache and temp, and an environment in which nothing is inherited."""

import functools
import os
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre
from uvmre.errors import UsageError
from uvmre.run import process
from uvmre.run.interpreters import Interpreter

NO_PROXY = "localhost,127.0.0.1"
NO_RESOLVER = {"RES_OPTIONS": "attempts:0"}
"""Tells the resolver of glibc to ask no nameserver; `/etc/hosts` still counts, and so does systemd's own resolver."""
GETENT_NOT_FOUND = 2
"""How getent says that a name is not known."""
PROBE_HOST = "pypi.org"
"""Stands for every host."""
RESOLVER_SECONDS = 5
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


@dataclass(frozen=True)
class RunDirs:
    """The folders of one run of one variant, all below one root."""

    root: Path
    system_path: tuple[str, ...] = SYSTEM_PATH
    """The folders that come last in the steps' PATH."""

    @property
    def work(self) -> Path:
        """Return where the MRE's files are and the steps run."""
        return self.root / "mre"

    @property
    def home(self) -> Path:
        """Return the steps' home; uv's cache is below it, as on a new machine."""
        return self.root / "home"

    @property
    def temp(self) -> Path:
        """Return the steps' temporary folder."""
        return self.root / "tmp"

    @property
    def tools(self) -> Path:
        """Return the folder with uv and the interpreter, first in PATH after the MRE's own."""
        return self.root / "bin"

    @property
    def authority(self) -> Path:
        """Return the certificate of the gateway's authority."""
        return self.root / "authority.pem"


def prepare(dirs: RunDirs, mre: Mre, uv: Path, interpreter: Interpreter | None) -> None:
    """Make the folders and write the MRE's files into them; without an interpreter the steps take what they find."""
    # Releases like uv 0.2.30 look into their cache before they make it, which nobody meets who used uv before.
    for folder in (dirs.work, dirs.home / ".cache" / "uv", dirs.temp, dirs.tools):
        folder.mkdir(parents=True)
    home = f"{mre.environment.home.rstrip('/')}/"
    for file in mre.files:
        write_file(dirs.work, file)
        if mre.environment.home and file.path.startswith(home):
            write_file(dirs.home, File(file.path.removeprefix(home), file.content, file.executable))
    # .netrc and the like are refused by some tools when others can read them.
    for kept in dirs.home.iterdir():
        kept.chmod(kept.stat().st_mode & 0o700)
    for name, tool in (("uv", uv), ("uvx", uv.with_name("uvx"))):  # what somebody built may have another name
        if tool.exists():
            (dirs.tools / name).symlink_to(tool)
    if interpreter is None:
        return
    for name in ("python", "python3", f"python{interpreter.minor}"):
        (dirs.tools / name).symlink_to(interpreter.path)


def write_file(folder: Path, file: File) -> None:
    """Write one file below a folder, never outside it."""
    target = folder / file.path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{file.path} leaves the folder of the MRE.", "Give it a path inside.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.content)
    if file.executable:
        target.chmod(0o755)


def variables(dirs: RunDirs, mre: Mre, gateway: str) -> dict[str, str]:
    """Return all the variables of a step.

    Args:
        dirs: its folders.
        mre: the variant; its own variables come last and win.
        gateway: the address of the gateway's door.
    """
    own = [str(dirs.work / folder) for folder in mre.environment.path]
    return {
        "PATH": join_path([*own, str(dirs.tools), *dirs.system_path]),
        "HOME": str(dirs.home),
        "TMPDIR": str(dirs.temp),
        "LANG": "C.UTF-8",
        **gateway_variables(gateway, dirs.authority),
        **outage_variables(mre),
        **mre.variables,
    }


def gateway_variables(url: str, authority: Path) -> dict[str, str]:
    """Return the variables that send a client through a door and let it trust what answers there."""
    return {
        # Python's requests, pip before 24.2, curl and git have names of their own for what others call SSL_CERT_FILE.
        **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"), str(authority)),
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy"), url),
        "NO_PROXY": NO_PROXY,
    }


def outage_variables(mre: Mre) -> dict[str, str]:
    """Return the variables that send a client straight to hosts that must not resolve, and keep them from resolving.

    Only then does uv itself see a name that does not resolve. Where the resolver of this machine finds them all the
    same, nothing is sent past the gateway, which then fails their connections in its own way.
    """
    hosts = tuple(dict.fromkeys(fault.host for fault in mre.faults if fault.unresolvable))
    if not hosts or any(_resolves(host.removeprefix("*.") if host != "*" else PROBE_HOST) for host in hosts):
        return {}
    return {"NO_PROXY": ",".join((NO_PROXY, *(host.removeprefix("*") or "*" for host in hosts))), **NO_RESOLVER}


@functools.cache
def _resolves(host: str) -> bool:
    """Tell whether the resolver that glibc gives to programs still finds a host when it is told not to try."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = process.run(
                ("getent", "ahosts", host),
                cwd=Path(folder),
                environment={"PATH": join_path(SYSTEM_PATH), **NO_RESOLVER},
                timeout=RESOLVER_SECONDS,
                stop=threading.Event(),
            )
        except OSError:  # there is no glibc here that could be told
            return True
    return done.exit != GETENT_NOT_FOUND


def join_path(folders: Sequence[str]) -> str:
    """Join the folders of a PATH."""
    return os.pathsep.join(folders)
