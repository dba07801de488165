"""Rewrite a posted command for `/bin/sh`: other shells, other ways to call uv, commands that are not run."""

import re
from dataclasses import dataclass

from uvmre.core.shell import statements

POWERSHELL_SET = re.compile(r"\$env:(?P<name>\w+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^;\s]+)\s*;?\s*", re.IGNORECASE)
CMD_SET = re.compile(r"^set\s+\"?(?P<name>[A-Za-z_]\w*)=(?P<value>[^\"\n]*?)\"?\s{0,20}$")
FISH_SET = re.compile(r"^set\s+-\w*x\w*\s+(?P<name>\w+)\s+(?P<value>\S+)$")
ACTIVATE = re.compile(
    r"^(?:(?:source|\.|&|call)\s+)?(?P<path>[\w./\\$(){}-]{0,300}?)[/\\](?:bin"
    r"|Scripts)[/\\][Aa]ctivate(?:\.\w++)?+(?P<rest>.*+)$"
)
CARGO = re.compile(
    r"^cargo\s+run(?:\s+(?:--release|-q|--quiet|--bin[= ](?P<bin>uvx?)|-p[= ]uv|--package[= ]uv"
    r"|--profile[= ]\S+|--features[= ]\S+))*(?:\s+--)?\s+"
)
AS_TOOL = re.compile(
    r"^(?:uvx|uv\s+tool\s+run)\s+(?:--\S+\s+)*?(?:--from\s+['\"]?uv(?:==|@)[^\s'\"]+['\"]?\s+uv|uv@\S+)\s+(?=\S)"
)
OWN_PATH = re.compile(r"^(?:[A-Za-z]:|~|\$HOME|\$\{HOME\})?(?:[\w.@+-]*[/\\])+(?P<tool>uvx?)(?:\.exe)?(?=\s|$)")
MODULE = re.compile(r"^(?:[\w./~-]*/)?python[\d.]*\s+-m\s+uv(?=\s)")
PREFIX = re.compile(r"^(?:sudo(?:\s+-\w+)*|time|\\time|command|nohup|winpty|exec)\s+(?=\S)")
DOCKER_RUN = re.compile(r"^(?:docker|podman)\s+(?:run|exec)\b(?P<rest>.*)$", re.DOTALL)
SHELL_COMMAND = re.compile(r"(?:/?(?:usr/)?(?:bin/)?(?:ba|z|da|a)?sh)\s+-\w{0,9}c\w{0,9}\s+(?P<quote>['\"])")
UV_AT_END = re.compile(r"(?:^|\s)(?P<run>uvx?\s+(?![^\s:/]*+[:/]\S*+\s).*)$")
WINDOWS_PROGRAMS = {
    "dir": "ls",
    "md": "mkdir -p",
    "type": "cat",
    "del": "rm",
    "copy": "cp",
    "move": "mv",
    "rmdir": "rm -r",
}
INSTALLS_UV = re.compile(
    r"astral\.sh/uv|\bpipx?3?\s+install\b[^|;&]{0,500}\buv\b(?!icorn)|brew\s+\w+\s+uv\b|uv\s+self\s+update"
    r"|uv\s+tool\s+(?:install|upgrade)\s+uv\b"
    r"|cargo\s+(?:build|install)|scoop|winget|choco\s|python3?\s+-m\s+pip\s+install[^|;&]{0,500}\buv\b|asdf|mise\s"
)
ASKS_VERSION = re.compile(
    r"^(?:uvx?|python[\d.]*|pip)\s+(?:--version|-V|version|self version|-v -V)$|^(?:uname|lsb_release"
    r"|sw_vers|cat /etc/)\b|^which uv$|^type uv$"
)
ENTERS_EMPTY = re.compile(r"^(?:cd|pushd) [\"']?(?:\$\(mktemp -d[^)\n]{0,60}\)|`mktemp -d[^`\n]{0,60}`)[\"']?$")
"""A new empty folder, as that of the MRE is."""
_IRRELEVANT = "clear vim vi nano code open less more emacs exit logout history subl idea man top htop ssh su"
IRRELEVANT = frozenset(_IRRELEVANT.split())
_OTHER_TOOLS = "pip pip3 poetry pdm hatch conda mamba pip-compile pipx rye pipenv virtualenv pixi pip-sync tox nox"
OTHER_TOOLS = frozenset(_OTHER_TOOLS.split())
"""Tools that reports compare uv with."""
_UNAVAILABLE = (
    "docker podman docker-compose kubectl helm gh aws gcloud az brew apt apt-get yum dnf pacman apk nix "
    "nix-shell make just cargo pyenv systemctl service powershell pwsh git-lfs gpg npm node java curl "
    "wget ssh scp rsync pre-commit act bazel buck terraform ansible dask airflow dbt modal task "
    "devcontainer direnv strace gdb lldb perf dtruss hyperfine"
)
UNAVAILABLE = frozenset(_UNAVAILABLE.split())
"""Programs that may not be installed, or that access the network or the system."""
_MODIFIES_FILES = (
    "rm mv chmod chown ln cp dd tee rmdir unlink truncate shred mkfs kill pkill killall shutdown reboot find"
)
MODIFIES_FILES = frozenset(_MODIFIES_FILES.split())
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.=:/$}~@%-])/(?!dev/(?:null|stdout|stderr|stdin)\b|usr/bin/env\b|bin/(?:ba)?sh\b"
    r"|(?=\S{0,500}\$TMPDIR))"
)
TEMPORARY = re.compile(r"(?<![\w.~-])/(?:private/)?(?:var/)?tmp/(?=[\w.])")
GIT_HOST = re.compile(
    r"\bgit\s+(?:clone|pull|fetch|push|submodule)\b|git\+(?:https?|ssh)://|(?:gh|glab)\s+repo\s+clone"
)
PUBLISHES = re.compile(r"\buv\s+(?:publish|auth\s+login|self\s)")
PYTHON_INSTALL = re.compile(r"\buv\s+python\s+(?:install|upgrade|uninstall|reinstall)\b")
HOME = re.compile(r"\s(?:~|\$HOME|\$\{HOME\})/?(?:\s|$)|\.\./\.\.")
DANGER = re.compile(r"\bmkfs|\bsudo\b|:\(\)\s*\{|\bkill(?:all)?\s+(?:-\s*|-?\w+\s*)?-1\b")
CHANGES = re.compile(r"\b(?:rm|rmdir|mv|chmod|chown|dd|shred|truncate|unlink|ln|tee)\b")
OUTSIDE_PATH = re.compile(
    r"[\s=]['\"]?"
    r"(?:/(?!dev/(?:null|stdout|stderr)\b)|~(?:\w|/?(?:['\"\s]|$))|\$(?!TMPDIR/|_\b|\{TMPDIR\}/|\())"
)
"""A path outside the directory; `$A/b` is one too if the variable is not set."""
REDIRECTED = re.compile(r">\s*/(?!dev/)")


@dataclass(frozen=True)
class RewrittenCommand:
    """A statement of a posted command."""

    run: str = ""
    """The statement for `/bin/sh`; empty if it is not run."""
    gap: str = ""
    """What it needs that is not available here."""
    other: bool = False
    """Whether it calls a tool that the report compares uv with."""


def rewrite(run: str) -> list[RewrittenCommand]:
    """Return the statements of a command, rewritten for `/bin/sh`."""
    text = _to_posix(statements.with_placeholders(run.strip().rstrip(";").strip()))
    if docker := DOCKER_RUN.match(text):
        if inner := _in_container(docker["rest"]):
            return rewrite(inner)
        interactive = re.search(r"\s-\w*i", docker["rest"])
        return [RewrittenCommand(gap="" if interactive else "the command that runs in the container")]
    parts = statements.statements(text)
    if not parts:
        return [_rewrite_statement(text)]
    return [_rewrite_statement(_to_posix(part.text)) for part in parts]


def _in_container(text: str) -> str:
    """Return the command of a `docker run`; empty if there is none."""
    text = text.rstrip()
    for start in SHELL_COMMAND.finditer(text):
        if text[-1] == start["quote"] and start.end() < len(text):
            return text[start.end() : -1]
    found = UV_AT_END.search(text.rpartition("\n")[2])
    return found["run"] if found else ""


def _to_posix(text: str) -> str:
    """Translate other shells' syntax, and other ways to call uv."""
    text = POWERSHELL_SET.sub(lambda found: f"export {found['name']}={found['value']}\n", text).strip()
    for pattern in (CMD_SET, FISH_SET):
        text = pattern.sub(lambda found: f"export {found['name']}={_quote(found['value'])}", text)
    while found := PREFIX.match(text):
        text = text[found.end() :]
    if found := ACTIVATE.match(text):
        folder = found["path"].replace("\\", "/").removeprefix("./") or "."
        text = f". {folder if folder.startswith(('/', '~', '$')) else './' + folder}/bin/activate{found['rest']}"
    text = CARGO.sub(lambda found: f"{found['bin'] or 'uv'} ", text)
    text = AS_TOOL.sub("uv ", text)
    text = MODULE.sub("uv", OWN_PATH.sub(lambda found: found["tool"], text))
    text = re.sub(r"^(uvx?)\.exe(?=\s)", r"\1", text)
    # What the reporter removes first may not exist in a new directory.
    text = re.sub(r"^rm\s+(?=(?:-r\s+|-R\s+)?[^-\s])", "rm -f ", text)
    first, space, rest = text.partition(" ")
    if first in WINDOWS_PROGRAMS and "\\" in rest:
        text = WINDOWS_PROGRAMS[first] + space + rest.replace("\\", "/")
    if re.fullmatch(r"\.{0,2}\\?[\w.-]{1,80}\\?", rest) and first == "cd":
        text = f"cd {rest.replace(chr(92), '/')}"
    if re.match(r"uvx?\s", text) and re.search(r"(?<=[\w.])\\(?=[\w.])", text):
        text = re.sub(r"(?<=[\w.])\\(?=[\w.])", "/", text)
    return re.sub(r"^source\s+(?=\S)", ". ", text)


def _quote(value: str) -> str:
    return value if re.fullmatch(r"[\w./:@%+=-]*", value) else "'" + value.replace("'", "'\\''") + "'"


def _rewrite_statement(text: str) -> RewrittenCommand:
    parts = statements.statements(text)
    program = parts[0].program if parts else text.split(maxsplit=1)[0] if text.split() else ""
    text = TEMPORARY.sub("$TMPDIR/", text)
    if (
        not text
        or program in IRRELEVANT
        or ENTERS_EMPTY.match(text)
        or ASKS_VERSION.match(text)
        or INSTALLS_UV.search(text)
    ):
        return RewrittenCommand()
    if gap := _outside_need(text, program):
        return RewrittenCommand(text if "git+" in text and program in ("uv", "uvx") else "", gap=gap)
    if program in OTHER_TOOLS or re.match(
        r"(?:\S*/)?(?:pip|python)[\d.]*(?:\s+-m\s+(?:pip|venv|build|virtualenv)\b)", text
    ):
        return RewrittenCommand(text, other=True)
    if program in UNAVAILABLE:
        return RewrittenCommand(gap=f"`{program}`")
    return RewrittenCommand(text)


def _outside_need(text: str, program: str) -> str:
    """Return what a statement needs or modifies outside its directory; empty if it stays inside."""
    for pattern, what in (
        (GIT_HOST, "a remote git repository"),
        (PUBLISHES, "an account to publish with"),
        (PYTHON_INSTALL, "Python downloads from GitHub"),
        (REDIRECTED, "a file outside the directory"),
    ):
        if pattern.search(text):
            return what
    if program in MODIFIES_FILES and (ABSOLUTE_PATH.search(text) or HOME.search(text)):
        return f"a path outside the directory, which `{program}` modifies"
    return (
        "a path outside the directory" if endangers(text) and not (program in ("cat", "tee") and "<<" in text) else ""
    )


def endangers(text: str) -> bool:
    """Tell whether a shell script may remove or overwrite files outside its directory."""
    # Two searches: one pattern for both would take quadratic time.
    lines = re.split(r"[|;&\n]", text.replace("\\\n", " "))
    is_outside = any((found := CHANGES.search(each)) and OUTSIDE_PATH.search(each, found.end()) for each in lines)
    return is_outside or bool(DANGER.search(text))
