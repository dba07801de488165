"""An index of the MRE: where it is said to be, which registry it behaves as, and what it has."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from uvmre.core.personality import Personality
    from uvmre.core.universe import Made

PUBLIC = "pypi-proxy"
"""The registry that is behaved as where none is named: the public test index."""
Universe = Literal["in front", "beside", "instead"]
"""Where made-up packages stand: a project of that name hides PyPI's, is merged with it, or there is no PyPI at all."""


@dataclass(frozen=True)
class Index:
    """One `[[index]]`, answered on this machine under its own address."""

    url: str
    """Of the page that lists its projects, as uv is given it."""
    personality: str = PUBLIC
    """Which registry it behaves as."""
    username: str = ""
    password: str = ""
    """What opens it; open to everybody without a password."""
    universe: Universe = "in front"
    packages: "tuple[Made, ...]" = ()
    """Made up, and only here."""

    @property
    def behaviour(self) -> "Personality":
        """Return the table of its registry."""
        from uvmre.core.personality import PERSONALITIES

        return PERSONALITIES[self.personality]
