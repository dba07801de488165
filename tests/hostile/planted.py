"""Secrets of every kind, planted in every field of an MRE, an issue and an environment. All are made up."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

KINDS: dict[str, Callable[[str], str]] = {
    "GitHub": lambda v: f"ghp_{v}",
    "GitHub, fine-grained": lambda v: f"github_pat_11AAAAAAA0{v}_{v}",
    "GitLab": lambda v: f"glpat-{v}",
    "PyPI": lambda v: f"pypi-AgEIcHlwaS5vcmc{v}",
    "npm": lambda v: f"npm_{v}9",
    "AWS, id": lambda v: f"AKIA{v.upper()}",
    "Google": lambda v: f"AIza{v}{v}",
    "Slack": lambda v: f"xoxb-{v}",
    "JWT": lambda v: f"eyJhbGciOiJIUzI1NiJ9.{v}.{v}",
    "OpenAI": lambda v: f"sk-proj-{v}",
}
"""Recognized by their shape alone, in any text."""
NAMED: dict[str, Callable[[str], str]] = {
    "a URL": lambda v: f"https://me:{v}@host.example/simple",
    "a URL of git": lambda v: f"git+https://x-access-token:{v}@github.com/a/b.git",
    "a user of a URL": lambda v: f"https://{v}@host.example/simple",
    "a query": lambda v: f"GET /simple?private_token={v}&page=2",
    "a signature": lambda v: f"https://host.example/a.whl?X-Amz-Signature={v}",
    "a variable": lambda v: f"UV_PUBLISH_TOKEN={v}",
    "a variable of an index": lambda v: f"UV_INDEX_ACME_PASSWORD={v}",
    "a cloud's key": lambda v: f"AWS_SECRET_ACCESS_KEY={v}",
    "a cloud's account": lambda v: f"DefaultEndpointsProtocol=https;AccountKey={v}==;EndpointSuffix=core.example",
    "an option": lambda v: f"uv publish --token {v}",
    "an option with a space": lambda v: f"uv publish --username __token__ --password {v} dist/a.whl",
    "a header": lambda v: f"> Authorization: Bearer {v}",
    "basic authentication": lambda v: f"authorization: Basic {v}==",
    "a private header": lambda v: f"PRIVATE-TOKEN: {v}",
    "a cookie": lambda v: f"Cookie: session={v}",
    ".netrc": lambda v: f"machine host.example login me password {v}",
    "pip.conf": lambda v: f"index-url = https://me:{v}@host.example/simple",
    ".pypirc": lambda v: f"password = {v}",
    "TOML": lambda v: f'password = "{v}"',
    "JSON": lambda v: json.dumps({"access_token": v, "a": 1}),
    "docker": lambda v: json.dumps({"auths": {"host": {"auth": f"{v}=="}}}),
    "npmrc": lambda v: f"//registry.example/:_authToken={v}",
    "curl": lambda v: f"curl -u me:{v} https://host.example",
    "Dockerfile": lambda v: f"ENV ACME_TOKEN {v}",
    "GitHub Actions": lambda v: f"echo ::add-mask::x; export GH_TOKEN='{v}'",
}
"""Recognized by what stands around them in a line."""
LINES: dict[str, Callable[[str], str]] = {
    "PEM": lambda v: f"-----BEGIN RSA PRIVATE KEY-----\n{v}{v}\n{v}{v}\n-----END RSA PRIVATE KEY-----",
    "OpenSSH": lambda v: f"-----BEGIN OPENSSH PRIVATE KEY-----\n{v}{v}\n-----END OPENSSH PRIVATE KEY-----",
    ".netrc, in lines": lambda v: f"machine host.example\n  login me\n  password {v}",
    "keyring": lambda v: f"$ keyring get https://host.example me\n{v}",
    "pip.conf, in lines": lambda v: f"[global]\nextra-index-url =\n    https://me:{v}@host.example/simple",
}
"""Recognized over several lines."""


@dataclass
class Plants:
    """The secrets that were planted."""

    places: dict[str, str] = field(default_factory=dict)
    """Where each is, by its value."""

    def value(self, where: str) -> str:
        """Return a new secret value."""
        number = len(self.places)
        value = f"q{number:03}Zk9Lm2Vw8Rt4Yp6Hs3Jd"
        self.places[value] = where
        return value

    def plant(self, kind: str, where: str) -> str:
        """Return a text with a new secret of a kind."""
        return (KINDS | NAMED | LINES)[kind](self.value(f"{kind} in {where}"))

    def all_kinds(self, where: str) -> str:
        """Return lines with a secret of every kind."""
        return "".join(f"{self.plant(kind, where)}\n" for kind in KINDS | NAMED | LINES)

    def found_in(self, text: str) -> list[str]:
        """Return where the secrets were planted that are in a text; a slug is in lower case."""
        low = text.lower()
        return [where for value, where in self.places.items() if value.lower() in low]


def plant_mre(folder: Path, plants: Plants) -> None:
    """Write an MRE with secrets in every field."""
    plant, text = plants.plant, json.dumps
    hidden = plants.all_kinds("the output")
    (folder / "home").mkdir(parents=True)
    printed = folder / "hidden.py"
    # Shifted by one, so that only the output has them.
    printed.write_text(
        "import sys\nfor line in open(sys.argv[0] + '.rot'):\n"
        "    line = ''.join(chr(ord(c) - 1) for c in line.rstrip('\\n'))\n    print(line)\n"
        "    print(line, file=sys.stderr)\n"
    )
    Path(f"{printed}.rot").write_text(
        "".join("".join(chr(ord(c) + 1) for c in line) + "\n" for line in hidden.splitlines())
    )
    (folder / "home" / ".netrc").write_text(f"{plant('.netrc', 'a .netrc')}\n")
    (folder / "home" / "pip.conf").write_text(f"[global]\n{plant('pip.conf', 'a pip.conf')}\n")
    (folder / ".pypirc").write_text(f"[pypi]\nusername = __token__\n{plant('.pypirc', 'a .pypirc')}\n")
    (folder / "mre.env").write_text(f"GITLAB_PAT={plants.value('an env file')}\n")
    (folder / "key.pem").write_text(plant("PEM", "a key"))
    (folder / "uv.lock").write_text(
        f'version = 1\nsource = {{ registry = "{plant("a URL", "a lock file")}" }}\n'
        f'url = "https://host.example/a.whl?token={plants.value("a query in a lock file")}"\n'
    )
    contained = plant("GitHub", "the text of a file of the symptom")
    (folder / "all.txt").write_text(f"{plants.all_kinds('a file')}{contained}\n")
    (folder / f"notes-{plant('GitHub', 'a file name')}.md").write_text("notes\n")
    (folder / "data.bin").write_bytes(b"\xff\0" + plant("GitHub", "a binary file").encode())
    shown = plant("Slack", "the symptom")
    requested = plants.value("the query of a request")
    in_path = plant("GitLab", "the path of a request")
    header = plants.value("the header of a request")
    run = (
        f"{plant('a variable', 'a command')} python hidden.py; echo {shown} >&2; cat all.txt .pypirc mre.env; env; "
        f"curl -s -H 'Authorization: Bearer {header}' 'https://pypi.org/simple/{in_path}/?token={requested}'; "
        f"curl -s 'https://pypi.org/simple/six/?api_key={plants.value('the query of a recorded request')}' | wc -c; exit 7"
    )
    refused = (
        f"echo {plant('a URL', 'a step of a control')}; curl -s https://{plant('GitLab', 'a host').lower()}.example/; "
        f"uv lock --index-url {plant('a URL', 'an option')}; keyring get https://host.example me"
    )
    (folder / "bin").mkdir()
    secret = plants.value("what keyring prints")
    (folder / "bin" / "keyring").write_text(f"#!/bin/sh\nprintf '%s%s\\n' {secret[:9]} {secret[9:]}\n")
    (folder / "bin" / "keyring").chmod(0o755)
    (folder / "mre.toml").write_text(f"""\
schema = 1
title = {text(f"It breaks with {plant('GitHub', 'the title')}")}
issue = {text(f"https://host.example/issues/1?private_token={plants.value('the URL of the issue')}")}

[environment]
uv = "0.5.21"
env-file = "mre.env"
home = "home"
path = ["bin"]
variables = {{ UV_PUBLISH_PASSWORD = {text(plants.value("a variable"))}, PLAIN = {text(plant("GitHub", "a plain variable"))}, DB = {text(plant("a URL", "a plain variable"))}, UV_INDEX_ACME_USERNAME = {text(plants.value("a user name"))} }}

[[step]]
role = "setup"
name = {text(f"set up {plant('JWT', 'the name of a step')}")}
run = {text(f"true {plant('a variable', 'a setup step')}")}

[[step]]
role = "observe"
run = {text(run)}

[symptom]
exit = 7
output = [{text(shown)}]

[[symptom.file]]
path = "all.txt"
contains = {text(contained)}

[[control]]
name = {text(f"without {plant('GitLab', 'the name of a control')}")}
expect = "absent"
why = {text(f"because of {plant('PyPI', 'the reason of a control')}")}
variables = {{ ACME_TOKEN = {text(plants.value("a variable of a control"))} }}
files = {{ "home/.netrc" = {text(plant(".netrc", "a file of a control"))} }}
[[control.step]]
role = "observe"
run = {text(refused)}

[[index]]
url = "https://index.example/{plant("GitLab", "the URL of an index")}/simple"
username = {text(plants.value("the user of an index"))}
password = {text(plants.value("the password of an index"))}
packages.six.versions."1.0" = {{}}

[[fault]]
url = {text(f"https://fault.example/?token={plants.value('the URL of a fault')}")}
status = 503
""")


def plant_issue(path: Path, plants: Plants) -> None:
    """Write an issue with secrets in every part."""
    plant = plants.plant
    path.write_text(f"""\
# uv lock fails with {plant("GitHub", "the title of the issue")}
<!-- o/r#1 created 2025-01-22T10:00:00Z -->

uv 0.5.21, Python 3.11. The index is {plant("a URL", "the text of the issue")}, {plant("a query", "the text")}.

{plants.all_kinds("the text of the issue")}

pyproject.toml:

```toml
[project]
name = "a"
version = "1"
requires-python = ">=3.11"
dependencies = ["b >> 1"]

[[tool.uv.index]]
url = "{plant("a URL", "a pyproject.toml")}"
```

`{plant("GitLab", "a file name of the issue")}.txt`:

```
{plants.all_kinds("a file of the issue")}
```

```console
$ export {plant("a variable", "a command of the issue")}
$ echo {plant("an option", "a command of the issue")}
$ uv lock --index-url {plant("a URL", "an option of the issue")}
{plants.all_kinds("the output in the issue")}error: Failed to parse: `pyproject.toml` with {plant("npm", "the error of the issue")}
```
""")


def plant_runnable_issue(path: Path, plants: Plants) -> None:
    """Write an issue with secrets that has all that a run needs."""
    plant = plants.plant
    path.write_text(f"""\
# uv lock fails with {plant("GitHub", "the title")}
<!-- o/r#1 created 2025-01-22T10:00:00Z -->

uv 0.5.21. My token is {plant("GitLab", "the text")}.

pyproject.toml:

```toml
[project]
name = "a"
version = "1"
requires-python = ">=3.11"
dependencies = ["six==99"]

[tool.acme]
{plant("TOML", "a pyproject.toml")}
```

```console
$ echo {plant("a variable", "a command")}
$ {plant("a cloud's key", "a command")} uv lock
{plant("a header", "the output")}
  × No solution found when resolving dependencies:
  ╰─▶ Because there is no version of six==99 and your project depends on six==99, we can conclude that your project's
      requirements are unsatisfiable.
```
""")
