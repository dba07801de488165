"""Static answers, headers and repositories in the manifest: every mistake with a remedy."""

import pytest

from tests.core.mre.test_network_manifest import HEAD, below
from uvmre.core.mre.manifest import parse

ANSWER = '[[answer]]\nurl = "https://a.example/x"\n'
GIT = '[[git]]\nurl = "https://github.com/org/repo"\n[[git.commit]]\nfolder = "x"\n'


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        (f'{ANSWER}redirect = "/y"\nbody = "z"\n', "answer.body cannot be combined with `redirect`"),
        (f'{ANSWER}file = "y"\nbody = "z"\n', "answer.file cannot be combined with `body`"),
        (f'{ANSWER}redirect = "/y"\nstatus = 404\n', "answer.status is not that of a redirect"),
        (f'{ANSWER}headers = {{ "Content-Length" = "1" }}\n', "must not set `content-length`"),
        (f'{ANSWER}headers = {{ x = "a\\r\\nb" }}\n', "must have values in one line of Latin-1"),
        ('[[git]]\nurl = "https://github.com/org/repo"\n', "has no commit: add a [["),
        (GIT + GIT.replace("repo", "REPO.git"), "git.url is already used"),
        (GIT + 'submodules = { s = "https://github.com/o/r" }\n', "must be the URL of a [[git]] above it"),
        (GIT.replace("[[git.c", 'username = "a"\n[[git.c'), "git.username needs a password"),
    ],
)
def test_a_mistake_is_reported(table: str, mistake: str) -> None:
    (found,) = below(table)
    assert mistake.replace("answer.", "").replace("git.", "") in found.replace("answer[0].", "").replace("git.", "")


@pytest.mark.parametrize(
    "table", [ANSWER, f'{ANSWER}redirect = "/y"\n', f'{ANSWER}redirect = "/y"\nstatus = 308\n', GIT]
)
def test_what_is_sound_is_read(table: str) -> None:
    mre = parse(HEAD + table)
    assert len(mre.answers) + len(mre.repositories) == 1
