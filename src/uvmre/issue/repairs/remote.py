"""Repairs of what is not reachable here: git repositories and package indexes are replaced by local ones."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from uvmre.core.network.index import GitCommit, GitRepository, repository_address
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.issue import private_index
from uvmre.issue.repairs.content import project_files
from uvmre.issue.repairs.rule import Change, Failure, rule

URL = re.compile(r"https?://[^\s'\"<>)\]]{1,300}")
USER = re.compile(r"(?<=://)[^\s/@]{1,200}@")
REF = re.compile(r"(?:\w[\w./-]{0,80})?")
COMMIT = re.compile(r"[0-9a-f]{40}|(?=\d{0,39}[a-f])[0-9a-f]{7,39}")


def _uses(failure: Failure, address: str) -> Iterator[tuple[str, str, str, bool]]:
    """Yield name, reference, folder, and whether the reference is a branch, of each use of a repository."""
    pattern = (
        rf"(?i)(?:(?P<name>[a-z][\w.-]{{0,80}})(?:\[[^\]\n]{{0,80}}\])? ?@ ?)?git\+(?:https?|ssh)://(?:[^\s/@]{{1,80}}@)?"
        rf"{re.escape(address)}(?:\.git)?/?(?:@(?P<ref>[^\s'\"#,\]]{{1,80}}))?"
        r"(?:#(?:egg=(?P<egg>[\w.-]{1,80})&?)?(?:subdirectory=(?P<folder>[\w./-]{1,80}))?)?"
    )
    for found in re.finditer(pattern, failure.text):
        yield found["name"] or found["egg"] or "", found["ref"] or "", found["folder"] or "", False
    for name, source in failure.sources():
        if isinstance(url := source.get("git"), str) and repository_address(url) == address:
            ref = next((str(source[key]) for key in ("rev", "tag", "branch") if source.get(key)), "")
            yield name, ref, str(source.get("subdirectory", "")), "branch" in source


@rule(
    "standing in",
    r"(?:fatal: unable to access|git fetch (?:--[\w-]{1,30} ){0,8}) ?'(?P<url>(?:https?|ssh)://[^\s']{1,300})'",
)
def git_repository(failure: Failure, found: re.Match[str]) -> Change:
    """Replace a repository that is not reachable by a local one with a minimal package of that name, tag and folder."""
    address = repository_address(found["url"])
    last, uses = address.rpartition("/")[2], list(_uses(failure, address))
    is_made = any(repository_address(each.url) == address for each in failure.mre.repositories)
    # The commit of a hash cannot be made.
    are_names = all(REF.fullmatch(ref) and not COMMIT.fullmatch(ref) for _, ref, *_ in uses)
    if is_made or not re.fullmatch(r"[\w.-]+/[\w./-]+", address) or not are_names:
        return None
    files: dict[str, str] = {}
    commits = [GitCommit(root := f"repositories/{last}")]
    for name, ref, folder, is_branch in uses or [(last, "", "", False)]:
        files |= project_files(failure, f"{root}/{folder}".rstrip("/"), name or last)
        if ref not in ("", "main", "HEAD"):
            commits.append(GitCommit(root, branch=ref) if is_branch else GitCommit(root, tag=ref))
    repository = GitRepository(
        f"https://{address}", commits=tuple(each for i, each in enumerate(commits) if each not in commits[:i])
    )
    mre = failure.with_files(files)
    return replace(mre, repositories=(*mre.repositories, repository)), f"a local repository stands in for {address}"


@rule("standing in", r"error sending request for url \((?P<url>https?://[^\s)]{1,300})\)")
def index(failure: Failure, found: re.Match[str]) -> Change:
    """Replace an index that is not reachable by a local one with the packages that `tool.uv.sources` takes from it."""
    page = found["url"].rstrip("/").rpartition("/")[0]
    url = next((each for each in URL.findall(failure.text) if USER.sub("", each).rstrip("/") == page), "")
    made = private_index.index_of(url.rstrip("/"), "", "") if url else None
    known = {each.host for each in failure.mre.faults} | {*private_index.PUBLIC_HOSTS}
    is_known = urlsplit(page).hostname in known or any(made and each.url == made.url for each in failure.mre.indexes)
    if made is None or is_known:
        return None
    names = dict.fromkeys(name for name, source in failure.sources() if "index" in source)
    made = replace(made, packages=tuple(SyntheticPackage(each, failure.version_of(each)) for each in names))
    return replace(failure.mre, indexes=(*failure.mre.indexes, made)), f"a local index stands in for {page}"


@rule(
    "standing in",
    r"[Bb]ecause (?P<name>[\w.-]{1,80}) was not found in the (?:package registry|provided package)"
    r"|[Tt]here is no version of (?P<other>[\w.-]{1,80})(?:\{[^}]{0,80}\})?==(?P<version>[\d.]{1,40}\+[\w.]{1,40})",
)
def private_package(failure: Failure, found: re.Match[str]) -> Change:
    """Replace a package or a local version that PyPI lacks by a synthetic one, if the MRE has a private index."""
    name = found["name"] or found["other"]
    if not failure.mre.indexes or name not in failure.text:
        return None
    package = SyntheticPackage(name, found["version"] or failure.version_of(name))
    first, *others = failure.mre.indexes
    first = replace(first, packages=(*first.packages, package))
    return replace(failure.mre, indexes=(first, *others)), f"a synthetic package stands in for `{name}`"
