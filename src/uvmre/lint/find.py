"""Apply all rules to an MRE."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.mre.model import Mre, slug
from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.lint.finding import Finding
from uvmre.lint.rules import (
    build,
    credentials,
    interpreters,
    layers,
    options,
    releases,
    requirements,
    run_export,
    sources,
    tls,
    workspace,
)
from uvmre.lint.subject import Subject

RULES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    run_export.run_export,
    layers.build_variables,
    layers.dependency_layer,
    layers.project_layer,
    credentials.json_credential,
    credentials.index_variable,
    workspace.member_not_built,
    workspace.all_packages,
    options.undefined_extra,
    requirements.sources_in_requirements,
    requirements.universal,
    sources.explicit_index,
    sources.git_not_moved,
    sources.metadata_without_version,
    interpreters.system_beside_venv,
    interpreters.other_interpreter,
    tls.unknown_issuer,
    build.venv_in_sdist,
    releases.required_version,
)


def find_mistakes(mre: Mre, parsed: ParsedIssue | None = None, text: str = "") -> tuple[Finding, ...]:
    """Return every known mistake of an MRE.

    Args:
        mre: the MRE.
        parsed: the parsed issue, if it comes from one.
        text: the issue's text; some rules look at a log in it.
    """
    subject = Subject(mre, parsed, text)
    names = {slug(control.name) for control in mre.controls}
    return tuple(_with_unique_name(_fix_dockerfile(finding, mre), names) for rule in RULES for finding in rule(subject))


def _fix_dockerfile(finding: Finding, mre: Mre) -> Finding:
    """Fix the Dockerfile instead of the steps, where these are its RUNs."""
    control = finding.fixed
    if control is None or not control.steps or not mre.steps[0].layer:
        return finding
    file = mre.file(DOCKERFILE)
    text = control.files.get(DOCKERFILE, file.content.decode(errors="replace") if file else "")
    for old, new in zip(mre.steps, control.steps, strict=True):
        if old.run != new.run and DOCKERFILE not in control.files:
            if text.count(old.run) != 1:
                return replace(finding, fixed=None)
            text = text.replace(old.run, new.run)
    return replace(finding, fixed=replace(control, steps=(), files={**control.files, DOCKERFILE: text}))


def _with_unique_name(finding: Finding, names: set[str]) -> Finding:
    """Give the fixed variant a unique name, since outcomes and folders are named after it."""
    if finding.fixed is None:
        return finding
    name, number = finding.fixed.name, 1
    while slug(name) in names:
        number += 1
        name = f"{finding.fixed.name} {number}"
    names.add(slug(name))
    return replace(finding, fixed=replace(finding.fixed, name=name))
