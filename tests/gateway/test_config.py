"""The network of an MRE as the gateway gets it."""

from datetime import date

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Index
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.config import GatewayConfig, gateway_config

INDEX = Index("https://a.example/simple", packages=(SyntheticPackage("x", "1", file="dist/x-1.tar.gz"),))
MRE = Mre(
    "t",
    Environment("0.5.0", exclude_newer=date(2024, 6, 1), allow_hosts=("a.example",)),
    (Step("uv sync", "observe"),),
    Symptom("failure", ("x",)),
    indexes=(INDEX,),
    files=(File("dist/x-1.tar.gz", b"sdist"), File("dist/y-1.tar.gz", b"other"), File("pyproject.toml", b"")),
)


def test_the_network_has_the_files_that_packages_name_and_no_others() -> None:
    assert gateway_config(MRE) == GatewayConfig(
        date(2024, 6, 1), (INDEX,), ("a.example",), files={"dist/x-1.tar.gz": b"sdist"}
    )


def test_more_hosts_are_added_to_those_of_the_mre() -> None:
    assert gateway_config(MRE, ("b.example",)).allow_hosts == ("a.example", "b.example")


def test_in_a_sandbox_only_the_user_allows_private_addresses() -> None:
    config = gateway_config(MRE, ("b.example",), sandbox=True)
    assert "b.example" in config.private_hosts
    assert "pypi.org" in config.private_hosts
    assert not {"a.example", "*"} & set(config.private_hosts)
