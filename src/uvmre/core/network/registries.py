"""Profiles of known registries, each fact with its source; without a source, the default applies.

uv#N is an issue or pull request of astral-sh/uv.
"""

from dataclasses import dataclass

S3_REFUSES = (
    "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed; only the X-Amz-Algorithm query "
    "parameter, Signature query string parameter or the Authorization header should be specified</Message></Error>"
)


@dataclass(frozen=True)
class RegistryProfile:
    """The behaviour of a registry; the defaults are PyPI's, behind a password."""

    json: bool = True
    """Whether it serves JSON (PEP 691) in addition to HTML."""
    form: str = "text/html"
    """The content type of HTML."""
    challenges: tuple[str, ...] = ()
    """Each WWW-Authenticate header of a 401."""
    denied: int = 401
    """The status without credentials."""
    wrong: int = 401
    """The status with wrong credentials."""
    missing: int = 404
    """The status of a missing project or file."""
    empty: bool = False
    """Whether a missing project has a page without links."""
    elsewhere: str = ""
    """Where a missing project redirects to; `{project}` is its name."""
    slash: int = 0
    """The status that redirects to the trailing slash; 0 for no redirect."""
    username: str = ""
    """The fixed username of the registry, if it has one."""
    any_username: bool = False
    """Whether only the password, a token, is checked."""
    links: str = "{origin}{base}/files/{path}"
    """A file's address in its project's page: `{base}` is the index without `/simple`, `{path}` its place at PyPI."""
    short_version: bool = False
    """Whether `{version}` has no `.0` at its end."""
    attributes: str = ""
    """More attributes of every link."""
    hashes: bool = True
    metadata: bool = True
    """Whether it serves metadata files (PEP 658)."""
    uploaded: bool = True
    """Whether JSON has upload times (PEP 700)."""
    uploaded_in_html: bool = False
    cache_control: bool = True
    """Whether its pages have PyPI's `cache-control`."""
    requires_python: bool = True
    yanked: bool = True
    head: int = 200
    """The status of a HEAD request for an existing file."""
    ranges: bool = True
    """Whether it serves range requests."""
    says_ranges: bool = True
    """Whether it announces them."""
    storage: str = ""
    """The signed URL that a file redirects to, on another host or, with a leading `/`, this one.

    `{n}` is the number of the index.
    """
    storage_status: int = 302
    storage_refuses: str = ""
    """The body with which the storage rejects credentials, if it does."""


PROFILES = {
    "pypi-proxy": RegistryProfile(challenges=('Basic realm="authenticated"',)),
    "artifactory": RegistryProfile(
        json=False,  # JSON is a feature to be enabled, from 7.132: jfrog.com, "upload date based package filtering"
        challenges=('Basic realm="Artifactory Realm"',),  # the realm of its Maven endpoint; PyPI's own is undocumented
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
        cache_control=False,  # devpi sends none
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
