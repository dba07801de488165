"""What `uvmre doctor` says about a machine, by facts that this machine does not have."""

from collections.abc import Mapping

import pytest

from uvmre.flows.doctor import APPARMOR, sandbox_command

BWRAP = "/usr/bin/bwrap"


@pytest.mark.parametrize(
    ("settings", "container", "part"),
    [
        pytest.param({}, False, "", id="nothing is known to forbid it"),
        pytest.param({"kernel.unprivileged_userns_clone": "1", APPARMOR: "0"}, False, "", id="all is permitted"),
        pytest.param(
            {"kernel.unprivileged_userns_clone": "0"}, False, "kernel.unprivileged_userns_clone=1", id="Debian"
        ),
        pytest.param({"user.max_user_namespaces": "0"}, False, "sysctl -w user.max_user_namespaces=", id="RHEL 7"),
        pytest.param({APPARMOR: "1"}, False, f"profile uvmre-bwrap {BWRAP} flags=(unconfined)", id="Ubuntu 24.04"),
        pytest.param({APPARMOR: "1"}, True, "--security-opt apparmor=unconfined", id="inside Docker"),
    ],
)
def test_the_command_that_permits_a_sandbox(settings: Mapping[str, str], container: bool, part: str) -> None:
    command = sandbox_command(BWRAP, settings, in_container=container)
    assert part in command
    assert bool(command) == bool(part)


def test_without_bubblewrap_it_is_installed() -> None:
    command = sandbox_command("", {APPARMOR: "1"}, in_container=True)
    assert "bubblewrap" in command or "uvmre[sandbox]" in command
