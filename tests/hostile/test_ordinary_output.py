"""What real uv prints is not redacted: hundreds of outputs of old and new releases, made behind the gateway."""

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from uvmre.core.secrets.redact import redact

RELEASES = ("0.1.24", "0.2.30", "0.4.18", "0.5.21", "0.7.22", "0.9.5")
LEAST = 200
COMMANDS = """\
uv --version
uv --help
uv help lock
uv pip --help
uv pip install --help
uv publish --help
uv sync --help
uv run --help
uv cache dir
uv python list
uv venv -v
uv pip install -v six idna==3.7
uv pip install --require-hashes -r hashes.txt
uv pip list
uv pip freeze
uv pip show six
uv pip tree
uv pip check
uv pip install nonexistent-package-of-nobody
uv pip install six==99
uv pip install 'six @ https://files.pythonhosted.org/packages/b7/ce/149a00dd41f10bc29e5921b496af8b574d8413afcd5e30dfa0ed46c2cc5e/six-1.17.0-py2.py3-none-any.whl'
uv pip install --index-url https://pypi.org/nothing six
uv pip install tiktoken --dry-run
uv pip compile --generate-hashes requirements.in
uv pip compile --emit-index-url --emit-index-annotation requirements.in
uv pip compile -v requirements.in
uv pip compile --universal requirements.in
uv pip uninstall six
uv lock
uv lock -v
cat uv.lock
uv tree
uv export --format requirements-txt
uv export --no-hashes
uv sync -v
uv add idna
uv add 'git+https://github.com/nobody/nothing'
uv remove idna
uv run --no-sync python -c 'print(1)'
uv build -v
uv build --sdist
uv tool list
uv publish --dry-run
uv self version
uv cache clean six
RUST_LOG=trace uv pip compile requirements.in
uv pip compile pyproject.toml --python-version 3.9
uv pip sync hashes.txt
uv init other
uv lock --index-url https://pypi.org/simple --default-index
uv version
uv bogus-command
"""
FILES = {
    "requirements.in": "requests==2.32.3\ntiktoken==0.7.0\ntokenizers==0.19.1\nsecretstorage==3.3.3\nkeyring==25.2.1\n",
    "pyproject.toml": """\
[project]
name = "token-secret"
version = "1.2.3"
requires-python = ">=3.11"
dependencies = ["six", "keyring==25.2.1; sys_platform == 'linux'"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build]
include = ["*.py"]
""",
    "a.py": "token = None\n",
    "hashes.txt": (
        "six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254 "
        "--hash=sha256:1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c84c4c926\n"
    ),
}
SYMPTOM = '[symptom]\noutput = ["what no step prints"]\n'


def manifest(release: str) -> str:
    """Return a manifest whose steps are the commands; what each prints is kept with its name."""
    steps = [f'[[step]]\nrole = "observe"\nrun = {json.dumps(f"{line} 2>&1")}\n' for line in COMMANDS.splitlines()]
    head = f'schema = 1\ntitle = "Ordinary output"\n[environment]\nuv = "{release}"\nexclude-newer = 2025-01-23\n'
    return f"{head}{''.join(steps)}{SYMPTOM}"


@pytest.mark.slow
@pytest.mark.network
def test_ordinary_output_of_uv_is_not_redacted(uvmre: CommandLine, tmp_path: Path) -> None:
    outputs: dict[str, str] = {}
    for release in RELEASES:
        folder = tmp_path / release
        folder.mkdir()
        for name, text in FILES.items():
            (folder / name).write_text(text)
        (folder / "mre.toml").write_text(manifest(release))
        ended = uvmre("run", folder, "--keep", "--json")
        for step in json.loads(ended.stdout)["variants"][0]["steps"]:
            if step["stdout"].strip():
                outputs[f"{release}: {step['run']}"] = step["stdout"]
    # A run masks what it keeps, so a mask in it is one that redaction put there.
    masked = {name: text for name, text in outputs.items() if "****" in text or redact(text) != text}
    assert masked == {}
    assert len(outputs) >= LEAST, len(outputs)
