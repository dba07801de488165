"""Mistakes in the trusted certificates."""

import re
from collections.abc import Iterator
from dataclasses import replace

from uvmre.lint.finding import Finding, with_fix
from uvmre.lint.subject import Subject

TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_INSECURE_HOST")
TRUSTING = ("--native-tls", "--system-certs", "--cert", "--allow-insecure-host", "--trusted-host")
SETTINGS = re.compile(r"(?:native-tls|system-certs)\s*=\s*true|allow-insecure-host\s*=")
HINT = re.compile(r"Consider enabling use of system TLS certificates with the\s+`--[\w-]+`\s+command-line flag")
"""uv's hint with the error."""
UNSET = re.compile(
    r"\benv(?P<each>(?:\s+-u\s+SSL_CERT_(?:FILE|DIR))+)\s+|\bunset(?:\s+SSL_CERT_(?:FILE|DIR))+\s*(?:;|&&|\n)\s*"
)


def unknown_issuer(subject: Subject) -> Iterator[Finding]:
    """Find a proxy with a CA of its own that uv does not trust.

    https://docs.astral.sh/uv/concepts/authentication/certificates/: uv trusts Mozilla's CAs, and others by
    `SSL_CERT_FILE` or, from the system, by `--native-tls` (later `--system-certs`). The gateway is such a proxy.
    """
    rule = "unknown-issuer"
    if not subject.symptom_contains("UnknownIssuer"):
        return
    if any(call.has(*TRUSTING) for call in subject.all_calls) or any(
        SETTINGS.search(text) for text in subject.texts.values()
    ):
        return
    # A post that names one of these has tried it.
    post = HINT.sub("", subject.post)
    if any(name in subject.mre.variables or name in post for name in TRUST) or any(flag in post for flag in TRUSTING):
        return
    why = "uv does not trust the CA of this certificate, which is not one of Mozilla's"
    question = "Is there a proxy that replaces certificates? Does `SSL_CERT_FILE` or `--native-tls` help?"
    steps = tuple(replace(step, run=UNSET.sub("", step.run)) for step in subject.mre.steps)
    changed = [step for step in subject.mre.steps if UNSET.search(step.run)]
    shows = "With the CA in `SSL_CERT_FILE` uv trusts it."
    control = with_fix(rule, shows, why, steps=steps) if changed else None
    where = subject.at_step(changed[-1] if changed else subject.mre.steps[-1])
    yield Finding(rule, where, f"{why}.", control, question)
