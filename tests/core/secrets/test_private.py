"""What looks private in a text, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.secrets.private import Machine, find_private, is_public_host

MACHINE = Machine("jdupont", "poste-42.acme.lan", "/srv/people/jdupont")

PRIVATE = [
    ('url = "https://gitlab.acme.io/api/v4/simple"', "host", "gitlab.acme.io"),
    ("https://user:heron@nexus.acme.io:8443/simple", "host", "nexus.acme.io"),
    ("http://10.1.2.3:8080/simple", "host", "10.1.2.3"),
    ("http://nexus/simple", "host", "nexus"),
    ("https://pkgs.dev.azure.com/acme/project/_packaging/feed/pypi/simple/", "host", "pkgs.dev.azure.com"),
    ("https://europe-west9-python.pkg.dev/acme/repo/simple", "host", "europe-west9-python.pkg.dev"),
    ("https://acme.github.io/wheels/simple", "host", "acme.github.io"),
    ("git+ssh://git@git.acme.io/core/lib", "host", "git.acme.io"),
    ("git@git.acme.io:core/lib.git", "host", "git.acme.io"),
    ("machine  pypi.acme.io login public password heron", "host", "pypi.acme.io"),
    ("# ask on chat.acme.corp", "host", "chat.acme.corp"),
    ("# see wiki.acme.internal.", "host", "wiki.acme.internal"),
    ('{ email = "jean.dupont@acme.io" }', "e-mail address", "jean.dupont@acme.io"),
    ("mailto:jean@acme.io", "e-mail address", "jean@acme.io"),
    ("/home/jean/acme/pyproject.toml", "home folder", "/home/jean"),
    ("file:///home/jean/acme", "home folder", "/home/jean"),
    ("/Users/Jean/acme", "home folder", "/Users/Jean"),
    (r"C:\Users\Jean\acme", "home folder", r"C:\Users\Jean"),
    ("# TODO(jdupont): fix", "user name", "jdupont"),
    ("JDUPONT_TOKEN", "user name", "JDUPONT"),
    ("built on poste-42", "host name", "poste-42"),
    ("cd /srv/people/jdupont", "home folder", "/srv/people/jdupont"),
    ("glpat-aB3dE5fG7hJ9kL1mN2p", "secret", ""),
    ('password = "k7Xq-93nfPz"', "secret", ""),
]
PUBLIC = [
    'url = "https://gitlab.example.com/api/v4/projects/1/packages/pypi/simple"',
    "https://public:heron@pypi-proxy.fly.dev/basic-auth/simple",
    "https://files.pythonhosted.org/packages/97/75/six.whl",
    "https://domain-123456789012.d.codeartifact.region.amazonaws.com/pypi/repo/simple/",
    "https://pkgs.dev.azure.com/org/project/_packaging/feed/pypi/simple/",
    "https://region-python.pkg.dev/project/repo/simple/ https://org.github.io/repo/simple",
    "machine pkgs.dev.azure.com login public password heron",
    "git+ssh://git@github.com/astral-sh/uv",
    "git@github.com:astral-sh/uv.git",
    "machine pypi-proxy.fly.dev login public password heron",
    "http://127.0.0.1:8000/ http://localhost:1/ http://[::1]:9/",
    "https://$HOST/simple https://{host}/simple file:///tmp/x",
    '{ name = "Person A", email = "person-a@example.com" }',
    "/home/runner/work /home/user/x /root/.cache $HOME/x /home/$USER/x",
    "cp $fresh/home/.cache/uv /mre/home/jean /home/.netrc",
    "import threading; threading.local(); uv@0.5.21 actions/checkout@v4 app.service@local",
    "jdupontel is not jdupont2 nor poste-420",
    "COPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /bin/",
]


def found(text: str, machine: Machine = MACHINE) -> list[tuple[str, str]]:
    return [(part.kind, part.text) for part in find_private({"a.txt": text}, machine)]


@pytest.mark.parametrize(("text", "kind", "shown"), PRIVATE, ids=[text for text, _, _ in PRIVATE])
def test_what_is_private_is_found(text: str, kind: str, shown: str) -> None:
    assert (kind, shown) in found(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is_not(text: str) -> None:
    assert found(text) == []


def test_the_place_is_named_once_a_file() -> None:
    text = "\nhttps://a.acme.io/\nhttps://a.acme.io/\n"
    parts = list(find_private({"a.txt": text, "b/jdupont.toml": ""}, MACHINE))
    assert [(part.where, part.kind, part.text) for part in parts] == [
        ("a.txt:2", "host", "a.acme.io"),
        ("the name of a file", "user name", "jdupont"),
    ]


@pytest.mark.parametrize("name", ["root", "ubuntu", "dev", "x"])
def test_a_name_that_identifies_no_person_is_not_looked_for(name: str) -> None:
    assert found(f"{name} is here", Machine(name, "localhost", f"/{name}")) == []


def test_a_known_secret_is_found_without_a_hint() -> None:
    parts = list(find_private({"a.txt": "x tango-whisky"}, MACHINE, {"tango-whisky"}))
    assert [(part.kind, part.text) for part in parts] == [("secret", "")]


@given(st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True))
def test_every_name_below_example_com_is_public_and_none_beside_it(name: str) -> None:
    assert is_public_host(f"{name}.example.com")
    assert not is_public_host(f"{name}-example.com")
