"""The git repositories of an MRE, made in memory, and what GitHub answers for them."""

import gzip
import io
import json
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uvmre.core.network.index import repository_address
from uvmre.gateway.http.exchange import TEXT_PLAIN, Exchange, Response
from uvmre.gateway.index.pypi_proxy import basic_auth, is_authorized

if TYPE_CHECKING:
    from uvmre.core.network.index import GitCommit
    from uvmre.gateway.config import GatewayConfig

GITHUB = "github.com"
GITHUB_URLS = {
    "api.github.com": re.compile(r"/repos/([^/]+/[^/]+)/commits/(.+)\Z"),
    "raw.githubusercontent.com": re.compile(r"/([^/]+/[^/]+)/([^/]+)/(.+)\Z"),
}
"""The repository, the commit, and the file, in what uv requests beside git's own URLs."""
SERVICES = ("/info/refs", "/git-upload-pack", "/git-receive-pack", "/info/lfs/objects/batch")
SHA_ONLY = b"application/vnd.github.3.sha"
JSON = ((b"content-type", b"application/json; charset=utf-8"),)
CHALLENGE = (b"www-authenticate", b'Basic realm="GitHub"')
NOT_FOUND = Response(404, (TEXT_PLAIN,), b"404: Not Found")
BORN = date(2020, 1, 1)
"""The day of the first commit of an MRE without a cutoff date: the hashes of commits are always the same."""
AUTHOR = b"uvmre <uvmre@example.com>"
FILE, EXECUTABLE, SUBMODULE = 0o100644, 0o100755, 0o160000


class GitServer:
    """Answers for the repositories of a gateway config."""

    def __init__(self, config: "GatewayConfig") -> None:
        self._config = config
        self._by_address = {repository_address(each.url): each for each in config.repositories}
        self._made: dict[str, Any] = {}
        """The dulwich.repo.MemoryRepo of each, as far as they were requested."""

    def answer(self, exchange: Exchange) -> Response | None:
        """Return the response of git's HTTP protocol or of GitHub; None where the URL is of no repository."""
        path, _, query = exchange.path.partition("?")
        github = GITHUB_URLS[exchange.host].match(path) if exchange.host in GITHUB_URLS else None
        service = next((each for each in SERVICES if path.endswith(each)), "")
        place = f"{GITHUB}/{github[1]}" if github else f"{exchange.host}{path.removesuffix(service)}"
        address = repository_address(f"//{place}")
        repository = self._by_address.get(address)
        if repository is None or not (github or service):
            return None
        header, sent = basic_auth(repository.username, repository.password), exchange.authorization
        if repository.password and (sent is None or not is_authorized(header, sent)):
            return NOT_FOUND if github else Response(401, (CHALLENGE, TEXT_PLAIN), b"Repository not found.\n")
        if github:
            return self._github(address, [unquote(part) for part in github.groups()[1:]], exchange)
        if service == "/git-upload-pack" or (service == "/info/refs" and query == "service=git-upload-pack"):
            return self._upload_pack(address, exchange, advertise=service == "/info/refs")
        return Response(
            403, (TEXT_PLAIN,), b"The repositories of an MRE can only be fetched, by git's smart protocol.\n"
        )

    def head(self, url: str) -> str:
        """Return the hash of the commit that HEAD of a repository names."""
        return str(self._repository(repository_address(url)).head().decode())

    def _upload_pack(self, address: str, exchange: Exchange, *, advertise: bool) -> Response:
        from dulwich.protocol import ReceivableProtocol
        from dulwich.server import DictBackend, UploadPackHandler

        body, written = bytes(exchange.request.body), io.BytesIO()
        if exchange.fields.get(b"content-encoding") == b"gzip":
            body = gzip.decompress(body)
        protocol = ReceivableProtocol(io.BytesIO(body).read, written.write)
        if advertise:
            protocol.write_pkt_line(b"# service=git-upload-pack\n")
            protocol.write_pkt_line(None)
        backend = DictBackend({"": self._repository(address)})
        UploadPackHandler(backend, [""], protocol, stateless_rpc=True, advertise_refs=advertise).handle()
        kind = b"advertisement" if advertise else b"result"
        headers = ((b"content-type", b"application/x-git-upload-pack-" + kind), (b"cache-control", b"no-cache"))
        return Response(200, headers, written.getvalue())

    def _github(self, address: str, parts: list[str], exchange: Exchange) -> Response:
        """Answer as GitHub's API for a commit, without a limit of its rate, or with the content of a file."""
        from dulwich.objectspec import parse_commit

        repository = self._repository(address)
        try:
            commit = parse_commit(repository, parts[0].encode())
            if parts[1:]:
                tree, path = repository[commit.tree], parts[1].encode()
                sha = tree.lookup_path(repository.object_store.__getitem__, path)[1]
                return Response(200, (TEXT_PLAIN, (b"etag", b'"%s"' % sha)), repository[sha].data)
        except (KeyError, ValueError, AttributeError, NotADirectoryError):  # no such commit, no such file, or a folder
            message = json.dumps({"message": f"No commit found for SHA: {parts[0]}"}).encode()
            return NOT_FOUND if parts[1:] else Response(422, JSON, message)
        etag = (b"etag", b'"%s"' % commit.id)
        if SHA_ONLY in exchange.fields.get(b"accept", b""):
            return Response(200, ((b"content-type", SHA_ONLY + b"; charset=utf-8"), etag), bytes(commit.id))
        return Response(200, (*JSON, etag), json.dumps({"sha": commit.id.decode()}).encode())

    def _repository(self, address: str) -> Any:
        """Return a repository, which is made on its first use; its submodules are above it in the manifest."""
        if address not in self._made:
            from dulwich.repo import MemoryRepo

            made: Any = MemoryRepo()
            commits = self._by_address[address].commits
            tip = b""
            for n, commit in enumerate(commits):
                branch = b"refs/heads/" + commit.branch.encode()
                tip = self._add_commit(made, commit, n, made.refs.as_dict().get(branch, tip))
                # Any commit can be fetched by its hash, as each is the tip of something.
                tag = [b"refs/tags/" + commit.tag.encode()] if commit.tag else []
                for name in (branch, b"refs/pull/%d/head" % (n + 1), *tag):
                    made.refs[name] = tip
            made.refs.set_symbolic_ref(b"HEAD", b"refs/heads/" + commits[0].branch.encode())
            self._made[address] = made
        return self._made[address]

    def _add_commit(self, made: Any, described: "GitCommit", n: int, parent: bytes) -> bytes:
        from dulwich.index import commit_tree
        from dulwich.objects import Blob, Commit

        begin = f"{described.folder.strip('/')}/"
        modules = (f'[submodule "{p}"]\n\tpath = {p}\n\turl = {url}\n' for p, url in described.submodules.items())
        contents = {".gitmodules": "".join(modules).encode()} if described.submodules else {}
        contents |= {
            path.removeprefix(begin): data for path, data in self._config.files.items() if path.startswith(begin)
        }
        entries: list[Any] = []
        for path, content in contents.items():
            blob = Blob.from_string(content)
            made.object_store.add_object(blob)
            entries.append((path.encode(), blob.id, EXECUTABLE if begin + path in self._config.executables else FILE))
        for path, url in described.submodules.items():
            entries.append((path.encode(), self._repository(repository_address(url)).head(), SUBMODULE))
        commit: Any = Commit()
        commit.tree = commit_tree(made.object_store, entries)
        commit.parents = [parent] if parent else []
        commit.author = commit.committer = AUTHOR
        day = self._config.exclude_newer or BORN
        begun = datetime(day.year, day.month, day.day, tzinfo=UTC)
        commit.author_time = commit.commit_time = int(begun.timestamp()) + n * 3600
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = described.message.encode() + b"\n"
        made.object_store.add_object(commit)
        return bytes(commit.id)
