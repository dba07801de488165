"""Parse YAML that a stranger wrote: aliases cannot multiply, and what Python does not have is no valid YAML."""

from typing import Any

import yaml

MAX_SIZE = 100_000
MAX_ALIASES = 100


class _Loader(yaml.SafeLoader):
    """Rejects aliases that a few lines could multiply to billions of values."""

    aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        before = self.aliases
        if is_alias := self.check_event(yaml.AliasEvent):
            self.aliases += 1
        anchor = None if is_alias else self.peek_event().anchor  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        if self.aliases > MAX_ALIASES or (anchor and self.aliases > before):
            raise yaml.YAMLError(f"more than {MAX_ALIASES} aliases, or an alias inside an anchor")
        return node


def parse_yaml(text: str) -> Any:
    """Return the data of a YAML text.

    Raises:
        YAMLError: when it is invalid, too large, or nested too deeply.
    """
    if len(text) > MAX_SIZE:
        raise yaml.YAMLError(f"it is longer than {MAX_SIZE} characters")
    try:
        return yaml.load(text, _Loader)
    except (ValueError, RecursionError) as error:  # a date that there is not, or a number with too many digits
        raise yaml.YAMLError(str(error)) from None
