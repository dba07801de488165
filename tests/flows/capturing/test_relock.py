from hashlib import sha256

import pytest

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import GitCommit, GitRepository, Index
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.text.parse_toml import parse_toml
from uvmre.flows.capturing.relock import WRONG, mark_wrong_hashes, relock
from uvmre.gateway.index.distributions import sdist, wheel

URL = "https://gitlab.example.com/api/v4/projects/1/packages/pypi/simple"
PACKAGE = SyntheticPackage("corp-a", "1.2")
LOCK = f"""version = 1

[[package]]
name = "corp-a"
version = "1.2"
source = {{ registry = "{URL}" }}
sdist = {{ url = "https://old/corp_a-1.2.tar.gz", hash = "sha256:{"a" * 64}" }}
wheels = [
    {{ url = "https://old/corp_a-1.2-py3-none-any.whl", hash = "sha256:{"b" * 64}" }},
]

[[package]]
name = "corp-a"
version = "9.9"
source = {{ registry = "{URL}" }}
sdist = {{ url = "https://old/corp_a-9.9.tar.gz", hash = "sha256:{"c" * 64}" }}

[[package]]
name = "six"
version = "1.17.0"
source = {{ registry = "https://pypi.org/simple" }}
sdist = {{ url = "https://old/six-1.17.0.tar.gz", hash = "sha256:{"d" * 64}" }}

[[package]]
name = "tool"
version = "1.0"
source = {{ git = "https://git.example.com/org/tool?rev=main#{"e" * 40}" }}
"""


def mre(**more: object) -> Mre:
    return Mre(
        "a",
        Environment("0.8.0"),
        (Step("uv sync", "observe"),),
        Symptom(exit="failure", output=("nothing",)),
        indexes=(Index(URL, "gitlab", packages=(PACKAGE,)),),
        files=(File("uv.lock", LOCK.encode()),),
        **more,  # type: ignore[arg-type]
    )


def test_a_private_package_is_locked_to_its_synthetic_files() -> None:
    found = parse_toml(relock(mre()).files[0].content.decode())["package"]
    assert found[0]["sdist"]["hash"] == f"sha256:{sha256(sdist(PACKAGE)).hexdigest()}"
    digest = sha256(wheel(PACKAGE, "py3-none-any")).hexdigest()
    assert found[0]["wheels"] == [
        {
            "url": f"{URL.removesuffix('/simple')}/files/{digest}/corp_a-1.2-py3-none-any.whl",
            "hash": f"sha256:{digest}",
            "size": len(wheel(PACKAGE, "py3-none-any")),
        }
    ]


def test_what_the_index_lacks_and_what_is_public_stays() -> None:
    found = parse_toml(relock(mre()).files[0].content.decode())["package"]
    assert found[1:3] == parse_toml(LOCK)["package"][1:3]


def test_a_commit_is_that_of_the_repository_of_the_mre() -> None:
    repository = GitRepository("https://git.example.com/org/tool", commits=(GitCommit("git/1"),))
    own = mre(repositories=(repository,))
    own = Mre(**{**own.__dict__, "files": (*own.files, File("git/1/pyproject.toml", b"[project]"))})
    source = parse_toml(relock(own).files[0].content.decode())["package"][3]["source"]["git"]
    sha = source.partition("#")[2]
    assert sha != "e" * 40
    assert len(sha) == 40
    assert relock(relock(own)) == relock(own)


@pytest.mark.parametrize(("digest", "wrong"), [("b" * 64, False), ("f" * 64, True), ("", False)])
def test_a_hash_that_is_not_the_indexs_stays_wrong(digest: str, wrong: bool) -> None:
    marked = mark_wrong_hashes(mre().files, {"corp_a-1.2-py3-none-any.whl": digest})
    locked = relock(Mre(**{**mre().__dict__, "files": marked}))
    found = parse_toml(locked.files[0].content.decode())["package"][0]
    assert (found["wheels"][0]["hash"] == f"sha256:{WRONG}") is wrong
    assert found["sdist"]["hash"] != f"sha256:{WRONG}"


def test_a_lock_file_that_is_damaged_stays_as_it_is() -> None:
    damaged = (File("uv.lock", b"[[package]]\nname = "),)
    assert relock(Mre(**{**mre().__dict__, "files": damaged})).files == damaged
