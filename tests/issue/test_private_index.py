"""Stand-ins for private package indexes."""

import pytest

from uvmre.core.triage.parsed_issue import Command, PostedFile
from uvmre.issue.private_index import stand_in


@pytest.mark.parametrize(
    ("run", "url", "registry"),
    [
        ("uv add a --index https://acme.example/simple", "https://acme.example/simple", None),
        ("uv add a --index-url https://gitlab.acme.example/simple", "https://gitlab.acme.example/simple", "gitlab"),
        ("uv add a --index https://<account>.jfrog.io/a", "https://account.jfrog.io/a", "artifactory"),
        ("UV_INDEX_URL=https://acme.example:8080/simple uv lock", "https://acme.example:8080/simple", None),
    ],
)
def test_an_index_of_a_command(run: str, url: str, registry: str | None) -> None:
    private = stand_in([Command(run, 1)], [])
    (index,) = private.indexes
    assert index.url == url
    assert url in private.commands[0].run
    assert len(private.descriptions) == 1
    if registry:
        assert index.registry == registry


@pytest.mark.parametrize(
    "run",
    ["uv add a --index https://pypi.org/simple", "uv add a --index http://localhost/a", "curl https://acme.example/a"],
)
def test_no_stand_in(run: str) -> None:
    private = stand_in([Command(run, 1)], [])
    assert (private.indexes, private.commands[0].run) == ((), run)


def test_an_index_of_a_file() -> None:
    file = PostedFile("pyproject.toml", "[[tool.uv.index]]\nname = 'a'\nurl = 'https://acme.example/simple'\n", 1, "")
    assert [index.url for index in stand_in([], [file]).indexes] == ["https://acme.example/simple"]


def test_credentials() -> None:
    command = Command("uv add a --index https://me:secret@acme.example/simple", 1)
    assert [(i.username, i.password) for i in stand_in([command], []).indexes] == [("me", "secret")]
    variables = [("UV_INDEX_A_USERNAME", "me"), ("UV_INDEX_A_PASSWORD", '{"accessToken": "secret"}')]
    command = Command("uv add a --index https://acme.example/simple", 1)
    assert [(i.username, i.password) for i in stand_in([command], [], variables).indexes] == [("me", "secret")]


def test_a_report_about_authentication_has_synthetic_packages_and_a_password() -> None:
    command = Command("uv add a", 1)
    file = PostedFile("uv.toml", "[[index]]\nurl = 'https://acme.example/simple'\n", 1, "")
    (index,) = stand_in([command], [file], denied=True).indexes
    assert ([package.name for package in index.packages], bool(index.password)) == (["a"], True)


def test_an_unreachable_host_has_no_stand_in() -> None:
    private = stand_in([Command("uv add a --index https://acme.example/simple", 1)], [])
    assert private.without({"acme.example"}).indexes == ()
