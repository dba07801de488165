"""An MRE as a Git repository."""

from pathlib import Path

from dulwich.repo import Repo

from tests.report.scripts.test_script import MRE, bundle
from uvmre.core.mre.files import File
from uvmre.report.repository import write_repository


def test_a_repository_has_one_commit_which_is_always_the_same(tmp_path: Path) -> None:
    heads = []
    for name in ("a", "b"):
        write_repository(bundle(), tmp_path / name)
        with Repo(str(tmp_path / name)) as repository:
            heads.append(repository.head())
            commit = repository[repository.head()]
            assert (commit.message.decode(), commit.parents) == (MRE.title, [])
            entries = {
                entry.path.decode(): File(entry.path.decode(), repository[entry.sha].data, entry.mode == 0o100755)
                for entry in repository.object_store.iter_tree_contents(commit.tree)
            }
            status = repository.get_worktree()
            assert status is not None
    assert heads[0] == heads[1]
    assert entries == {file.path: file for file in bundle().whole}
