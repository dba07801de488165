"""The URLs of package indexes: which registry they are of, and the same kind of URL at a neutral host."""

import re
from urllib.parse import urlsplit

from uvmre.core.network.index import PUBLIC_TEST_INDEX
from uvmre.core.network.request import OPEN_HOSTS

PUBLIC_INDEX_HOSTS = frozenset(
    {
        *OPEN_HOSTS,
        *("pypi.python.org", "test.pypi.org", "test-files.pythonhosted.org", "www.pypi.org", "pypi.nvidia.com"),
        *("download.pytorch.org", "download-r2.pytorch.org", "wheels.vllm.ai", "piwheels.org", "www.piwheels.org"),
        *("pypi.tuna.tsinghua.edu.cn", "mirrors.aliyun.com"),
    }
)
"""Hosts all of whose URLs are public."""
PUBLIC_HOSTS = frozenset(
    {
        *PUBLIC_INDEX_HOSTS,
        *("github.com", "api.github.com", "raw.githubusercontent.com", "objects.githubusercontent.com", "gitlab.com"),
        *("bitbucket.org", "codeload.github.com", "astral.sh", "docs.astral.sh", "python.org", "www.python.org"),
        *("peps.python.org", "packaging.python.org", "docs.python.org", "json.schemastore.org", "example.com"),
        *("ghcr.io", "docker.io", "registry-1.docker.io", "quay.io", "mcr.microsoft.com", "gcr.io", "public.ecr.aws"),
        *("deb.debian.org", "archive.ubuntu.com", "security.ubuntu.com", "dl-cdn.alpinelinux.org", "bootstrap.pypa.io"),
        *("localhost", "127.0.0.1", "0.0.0.0", "sh.rustup.rs"),
    }
)
"""Hosts that everybody can name; what is below them may still be private."""
PROFILES_OF_URLS = (
    ("codeartifact", r"\.codeartifact\.", r""),
    ("azure-artifacts", r"\Apkgs\.dev\.azure\.com\Z|\.visualstudio\.com\Z", r""),
    ("google-artifact-registry", r"(?:\A|-)python\.pkg\.dev\Z", r""),
    ("pytorch", r"", r"\A/whl(?:/|\Z)"),
    ("github-pages", r"\.github\.io\Z", r""),
    ("gitlab", r"", r"/api/v4/(?:projects|groups)/[^/]+/(?:-/)?packages/pypi"),
    ("artifactory", r"", r"/api/pypi/"),
    ("nexus", r"", r"/repository/[^/]+"),
    ("devpi", r"", r"/\+simple"),
    ("artifactory", r"artifactory|jfrog", r""),
    ("gitlab", r"gitlab", r""),
    ("nexus", r"nexus|sonatype", r""),
    ("devpi", r"devpi", r""),
)
"""Registry profiles, each with a pattern of the host and one of the path; the first that has both."""
NEUTRAL_URLS = {
    "gitlab": "https://gitlab.example.com/api/v4/projects/{n}/packages/pypi/simple",
    "artifactory": "https://artifactory.example.com/artifactory/api/pypi/repo{-n}/simple",
    "azure-artifacts": "https://pkgs.dev.azure.com/org/project/_packaging/feed{-n}/pypi/simple",
    "nexus": "https://nexus.example.com/repository/repo{-n}/simple",
    "codeartifact": "https://domain-123456789012.d.codeartifact.region.amazonaws.com/pypi/repo{-n}/simple",
    "google-artifact-registry": "https://region-python.pkg.dev/project/repo{-n}/simple",
    "devpi": "https://devpi.example.com/root/repo{-n}/+simple",
    "pytorch": "https://pytorch.example.com/whl{/n}",
    "github-pages": "https://org.github.io/repo{-n}/simple",
    PUBLIC_TEST_INDEX: "https://pypi.example.com{/n}/simple",
}
NEUTRAL_HOSTS = frozenset(urlsplit(url).hostname or "" for url in NEUTRAL_URLS.values())
GROUP = re.compile(r"/groups/[^/]+/-/")


def is_public_host(host: str) -> bool:
    """Tell whether a host identifies no company: a public one, or one that is reserved for examples."""
    name = host.lower()
    return name in PUBLIC_HOSTS or name in NEUTRAL_HOSTS or name.endswith(".example.com")


def profile_of(url: str) -> str:
    """Return the registry profile of the URL of an index; the public test index's where it is unknown."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    for profile, of_host, of_path in PROFILES_OF_URLS:
        if re.search(of_host, host) and re.search(of_path, parts.path):
            return profile
    return PUBLIC_TEST_INDEX


def neutral_url(url: str, number: int) -> str:
    """Return the URL of the same kind at a neutral host, the number-th (from 1) of its kind."""
    if (urlsplit(url).hostname or "") in PUBLIC_INDEX_HOSTS:
        return url
    profile = profile_of(url)
    template = NEUTRAL_URLS[profile]
    if profile == "gitlab" and GROUP.search(url):
        template = template.replace("/projects/{n}/", "/groups/{n}/-/")
    more = number > 1
    filled = template.replace("{n}", str(number))
    filled = filled.replace("{-n}", f"-{number}" * more).replace("{/n}", f"/{number}" * more)
    return filled + "/" * url.endswith("/")
