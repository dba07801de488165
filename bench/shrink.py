"""How many calls `uvmre shrink --command` takes, beside lithium, picire and shrinkray in the same minutes.

(a) A `pyproject.toml` of 152 lines, of which the script needs one requirement with one bound, its source and its index.
(b) A workspace of 18 files, of which the script needs two.
(c) The first one with a script that waits, with one worker and with two.
Inputs and answers are other ones for each seed. The other programs are installed into a temporary environment.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from uvmre.core.shrink.toml_tree import parse_tree

UVMRE = [sys.executable, "-m", "uvmre", "shrink", "--again", "--json"]
OTHERS = {"lithium-reducer": "lithium", "picire": "picire", "shrinkray": "shrinkray"}
SEEDS = range(1, 9)
HINTED = "uvmre, hinted"
"""With a script that names what it needs."""
OTHER_SEEDS = (1, 2)
SECONDS = 240
NAMES = (
    "aiohttp alembic anyio attrs babel bcrypt black boto3 botocore cattrs celery certifi "
    "cffi click cryptography dask django fastapi flask fsspec gunicorn h11 httpx idna "
    "jinja2 lxml mako mypy networkx numpy orjson packaging pandas pillow polars psutil "
    "psycopg pydantic pyyaml redis requests rich ruff scipy sentry-sdk six sqlalchemy starlette "
    "structlog tenacity tornado tqdm typer urllib3 uvicorn wrapt xarray zarr"
)
PACKAGES = NAMES.split()
CHECK = """\
import json, re, sys, time, tomllib

answer = json.load(open({answer!r}))

def holds(text):
    try:
        data = tomllib.loads(text)
        needs = [re.split(r"[\\[<>=~!; ]", each, maxsplit=1)[0] for each in data["project"]["dependencies"]]
        bounds = [each.partition(";")[0] for each in data["project"]["dependencies"]]
        uv = data["tool"]["uv"]
        named = [each["name"] for each in uv["index"] if each["url"].startswith("https://")]
        return (
            any(name == answer['name'] and answer['bound'] in bound for name, bound in zip(needs, bounds))
            and uv["sources"][answer["name"]]["index"] == answer["index"] in named
        )
    except Exception:
        return False

def interesting(arguments, _prefix=None):
    with open({log!r}, "a") as log:
        log.write("x")
    time.sleep({seconds})
    path = arguments[-1] if arguments else "pyproject.toml"
    return holds(sys.stdin.read() if path == "-" else open(path).read())

if __name__ == "__main__":
    sys.exit(0 if interesting(sys.argv[1:]) else 1)
"""


def project(seed: int) -> tuple[str, dict[str, str]]:
    """Return a project of 152 lines, and what the script needs of it."""
    chance = random.Random(seed)
    names = chance.sample(PACKAGES, 48)

    def requirement(name: str) -> str:
        low, high = f"{chance.randint(0, 3)}.{chance.randint(0, 9)}", chance.randint(4, 9)
        bounds = chance.choice([f">={low}", f">={low},<{high}", f"~={low}", f">={low},!={low}.1,<{high}"])
        marker = chance.choice(["", "", "", "; python_version < '3.13'"])
        return f"{name}{chance.choice(['', '', '[all]'])}{bounds}{marker}"

    needs = {name: requirement(name) for name in names[:42]}
    sources = {name: chance.choice(["first", "second"]) for name in chance.sample(names[:42], 6)}
    lines = [
        "# Of the platform team",
        "[project]",
        'name = "platform"',
        'version = "4.2.0"',
        'description = "The platform"',
    ]
    lines += ['readme = "README.md"', 'requires-python = ">=3.11,<3.14"', 'license = { text = "MIT" }']
    lines += ["classifiers = [", '  "Private :: Do Not Upload",', '  "Programming Language :: Python",', "]"]
    lines += ["dependencies = [", *(f'  "{each}",' for each in needs.values()), "]", ""]
    lines += ["[project.scripts]", 'platform = "platform.cli:main"', "", "[project.optional-dependencies]"]
    for extra in ("docs", "lint", "aws", "ml"):
        lines += [f"{extra} = [", *(f'  "{requirement(each)}",' for each in chance.sample(names[:42], 3)), "]"]
    lines += ["", "[dependency-groups]"]
    for number, group in enumerate(("dev", "test")):
        lines += [
            f"{group} = [",
            *(f'  "{requirement(each)}",' for each in names[42 + 3 * number : 45 + 3 * number]),
            "]",
        ]
    lines += [
        "",
        "[build-system]",
        'requires = ["hatchling>=1.2"]',
        'build-backend = "hatchling.build"',
        "",
        "# Indexes",
    ]
    for index in ("first", "second"):
        lines += [
            "[[tool.uv.index]]",
            f'name = "{index}"',
            f'url = "https://{index}.example.com/simple"',
            "explicit = true",
            "",
        ]
    lines += ["[tool.uv.sources]", *(f'{name} = {{ index = "{index}" }}' for name, index in sources.items()), ""]
    lines += [
        "[tool.uv]",
        "package = true",
        "",
        "[tool.ruff]",
        "line-length = 100",
        "",
        "[tool.ruff.lint]",
        'select = ["E", "F"]',
    ]
    lines += ["", "[tool.pytest.ini_options]", 'addopts = "-q"', 'testpaths = ["tests"]', ""]
    lines += [f"# Remark {number}" for number in range(152 - len(lines))]
    name = chance.choice(list(sources))
    bound = chance.choice(needs[name].partition(";")[0].removeprefix(name).removeprefix("[all]").split(","))
    return "\n".join(lines) + "\n", {"name": name, "bound": bound, "index": sources[name]}


def write_check(folder: Path, answer: dict[str, str], *, seconds: float = 0.0, hint: bool = False) -> Path:
    """Write the script; it names what it needs if `hint` is set."""
    check = folder / "check.py"
    (folder / "answer.json").write_text(json.dumps(answer))
    text = f"{CHECK}# {answer}\n" if hint else CHECK
    for key, value in {"answer": str(folder / "answer.json"), "log": str(folder / "log"), "seconds": seconds}.items():
        text = text.replace(f"{{{key}!r}}", repr(value)).replace(f"{{{key}}}", str(value))
    check.write_text(f"#!{sys.executable}\n{text}")
    check.chmod(0o755)
    return check


def calls(folder: Path) -> int:
    """Return how often the script ran."""
    return len((folder / "log").read_text()) if (folder / "log").exists() else 0


def fault(result: str, original: str, check: Path) -> str:
    """Return why a result is not minimal or not real; empty if it is fine."""
    module: dict[str, Callable[[str], bool]] = {}
    exec(check.read_text(), module)
    holds = module["holds"]
    tree = parse_tree(result.encode())
    if not tree or not holds(result):
        return "not valid"
    more = [node.path for number, node in enumerate(tree.nodes) if holds(tree.render([number]).decode())]
    strings = [node.value for node in tree.nodes if node.value and node.path[-2:-1] != ("dependencies",)]
    unreal = [each for each in strings if each not in original]
    return f"{len(more)} nodes more than needed" if more else f"changed values: {unreal}" if unreal else ""


def by_uvmre(folder: Path, check: Path, *options: str) -> tuple[str, float]:
    started = time.perf_counter()
    subprocess.run(
        [*UVMRE, *options, "--command", check, "pyproject.toml"], cwd=folder, check=True, capture_output=True
    )
    return (folder / "pyproject-small" / "pyproject.toml").read_text(), time.perf_counter() - started


def by_other(program: Path, folder: Path, check: Path) -> str:
    """Run another program; return its result."""
    path = folder / "pyproject.toml"
    if program.name == "lithium":
        subprocess.run([program, check, path], cwd=folder, timeout=SECONDS, capture_output=True, check=False)
        return path.read_text()
    if program.name == "picire":
        command = [program, "-q", "-i", path, "--test", check, "-o", folder / "out"]
        subprocess.run(command, cwd=folder, timeout=SECONDS, capture_output=True, check=False)
        return (folder / "out" / "pyproject.toml").read_text()
    command = [program, "--parallelism", "1", f"{check} -", path]
    subprocess.run(command, cwd=folder, timeout=SECONDS, capture_output=True, check=False)
    return Path(f"{path}.reduced").read_text()


def install(folder: Path) -> dict[str, Path]:
    """Install the other programs; say which ones are missing."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    found = {}
    for package, program in OTHERS.items():
        done = subprocess.run(
            [folder / "bin" / "pip", "install", "-q", package], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"  SKIPPED {package}: it cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
        else:
            found[package] = folder / "bin" / program
    return found


def compare() -> None:
    """Print (a)."""
    print("(a) a pyproject.toml of 152 lines, one requirement with a bound, its source and its index needed")
    results: dict[str, list[tuple[int, int, str]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        others = install(Path(temporary) / "venv")
        for seed in SEEDS:
            text, answer = project(seed)
            for name in ["uvmre", HINTED, *(others if seed in OTHER_SEEDS else ())]:
                folder = Path(temporary) / f"{name}-{seed}"
                folder.mkdir()
                (folder / "pyproject.toml").write_text(text)
                check = write_check(folder, answer, hint=name == HINTED)
                try:
                    left = (
                        by_uvmre(folder, check, "--jobs", "1")[0]
                        if name in ("uvmre", HINTED)
                        else by_other(others[name], folder, check)
                    )
                    row = calls(folder), len(left), fault(left, text, check)
                except (subprocess.TimeoutExpired, FileNotFoundError) as error:
                    row = calls(folder), 0, f"no result ({type(error).__name__})"
                results.setdefault(name, []).append(row)
    for name, rows in results.items():
        counts, sizes = [row[0] for row in rows], [row[1] for row in rows]
        faults = [row[2] for row in rows if row[2]]
        print(f"  {name:16} calls {min(counts)} to {max(counts)}, {sizes} bytes; {faults or 'minimal, real values'}")


def workspace(folder: Path, chance: random.Random) -> list[str]:
    """Write a workspace of 18 files; return their paths."""
    members = chance.sample(PACKAGES, 4)
    files = {"pyproject.toml": f'[project]\nname = "root"\nversion = "1"\ndependencies = {json.dumps(members)}\n'}
    for name in members:
        files[f"packages/{name}/pyproject.toml"] = f'[project]\nname = "{name}"\nversion = "1"\n'
        files[f"packages/{name}/src/{name}/__init__.py"] = "X = 1\n"
        files[f"packages/{name}/README.md"] = f"About {name}.\n"
    others = ["README.md", "Dockerfile", ".python-version", "docs/index.md", "scripts/build.sh"]
    files |= dict.fromkeys(others, "# text\n")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return list(files)


def files() -> None:
    """Print (b)."""
    counts = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as temporary:
            top = Path(temporary)
            chance = random.Random(seed)
            paths = workspace(top / "space", chance)
            needed = chance.sample(paths, 2)
            script = top / "check.sh"
            test = " && ".join(f"test -e '{path}'" for path in needed)
            script.write_text(f"#!/bin/sh\nfind . -type f | wc -l >> {top}/log\n{test}\n")
            script.chmod(0o755)
            command = [*UVMRE, "--jobs", "1", "--command", script, "space"]
            subprocess.run(command, cwd=top, check=True, capture_output=True)
            small = top / "space-small"
            left = {
                p.relative_to(small).as_posix() for p in small.rglob("*") if p.is_file() and ".uvmre" not in p.parts
            }
            assert left == set(needed), (left, needed)
            sizes = [int(line) for line in (top / "log").read_text().split()]
            counts.append(len(sizes) - next(n for n, size in enumerate(reversed(sizes)) if size > 2))
    print(f"(b) 18 files, two needed: {counts} calls until the two are left, and tried")


def parallel() -> None:
    """Print (c)."""
    ratios = []
    for seed in OTHER_SEEDS:
        text, answer = project(seed)
        seconds = []
        for jobs in ("1", "2"):
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                (folder / "pyproject.toml").write_text(text)
                seconds.append(by_uvmre(folder, write_check(folder, answer, seconds=0.4), "--jobs", jobs)[1])
        ratios.append(seconds[1] / seconds[0])
    shares = ", ".join(f"{ratio:.0%}" for ratio in ratios)
    print(f"(c) two workers take {shares} of the time of one (mean {statistics.mean(ratios):.0%})")


if __name__ == "__main__":
    print(f"{os.cpu_count()} cores")
    assert len(project(1)[0].splitlines()) == 152
    assert tomllib.loads(project(1)[0])
    for part in (compare, files, parallel):
        part()
