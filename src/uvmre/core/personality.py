"""How known registries differ, as tables of behaviour; each fact with its source."""

from dataclasses import dataclass

PUBLIC = "pypi-proxy"


@dataclass(frozen=True)
class Personality:
    """What a client can tell of a registry."""

    json: bool = True
    """Whether it serves JSON (PEP 691) beside HTML."""


PERSONALITIES = {
    PUBLIC: Personality(),
}
