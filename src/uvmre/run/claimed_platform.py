"""An interpreter that claims to run on another platform: uv asks it for its markers and the tags of its wheels."""

import shutil
from pathlib import Path

SITE = """\
import platform, sys, sysconfig

claimed = {claimed!r}
system, _, rest = claimed.partition("-")
release, _, machine = rest.rpartition("-")
sysconfig.get_config_vars()  # read from a file that is named after the real platform
names = {{"linux": ("linux", "Linux"), "macosx": ("darwin", "Darwin"), "win": ("win32", "Windows")}}
names["netbsd"] = ("netbsd", "NetBSD")
sys.platform, name = names.get(system, (system + release.partition(".")[0], system))
platform.system, platform.machine = lambda: name, lambda: machine
platform.release = platform.version = lambda: release
platform.mac_ver = lambda *_: (release, ("", "", ""), machine)
sysconfig.get_platform = lambda: claimed
"""
"""The `sitecustomize.py` of the standard library's folder, which environments made of the interpreter run too."""


def claim_platform(prefix: Path, interpreter: Path, platform: str) -> Path:
    """Make an interpreter below `prefix` that claims a platform, and return its path.

    Its executable is a copy, so that Python finds its prefix here; the libraries are links to those of the real one.
    """
    real = interpreter.resolve()
    library, own = real.parents[1] / "lib" / real.name, prefix / "lib" / real.name
    (own / "site-packages").mkdir(parents=True)
    for link in library.iterdir():
        if link.name not in ("site-packages", "sitecustomize.py"):
            (own / link.name).symlink_to(link)
    for link in library.parent.glob("lib*"):
        (own.parent / link.name).symlink_to(link)
    (prefix / "include").symlink_to(real.parents[1] / "include")
    (own / "sitecustomize.py").write_text(SITE.format(claimed=platform), encoding="utf-8")
    return Path(shutil.copy2(real, prefix / "bin" / real.name))
