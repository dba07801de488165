"""Mistakes about whom uv trusts."""

import re
from collections.abc import Iterator
from dataclasses import replace

from uvmre.lint.finding import Finding, with_fix
from uvmre.lint.subject import Subject

TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_INSECURE_HOST")
TRUSTING = ("--native-tls", "--system-certs", "--cert", "--allow-insecure-host", "--trusted-host")
SETTINGS = re.compile(r"(?:native-tls|system-certs)\s*=\s*true|allow-insecure-host\s*=")
HINT = re.compile(r"Consider enabling use of system TLS certificates with the\s+`--[\w-]+`\s+command-line flag")
"""What uv itself says along with the error."""
UNSET = re.compile(
    r"\benv(?P<each>(?:\s+-u\s+SSL_CERT_(?:FILE|DIR))+)\s+|\bunset(?:\s+SSL_CERT_(?:FILE|DIR))+\s*(?:;|&&|\n)\s*"
)


def unknown_issuer(subject: Subject) -> Iterator[Finding]:
    """Find a proxy that signs TLS with an authority of its own, of which uv was not told.

    https://docs.astral.sh/uv/concepts/authentication/certificates/: uv trusts Mozilla's authorities, which it brings;
    a company's it takes from `SSL_CERT_FILE`, or from the system's store with `--native-tls` (`--system-certs`, later).
    Under uvmre the gateway is such a proxy, and a step that unsets `SSL_CERT_FILE` is where nobody told uv.
    """
    rule = "unknown-issuer"
    if not subject.symptom_contains("UnknownIssuer"):
        return
    if any(call.has(*TRUSTING) for call in subject.all_calls) or any(
        SETTINGS.search(text) for text in subject.texts.values()
    ):
        return
    # Whoever names one of these knows of it, and it did not help.
    told = HINT.sub("", subject.post)
    if any(name in subject.mre.variables or name in told for name in TRUST) or any(flag in told for flag in TRUSTING):
        return
    why = "uv was not told of the authority that signs here, which is not one of Mozilla's"
    question = (
        "Is there a proxy that signs TLS anew? Does `SSL_CERT_FILE`, or the system's store (`--native-tls`), help?"
    )
    steps = tuple(replace(step, run=UNSET.sub("", step.run)) for step in subject.mre.steps)
    changed = [step for step in subject.mre.steps if UNSET.search(step.run)]
    shows = "With `SSL_CERT_FILE` naming the authority uv trusts it."
    control = with_fix(rule, shows, why, steps=steps) if changed else None
    where = subject.at_step(changed[-1] if changed else subject.mre.steps[-1])
    yield Finding(rule, where, f"{why}.", control, question)
