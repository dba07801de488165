"""What the name of an image says."""

import pytest

from uvmre.core.dockerfile.image_names import BaseImage, parse_image_name, slim_image


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ghcr.io/astral-sh/uv:0.5.21", BaseImage("0.5.21", "", True)),
        ("ghcr.io/astral-sh/uv:0.5.21-python3.12-bookworm", BaseImage("0.5.21", "3.12", True)),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", BaseImage("", "3.12", True)),
        ("ghcr.io/astral-sh/uv:0.5-debian", BaseImage("", "", True)),
        ("ghcr.io/astral-sh/uv@sha256:2381", BaseImage("", "", True)),
        ("ghcr.io/astral-sh/uv:0.5.21@sha256:2381", BaseImage("0.5.21", "", True)),
        ("astral/uv:0.8.0", BaseImage("0.8.0", "", True)),
        ("python:3.11-slim", BaseImage("", "3.11")),
        ("docker.io/library/python:3.11.7", BaseImage("", "3.11.7")),
        ("python", BaseImage()),
        ("python:slim", BaseImage()),
        ("localhost:5000/python:3.11", BaseImage()),
        ("ubuntu:24.04", BaseImage()),
    ],
)
def test_an_image_says(name: str, says: BaseImage) -> None:
    assert parse_image_name(name) == says


@pytest.mark.parametrize(
    ("uv", "python", "name"),
    [
        ("0.4.3", "3.11", ""),
        ("0.4.4", "3.11", "ghcr.io/astral-sh/uv:0.4.4-python3.11-bookworm-slim"),
        ("0.5.21", "3.11.7", "ghcr.io/astral-sh/uv:0.5.21-python3.11-bookworm-slim"),
        ("0.9.30", "3.13", "ghcr.io/astral-sh/uv:0.9.30-python3.13-bookworm-slim"),
        ("0.10.0", "3.13", "ghcr.io/astral-sh/uv:0.10.0-python3.13-trixie-slim"),
        ("0.5.21", "", "ghcr.io/astral-sh/uv:0.5.21-debian-slim"),
    ],
)
def test_uv_s_image_of_a_release(uv: str, python: str, name: str) -> None:
    assert slim_image(uv, python) == name
