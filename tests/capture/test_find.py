"""What is replaced, by what, and what stays: a table for each kind."""

import base64

import pytest

from uvmre.capture.private.find import find_replacements, remaining_private
from uvmre.capture.private.replace import replace_private
from uvmre.capture.private.surroundings import Surroundings
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Index
from uvmre.core.network.synthetic import SyntheticPackage

SURROUNDINGS = Surroundings(
    folder="/home/jdoe/Work/zorglub",
    home="/home/jdoe",
    user="jdoe",
    host="jdoe-laptop",
    public=frozenset({"requests", "flask", "jaraco-classes", "ruamel-yaml", "six"}),
    secrets=frozenset({"hunter-2-Zx"}),
)
PACKAGES = ("acme-core", "acme-proto", "zeta")
INDEX = Index(
    "https://gitlab.acme.tld/api/v4/projects/48213/packages/pypi/simple", "gitlab", "ci-bot", "s3cr3t-Token-77"
)


def project(*texts: tuple[str, str], **fields: object) -> Mre:
    index = Index(
        INDEX.url,
        INDEX.registry,
        INDEX.username,
        INDEX.password,
        packages=tuple(SyntheticPackage(name, "1.0") for name in PACKAGES),
    )
    files = tuple(File(path, text.encode()) for path, text in texts)
    values = {
        "steps": (Step("uv sync", role="observe"),),
        "symptom": Symptom("failure", ("No solution found",)),
        **fields,
    }
    return Mre("uv sync fails", Environment("0.8.0"), indexes=(index,), files=files, **values)  # type: ignore[arg-type]


def clean(path: str, text: str) -> str:
    mre = project((path, text))
    cleaned = replace_private(mre, find_replacements(mre, SURROUNDINGS))
    assert not remaining_private(cleaned, SURROUNDINGS, ())
    return cleaned.files[0].content.decode()


@pytest.mark.parametrize(
    ("private", "neutral"),
    [
        ("acme-core>=1.2", "package-a>=1.2"),
        ("Acme-Core", "Package-A"),
        ("acme_core", "package_a"),
        ("ACME_CORE", "PACKAGE_A"),
        ("acme.core", "package.a"),
        ("AcmeCore", "PackageA"),
        ("acmecore", "packagea"),
        ("src/acme/core", "src/package/a"),
        ("acme_core-1.2.0-py3-none-any.whl", "package_a-1.2.0-py3-none-any.whl"),
        ("acme-core[standard]==1.0; sys_platform == 'linux'", "package-a[standard]==1.0; sys_platform == 'linux'"),
        ("ACME_TOKEN_FILE", "PACKAGE_TOKEN_FILE"),
        ("/srv/acme", "/srv/package"),
        ("acme.tools", "package.tools"),
        ("import zeta.cli", "import packagec.cli"),
        ("acme-corelib", "package-word1"),
        ("https://gitlab.acme.tld/other", "https://gitlab.example.com/other"),
        ("https://vault.acme.tld:8200/x", "https://host-a.example.com/x"),
        ("http://vault.acme.tld/x", "https://host-a.example.com/x"),
        ("machine vault.acme.tld login u", "machine host-a.example.com login u"),
        ("/home/jdoe/Work/zorglub/uv.lock", "/project/uv.lock"),
        ("/home/jdoe/.cache/uv", "/home/user/.cache/uv"),
        ("file:///home/jdoe/Work/zorglub", "file:///project"),
        ("jdoe on jdoe-laptop", "user on host"),
        ("hunter-2-Zx", "heron"),
        ("x=hunter-2-Zx;y", "x=heron;y"),
        (base64.b64encode(b"ci-bot:s3cr3t-Token-77").decode(), "cHVibGljOmhlcm9u"),
        ("jane.roe@acme.tld", "person-a@example.com"),
        ("project 48213", "project 1"),
        ("PLAT-77 is open", "WORD1 is open"),
        ("git@gitlab.acme.tld:platform/engine.git", "git@gitlab.example.com:example-org/repo-a.git"),
        (
            "git+https://gitlab.acme.tld/platform/engine.git@plat-7",
            "git+https://gitlab.example.com/example-org/repo-a.git@branch-a",
        ),
        ("git+https://github.com/acmecorp/engine.git", "git+https://github.com/example-org/repo-a.git"),
        (
            "requests @ git+https://gitlab.acme.tld/forks/requests.git",
            "requests @ git+https://gitlab.example.com/example-org/repo-a.git",
        ),
        ("NO_PROXY=localhost,.corp.acme.tld,10.48.21.3", "NO_PROXY=localhost,.host-a.example.com,host-b.example.com"),
        ("key 70761cfe03c773ceb22aa2f671b47579 and 4f3a9b2c1d", "key word1 and word2"),
        ("x%20acme_core%2Fy\\nacme", "x%20package_a%2Fy\\npackage"),
        ("my_zorblib.sub-zorblib", "my_word1.sub-word1"),
        ("AcmeClient Zorblib ZORBLIB", "Word1 Word2 WORD2"),
        ("数据acme 数据", "word1 word2"),
        ("re\u0301gulation régulation", "word1 word1"),
        ("C'est la vie", "C'word1 word2 word3"),
    ],
)
def test_a_private_text(private: str, neutral: str) -> None:
    assert clean("notes.sh", f"{private}\n").strip() == neutral


@pytest.mark.parametrize(
    "public",
    [
        "requests>=2.31,<3; python_version < '3.13' and sys_platform == 'win32'",
        "jaraco.classes",
        "jaraco-classes\njaraco_classes-3.4.0-py3-none-any.whl",
        "ruamel.yaml[jinja2]",
        "core and proto are words",
        "https://pypi.org/simple/requests/",
        "https://files.pythonhosted.org/packages/f9/9b/335f9764261e915ed497fcdeb11df5dfd6f7bf257d4a6a2a686d80da4d54/x-1.0.tar.gz",
        "https://download.pytorch.org/whl/cu121",
        "sha256:70761cfe03c773ceb22aa2f671b4757976145175cdfca038c02654d061d6dcc6",
        "cp313-cp313t-manylinux_2_17_x86_64.manylinux2014_x86_64 musllinux_1_2_armv7l win_arm64 macosx_11_0_universal2",
        "1.0.0rc1.post2.dev3 2024.1.1 0.0.0a1",
        "${UV_INDEX_PASSWORD} $HOME",
        "flask @ git+https://github.com/pallets/flask.git@main",
        "Because only six<=1.16 is available, we can conclude that your requirements are unsatisfiable.",
        "Failed to resolve requirements from `build-system.requires`",
        "ModuleNotFoundError: No module named 'setuptools'",
        "src/tests/packages/libs/apps/docs/README.md",
        "FROM python:3.12-slim-bookworm AS base",
        "--no-build-isolation-package requests --index-strategy unsafe-best-match",
        "https://heron@gitlab.example.com/simple",
        "× No solution found when resolving dependencies:\n  ╰─▶ Because … – “six” · 3 µs ✗ ⠋ │ └── a",
        "flask @ git+https://github.com/pallets/flask@0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c#0f1e2d3",
    ],
)
def test_a_public_text_stays(public: str) -> None:
    assert clean("requirements.txt", f"{public}\n").strip() == public


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://ci-bot:s3cr3t-Token-77@gitlab.acme.tld/x", "https://public:heron@gitlab.example.com/x"),
        ("https://jane:pw@gitlab.acme.tld/x", "https://public:heron@gitlab.example.com/x"),
        ("https://__token__:pypi-AgEIcHlwaS5vcmc@gitlab.acme.tld/x", "https://__token__:heron@gitlab.example.com/x"),
        (
            "https://oauth2accesstoken:ya29.a0AfH6SMBx1234567@gitlab.acme.tld/x",
            "https://oauth2accesstoken:heron@gitlab.example.com/x",
        ),
        ("https://glpat-Zx9QmW4tRb7KpLs2@gitlab.acme.tld/x", "https://heron@gitlab.example.com/x"),
        ("https://${USER}:${TOKEN}@gitlab.acme.tld/x", "https://${USER}:${TOKEN}@gitlab.example.com/x"),
        ("ssh://git@gitlab.acme.tld/platform/engine.git", "ssh://git@gitlab.example.com/example-org/repo-a.git"),
        (
            "https://public:heron@pypi-proxy.fly.dev/basic-auth/simple",
            "https://public:heron@pypi-proxy.fly.dev/basic-auth/simple",
        ),
        ("https://public:wrong@gitlab.acme.tld/x", "https://public:wrong@gitlab.example.com/x"),
        ("export UV_INDEX_MAIN_PASSWORD=abc", "export UV_INDEX_MAIN_PASSWORD=heron"),
        ("export UV_INDEX_MAIN_USERNAME=jane", "export UV_INDEX_MAIN_USERNAME=public"),
        ("export UV_INDEX_MAIN_PASSWORD=$TOKEN", "export UV_INDEX_MAIN_PASSWORD=$TOKEN"),
    ],
)
def test_credentials(before: str, after: str) -> None:
    assert clean("x.sh", f"{before}\n").strip() == after


def test_the_netrc() -> None:
    text = "machine gitlab.acme.tld\n  login jane\n  password pw\nmachine h.acme.tld login __token__ password heron\n"
    expected = "machine gitlab.example.com\n  login public\n  password heron\nmachine host-a.example.com login __token__ password heron\n"
    assert clean("home/.netrc", text) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[[index]]\nname = "acme-main"\nurl = "https://pypi.acme.tld/root/"\n', '[[index]]\nname = "index-a"\nurl = "https://pypi.example.com/simple/"\n'),
        ('[[tool.uv.index]]\nname = "internal"\nurl = "https://pypi.org/simple"\n', None),
        ('[project.optional-dependencies]\nzorgl-x = ["six"]\ndev = []\n', '[project.optional-dependencies]\nextra-a = ["six"]\ndev = []\n'),
        ('[dependency-groups]\nnacht = ["acme-core"]\ntest = [{ include-group = "nacht" }]\n', '[dependency-groups]\ngroup-a = ["package-a"]\ntest = [{ include-group = "group-a" }]\n'),
        ('[project.scripts]\nzorgl = "acme_core.cli:main"\n', '[project.scripts]\nscript-a = "package_a.cli:main"\n'),
        ('[project]\nauthors = [{ name = "Jane Roe" }]\ntitle = "by Jane Roe"\n', '[project]\nauthors = [{ name = "Person A" }]\ntitle = "by Person A"\n'),
        ('[tool.uv.sources]\nengine-x = { git = "https://gitlab.acme.tld/p/x.git", tag = "zorgl-1" }\n', '[tool.uv.sources]\npackage-e = { git = "https://gitlab.example.com/example-org/repo-a.git", tag = "tag-a" }\n'),
        ('[tool.uv.sources]\nsix = { git = "https://github.com/benjaminp/six", branch = "fix-benja" }\n', None),
        ('[project]\nname = "data-tools"\ndependencies = ["data_tools", "data tools"]\n', '[project]\nname = "package-e"\ndependencies = ["package_e", "data tools"]\n'),
        ('[project]\nname = "core"\n', None),
        ('[project]\nname = "package-a"\ndependencies = ["acme-core"]\n', '[project]\nname = "package-a"\ndependencies = ["package-b"]\n'),
        ('[project]\ndependencies = ["six[zorgl]"]\n', None),
    ],
)  # fmt: skip
def test_toml(before: str, after: str | None) -> None:
    assert clean("pyproject.toml", before) == (after or before)


def test_images() -> None:
    text = "FROM registry.acme.tld:5050/team/base:3.12 AS build\nCOPY --from=ghcr.io/astral-sh/uv:0.8.0 /uv /bin/\nFROM acmebase\n"
    expected = "FROM registry.example.com/image-a:3.12 AS build\nCOPY --from=ghcr.io/astral-sh/uv:0.8.0 /uv /bin/\nFROM image-b\n"
    assert clean("Dockerfile", text) == expected


def test_variables_of_the_user_and_of_tools() -> None:
    text = "ACME_ENV=x\nZORGL=y\nUV_INDEX_URL=https://pypi.acme.tld/simple\nPIP_NO_INPUT=1\n"
    expected = "VARIABLE_A=x\nVARIABLE_B=y\nUV_INDEX_URL=https://pypi.example.com/simple\nPIP_NO_INPUT=1\n"
    assert clean("prod.env", text) == expected


def test_paths_of_files() -> None:
    mre = project(
        ("packages/Zorgl Été/pyproject.toml", '[project]\nname = "acme-core"\n'),
        ("packages/Zorgl Été/src/acme_core/__init__.py", ""),
        ("packages/Zorgl Été/src/zorb_x/__init__.py", ""),
        ("docs/Zorgl/x.md", ""),
        ("pyproject.toml", '[tool.uv.workspace]\nmembers = ["packages/Zorgl Été"]\n'),
        steps=(
            Step("cd 'packages/Zorgl Été' && uv sync"),
            Step("ls packages/Zorgl%20%C3%89t%C3%A9/src", role="observe"),
        ),
        controls=(Control("in docs/Zorgl", files={"packages/Zorgl Été/uv.toml": ""}, replace={"cd": "cd Zorgl"}),),
    )
    cleaned = replace_private(mre, find_replacements(mre, SURROUNDINGS))
    assert [file.path for file in cleaned.files] == [
        "packages/member-a/pyproject.toml",
        "packages/member-a/src/package_a/__init__.py",
        "packages/member-a/src/module_a/__init__.py",
        "docs/folder-a/x.md",
        "pyproject.toml",
    ]
    assert b'"packages/member-a"' in cleaned.files[-1].content
    assert [step.run for step in cleaned.steps] == ["cd 'packages/member-a' && uv sync", "ls packages/member-a/src"]
    (control,) = cleaned.controls
    assert (control.name, *control.files, *control.replace.values()) == (
        "in docs/folder-a",
        "packages/member-a/uv.toml",
        "cd folder-a",
    )


def test_two_indexes_of_one_kind_and_two_hosts() -> None:
    urls = [INDEX.url, INDEX.url.replace("48213", "7"), INDEX.url.replace("gitlab.acme", "git.zeta")]
    text = "\n".join(f"--extra-index-url {url}" for url in urls)
    numbers = (
        "gitlab.example.com/api/v4/projects/1",
        "gitlab.example.com/api/v4/projects/2",
        "gitlab-b.example.com/api/v4/projects/3",
    )
    assert clean("requirements.txt", text) == "\n".join(
        f"--extra-index-url https://{each}/packages/pypi/simple" for each in numbers
    )


def test_a_name_of_pypi_with_a_private_word_stays() -> None:
    around = Surroundings("/x", "/root", "root", "localhost", public=frozenset({"acme-tools", "acme"}))
    mre = project(("requirements.txt", "acme-tools\nacme\nacme-core\n"))
    assert replace_private(mre, find_replacements(mre, around)).files[0].content == b"acme-tools\nacme\npackage-a\n"


def test_a_neutral_name_is_not_one_of_pypi() -> None:
    around = Surroundings("/x", "/root", "root", "localhost", public=frozenset({"package-a", "package-c"}))
    mre = project(("requirements.txt", "acme-core\nzeta\n"))
    assert replace_private(mre, find_replacements(mre, around)).files[0].content == b"package-b\npackagef\n"


def test_the_audit_names_what_remains() -> None:
    mre = project(("requirements.txt", "acme-core\n"))
    assert "acme" in remaining_private(mre, SURROUNDINGS, ())


@pytest.mark.parametrize("host", ["127.0.0.1:8099", "localhost:8099"])
def test_an_index_on_this_machine_gets_a_name_and_other_servers_on_it_stay(host: str) -> None:
    mre = Mre(
        "a",
        Environment("0.8.0"),
        (Step(f"uv pip install six --index http://{host}/simple && curl http://localhost/ready", "observe"),),
        Symptom(exit="failure", output=("something",)),
        indexes=(Index(f"http://{host}/simple"),),
    )
    found = replace_private(mre, find_replacements(mre, Surroundings("/p", "/h", "ann", "box", frozenset({"six"}))))
    assert found.indexes[0].url == "https://pypi.example.com/simple"
    assert found.steps[0].run == (
        "uv pip install six --index https://pypi.example.com/simple && curl http://localhost/ready"
    )
