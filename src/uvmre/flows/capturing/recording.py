"""Complete the recording of an MRE, so that it runs without a network."""

from dataclasses import replace
from pathlib import Path

from uvmre.core.progress import Progress
from uvmre.flows.options import RunOptions
from uvmre.flows.run import run
from uvmre.folder.evidence import RECORDING
from uvmre.folder.read import read_mre
from uvmre.gateway.config import gateway_config
from uvmre.gateway.session import Gateway
from uvmre.project.recorded import request_all

MOST_REPLAYS = 3


def complete_recording(folder: Path, options: RunOptions, progress: Progress) -> None:
    """Replay an MRE, and request what its recording lacks: the first error of uv ends requests of other runs."""
    if options.live:
        return
    mre = read_mre(folder)
    for _ in range(MOST_REPLAYS):
        progress.detail("checking that it runs without a network")
        result = run(folder, replace(options, network="replay"), progress=Progress())
        requests = [request for each in result.variants for request in each.observation.requests]
        missing = [f"https://{each.host}{each.path}" for each in requests if each.answered_by == "unreachable"]
        if not missing:
            return
        with (
            Gateway(options.cache, folder / RECORDING, "auto", gateway_config(mre)) as gateway,
            gateway.listener() as listener,
        ):
            request_all(missing, listener.url, gateway.certificate)
