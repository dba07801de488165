"""Post a text on GitHub."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvmre.core.text.visible import visible
from uvmre.errors import CannotTell, UsageError, cause
from uvmre.inbox.github import ISSUE, api_url

NO_TOKEN = "log in with `gh auth login`, or set GITHUB_TOKEN"
STATUSES = {
    401: ("GitHub does not accept the token", NO_TOKEN),
    403: ("GitHub does not allow it", "use a token that may write there, or wait until the rate limit is reset"),
    404: ("there is no such repository or issue, or the token has no access to it", "check `--repo` and `--issue`"),
    422: ("GitHub does not accept the text", "check its length and title"),
}


@dataclass(frozen=True)
class PublishTarget:
    """Where a text is posted: a new issue, a comment below an issue, or a secret gist."""

    kind: str
    repo: str = ""
    issue: str = ""

    @property
    def label(self) -> str:
        """Return it in words."""
        if self.kind == "gist":
            return "a gist that everybody with its URL can read"
        return f"a comment on {self.repo}#{self.issue}" if self.issue else f"a new issue in {self.repo}"

    def request(self, title: str, file_name: str, text: str) -> tuple[str, dict[str, Any]]:
        """Return the path and the body of its request."""
        if self.kind == "gist":
            return "gists", {"description": title, "public": False, "files": {file_name: {"content": text}}}
        if self.kind == "comment":
            return f"repos/{self.repo}/issues/{self.issue}/comments", {"body": text}
        return f"repos/{self.repo}/issues", {"title": title, "body": text}


def publish(target: PublishTarget, title: str, file_name: str, text: str, token: Callable[[], str]) -> str:
    """Post a text, and return its URL.

    Raises:
        UsageError: without a token, or if GitHub refuses.
        CannotTell: if there is no response.
    """
    import httpx

    from uvmre.client import http_client

    value = token()
    if not value:
        raise UsageError("there is no token for GitHub", NO_TOKEN)
    match = ISSUE.match(f"{target.repo or 'a/b'}#{target.issue or 0}")
    if match is None:
        raise UsageError(f"`{target.repo}` is not a repository", "use the form OWNER/REPO")
    path, data = target.request(title, file_name, text)
    headers = {"accept": "application/vnd.github+json", "authorization": f"Bearer {value}"}
    try:
        with http_client() as http:
            response = http.post(f"{api_url(match)}/{path}", headers=headers, json=data, follow_redirects=False)
            answer = response.json() if response.content else {}
            if response.status_code == 201:
                return visible(str(answer["html_url"]))
    except httpx.HTTPError as error:
        hint = "it may be there nevertheless: look before you try again"
        raise CannotTell(f"no response from GitHub for {target.label}", hint, cause=cause(error)) from None
    except (ValueError, KeyError, TypeError):
        raise CannotTell("the response is not from GitHub", "check GITHUB_API_URL") from None
    status = response.status_code
    default = (f"GitHub answers with the status {status}", "try again later, or check `--repo`")
    message, hint = STATUSES.get(status, default)
    reason = re.sub(r"\s+", " ", visible(str(answer.get("message", "") if isinstance(answer, dict) else "")))
    raise (CannotTell if status >= 500 else UsageError)(message, hint, cause=reason.replace(value, "****"))
