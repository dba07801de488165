"""An MRE as an integration test in the style of uv's own: `TestContext`, and `uv_snapshot!` for what is observed."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre, Step
from uvmre.core.network.request import OPEN_HOSTS
from uvmre.core.outcome.observation import StepResult
from uvmre.core.shell.uv_calls import Call, parse_calls
from uvmre.core.text.normalize import readable
from uvmre.core.text.visible import one_line, visible
from uvmre.errors import InputError
from uvmre.report.bundle import Bundle, only_uvmre
from uvmre.report.markdown import cut
from uvmre.report.templates import template
from uvmre.report.upstream.handoff import reference
from uvmre.report.upstream.rust import chain, indoc, raw, string

NAMES = (
    "add audit auth_login auth_logout auth_token build export format init lock pip_check pip_compile pip_freeze"
    " pip_install pip_list pip_show pip_sync pip_tree pip_uninstall publish python_find python_install python_list"
    " python_pin python_uninstall remove run sync tool_install tool_list tool_run tool_uninstall tool_upgrade tree"
    " venv version"
)
METHODS = frozenset(NAMES.split())
"""The methods of `TestContext` that are called as their command; any other command is an argument of `command()`."""
BESIDE = ("README.md", "Dockerfile", ".dockerignore", "run.sh", "run-mre.sh")
"""Files that are for the readers of an MRE, unless a step or another file names them."""
QUOTED = re.compile(r"'[^']*'|\"[^\"$`\\]*\"")
SHELL = re.compile(r"[$`|&;<>(){}*?\[\]~!#\n\\]")
"""What only a shell understands, outside of quotes."""
FILTERS = (
    (r"(?<![\w.\-])/mre/\.venv(?![\w.\-])/?", "[VENV]/"),
    (r"(?<![\w.\-])/mre(?![\w.\-])/?", "[TEMP_DIR]/"),
    (r"(?<=interpreter at: )\S+", "[PYTHON-MINOR]"),
    (r"\b(MINOR)\.\d+", r"\1.[X]"),
    (r"([\s(])(?:\d+m )?(?:\d+\.)?\d+m?s\b", r"\1[TIME]"),
    (r"\buv \d+\.\d+\.\d+(?:\+\d+)?(?: \([^)\n]*\))?", "uv [VERSION] ([COMMIT] DATE)"),
    (r"(?m)(?<![ \t])[ \t]+$", ""),
)
"""What uv's tests replace in an output, as far as a recorded one has it."""
MOST = 20_000
"""Characters of an output in a snapshot."""


def uv_test(bundle: Bundle) -> str:
    """Return a test that has the files, runs the steps, and expects what the last run printed.

    Raises:
        InputError: if it has no steps of its own.
    """
    mre, result = bundle.mre, bundle.result
    if not mre.steps or mre.steps[0].layer:
        raise InputError(
            "it cannot be a test of uv", ["its steps are those of its Dockerfile"], "give it `[[step]]` tables"
        )
    results = result.base.observation.steps if result else ()
    minor = ".".join((mre.environment.python or (result.python if result else "") or "3.12").split(".")[:2])
    steps = (_step(mre, step, results[n] if n < len(results) else None, minor) for n, step in enumerate(mre.steps))
    name = re.sub(r"[^a-z0-9]+", "_", mre.title.lower())[:60].strip("_")
    return template(__package__, "uv_test.rs.jinja").render(
        result=result,
        missing=_missing(mre),
        title=one_line(mre.title) or "An MRE.",
        issue=reference(mre.issue),
        network=not result or any(each.host in OPEN_HOSTS for each in result.base.observation.requests),
        name=name if name[:1].isalpha() and "_" in name else f"mre_{name}".rstrip("_"),
        minor=minor,
        cutoff=_cutoff(bundle),
        body="\n\n".join([*_files(mre), *steps]),
    )


def _missing(mre: Mre) -> list[str]:
    """Return what the test cannot express."""
    missing = [f"the file `{one_line(file.path)}`, which is not text" for file in mre.files if _text(file) is None]
    return [*only_uvmre(mre), *missing, *(f"what the symptom says of `{one_line(f.path)}`" for f in mre.observed_files)]


def _cutoff(bundle: Bundle) -> str:
    cutoff = bundle.mre.environment.exclude_newer
    if cutoff and not isinstance(cutoff, datetime):
        cutoff = datetime.combine(cutoff + timedelta(days=1), time(), UTC)
    elif not cutoff and bundle.result:
        cutoff = datetime.fromisoformat(bundle.result.started)
    return f"{cutoff.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(cutoff, datetime) else ""


def _text(file: File) -> str | None:
    try:
        return file.content.decode()
    except UnicodeDecodeError:
        return None


def _files(mre: Mre) -> Iterator[str]:
    beside = {*BESIDE, mre.environment.env_file}
    named = "\n".join([*(step.run for step in mre.steps), *(_text(f) or "" for f in mre.files if f.path not in beside)])
    used = {"context", "command"}
    for place, file in enumerate(mre.files, 1):
        text, name = _text(file), re.sub(r"\W+", "_", file.path.lower(), flags=re.ASCII).strip("_")
        if text is None or (file.path in beside and file.path not in named):
            continue
        # No keyword has an underscore. rustfmt lays out a chain that starts with a short name in another way.
        if name in used or "_" not in name or not name[:1].isalpha() or not 4 < len(name) <= 16:
            name = f"file_{place}"
        used.add(name)
        path = string(file.path)
        child = chain("context", ".temp_dir", f".child({path})")
        if len(path) > 83:
            child = f"context.temp_dir.child(\n        {path},\n    )"
        lines = [f"let {name} = {child};"]
        lines.append(f"{name}.write_str({indoc(text)})?;" if text else f"{name}.touch()?;")
        if file.executable:
            lines.append(f"fs_err::set_permissions({name}.path(), PermissionsExt::from_mode(0o755))?;")
        yield "\n".join(f"    {line}" for line in lines)


def _step(mre: Mre, step: Step, result: StepResult | None, minor: str) -> str:
    command = plain_call(step.run)
    variables = {**mre.variables, **(command.variables if command else {})}
    set_variables = [f".env({string(name)}, {string(value)})" for name, value in variables.items()]
    if not command:
        script = 'uv() { "$UV" "$@"; }\n' + step.run
        lines = [
            'let mut command = Command::new("sh");',
            "context.add_shared_env(&mut command, true);",
            'command.arg("-c");',
            f"command.arg({indoc(script)});",
            'command.env("UV", uv_test::get_bin!());',
            'command.env("UV_CACHE_DIR", context.cache_dir.path());',
            _snapshot("command" + "".join(f"\n        {each}" for each in set_variables), result, minor),
        ]
        return "\n".join(f"    {line}" for line in lines)
    method, *others = [*_method(command), *set_variables]
    # rustfmt breaks longer calls, but not those in a macro.
    if step.role == "setup" and max(map(len, others), default=0) < 60:
        return f"    {chain('context', method, *others, '.assert()', '.success()')};"
    return "    " + _snapshot("".join([f"context{method}", *(f"\n        {each}" for each in others)]), result, minor)


def plain_call(run: str) -> Call | None:
    """Return the command of a step that is one call of uv, with nothing that only a shell understands."""
    calls = parse_calls(run)
    if len(calls) != 1 or calls[0].argv[:1] not in (("uv",), ("uvx",)) or SHELL.search(QUOTED.sub("", run)):
        return None
    words = [*(f"{name}={value}" for name, value in calls[0].variables.items()), *calls[0].argv]
    return calls[0] if shlex.split(run) == words else None


def _method(call: Call) -> list[str]:
    verb, words = call.verb.split(), list(call.argv[1:])
    if call.argv[0] == "uvx":
        method = "tool_run"
    elif (method := "_".join(verb)) in METHODS and words[: len(verb)] == verb:
        words = words[len(verb) :]
    else:
        method = "command"
    return [f".{method}()", *(f".arg({string(word)})" for word in words)]


def _snapshot(command: str, result: StepResult | None, minor: str) -> str:
    if result is None:
        return f'uv_snapshot!(context.filters(), {command}, @"");'
    lines = [f"exit_code: {result.exit} ({'failure' if result.exit else 'success'})"]
    for name, written in (("stdout", result.stdout), ("stderr", result.stderr)):
        output = visible(readable(cut(written, MOST)))
        for pattern, replacement in FILTERS:
            output = re.sub(pattern.replace("MINOR", re.escape(minor)), replacement.replace("MINOR", minor), output)
        if output:
            lines += [*[""] * (len(lines) > 1), f"----- {name} -----", *output.removesuffix("\n").split("\n")]
    text = "".join(f"    {line}\n" if line else "\n" for line in lines)
    return f"uv_snapshot!(context.filters(), {command}, @{raw(chr(10) + text + '    ')});"
