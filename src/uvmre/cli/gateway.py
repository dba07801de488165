"""`uvmre gateway`."""

import shlex
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uvmre.cli import console
from uvmre.cli.options import FOLDER, run_options

if TYPE_CHECKING:
    from uvmre.flows.options import RunOptions

LOOK_SECONDS = 0.2
LINES = 200
"""The most lines of the log that are printed at once."""


@click.command(short_help="Serve the gateway by hand, for any client.")
@click.argument("mre", required=False, type=FOLDER)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Where to listen; else a free port.")
@click.option("--exclude-newer", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Hide newer uploads to PyPI.")
@run_options()
@click.option("--json", "as_json", is_flag=True, help="The variables as one JSON object on stdout.")
def gateway(
    mre: Path | None, *, port: int, exclude_newer: datetime | None, options: "RunOptions", as_json: bool
) -> int:
    """Serve the gateway until ^C: print the variables that a client needs, and a line for each request.

    Evaluate the exports in another shell, then use uv, pip, poetry, pdm or curl there. With the folder of an MRE, the
    gateway has the MRE's indexes, packages, faults, cutoff date and recording. Its own address serves the public test
    index: http://127.0.0.1:PORT/basic-auth/simple/ needs no proxy.
    """
    from uvmre.core.secrets.redact import redact
    from uvmre.flows.gateway import gateway as flow

    with flow(mre, options, port=port, exclude_newer=exclude_newer.date() if exclude_newer else None) as served:
        if as_json:
            console.print_json({"schema": 1, "url": served.listener.url, "variables": served.variables})
        else:
            console.print_document(
                "\n".join(f"export {name}={shlex.quote(value)}" for name, value in served.variables.items())
            )
        console.print_message(f"serving on {served.listener.url}; ^C ends it")
        printed = 0
        try:
            while True:
                news = served.listener.pop_requests()
                for request in news[:LINES]:
                    console.print_message(redact(request.line))
                if len(news) > LINES:
                    console.print_message(f"… and {len(news) - LINES} more")
                printed += len(news)
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            console.print_message(f"ended after {printed} requests")
    return 0
