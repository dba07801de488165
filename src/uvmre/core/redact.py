"""Take secrets out of what is about to be shown. `public:heron` is public and stays."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from uvmre.core.mre import Mre
from uvmre.core.observation import Observation

NAMES = re.compile(r"PASSWORD|PASSWD|TOKEN|SECRET|API_?KEY", re.IGNORECASE)
ASSIGNED = re.compile(
    rf"""\b\w*(?:{NAMES.pattern})\w*(?:\s?=\s?"([^"\n]+)"|\s?=\s?'([^'\n]+)'|=([^\s"'$=\[(]\S*))""", re.IGNORECASE
)
"""As a shell and an env file assign (no space around the `=`), or a program, in quotes."""
IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/@:]*:([^\s/@]+)@", re.IGNORECASE)
IN_NETRC = re.compile(r"\bpassword\s+(\S+)")
PUBLIC = frozenset({"public", "heron", "eagle", "wrong"})
"""The passwords of the public test index, and the one that a template gives for a wrong one."""
MASK = "****"
ENDS = ");&|,"
LEAST = 4
"""Shorter values are no secrets, and masking them would mask half a log."""
NO_SECRETS = frozenset({"true", "false", "none", "null", MASK})


def secrets(mre: Mre) -> frozenset[str]:
    """Return the values in an MRE that look like secrets: by the name of their variable, in a URL, in a `.netrc`."""
    variables = [mre.environment.variables, *(control.variables for control in mre.controls)]
    texts = [file.content.decode(errors="replace") for file in mre.files]
    texts += [text for control in mre.controls for text in control.files.values()]
    texts += [step.run for step in (*mre.steps, *(step for control in mre.controls for step in control.steps))]
    passwords = (index.password for index in mre.indexes)
    named = (value for given in variables for name, value in given.items() if NAMES.search(name))
    given = (*named, *passwords, *_in_texts(texts))
    # A shell's `(export PASSWORD=heron)` is without what ends the command, too.
    both = {value: value.rstrip(ENDS) for value in given}
    found = {each for value, bare in both.items() if bare not in PUBLIC for each in (value, bare)}
    return frozenset(value for value in found if len(value) >= LEAST and value.lower() not in NO_SECRETS)


def _in_texts(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (match[1] or match[2] or match[3] for match in ASSIGNED.finditer(text))
        yield from (match[1] for match in IN_URL.finditer(text))
        if "machine" in text:
            yield from (match[1] for match in IN_NETRC.finditer(text))


def redact(text: str, values: Iterable[str]) -> str:
    """Return the text with every one of the values masked."""
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def masked(observation: Observation, values: Collection[str]) -> Observation:
    """Return an observation that may be kept: what its steps and requests said, with every one of the values masked."""
    if not values:
        return observation

    def hide(text: str) -> str:
        return redact(text, values)

    steps = tuple(
        replace(s, title=hide(s.title), run=hide(s.run), stdout=hide(s.stdout), stderr=hide(s.stderr))
        for s in observation.steps
    )
    requests = tuple(replace(request, path=hide(request.path)) for request in observation.requests)
    files = tuple((path, None if text is None else hide(text)) for path, text in observation.files)
    papers = tuple((name, hide(text)) for name, text in observation.papers)
    return replace(observation, steps=steps, requests=requests, files=files, papers=papers)
