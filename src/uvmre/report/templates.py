"""The texts of formats, as jinja2 templates beside their modules."""

import functools
from importlib.resources import files

import jinja2

from uvmre.core.text.visible import visible


@functools.cache
def template(package: str, name: str) -> jinja2.Template:
    """Return a template, which fails where a name is missing; one of HTML escapes all texts and hides nothing."""
    is_html = ".html." in name
    environment = jinja2.Environment(autoescape=is_html, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = environment.keep_trailing_newline = True
    if is_html:
        environment.finalize = lambda value: visible(value) if type(value) is str else value
    return environment.from_string(files(package).joinpath(name).read_text(encoding="utf-8"))
