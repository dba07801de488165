"""Steps that reach for the host's services, other networks, or the gateway itself."""

import socket

import pytest

from tests.hostile.conftest import Host, RunAttack

PRELUDE = """
def reach(family, address, kind=socket.SOCK_STREAM):
    connection = socket.socket(family, kind)
    connection.settimeout(3)
    connection.connect(address)
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    return connection.recv(100)

def proxy(data, size=65536):
    host, port = os.environ["HTTPS_PROXY"].removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(data)
    return connection.recv(size).decode(errors="replace")
"""
UNREACHABLE = (
    "stopped by ECONNREFUSED",
    "stopped by ENETUNREACH",
    "stopped by EADDRNOTAVAIL",
    "stopped by EHOSTUNREACH",
)
ADDRESSES = {
    "the loopback": "(socket.AF_INET, ('127.0.0.1', {port}))",
    "another address of the loopback": "(socket.AF_INET, ('127.9.9.9', {port}))",
    "any address": "(socket.AF_INET, ('0.0.0.0', {port}))",
    "the machine's own address": "(socket.AF_INET, ('{machine}', {port}))",
    "the loopback of IPv6": "(socket.AF_INET6, ('::1', {port6}))",
    "the loopback of IPv4 in IPv6": "(socket.AF_INET6, ('::ffff:127.0.0.1', {port}))",
    "a service of datagrams": "(socket.AF_INET, ('127.0.0.1', {udp}), socket.SOCK_DGRAM)",
    "the metadata of a cloud": "(socket.AF_INET, ('169.254.169.254', 80))",
    "the metadata of a cloud in IPv6": "(socket.AF_INET6, ('fd00:ec2::254', 80))",
    "the internet": "(socket.AF_INET, ('1.1.1.1', 443))",
    "a nameserver": "(socket.AF_INET, ('1.1.1.1', 53), socket.SOCK_DGRAM)",
    "the host of Docker": "(socket.AF_INET, ('172.17.0.1', 2375))",
}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES.keys())
@pytest.mark.few(3)
def test_no_address_but_the_gateway_answers(attack: RunAttack, host: Host, address: str) -> None:
    ports = host.services.ports
    address = address.format(port=ports["4"], port6=ports.get("6", 1), udp=ports["udp"], machine=host.services.machine)
    found = attack(f"return reach(*{address})", prelude=PRELUDE)
    assert found.printed in UNREACHABLE
    assert found.outcome == "different"


SOCKETS = {
    "an abstract socket": "'\\0' + {abstract!r}",
    "a socket with a path": "{path!r}",
    "Docker": "'/var/run/docker.sock'",
    "D-Bus": "'/run/dbus/system_bus_socket'",
    "systemd": "'/run/systemd/private'",
    "the name service": "'/var/run/nscd/socket'",
    "the log": "'/dev/log'",
}


@pytest.mark.parametrize("address", SOCKETS.values(), ids=SOCKETS.keys())
@pytest.mark.few(3)
def test_no_unix_socket_of_the_host_answers(attack: RunAttack, host: Host, address: str) -> None:
    address = address.format(abstract=host.services.abstract, path=host.services.path)
    found = attack(f"return reach(socket.AF_UNIX, {address})", prelude=PRELUDE)
    assert found.printed in ("stopped by ECONNREFUSED", "stopped by ENOENT")


def test_the_same_services_answer_without_a_sandbox(attack: RunAttack, host: Host) -> None:
    port, services = host.services.ports["4"], host.services
    body = (
        f"return reach(socket.AF_INET, ('127.0.0.1', {port})) and reach(socket.AF_UNIX, '\\0' + {services.abstract!r})"
    )
    outcome = attack(body, prelude=PRELUDE, backend="local").outcome
    visitors, services.visitors[:] = services.visitors[:], []
    assert (outcome, visitors) == ("shows", ["4", "abstract"])


def test_names_are_not_looked_up(attack: RunAttack) -> None:
    found = attack("""
        for name in ("example.com", "localhost.localdomain", "metadata.google.internal", "host.docker.internal"):
            try:
                return socket.getaddrinfo(name, 80)
            except socket.gaierror:
                pass
    """)
    assert found.printed == "stopped"


FAMILIES = {
    "raw": ("AF_INET", "SOCK_RAW, 1", "EPERM"),
    "raw of IPv6": ("AF_INET6", "SOCK_RAW, 58", "EPERM"),
    "packets": ("AF_PACKET", "SOCK_RAW", "EAFNOSUPPORT"),
    "netlink of audit": ("AF_NETLINK", "SOCK_RAW, 9", "EAFNOSUPPORT"),
    "netlink of netfilter": ("AF_NETLINK", "SOCK_RAW, 12", "EAFNOSUPPORT"),
    "virtual machines": ("AF_VSOCK", "SOCK_STREAM", "EAFNOSUPPORT"),
    "the kernel's cryptography": ("AF_ALG", "SOCK_SEQPACKET", "EAFNOSUPPORT"),
    "Bluetooth": ("AF_BLUETOOTH", "SOCK_RAW, 1", "EAFNOSUPPORT"),
    "CAN": ("AF_CAN", "SOCK_RAW, 1", "EAFNOSUPPORT"),
}


@pytest.mark.parametrize(("family", "kind", "code"), FAMILIES.values(), ids=FAMILIES.keys())
def test_sockets_of_other_kinds_cannot_be_made(attack: RunAttack, family: str, kind: str, code: str) -> None:
    numbers = {"AF_INET": 2, "AF_INET6": 10, "AF_PACKET": 17, "AF_NETLINK": 16, "AF_VSOCK": 40, "AF_ALG": 38}
    number = {**numbers, "AF_BLUETOOTH": 31, "AF_CAN": 29}[family]
    found = attack(f"return socket.socket({number}, socket.{kind})")
    assert found.printed == f"stopped by {code}"


def test_the_network_has_no_other_interface_and_none_can_be_made(attack: RunAttack) -> None:
    found = attack("""
        names = [name for _, name in socket.if_nameindex()]
        if names != ["lo"]:
            return names
        AF_INET, SIOCSIFADDR, SIOCSIFFLAGS, TUNSETIFF = 2, 0x8916, 0x8914, 0x400454CA
        import fcntl
        with socket.socket() as any_socket:
            for number in (SIOCSIFFLAGS, SIOCSIFADDR):
                try:
                    fcntl.ioctl(any_socket, number, struct.pack("16sH30x", b"lo", AF_INET))
                    return number
                except PermissionError:
                    pass
        done = subprocess.run(["ip", "link", "add", "x", "type", "dummy"], capture_output=True) if shutil.which("ip") else None
        return done is not None and done.returncode == 0
    """)
    assert found.printed == "stopped"


OWN = {
    "the host's loopback": "127.0.0.1:{port}",
    "the host's loopback by name": "localhost:{port}",
    "a host with a user": "pypi.org@127.0.0.1:{port}",
}
"""Here the gateway's stand-in of the public test index answers, never the host."""
REFUSED = {
    "the host's loopback in IPv6": "[::1]:{port6}",
    "the host's loopback as one number": "2130706433:{port}",
    "any address": "0.0.0.0:{port}",
    "the machine's own address": "{machine}:{port}",
    "the metadata of a cloud": "169.254.169.254:80",
    "a host of the internet": "example.com:443",
    "a host that ends as PyPI's": "evilpypi.org:443",
    "a host that begins as PyPI's": "pypi.org.example.com:443",
}
REQUESTS = """
for request in ("CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n", "GET http://{target}/ HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n"):
    answer = proxy(request.encode())
    print(answer.partition(" ")[2][:3])
    if "CANARY" in answer:
        return answer
"""


def filled(target: str, host: Host) -> str:
    ports = host.services.ports
    return target.format(port=ports["4"], port6=ports.get("6", 1), machine=host.services.machine)


@pytest.mark.parametrize("target", REFUSED.values(), ids=REFUSED.keys())
def test_the_gateway_does_not_lead_elsewhere(attack: RunAttack, host: Host, target: str) -> None:
    found = attack(REQUESTS.format(target=filled(target, host)), prelude=PRELUDE)
    assert found.printed.split() == ["403", "403", "stopped"]
    assert found.outcome == "broken"
    assert "is not a host of this MRE" in found.reason


@pytest.mark.parametrize("target", OWN.values(), ids=OWN.keys())
def test_the_gateways_own_names_do_not_lead_to_the_host(attack: RunAttack, host: Host, target: str) -> None:
    found = attack(REQUESTS.format(target=filled(target, host)), prelude=PRELUDE, options=("--replay",))
    assert found.printed.split()[-1] == "stopped"
    assert found.outcome in ("broken", "different")


@pytest.mark.parametrize("address", ["0.0.0.0", "127.9.9.9", "2130706433", "{machine}"])
def test_a_manifest_cannot_allow_the_hosts_own_addresses(attack: RunAttack, host: Host, address: str) -> None:
    address = address.format(machine=host.services.machine)
    body = REQUESTS.format(target=f"{address}:{host.services.ports['4']}")
    try:
        found = attack(body, prelude=PRELUDE, environment={"allow-hosts": [address]})
    finally:
        visitors, host.services.visitors[:] = host.services.visitors[:], []
    assert visitors == []
    assert found.printed.split()[-1] == "stopped"
    assert found.outcome == "broken"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_live_run_does_not_lead_to_the_host(attack: RunAttack, host: Host, name: str) -> None:
    try:
        found = attack(
            REQUESTS.format(target=f"{name}:{host.services.ports['4']}"), prelude=PRELUDE, options=("--live",)
        )
    finally:
        visitors, host.services.visitors[:] = host.services.visitors[:], []
    assert visitors == []
    assert found.printed.split()[-1] == "stopped"


def test_a_host_header_does_not_change_the_host(attack: RunAttack, host: Host) -> None:
    target = f"127.0.0.1:{host.services.ports['4']}"
    found = attack(
        f"return 'CANARY' in proxy(b'GET http://pypi.org/x HTTP/1.1\\r\\nHost: {target}\\r\\nConnection: close\\r\\n\\r\\n')",
        prelude=PRELUDE,
        options=("--replay",),
    )
    assert found.outcome in ("broken", "different")


RUBBISH = {
    "random bytes": "os.urandom(100_000)",
    "zeros": "bytes(1_000_000)",
    "an endless line": "b'GET ' + b'a' * 5_000_000",
    "endless headers": "b'GET http://pypi.org/ HTTP/1.1\\r\\n' + b'X: y\\r\\n' * 300_000",
    "a negative length": "b'POST http://pypi.org/ HTTP/1.1\\r\\nContent-Length: -1\\r\\n\\r\\n'",
    "a huge length": "b'POST http://pypi.org/ HTTP/1.1\\r\\nContent-Length: ' + b'9' * 40 + b'\\r\\n\\r\\n'",
    "two lengths": "b'POST http://pypi.org/ HTTP/1.1\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'",
    "TLS where none is": "b'\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xfc\\x03\\x03' + os.urandom(500)",
    "rubbish in the tunnel": "b'CONNECT pypi.org:443 HTTP/1.1\\r\\n\\r\\n' + os.urandom(10_000)",
    "the protocol of its control socket": 'b\'{"open": 1, "faults": ""}\\n\' * 1000',
    "a name that is no name": "b'CONNECT ' + bytes(range(128, 256)) + b':443 HTTP/1.1\\r\\n\\r\\n'",
}


def test_rubbish_does_not_stop_the_gateway(attack: RunAttack) -> None:
    found = attack(
        f"""
        for name, data in {{{", ".join(f"{name!r}: lambda: {data}" for name, data in RUBBISH.items())}}}.items():
            for _ in range(3):
                try:
                    proxy(data())
                except (ConnectionError, TimeoutError) as error:
                    print(name, type(error).__name__)
        connections = [socket.create_connection(("127.0.0.1", int(os.environ["HTTPS_PROXY"].rpartition(":")[2]))) for _ in range(500)]
        answer = proxy(b"CONNECT not-allowed.example:443 HTTP/1.1\\r\\n\\r\\n")
        print(answer.split("\\r\\n")[0])
        """.replace("\r", "\\r").replace('\n"', '\\n"'),
        prelude=PRELUDE,
    )
    assert "HTTP/1.1 403" in found.printed
    assert found.outcome == "broken"


def test_the_gateway_serves_the_next_variant_after_rubbish(attack: RunAttack) -> None:
    body = "for _ in range(20): proxy(os.urandom(1000))"
    control = {
        "name": "next",
        "expect": "absent",
        "why": "It sends none.",
        "step": [{"role": "observe", "run": "echo fine"}],
    }
    found = attack(body, prelude=PRELUDE, control=[control])
    (later,) = (each for each in found.data["variants"] if each["name"] == "next")
    assert later["outcome"] == "absent"
    assert [step["exit"] for step in later["steps"]] == [0]


def test_the_control_socket_and_open_files_are_not_inherited(attack: RunAttack) -> None:
    found = attack("""
        for number in range(3, 4096):
            try:
                return number, os.readlink(f"/proc/self/fd/{number}")
            except FileNotFoundError:
                pass
        for number in range(3):
            path = os.readlink(f"/proc/self/fd/{number}")
            if path.startswith("socket:") or not path.startswith(("pipe:", "/dev/null")):
                return path
    """)
    assert found.printed == "stopped"


def test_the_network_of_a_step_is_its_own(attack: RunAttack) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = attack(f"socket.create_server(('0.0.0.0', {port})); subprocess.Popen(['sleep', '60']); return False")
    assert found.printed == "stopped"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
