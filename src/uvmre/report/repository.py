"""An MRE as a Git repository with one commit, whose hash is the same for the same files."""

from datetime import UTC, datetime
from pathlib import Path

from uvmre.report.bundle import Bundle

AUTHOR = b"uvmre <uvmre@example.com>"
DATE = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())


def write_repository(bundle: Bundle, folder: Path) -> None:
    """Write the files of an MRE, and what runs it without uvmre, into a new folder, and commit them."""
    from dulwich.repo import Repo

    paths = []
    for file in bundle.whole:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(0o755 if file.executable else 0o644)
        paths.append(file.path)
    with Repo.init(str(folder), default_branch=b"main") as repository:
        config = repository.get_config()
        config.set("core", "autocrlf", "false")  # the line ends are a part of the MRE
        config.write_to_path()
        worktree = repository.get_worktree()
        worktree.stage(paths)
        worktree.commit(
            bundle.mre.title.encode(),
            author=AUTHOR,
            committer=AUTHOR,
            author_timestamp=DATE,
            commit_timestamp=DATE,
            author_timezone=0,
            commit_timezone=0,
        )
