"""`uvmre gateway`."""

import shlex
import time
from datetime import datetime

import click

from uvmre.cli import console
from uvmre.cli.run import network_options
from uvmre.core.observation import Network

LOOK_SECONDS = 0.2


@click.command(short_help="Serve the gateway by hand, for any client.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Where to listen; else a free port.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="PyPI as it was at the end of this day.")
@network_options
@click.option("--json", "as_json", is_flag=True, help="The variables as one JSON object on stdout.")
def gateway(port: int, day: datetime | None, network: Network | None, as_json: bool) -> int:
    """Serve the gateway until ^C: prints the variables that a client needs, and a line for each request.

    Give another shell the exports, then use uv, pip, poetry, pdm or curl there as always.
    """
    from uvmre.flows.gateway import gateway as flow

    with flow(cache=console.cache(), port=port, network=network or "auto", day=day.date() if day else None) as served:
        if as_json:
            console.answer_json({"schema": 1, "url": served.door.url, "variables": served.variables})
        else:
            console.answer("\n".join(f"export {name}={shlex.quote(value)}" for name, value in served.variables.items()))
        console.say(f"serving on {served.door.url}; ^C ends it")
        told = 0
        try:
            while True:
                requests = served.door.requests
                for request in requests[told:]:
                    console.say(request.line)
                told = len(requests)
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            console.say(f"ended after {told} requests")
    return 0
