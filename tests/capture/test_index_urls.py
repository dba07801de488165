"""The registry of an index, and the same kind of URL at a neutral host."""

from urllib.parse import urlsplit

import pytest

from uvmre.capture.private.index_urls import is_public_host, neutral_url, profile_of

URLS = [
    ("https://gitlab.acme.tld/api/v4/projects/48213/packages/pypi/simple", "gitlab", "https://gitlab.example.com/api/v4/projects/1/packages/pypi/simple"),
    ("https://git.acme.tld/api/v4/groups/482/-/packages/pypi/simple/", "gitlab", "https://gitlab.example.com/api/v4/groups/1/-/packages/pypi/simple/"),
    ("https://gitlab.com/api/v4/projects/acme%2Fcore/packages/pypi/simple", "gitlab", "https://gitlab.example.com/api/v4/projects/1/packages/pypi/simple"),
    ("https://acme.jfrog.io/artifactory/api/pypi/acme-local/simple", "artifactory", "https://artifactory.example.com/artifactory/api/pypi/repo/simple"),
    ("https://repo.acme.tld/artifactory/api/pypi/acme/simple/", "artifactory", "https://artifactory.example.com/artifactory/api/pypi/repo/simple/"),
    ("https://pkgs.dev.azure.com/acme/core/_packaging/acme/pypi/simple/", "azure-artifacts", "https://pkgs.dev.azure.com/org/project/_packaging/feed/pypi/simple/"),
    ("https://acme.pkgs.visualstudio.com/_packaging/acme/pypi/simple/", "azure-artifacts", "https://pkgs.dev.azure.com/org/project/_packaging/feed/pypi/simple/"),
    ("http://nexus.acme.tld:8081/repository/acme/simple", "nexus", "https://nexus.example.com/repository/repo/simple"),
    ("https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/pypi/x/simple/", "codeartifact", "https://domain-123456789012.d.codeartifact.region.amazonaws.com/pypi/repo/simple/"),
    ("https://europe-west1-python.pkg.dev/acme/core/simple/", "google-artifact-registry", "https://region-python.pkg.dev/project/repo/simple/"),
    ("https://devpi.acme.tld/acme/prod/+simple/", "devpi", "https://devpi.example.com/root/repo/+simple/"),
    ("https://mirror.acme.tld/whl/cu121", "pytorch", "https://pytorch.example.com/whl"),
    ("https://acme.github.io/wheels/", "github-pages", "https://org.github.io/repo/simple/"),
    ("http://10.1.2.3:8080/simple/", "pypi-proxy", "https://pypi.example.com/simple/"),
    ("http://localhost:3141/simple", "pypi-proxy", "https://pypi.example.com/simple"),
    ("https://user:token@pypi.acme.tld/simple", "pypi-proxy", "https://pypi.example.com/simple"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "profile", "neutral"), URLS)
def test_an_index_becomes_one_of_its_kind(url: str, profile: str, neutral: str) -> None:
    assert profile_of(url) == profile
    assert neutral_url(url, 1) == neutral
    second = neutral_url(url, 2)
    assert second != neutral
    for each in (neutral, second):
        assert profile_of(each) == profile
        assert is_public_host(urlsplit(each).hostname or "")


@pytest.mark.parametrize(
    "url",
    [
        "https://pypi.org/simple",
        "https://download.pytorch.org/whl/cu121",
        "https://pypi-proxy.fly.dev/basic-auth/simple",
        "https://files.pythonhosted.org/packages/x.whl",
    ],
)
def test_a_public_index_stays(url: str) -> None:
    assert neutral_url(url, 1) == neutral_url(url, 2) == url


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("pypi.org", True),
        ("GitHub.com", True),
        ("gitlab.example.com", True),
        ("gitlab-b.example.com", True),
        ("gitlab.acme.tld", False),
        ("acme.jfrog.io", False),
        ("notpypi.org", False),
        ("example.com.acme.tld", False),
    ],
)
def test_public_hosts(host: str, public: bool) -> None:
    assert is_public_host(host) is public
