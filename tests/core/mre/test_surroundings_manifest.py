"""Mistakes in what the steps run in: services, the clock."""

import pytest

from tests.core.mre.test_manifest import MINIMAL, faults
from uvmre.core.mre.manifest import parse
from uvmre.core.mre.model import BackgroundService, has_fixed_port
from uvmre.errors import InputError

SERVICE = '[[service]]\nname = "a"\nrun = "serve"\n'


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[symptom]", f"{SERVICE}{SERVICE}[symptom]", "name is already used ('a'): choose another"),
        ("[symptom]", f"{SERVICE}[symptom]", ""),
        ('uv = "0.5.21"', 'uv = "0.5.21"\nclock = true', "environment.clock needs the date at which it starts"),
        ('uv = "0.5.21"', 'uv = "0.5.21"\nclock = true\nexclude-newer = 2025-01-02', ""),
        ('uv = "0.5.21"', 'uv = "0.5.21"\nclock = false', ""),
    ],
)
def test_a_mistake_is_reported(old: str, new: str, fault: str) -> None:
    assert old in MINIMAL
    found = "".join(faults(MINIMAL.replace(old, new))) if fault else parse(MINIMAL.replace(old, new))
    assert not fault or fault in str(found)


def test_a_service_needs_steps_beside_which_it_runs() -> None:
    head, _, tail = MINIMAL.partition("[[step]]")
    with pytest.raises(InputError) as raised:
        parse(f"{head}{SERVICE}{tail[tail.index('[symptom]') :]}", dockerfile=True)
    assert "needs a [[step]]: a service cannot run beside the RUNs of a Dockerfile" in "".join(raised.value.faults)


def test_a_service_is_read() -> None:
    text = MINIMAL.replace("[symptom]", f'{SERVICE}ready = "/up"\ntimeout = 5\n[symptom]')
    assert parse(text).services == (BackgroundService("a", "serve", "/up", 5),)


@pytest.mark.parametrize(
    ("command", "fixed"),
    [
        ("curl http://127.0.0.1:8000/", True),
        ("serve --bind localhost:80", True),
        ("devpi --port 3141", True),
        ("devpi --port=3141", True),
        ("python -m http.server --directory d 8080", True),
        ("python -c 'serve((\"127.0.0.1\", 8000))'", True),
        ("python -m http.server $PORT", False),
        ("curl http://127.0.0.1:$PORT/", False),
        ("curl http://localhost/", False),
        ("devpi --port $PORT", False),
        ("uv pip install x==127.0.0.1", False),
    ],
)
def test_a_fixed_port_is_found_in_commands(command: str, fixed: bool) -> None:
    escaped = command.replace('"', '\\"')
    assert has_fixed_port(parse(MINIMAL.replace('run = "uv sync"', f'run = "{escaped}"'))) == fixed
