"""The events of a post, each output attached to its command."""

import pytest

from uvmre.core.triage.parsed_issue import Located
from uvmre.issue.environment.versions import PostedEnvironment
from uvmre.issue.markdown.blocks import parse_blocks
from uvmre.issue.timeline.classify import classify
from uvmre.issue.timeline.events import Timeline, build_timeline, sentences_of


def timeline(text: str) -> Timeline:
    return build_timeline(classify(parse_blocks(text.split("\n"))), PostedEnvironment(uv=Located("0.5.2", 1)))


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("```\n$ uv sync\na\n```", [("uv sync", "a", "code")]),
        ("`uv sync` prints:\n```\nerror: a\n```", [("uv sync", "error: a\n", "sentence")]),
        ("```\n$ uv sync\n```\nThe output:\n```\nerror: a\n```", [("uv sync", "error: a\n", "code")]),
        ("```\n$ uv sync\n```\nI want this:\n```\nerror: a\n```", [("uv sync", "", "code")]),
        ("```\n$ uv sync\n```\n## Expected behaviour\n```\nerror: a\n```", [("uv sync", "", "code")]),
        ("```\n$ uv sync\n```\nIt should work but gives:\n```\nerror: a\n```", [("uv sync", "error: a\n", "code")]),
        ("uv sync", [("uv sync", "", "line")]),
        ("`uv sync` fails.", [("uv sync", "", "sentence")]),
        ("1. Run `uv sync`.", [("uv sync", "", "line")]),
        ("```dockerfile\nFROM a\nRUN uv sync\n```", [("uv sync", "", "dockerfile")]),
        ("It would be nice if `uv sync` worked.", []),
    ],
)
def test_commands_and_their_output(text: str, events: list[tuple[str, str, str]]) -> None:
    found = [event for event in timeline(text).events if event.run.startswith("uv ")]
    assert [(event.run, event.output, event.source) for event in found] == events


def test_a_script_is_a_file_and_a_command_with_the_output_of_its_call() -> None:
    text = "```bash\n#!/bin/sh\nuv sync\n```\n\n```\n$ ./reproduce.sh\nerror: a\n```"
    file, run = timeline(text).events
    assert (file.path, run.run, run.output) == ("reproduce.sh", "bash reproduce.sh", "error: a")


def test_output_of_another_release_works() -> None:
    first, second = timeline("```\n$ uv sync -v\nDEBUG uv 0.5.1\n$ uv sync -v\nDEBUG uv 0.5.2\n```").events
    assert (first.works, second.works) == (True, None)


def test_output_without_a_command_is_unmatched() -> None:
    assert [each.block.line for each in timeline("```\nerror: a\n```").unmatched] == [2]


def test_links_of_a_listing_are_created() -> None:
    events = timeline("```\na.txt -> b.txt\n```\n```\n$ uv sync\n```").events
    assert events[0].run == "touch b.txt && ln -s b.txt a.txt"


def test_variables_of_a_dockerfile() -> None:
    assert timeline("```dockerfile\nFROM a\nENV UV_A=1 B=2\nENV PATH=/b UV_C=/d E=/f\nRUN uv sync\n```").variables == (
        ("UV_A", "1"),
        ("B", "2"),
        ("UV_C", "/d"),
    )


def test_sentences_have_their_lines() -> None:
    assert sentences_of(classify(parse_blocks(["One. Two.", "", "Three."]))) == [
        ("One.", 1),
        ("Two.", 1),
        ("Three.", 3),
    ]
