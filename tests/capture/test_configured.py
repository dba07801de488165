from collections.abc import Mapping

import pytest

from uvmre.capture.configured import ConfiguredIndex, configured_indexes, script_table
from uvmre.capture.project import UserProject
from uvmre.core.mre.files import File

URL = "https://gitlab.corp.io/api/v4/projects/7/packages/pypi/simple"
NETRC = "# mine\nmachine gitlab.corp.io\n  login ann\n  password s3cr3t\nmachine other.io login x password y\n"


def indexes(
    files: Mapping[str, str], *commands: str, variables: Mapping[str, str] | None = None, **home: str
) -> tuple[ConfiguredIndex, ...]:
    kept = tuple(File(path, text.encode()) for path, text in files.items())
    at_home = tuple(File(path, text.encode()) for path, text in home.items())
    return configured_indexes(
        UserProject(kept, commands or ("uv sync",), "0.8.0", variables=variables or {}, home=at_home)
    )


@pytest.mark.parametrize(
    ("files", "command", "variables"),
    [
        ({"pyproject.toml": f'[[tool.uv.index]]\nurl = "{URL}"'}, "uv sync", {}),
        ({"a b/pyproject.toml": f'[tool.uv]\nextra-index-url = ["{URL}"]'}, "uv sync", {}),
        ({"pyproject.toml": f'[tool.uv.pip]\nextra-index-url = ["{URL}"]'}, "uv sync", {}),
        ({"uv.toml": f'[[index]]\nurl = "{URL}"'}, "uv sync", {}),
        ({"requirements.txt": f"--extra-index-url {URL}\nsix"}, "uv pip sync requirements.txt", {}),
        (
            {"s.py": f'# /// script\n# dependencies = []\n# [[tool.uv.index]]\n# url = "{URL}"\n# ///\n'},
            "uv run s.py",
            {},
        ),
        ({"uv.lock": f'[[package]]\nname = "a"\nsource = {{ registry = "{URL}" }}'}, "uv sync", {}),
        ({}, f"uv pip install a --extra-index-url {URL}", {}),
        ({}, f"uv sync --index corp={URL}", {}),
        ({}, "uv sync", {"UV_EXTRA_INDEX_URL": f"https://pypi.org/simple {URL}"}),
    ],
)
def test_an_index_is_found_wherever_uv_finds_it(
    files: Mapping[str, str], command: str, variables: Mapping[str, str]
) -> None:
    assert [index.url for index in indexes(files, command, variables=variables)] == [URL]


@pytest.mark.parametrize(
    "text",
    [
        '[[tool.uv.index]]\nurl = "https://pypi.org/simple"',
        '[[tool.uv.index]]\nurl = "https://pypi-proxy.fly.dev/basic-auth/simple"',
        f'[project]\nhomepage = "{URL}"',
        '[[tool.uv.index]]\nurl = "./local"',
        "[[tool.uv.index",
    ],
)
def test_what_is_public_or_no_index_is_not(text: str) -> None:
    assert indexes({"pyproject.toml": text}) == ()


@pytest.mark.parametrize(
    ("url", "variables", "netrc", "expected"),
    [
        (URL.replace("//", "//ann:s3cr%2Ft@"), {}, "", ("ann", "s3cr/t")),
        (URL, {"UV_INDEX_MY_CORP_USERNAME": "ann", "UV_INDEX_MY_CORP_PASSWORD": "p"}, NETRC, ("ann", "p")),
        (URL, {}, NETRC, ("ann", "s3cr3t")),
        (URL.replace("//", "//ann@"), {}, NETRC, ("ann", "s3cr3t")),
        (URL.replace("//", "//bob@"), {}, NETRC, ("bob", "")),
        (URL.replace("//", "//glpat-1234@"), {}, "", ("glpat-1234", "")),
        (URL.replace("//", "//ann:${TOKEN}@"), {"TOKEN": "t0k"}, "", ("ann", "t0k")),
    ],
)
def test_credentials_are_those_that_uv_sends(
    url: str, variables: Mapping[str, str], netrc: str, expected: tuple[str, str]
) -> None:
    files = {"uv.toml": f'[[index]]\nname = "my-corp"\nurl = "{url}"'}
    (index,) = indexes(files, variables=variables, **{".netrc": netrc})
    assert (index.url, index.username, index.password) == (URL, *expected)


def test_one_index_in_several_places_is_one() -> None:
    files = {
        "pyproject.toml": f'[[tool.uv.index]]\nname = "corp"\nurl = "{URL}/"\ndefault = true',
        "uv.lock": f'[[package]]\nname = "a"\nsource = {{ registry = "{URL}" }}',
    }
    assert indexes(files) == (ConfiguredIndex(f"{URL}/", "corp", default=True),)


def test_a_script_without_a_table_has_none() -> None:
    assert script_table("print(1)\n# /// other\n# a = 1\n# ///\n") == ""
