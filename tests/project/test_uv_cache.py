from pathlib import Path

from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.project.uv_cache import cached_packages


def test_unpacked_wheels_have_their_metadata(tmp_path: Path) -> None:
    for number, (name, version) in enumerate([("corp_a", "1.0"), ("corp_a", "2.0"), ("other", "1.0")]):
        folder = tmp_path / "archive-v0" / str(number) / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\nRequires-Dist: six\n")
    found = cached_packages(tmp_path, {"corp-a"})
    assert sorted(found["corp-a"], key=lambda each: each.version) == [
        SyntheticPackage("corp-a", version, requires=("six",), sdist=False) for version in ("1.0", "2.0")
    ]
    assert list(found) == ["corp-a"]


def test_a_cache_that_does_not_exist_has_none(tmp_path: Path) -> None:
    assert cached_packages(tmp_path / "gone", {"a"}) == {}
