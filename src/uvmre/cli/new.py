"""`uvmre new`."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uvmre import files
from uvmre.cli import console
from uvmre.errors import InputError, UsageError

if TYPE_CHECKING:
    from uvmre.flows.new import NewMre


SCENARIO = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="Make an MRE from a template, an issue, a scenario of packse, or a Dockerfile.")
@click.argument("dest", default="mre", type=click.Path(path_type=Path))
@click.option(
    "-t", "--template", default="", metavar="NAME", help="Which template; may be left out while there is one."
)
@click.option("-d", "--data", multiple=True, metavar="KEY=VALUE", help="Answer a question; may be given often.")
@click.option("--data-file", type=click.Path(path_type=Path, dir_okay=False), help="A YAML file with answers.")
@click.option("--defaults", is_flag=True, help="Ask nothing: take the default of what is not answered.")
@click.option("--from-packse", "scenario", type=SCENARIO, help="A scenario of packse (TOML) instead of a template.")
@click.option("--from-dockerfile", "dockerfile", type=SCENARIO, help="A Dockerfile, whose RUNs are the steps.")
@click.option("--from-issue", "issue", default="", metavar="ISSUE", help="A file, -, a GitHub URL or OWNER/REPO#N.")
@click.option("--uv", default="", metavar="VERSION", help="With --from-packse: the release; else the latest.")
@click.option("--force", is_flag=True, help="Replace the files of an MRE that uvmre wrote there.")
@click.option("--list", "listing", is_flag=True, help="Show the templates, a line each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def new(
    dest: Path,
    scenario: Path | None,
    dockerfile: Path | None,
    issue: str,
    uv: str,
    force: bool,
    listing: bool,
    as_json: bool,
    **asked: Any,
) -> int:
    """Make an MRE in the folder DEST (`mre` where none is named).

    Asks the template's questions at a terminal; what `-d` and `--data-file` answer is not asked.
    A scenario of packse asks nothing: its packages come along, and the MRE shows when uv does what it expects.
    An issue's text asks nothing either: what was not understood of it is said, and nothing is run.
    A Dockerfile says neither what shows the bug nor always which release it is: `-d output=…`, `-d uv=…`.
    """
    if listing:
        return _list(as_json)
    if sum(map(bool, (scenario, dockerfile, issue))) > 1:
        one = "`--from-packse`, `--from-dockerfile` or `--from-issue`"
        raise UsageError("An MRE is made from one thing.", f"Take {one}.")
    if issue:
        _refuse({**asked, "uv": uv}, "not for `--from-issue`", "Take either; the text says which release it is about.")
        made = _from_issue(issue, dest, force=force)
    elif dockerfile:
        only = {"uv": uv, **{name: asked[name] for name in ("template", "defaults")}}
        _refuse(only, "not for `--from-dockerfile`", "Take either that or a template; tell the release with `-d uv=…`.")
        made = _from_dockerfile(dockerfile, dest, asked["data"], asked["data_file"], force=force)
    elif scenario:
        _refuse(asked, "only for a template", "Take either that or `--from-packse`.")
        made = _from_packse(scenario, dest, uv, force=force)
    else:
        _refuse({"uv": uv}, "only for `--from-packse`", "Tell a template its release with `-d uv=…`.")
        made = _from_template(dest, **asked, force=force)
    if as_json:
        files = list(made.files)
        console.answer_json({"schema": 1, "folder": str(made.folder), "template": made.template, "files": files})
    else:
        console.answer(f"{made.folder}: made from {made.template}, {len(made.files)} files")
        console.say(f"hint: uvmre run {shlex.quote(str(made.folder))}")
    return 0


def _refuse(options: Mapping[str, Any], why: str, hint: str) -> None:
    if given := sorted(f"--{name.replace('_', '-')}" for name, value in options.items() if value):
        raise UsageError(f"{', '.join(given)} {'are' if len(given) > 1 else 'is'} {why}.", hint)


def _from_packse(scenario: Path, dest: Path, uv: str, *, force: bool) -> "NewMre":
    from uvmre.cli.progress import show_progress
    from uvmre.flows.new import from_packse

    with show_progress() as progress:
        return from_packse(
            scenario, dest, cache=console.cache(), uv=uv or "latest", force=force, confirm=_confirm(), progress=progress
        )


def _from_issue(issue: str, dest: Path, *, force: bool) -> "NewMre":
    from uvmre.flows.new import from_issue

    made, told = from_issue(issue, dest, console.stdin, cache=console.cache(), force=force, confirm=_confirm())
    for line in told:
        console.say(line)
    return made


def _from_dockerfile(
    dockerfile: Path, dest: Path, data: tuple[str, ...], data_file: Path | None, *, force: bool
) -> "NewMre":
    from uvmre.flows.new import from_dockerfile

    answers = {**_from_file(data_file), **_from_words(data)}
    return from_dockerfile(dockerfile, dest, answers=answers, force=force, confirm=_confirm())


def _from_template(
    dest: Path, *, template: str, data: tuple[str, ...], data_file: Path | None, defaults: bool, force: bool
) -> "NewMre":
    from uvmre.flows.new import new as flow

    answers = {**_from_file(data_file), **_from_words(data)}
    if not defaults and not console.somebody_there():
        raise UsageError(
            "There is no terminal to ask the template's questions at.", "Take the defaults with `--defaults`."
        )
    return flow(dest, template=template, answers=answers, ask=not defaults, force=force, confirm=_confirm())


def _confirm() -> Callable[[Sequence[str]], bool] | None:
    """Return how to ask whether files may be replaced; nothing is asked without a terminal."""
    return _ask if console.somebody_there() else None


def _ask(files: Sequence[str]) -> bool:
    console.say("There is an MRE already. These files of it would be replaced or removed:")
    for file in files:
        console.say(f"  {file}")
    return click.confirm("Replace them?", err=True)


def _list(as_json: bool) -> int:
    from uvmre.flows.new import known_templates

    every = known_templates()
    known = [template for template in every if not template.faults]
    for template in every:
        if template.faults:
            console.say(f"The template {template.name} cannot be used: {'; '.join(template.faults)}.")
    if as_json:
        console.answer_json({"schema": 1, "templates": [{"name": t.name, "summary": t.summary} for t in known]})
    else:
        width = max((len(template.name) for template in known), default=0)
        for template in known:
            console.answer(f"{template.name:<{width}}  {template.summary}")
    return 0


def _from_words(words: tuple[str, ...]) -> dict[str, Any]:
    if faults := [f"{word!r} has no `=`" for word in words if "=" not in word]:
        raise InputError("An answer is given as KEY=VALUE.", faults)
    return dict(word.split("=", 1) for word in words)


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    import yaml

    try:
        data = yaml.safe_load(files.read_text(path))
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(
            f"{path} could not be read.", [str(error)], "Give a YAML file of `question: answer`."
        ) from None
    if not isinstance(data, dict):
        raise InputError(f"{path} could not be read.", ["it is no table of questions and answers"])
    return data
