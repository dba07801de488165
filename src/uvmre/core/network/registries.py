"""How known registries differ, as tables of behaviour; each fact with its source.

uv#N is an issue or pull request of astral-sh/uv. What no source tells is left at its default.
"""

from dataclasses import dataclass

S3_REFUSES = (
    "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed; only the X-Amz-Algorithm query "
    "parameter, Signature query string parameter or the Authorization header should be specified</Message></Error>"
)


@dataclass(frozen=True)
class RegistryProfile:
    """What a client can tell of a registry; the defaults are PyPI's own ways, behind a password."""

    json: bool = True
    """Whether pages are to be had as JSON (PEP 691) beside HTML."""
    form: str = "text/html"
    """The content type of HTML."""
    challenges: tuple[str, ...] = ()
    """Each WWW-Authenticate header of a 401."""
    denied: int = 401
    """The status without credentials."""
    wrong: int = 401
    """The status with wrong ones."""
    missing: int = 404
    """The status of a project or a file that is not there."""
    empty: bool = False
    """Whether a project that is not there has a page without links."""
    elsewhere: str = ""
    """Where a client is sent for a project that is not there; `{project}` is its name."""
    slash: int = 0
    """The status with which a page without its last slash sends to the one with it; 0 where it is answered as it is."""
    username: str = ""
    """What the password goes with, where the registry knows only one."""
    any_username: bool = False
    """Whether only the password, a token, is looked at."""
    links: str = "{origin}{base}/files/{path}"
    """A file's address in its project's page: `{base}` is the index without `/simple`, `{path}` its place at PyPI."""
    short_version: bool = False
    """Whether `{version}` has no `.0` at its end."""
    attributes: str = ""
    """What else every link of a page carries."""
    hashes: bool = True
    metadata: bool = True
    """Whether pages tell of metadata files (PEP 658), which are then there."""
    uploaded: bool = True
    """Whether JSON tells when a file came (PEP 700)."""
    uploaded_in_html: bool = False
    requires_python: bool = True
    yanked: bool = True
    head: int = 200
    """The status of a HEAD for a file that is there."""
    ranges: bool = True
    """Whether a part of a file can be had."""
    says_ranges: bool = True
    """Whether it says so."""
    storage: str = ""
    """Where a client is sent for a file: a signed address, on another host or, with a `/` first, on this one.

    `{n}` tells the indexes apart that have one storage.
    """
    storage_status: int = 302
    storage_refuses: str = ""
    """What the storage says to credentials that come along, where it refuses them."""


PROFILES = {
    "pypi-proxy": RegistryProfile(challenges=('Basic realm="authenticated"',)),
    "artifactory": RegistryProfile(
        json=False,  # JSON is a feature to be enabled, from 7.132: jfrog.com, "upload date based package filtering"
        challenges=('Basic realm="Artifactory Realm"',),  # the realm of its Maven endpoint; PyPI's own is not told
        wrong=401,
        slash=302,  # renovatebot/renovate#8817
        links="../../packages/{path}",  # uv#1393, uv#17485: …/REPO/packages/packages/97/75/…
        metadata=False,  # opt-in since 2026: jfrog.com, "enabling fast dependency resolution for PyPI (PEP 658)"
        uploaded=False,  # uv#18823, uv#12449
        yanked=False,
        ranges=False,  # 200 and the whole file, though HEAD promises ranges: uv#1370, async_http_range_reader#5
    ),
    "gitlab": RegistryProfile(
        json=False,  # behind the flag pypi_pep_691_json, off: gitlabhq lib/api/pypi_packages.rb
        form="text/html; charset=utf-8",  # the same, present_html
        challenges=('Basic realm="GitLab Packages Registry"',),  # lib/api/helpers/packages/basic_auth_helpers.rb
        elsewhere="https://pypi.org/simple/{project}/",  # forwarding is on by default: uv#7359, uv#12004
        links="{origin}{base}/files/{sha256}/{filename}",  # simple_package_versions_presenter.rb
        metadata=False,  # no presenter has them
        uploaded=False,
        yanked=False,
        # lib/api/helpers.rb, present_carrierwave_file!: object storage with direct download
        storage="https://gitlab-packages.s3.amazonaws.com/{n}/{sha256}/{filename}?X-Amz-Algorithm=AWS4-HMAC-SHA256",
        storage_refuses=S3_REFUSES,  # jfrog/terraform-provider-artifactory#22 has S3's words
    ),
    "azure-artifacts": RegistryProfile(
        json=False,  # uv#10394
        challenges=(  # openupm/openupm-cli#425, the npm endpoint of the same host
            "Bearer authorization_uri=https://login.windows.net/00000000-0000-0000-0000-000000000000",
            'Basic realm="https://pkgsprodcus1.pkgs.visualstudio.com/"',
            "TFS-Federated",
        ),
        any_username=True,  # uv docs, guides/integration/azure.md
        links="{origin}{base}/download/{project}/{version}/{filename}",  # uv#10394
        short_version=True,  # …/download/requests/2.31/requests-2.31.0-…: uv#10394, uv#13208
        metadata=False,  # uv#11379, uv#21349
        uploaded=False,  # uv#10394
        yanked=False,
        head=405,  # pypa/pip#10694, uv#13208
        storage="https://uvmre.vsblob.vsassets.io/{n}/{sha256}/{filename}?sv=2019-07-07&sig=uvmre",  # uv#11440
        storage_status=303,  # pypa/pip#10694, uv#13595
    ),
    "nexus": RegistryProfile(
        json=False,  # sonatype/nexus-public#998
        challenges=('BASIC realm="Sonatype Nexus Repository Manager"',),  # NexusBasicHttpAuthenticationFilter.java
        empty=True,  # a group repository: PyPiGroupUtils.java, uv#7273
        links="../../packages/{project}/{version}/{filename}",  # PyPiIndexUtils.java
        attributes='rel="internal"',  # pypi-index.vm
        metadata=False,  # sonatype/nexus-public#296
        uploaded=False,  # sonatype/nexus-public#998, uv#18847
        says_ranges=False,  # serves them, PartialFetchHandler.java, and does not say so: uv#5351
    ),
    "codeartifact": RegistryProfile(
        challenges=("Bearer",),  # though it takes Basic: pex-tool/pex#3225, #1803
        username="aws",  # uv docs, guides/integration/aws.md
        links="{version}/{filename}",  # the page in uv's own tests, crates/uv-client/src/html.rs
        attributes='data-gpg-sig="false"',  # the same
        metadata=False,
    ),
    "google-artifact-registry": RegistryProfile(
        json=False,
        username="oauth2accesstoken",  # uv docs, guides/integration/google.md
        links="../../{project}/{filename}",  # uv#1449, uv#20850: beside /simple/
        metadata=False,
        uploaded=False,
        says_ranges=False,  # uv#18998
        storage="/artifacts-downloads/namespaces/uvmre/repositories/{n}/downloads/{filename}",  # uv#20850, uv#13255
    ),
    "devpi": RegistryProfile(
        links="../../+f/{sha3}/{sha13}/{filename}",  # devpi_server/views.py, filestore.py
        challenges=('Basic realm="pypi"',),  # devpi_server/views.py
        metadata=False,  # devpi/devpi#1018
        uploaded=False,  # devpi/devpi#1061
        ranges=False,  # devpi/devpi#1021
        says_ranges=False,
    ),
    "pytorch": RegistryProfile(
        json=False,  # pytorch/test-infra, s3_management/manage_v2.py: static files
        missing=403,  # uv docs, concepts/indexes.md
        links="{base}/{filename}",  # manage_v2.py: root-relative, `+` as %2B
        hashes=False,  # never for nightly, mixed elsewhere: pytorch/pytorch#153469
        uploaded_in_html=True,  # manage_v2.py, uv#20357
        requires_python=False,
        yanked=False,
    ),
    "simple-no-range": RegistryProfile(  # `python -m http.server`, tried with CPython 3.11
        json=False,
        slash=301,
        links="{filename}",
        metadata=False,
        uploaded=False,
        ranges=False,
        says_ranges=False,
    ),
    "github-pages": RegistryProfile(
        json=False,  # static files
        form="text/html; charset=utf-8",  # npct/pct-shiny#824
        slash=301,  # jekyll/jekyll#4920
        links="{filename}",
        metadata=False,
        uploaded=False,
    ),
}
