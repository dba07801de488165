"""How long an issue's text takes to read: posts of ordinary size, and texts that no person wrote.

`python bench/reading.py [FOLDER…]`: folders of Markdown files to read besides. Nothing fails for a figure.
"""

import random
import statistics
import sys
import time
from pathlib import Path

from uvmre.issue.build_mre import to_mre
from uvmre.issue.read import read_issue

MANY = 1_000
LARGE = 10_000_000
PIECES = (
    "# A title\n",
    "```\n",
    "```toml\n[project]\nname = 'a'\n",
    "$ uv sync\n",
    "error: Failed\n  Caused by: a\n",
    "> ",
    "- `uv lock` fails. ",
    "<details><summary>a.py</summary>\n",
    "</details>\n",
    "\u05e9\u05dc\u05d5\u05dd \u200f",
    "\0\x07",
    "├── a\n",
    "### Version\n\nuv 0.5.1\n",
    "word " * 40,
    "\n\n",
    "FROM a\nRUN uv sync\n",
    "cat <<EOF\n",
    "'",
    '"',
    "`",
    "| a | b |\n",
    "https://a.b/c ",
    "\\\n",
    "    x = 1\n",
)
WORST = {
    "one line": "a" * LARGE,
    "backticks": "`a" * (LARGE // 2),
    "brackets": "[" * LARGE,
    "quotes in quotes": ("> " * 50 + "a\n") * (LARGE // 102),
    "lists in lists": "\n".join(" " * (i % 200) + "- a" for i in range(LARGE // 100)),
    "fences": "```\nuv sync\n```\n" * (LARGE // 17),
    "headings": "# a\n" * (LARGE // 4),
    "commands": "```\n" + "$ uv sync\n" * (LARGE // 10),
    "open here-documents": "```\n" + "cat <<EOF\n" * (LARGE // 10),
    "open quotes": "```\n" + "uv add 'x\n" * (LARGE // 10),
    "variables": "```sh\n" + ("A=1 " * 900 + "uv sync\n") * 2_800,
    "white space": "```\n" + (" " * 3_900 + "\n") * 2_500,
    "paths": ("/home/a/b/" * 390 + "\n") * 2_500,
    "errors": "```\n" + "  × a\n  ╰─▶ b\n" * (LARGE // 26),
    "TOML": "```toml\n[project]\n" + "a=1\n" * (LARGE // 4),
    "nothing": "\0" * LARGE,
    "right to left": "\u200f\u05e9\u05dc\u05d5\u05dd " * (LARGE // 6),
}


def main(folders: list[str]) -> None:
    chance = random.Random(1)
    posts = ["".join(chance.choices(PIECES, k=chance.randrange(2, 60))) for _ in range(MANY)]
    print_times("a thousand texts of pieces", [seconds(text) for text in posts])
    for folder in folders:
        found = [path.read_text(errors="replace") for path in sorted(Path(folder).rglob("*.md"))]
        print_times(folder, [min(seconds(text), seconds(text)) for text in found])
    for name, text in WORST.items():
        print(f"{seconds(text) * 1000:8.0f} ms  {name}")


def seconds(text: str) -> float:
    started = time.perf_counter()
    parsed = read_issue(text)
    if parsed.commands:
        to_mre(parsed)
    return time.perf_counter() - started


def print_times(what: str, taken: list[float]) -> None:
    if taken:
        print(f"{statistics.median(taken) * 1000:8.1f} ms  {what}: the median; the longest {max(taken) * 1000:.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])
