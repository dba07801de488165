"""`uvmre images`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli import console
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import verbose_option

if TYPE_CHECKING:
    from uvmre.flows.images import Prepared


@click.group(short_help="Build stand-ins for base images that cannot be pulled.")
def images() -> None:
    """Build and list stand-ins for base images, from what this machine has, under the name in the Dockerfile.

    No image is pulled. A stand-in carries the label `org.uvmre.stand-in`, and the report of a run that used one names
    it.
    """


@images.command(short_help="Build stand-ins on every engine.")
@click.argument("requested", nargs=-1, metavar="[IMAGE|MRE]…")
@verbose_option
@json_option
def prepare(requested: tuple[str, ...]) -> Rendered:
    """Build a stand-in for each IMAGE, or for the images in the Dockerfile of an MRE (default: the current folder).

    Supported are tags of ghcr.io/astral-sh/uv, python and debian on Debian bookworm or trixie. An existing image is
    left alone. The root file system of Debian is built by debootstrap and kept in the cache.
    """
    from uvmre.cli.progress import show_progress
    from uvmre.flows.images import prepare as flow

    with show_progress() as progress:
        prepared = flow(requested, cache=console.cache(), on_progress=progress.downloading, log=progress.detail)
    state = {"made": "built: ", "there": "exists: ", "real": "exists, not a stand-in"}
    lines = [f"{p.engine:<7}  {p.image}  {state[p.state]}{p.made_of if p.state != 'real' else ''}" for p in prepared]
    return Rendered("\n".join(lines), lambda: _data(prepared))


@images.command(short_help="List the stand-ins.")
@json_option
def ls() -> Rendered:
    """List the stand-ins, and what each was built from."""
    from uvmre.flows.images import ls as flow

    prepared = flow()
    text = "\n".join(f"{each.engine:<7}  {each.image}  {each.made_of}" for each in prepared)
    notes = () if prepared else ["no stand-ins", "hint: `uvmre images prepare` builds them"]
    return Rendered(text, lambda: _data(prepared), notes=notes)


def _data(prepared: "Sequence[Prepared]") -> dict[str, Any]:
    rows = [{"image": p.image, "engine": p.engine, "state": p.state, "made_of": p.made_of} for p in prepared]
    return {"schema": 1, "images": rows}
