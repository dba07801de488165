"""Commands that install uv, or change the system."""

import re

from uvmre.core.shell.statements import Statement, statements

SYSTEM_COMMANDS = frozenset(
    {
        *("apt-get", "apt", "apk", "dnf", "yum", "microdnf", "zypper", "pacman", "dpkg"),
        *("useradd", "adduser", "usermod", "groupadd", "addgroup", "chown", "update-ca-certificates", "locale-gen"),
    }
)
"""Commands that change the system, which without an image is this machine."""
INSTALLS_UV = re.compile(
    r"astral\.sh/uv/|\b(?:pip3?|pipx) install (?:-[-\w]+(?:=\S+)? )*[\"']?uv(?:[=~<>!][^\s&|;]*)?[\"']?\s*$"
)
INSTALLERS = ("pip", "pip3", "pipx")
TOOL = re.compile(r"[\"']?(?:uv|pip|setuptools|wheel)(?![\w.-])")
INSTALLED_UV = re.compile(r"(?<![\w.])(?:/root|~|\$HOME|\$\{HOME\})/\.(?:cargo|local)/bin/(?=uvx?\b)")
"""The folder into which uv's installer puts it."""
MATTERS = re.compile(r"uvx?$|pip|python|(?:mkdir|cp|mv|ln)$")


def without_installs(command: str) -> str:
    """Return a shell text whose commands that install uv or change the system are `:`."""
    for each in statements(command):
        if each.program in SYSTEM_COMMANDS or _installs_tools(each):
            command = command.replace(each.text, ":", 1)
    return command


def _installs_tools(statement: Statement) -> bool:
    argv = statement.argv[2:] if statement.argv[1:3] == ("-m", "pip") else statement.argv
    words = argv[argv.index("install") + 1 :] if argv[:1] and argv[0] in INSTALLERS and "install" in argv else ()
    names = [word for word in words if not word.startswith("-") and "://" not in word]
    fetched = statement.program in ("curl", "wget") and "astral.sh/uv/" in statement.text
    return fetched or (bool(names) and all(map(TOOL.match, names)))
