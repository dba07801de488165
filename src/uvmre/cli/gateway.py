"""`uvmre gateway`."""

import shlex
import time
from datetime import datetime
from pathlib import Path

import click

from uvmre.cli import console
from uvmre.cli.options import FOLDER, allow_host_option, network_options
from uvmre.core.network.request import Network

LOOK_SECONDS = 0.2
LINES = 200
"""How many lines of the log are told at once: nobody reads more."""


@click.command(short_help="Serve the gateway by hand, for any client.")
@click.argument("mre", required=False, type=FOLDER)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Where to listen; else a free port.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="PyPI as it was at the end of this day.")
@network_options
@allow_host_option
@click.option("--json", "as_json", is_flag=True, help="The variables as one JSON object on stdout.")
def gateway(
    mre: Path | None,
    port: int,
    day: datetime | None,
    network: Network | None,
    allow_hosts: tuple[str, ...],
    as_json: bool,
) -> int:
    """Serve the gateway until ^C: prints the variables that a client needs, and a line for each request.

    Give another shell the exports, then use uv, pip, poetry, pdm or curl there as always. With the folder of an MRE
    it has the MRE's indexes, packages, faults, date and tape. At its own address it is the public test index, so that
    http://127.0.0.1:PORT/basic-auth/simple/ can be had with no proxy at all.
    """
    from uvmre.core.secrets.redact import redact
    from uvmre.flows.gateway import gateway as flow

    with flow(
        mre,
        cache=console.cache(),
        port=port,
        network=network or "auto",
        day=day.date() if day else None,
        allow_hosts=allow_hosts,
    ) as served:
        if as_json:
            console.answer_json({"schema": 1, "url": served.listener.url, "variables": served.variables})
        else:
            console.document(
                "\n".join(f"export {name}={shlex.quote(value)}" for name, value in served.variables.items())
            )
        console.say(f"serving on {served.listener.url}; ^C ends it")
        told = 0
        try:
            while True:
                news = served.listener.pop_requests()
                for request in news[:LINES]:
                    console.say(redact(request.line))
                if len(news) > LINES:
                    console.say(f"… and {len(news) - LINES} more")
                told += len(news)
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            console.say(f"ended after {told} requests")
    return 0
