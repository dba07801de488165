"""Which template fits a report, by the keywords that each template has, and which answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uvmre.scaffold.templates import Template

WEIGHTS = (3.0, 2.0, 1.0)
"""Of a keyword in the title, in a command and anywhere else."""
LEVELS = ("DEBUG ", "TRACE ")
LEAST = 2.0
"""The weight below which no template is proposed."""


@dataclass(frozen=True)
class Proposal:
    """A template that fits a report."""

    template: Template
    answers: Mapping[str, Any]
    keywords: tuple[str, ...]
    """Its keywords that the report has."""
    weight: float = 0.0


def propose_templates(templates: Iterable[Template], title: str, commands: str, text: str) -> list[Proposal]:
    """Return the templates that fit a report, the best one first.

    Args:
        templates: the templates.
        title: the report's title, or its first line.
        commands: the commands that it shows.
        text: all of it.
    """
    known = [template for template in templates if not template.faults]
    owners: dict[str, int] = {}
    for template in known:
        for keyword in {each.lower() for each in template.keywords}:
            owners[keyword] = owners.get(keyword, 0) + 1
    found = []
    for template in known:
        weights = {}
        for keyword in template.keywords:
            parts = zip(WEIGHTS, (title, commands, text), strict=True)
            if weight := next((weight for weight, part in parts if has(part, keyword)), 0):
                weights[keyword] = weight
        for keyword in [each for each in weights if any(each != other and has(other, each) for other in weights)]:
            del weights[keyword]  # `uv pip` of `uv pip compile`
        if sum(weights.values()) >= LEAST:
            # What several templates have tells less of which one it is.
            weights = {keyword: weight / owners[keyword.lower()] for keyword, weight in weights.items()}
            best = sorted(weights, key=lambda keyword: -weights[keyword])
            found.append(Proposal(template, {}, tuple(best), sum(weights.values())))
    return sorted(found, key=lambda each: (-each.weight, len(each.template.keywords)))  # of two, the narrower one


def without_logs(text: str) -> str:
    """Return a text without the comments of issue forms and the lines of logs, which name much else."""
    first, *others = text.split("<!--")
    shown = first + "".join(other.partition("-->")[2] if "-->" in other else other for other in others)
    return "\n".join(line for line in shown.splitlines() if not any(level in line for level in LEVELS))


def has(text: str, words: str) -> bool:
    """Tell whether a text has some words as they are, but for their case and not as a part of others."""
    text, words, start = text.lower(), words.lower(), 0
    while (start := text.find(words, start)) >= 0:
        end = start + len(words)
        before = text[start - 1 : start] if words[0].isalnum() else ""
        after = text[end : end + 2] if words[-1].isalnum() else ""
        longer = after[:1].isalnum() or after[:1] == "_" or (after[:1] == "-" and after[1:].isalnum())
        if not (before.isalnum() or before == "_" or longer):
            return True
        start += 1
    return False


def fitting_answers(template: Template, facts: Mapping[str, str], places: Sequence[str]) -> dict[str, Any]:
    """Return the answers that a report gives to a template's questions.

    Args:
        template: the template.
        facts: what the report says, by the names that questions have for it.
        places: the parts of the report in which a choice may be named, the most telling one first.
    """
    names = [question.name for question in template.prompts]
    answers: dict[str, Any] = {name: facts[name] for name in names if facts.get(name)}
    for question in template.prompts:
        name, choices = question.name, question.settings.get("choices")
        if name not in answers and choices:
            for place in places:
                named = _named_choices(choices, place)
                if named:
                    answers |= {name: named[0]} if len(named) == 1 else {}
                    break
    return answers


def _named_choices(choices: Any, text: str) -> list[Any]:
    """Return the choices that a text names: a word of a list, or the command that a label is; the longest ones."""
    if isinstance(choices, Mapping):
        labels = {str(label).split(",")[0]: value for label, value in choices.items() if str(label).startswith("uv ")}
    elif isinstance(choices, list):
        labels = {str(value): value for value in choices if isinstance(value, str)}
    else:
        return []
    named = [label for label in labels if has(text, label)]
    longest = [label for label in named if not any(label != other and label in other for other in named)]
    return [labels[label] for label in longest]
