"""What a release knows: its commands by their help, settings and variables by the bytes of the binary."""

from pathlib import Path

import pytest

from uvmre.flows.probe.needs import missing_need

UV = """\
#!/bin/sh
# required-environments UV_TORCH_BACKEND
case "$*" in
  "audit --help") exit 0 ;;
  "audit --fix --help") echo "error: unexpected argument '--fix' found" >&2; exit 2 ;;
  "version --bump --help") echo "error: a value is required for '--bump <BUMP>' but none was supplied" >&2; exit 2 ;;
  *) echo "error: unrecognized subcommand '$1'" >&2; exit 2 ;;
esac
"""


@pytest.mark.parametrize(
    ("needs", "missing"),
    [
        ((), ""),
        (("uv audit",), ""),
        (("uv audit --fix",), "uv audit --fix"),
        (("uv version --bump",), ""),
        (("uv audit", "uv format"), "uv format"),
        (("uvx ruff",), "uvx ruff"),
        (("required-environments", "UV_TORCH_BACKEND"), ""),
        (("no-such-setting",), "no-such-setting"),
        (("UV_NO_SUCH",), "UV_NO_SUCH"),
    ],
)
def test_what_a_release_lacks_is_the_first_need_that_it_does_not_know(
    tmp_path: Path, needs: tuple[str, ...], missing: str
) -> None:
    uv = tmp_path / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    assert missing_need(uv, needs) == missing
