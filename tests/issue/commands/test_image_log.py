"""The RUNs in the log of an image's build."""

import pytest

from uvmre.issue.commands.image_log import runs_of

BUILDKIT = """#7 [2/3] RUN uv venv
#7 0.201 Using CPython 3.12.4
#7 DONE 0.3s

#8 [3/3] RUN --mount=type=cache,target=/root/.cache uv sync &&     uv pip check
#8 0.214 error: It is wrong
#8 0.214   in two lines
#8 ERROR: process "/bin/sh -c uv sync" did not complete successfully: exit code: 2
------
 > [3/3] RUN --mount=type=cache,target=/root/.cache uv sync &&     uv pip check:
0.214 error: It is wrong
0.214   in two lines
------
"""
SUMMARY = """ => [2/3] COPY . .                                    0.1s
 => ERROR [3/3] RUN uv sync --frozen                  0.5s
------
 > [3/3] RUN uv sync --frozen:
0.431 error: It is wrong
------
Dockerfile:5
"""
CLASSIC = """Step 4/5 : RUN uv sync
 ---> Running in 0123456789ab
error: It is wrong
The command '/bin/sh -c uv sync' returned a non-zero code: 2
"""
WRONG = "error: It is wrong"


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        (
            BUILDKIT,
            [("uv venv", "Using CPython 3.12.4"), ("uv sync && uv pip check", f"{WRONG}\n  in two lines")],
        ),
        (SUMMARY, [("uv sync --frozen", WRONG)]),
        (CLASSIC, [("uv sync", WRONG)]),
        ("INFO[0001] Running: [/bin/sh -c uv sync]\nerror: It is wrong", [("uv sync", WRONG)]),
        (" > [build 6/6] RUN uv sync:\n#19 0.100 error: It is wrong", [("uv sync", WRONG)]),
        ("$ uv sync\nerror: It is wrong", []),
        ("#12 is fixed by #13: RUN uv sync\n0.5 s", []),
    ],
)
def test_runs_and_their_output(text: str, runs: list[tuple[str, str]]) -> None:
    assert runs_of(text) == runs
