"""`uvmre images`."""

import click

from uvmre.cli import console

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


@click.group(short_help="Make stand-ins for base images that cannot be pulled.")
def images() -> None:
    """Handle stand-ins for base images: made of what is at hand, under the name that a Dockerfile has for them.

    Nothing is ever pulled. A stand-in says what it was made of in its label `org.uvmre.stand-in`, and every report of
    a run that used one says so too.
    """


@images.command(short_help="Make them, on every engine.")
@click.argument("wanted", nargs=-1, metavar="[IMAGE|MRE]…")
@_json
def prepare(wanted: tuple[str, ...], as_json: bool) -> int:
    """Make a stand-in for each IMAGE, or for those that the Dockerfile of an MRE names (of this one by default).

    Tags of ghcr.io/astral-sh/uv, python and debian are understood, on Debian bookworm or trixie. An image that is
    there is left alone. Debian's root is made by debootstrap the first time and then kept in the cache.
    """
    from uvmre.cli.progress import show_progress
    from uvmre.flows.images import prepare as flow

    with show_progress() as progress:
        done = flow(wanted, cache=console.cache(), told=progress.downloading, said=console.say)
    if as_json:
        rows = [{"image": p.image, "engine": p.engine, "state": p.state, "made_of": p.made_of} for p in done]
        console.answer_json({"schema": 1, "images": rows})
        return 0
    for each in done:
        how = {"made": f"made: {each.made_of}", "there": f"there: {each.made_of}", "real": "there, and no stand-in"}
        console.answer(f"{each.engine:<7}  {each.image}  {how[each.state]}")
    return 0


@images.command(short_help="List them.")
@_json
def ls(as_json: bool) -> int:
    """List the stand-ins that there are, and what each was made of."""
    from uvmre.flows.images import ls as flow

    found = flow()
    if as_json:
        rows = [{"image": p.image, "engine": p.engine, "state": p.state, "made_of": p.made_of} for p in found]
        console.answer_json({"schema": 1, "images": rows})
        return 0
    for each in found:
        console.answer(f"{each.engine:<7}  {each.image}  {each.made_of}")
    if not found:
        console.say("there are none; `uvmre images prepare` makes them")
    return 0
