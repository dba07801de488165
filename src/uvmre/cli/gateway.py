"""`uvmre gateway`."""

import shlex
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uvmre.cli import console
from uvmre.cli.options import FOLDER, run_options
from uvmre.cli.output import Rendered, print_rendered

if TYPE_CHECKING:
    from uvmre.flows.options import RunOptions

POLL_SECONDS = 0.2
MAX_LINES = 200
"""Lines of the log at a time."""


@click.command(short_help="Serve the gateway for any client.")
@click.argument("mre", required=False, type=FOLDER)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The port; default: a free one.")
@click.option("--exclude-newer", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Hide newer uploads to PyPI.")
@run_options()
@click.option("--json", "as_json", is_flag=True, help="Print the variables as one JSON object on stdout.")
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
        exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in served.variables.items())
        data = {"schema": 1, "url": served.listener.url, "variables": served.variables}
        print_rendered(Rendered(exports, lambda: data, document=True), as_json=as_json)
        console.print_message(f"serving on {served.listener.url}; press ^C to stop")
        count = 0
        try:
            while True:
                requests = served.listener.pop_requests()
                for request in requests[:MAX_LINES]:
                    console.print_message(redact(request.line))
                if len(requests) > MAX_LINES:
                    console.print_message(f"… and {len(requests) - MAX_LINES} more")
                count += len(requests)
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            console.print_message(f"stopped after {count} requests")
    return 0
