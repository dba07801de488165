"""The texts of formats, as jinja2 templates beside their modules."""

import functools
from importlib.resources import files

import jinja2

from uvmre.core.text.visible import visible


@functools.cache
def template(package: str, name: str, *, autoescape: bool) -> jinja2.Template:
    """Return a template, which fails where a name is missing; with `autoescape`, it is HTML of visible characters."""
    environment = jinja2.Environment(
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    if autoescape:
        environment.finalize = lambda value: visible(value) if type(value) is str else value
    return environment.from_string(files(package).joinpath(name).read_text(encoding="utf-8"))
