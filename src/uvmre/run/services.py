"""The services of an MRE: its own servers, which run beside the steps of a variant and end with it."""

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from uvmre.core.mre.model import BackgroundService
from uvmre.run import environment, process, process_tree
from uvmre.run.backend import StepRequest
from uvmre.run.interpreters import base_interpreter
from uvmre.run.process import Finished

Execute = Callable[[Sequence[str], Path, Mapping[str, str], int, StepRequest], Finished]
TICK = 0.1
SETTLE = 0.2
"""Seconds in which a service that the last step ended is noticed."""
PROBE = """
import http.client, sys, time
while True:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
        connection.connect()
        if not sys.argv[2] or connection.request("GET", sys.argv[2]) or connection.getresponse().status < 500:
            break
    except (OSError, http.client.HTTPException):
        pass
    time.sleep(0.05)
"""
"""It runs where the steps do, since their network may be another one."""
ONE_STREAM = ("/bin/sh", "-c", 'exec /bin/sh -c "$0" 2>&1')


class Services(contextlib.AbstractContextManager["Services"]):
    """Ends what `start` started, also what left its process group.

    A service that ends before the last step has ended makes the outcome `broken`, whatever the steps printed and
    whatever its exit code: what they met afterwards was a closed port, which may look like any symptom.
    """

    def __init__(self, execute: Execute, request: StepRequest) -> None:
        services = request.mre.services
        self._execute, self._stop, self._interrupt = execute, threading.Event(), request.context.stop
        self._ports = {service: request.free_port() for service in services}
        self._running: dict[BackgroundService, Future[Finished]] = {}
        self._pool = ThreadPoolExecutor(2 * len(services) or 1, thread_name_prefix="service")
        self._network: list[int] = []
        ports = {f"{each.name.upper().replace('-', '_')}_PORT": str(port) for each, port in self._ports.items()}
        if len(ports) == 1:
            ports["PORT"] = next(iter(ports.values()))
        variables = {**request.mre.environment.variables, **ports}
        mre = replace(request.mre, environment=replace(request.mre.environment, variables=variables))
        self.request = replace(request, mre=mre, network=self._network if services else None)
        """The request of a step: it knows the ports, and the network that all of them share."""

    def __exit__(self, *_: object) -> None:
        """End them all."""
        self._stop.set()
        self._pool.shutdown()
        if self._running:
            process_tree.end_strays(self.request.dirs.root)
        for descriptor in self._network:
            os.close(descriptor)

    def start(self) -> str:
        """Start the services, each when the one before it is ready; return why one is not, if any."""
        if self._ports:
            self._submit(("/bin/true",), 60).result()  # it makes what the others share
        return next((why for service, port in self._ports.items() if (why := self._start(service, port))), "")

    def _submit(self, command: Sequence[str], timeout: int, **variables: str) -> Future[Finished]:
        request = replace(self.request, context=replace(self.request.context, stop=self._stop))
        variables = environment.variables(request.dirs, request.mre, request.gateway) | variables
        return self._pool.submit(self._execute, command, request.dirs.work, variables, timeout, request)

    def _start(self, service: BackgroundService, port: int) -> str:
        seconds = 60 + sum(each.timeout for each in self._ports) + sum(each.timeout for each in self.request.mre.steps)
        running = self._running[service] = self._submit((*ONE_STREAM, service.run), seconds, PORT=str(port))
        command = (str(base_interpreter()), "-I", "-S", "-c", PROBE, str(port), service.ready)
        probe = self._submit(command, service.timeout)
        while not wait((running, probe), TICK, FIRST_COMPLETED).done and not self._interrupt.is_set():
            pass
        if (why := self.fault("before it was ready")) or (probe.done() and not probe.result().exit):
            return why
        others = sorted(process_tree.listening_ports(self.request.dirs.root) - {*self._ports.values()})
        where = f"it listens on port {others[0]} instead of $PORT" if others else "nothing answers at $PORT"
        return f"the service `{service.name}` is not ready after {service.timeout} s: {where}"

    def fault(self, when: str = "during the steps", seconds: float = 0) -> str:
        """Return which service has ended although the variant has not, waiting for that some seconds."""
        for service, running in self._running.items():
            if not self._interrupt.is_set() and wait([running], seconds).done:
                ended = running.result()
                how = f"exceeded the limit of {ended.limit}" if ended.limit else f"ended {when}"
                return f"the service `{service.name}` {how} (exit code {ended.exit}): {process.failure(ended)}"
        return ""

    def logs(self) -> tuple[tuple[str, str], ...]:
        """Return the output of the services by file name, once they have ended."""
        ended = ((each.name, future) for each, future in self._running.items() if not future.exception())
        return tuple((f"service-{name}.log", end.result().stdout.decode(errors="replace")) for name, end in ended)
