"""`uvmre new`."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uvmre import files
from uvmre.cli import console
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import verbose_option
from uvmre.cli.propose import propose_template
from uvmre.errors import InputError, UsageError

if TYPE_CHECKING:
    from uvmre.flows.new import NewMre


def question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that answer a template's questions."""
    for option in reversed(
        (
            click.option(
                "-d", "--data", multiple=True, metavar="KEY=VALUE", help="Answer a question; can be repeated."
            ),
            click.option(
                "--data-file", type=click.Path(path_type=Path, dir_okay=False), help="A YAML file with answers."
            ),
            click.option("--defaults", is_flag=True, help="Use the default of every unanswered question."),
        )
    ):
        command = option(command)
    return command


trust_option = click.option("--trust", is_flag=True, help="Let a template run code: tasks, extensions, migrations.")
SCENARIO = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="Create an MRE from a template, an issue, a project, a packse scenario, or a Dockerfile.")
@click.argument("dest", default="mre", type=click.Path(path_type=Path))
@click.option(
    "-t", "--template", default="", metavar="NAME", help="The template: a name, a path, gh:OWNER/REPO or a git URL."
)
@click.option("--about", default="", metavar="TEXT", help="Words or an error, or - for stdin: the template that fits.")
@question_options
@trust_option
@click.option("--from-packse", "scenario", type=SCENARIO, help="A packse scenario (TOML) instead of a template.")
@click.option("--from-dockerfile", "dockerfile", type=SCENARIO, help="A Dockerfile, whose RUNs become the steps.")
@click.option("--from-project", "project", type=click.Path(path_type=Path), metavar="DIR", help="A project, cleaned.")
@click.option("--from-issue", "issue", default="", metavar="ISSUE", help="A file, -, a GitHub URL or OWNER/REPO#N.")
@click.option("--uv", default="", metavar="VERSION", help="The release for --from-packse and --from-project.")
@click.option("--force", is_flag=True, help="Replace the files of an existing MRE.")
@click.option("--list", "listing", is_flag=True, help="List the templates.")
@verbose_option
@json_option
def new(
    dest: Path,
    *,
    scenario: Path | None,
    dockerfile: Path | None,
    issue: str,
    project: Path | None,
    uv: str,
    force: bool,
    listing: bool,
    **template_options: Any,
) -> Rendered:
    """Create an MRE in the folder DEST (default: `mre`).

    On a terminal, the template's questions are asked, except those that `-d` and `--data-file` answer. Without `-t`, a
    few words or a pasted error propose the template and answers; `--about` uses what they propose without a question.
    A packse scenario asks no questions: its packages are part of the MRE, and the symptom is what the scenario expects.
    An issue asks no questions: what is missing in its text is printed, and nothing is run.
    A project is cleaned of what is private, as `uvmre capture` does, but nothing is run: fill in the symptom.
    A Dockerfile needs the symptom, and often the release: `-d output=…`, `-d uv=…`.
    """
    if listing:
        return _list_templates()
    if sum(map(bool, (scenario, dockerfile, issue, project))) > 1:
        raise UsageError("the options `--from-…` exclude each other", "use one of them")
    if issue:
        hint = "use one of them; the text of the issue names the release"
        _reject({**template_options, "uv": uv}, "`--from-issue`", hint)
        created = _from_issue(issue, dest, force=force)
    elif project:
        _reject(template_options, "`--from-project`", "use a template or `--from-project`")
        created = _from_project(project, dest, uv, force=force)
    elif dockerfile:
        unsupported = {
            "uv": uv,
            **{name: template_options[name] for name in ("template", "about", "defaults", "trust")},
        }
        _reject(unsupported, "`--from-dockerfile`", "name the release with `-d uv=…`")
        answers = read_answers(template_options["data"], template_options["data_file"])
        created = _from_dockerfile(dockerfile, dest, answers, force=force)
    elif scenario:
        _reject(template_options, "`--from-packse`", "use a template or `--from-packse`")
        created = _from_packse(scenario, dest, uv, force=force)
    else:
        _reject({"uv": uv}, "a template", "name the release with `-d uv=…`")
        created = _from_template(dest, **template_options, force=force)
    data = {
        "schema": 1,
        "folder": str(created.folder),
        "template": created.template,
        "files": list(created.files),
    }
    return Rendered(
        f"created {created.folder} from {created.template}: {len(created.files)} files",
        lambda: data,
        notes=[f"hint: run it with `uvmre run {shlex.quote(str(created.folder))}`"],
    )


def _reject(options: Mapping[str, Any], source: str, hint: str) -> None:
    if unsupported := sorted(f"`--{name.replace('_', '-')}`" for name, value in options.items() if value):
        verb = "are" if len(unsupported) > 1 else "is"
        raise UsageError(f"{', '.join(unsupported)} {verb} not supported with {source}", hint)


def _from_packse(scenario: Path, dest: Path, uv: str, *, force: bool) -> "NewMre":
    from uvmre.cli.progress import show_progress
    from uvmre.flows.new import from_packse

    with show_progress() as progress:
        return from_packse(
            scenario,
            dest,
            cache=console.cache(),
            uv=uv or "latest",
            force=force,
            confirm=confirm_replacing(),
            progress=progress,
        )


def _from_issue(issue: str, dest: Path, *, force: bool) -> "NewMre":
    from uvmre.flows.new import from_issue

    created, lines = from_issue(
        issue, dest, console.read_stdin, cache=console.cache(), force=force, confirm=confirm_replacing()
    )
    for line in lines:
        console.print_message(line)
    return created


def _from_project(project: Path, dest: Path, uv: str, *, force: bool) -> "NewMre":
    from uvmre.cli.progress import show_progress
    from uvmre.flows.capture import from_project
    from uvmre.flows.new import written_mre

    with show_progress() as progress:
        captured = from_project(project, dest, uv=uv, force=force, confirm=confirm_replacing(), progress=progress)
    console.print_message(f"what was replaced by what is in {captured.notes_file}: look at it, and do not share it")
    console.print_message("nothing was run: fill in the command and the symptom, or use `uvmre capture -- COMMAND`")
    return written_mre(dest, str(project))


def _from_dockerfile(dockerfile: Path, dest: Path, answers: dict[str, Any], *, force: bool) -> "NewMre":
    from uvmre.flows.new import from_dockerfile

    return from_dockerfile(dockerfile, dest, answers=answers, force=force, confirm=confirm_replacing())


def _from_template(
    dest: Path,
    *,
    template: str,
    about: str,
    data: tuple[str, ...],
    data_file: Path | None,
    defaults: bool,
    trust: bool,
    force: bool,
) -> "NewMre":
    from uvmre.flows.new import new as flow
    from uvmre.flows.new import none_selected

    answers = read_answers(data, data_file)
    if not (template or about or console.is_interactive()):
        raise none_selected()
    require_terminal(defaults=defaults or bool(about))
    if about or not template:
        template, proposed = propose_template(about, template)
        answers = {**proposed, **answers}
    return flow(
        dest,
        template=template,
        answers=answers,
        ask=not defaults and not about,
        force=force,
        confirm=confirm_replacing(),
        trust=trust,
    )


def require_terminal(*, defaults: bool) -> None:
    """Check that the questions of a template can be asked, or need not be.

    Raises:
        UsageError: if they cannot.
    """
    if not defaults and not console.is_interactive():
        raise UsageError("no terminal to ask the template's questions on", "use the defaults with `--defaults`")


def confirm_replacing() -> Callable[[Sequence[str]], bool] | None:
    """Return a function that asks whether files may be replaced; None without a terminal."""
    return _ask_to_replace if console.is_interactive() else None


def _ask_to_replace(files: Sequence[str]) -> bool:
    console.print_message("these files of an existing MRE would be replaced or removed:")
    for file in files:
        console.print_message(f"  {file}")
    return click.confirm("Replace them?", err=True)


def _list_templates() -> Rendered:
    from uvmre.flows.new import known_templates

    templates = known_templates()
    usable = [template for template in templates if not template.faults]
    width = max((len(template.name) for template in usable), default=0)
    return Rendered(
        "\n".join(f"{template.name:<{width}}  {template.summary}" for template in usable),
        lambda: {"schema": 1, "templates": [{"name": t.name, "summary": t.summary} for t in usable]},
        warnings=[f"template `{t.name}` is unusable: {'; '.join(t.faults)}" for t in templates if t.faults],
    )


def read_answers(data: tuple[str, ...], data_file: Path | None) -> dict[str, Any]:
    """Return the answers of `-d` and `--data-file`.

    Raises:
        InputError: if they cannot be read.
    """
    if faults := [f"{answer!r} has no `=`" for answer in data if "=" not in answer]:
        raise InputError("an answer has the form KEY=VALUE", faults)
    return {**_answers_in_file(data_file), **dict(answer.split("=", 1) for answer in data)}


def _answers_in_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    import yaml

    from uvmre.core.text.parse_yaml import parse_yaml

    try:
        data = parse_yaml(files.read_text(path))
    except yaml.YAMLError as error:
        raise InputError(f"failed to parse `{path}`", [str(error)], "use a YAML file of `question: answer`") from None
    if not isinstance(data, dict):
        raise InputError(f"failed to parse `{path}`", ["it is not a mapping of questions to answers"])
    return data
