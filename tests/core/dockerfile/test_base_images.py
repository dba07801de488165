"""What a stand-in is made of, read off the name of the image that it stands for."""

import pytest

from uvmre.core.dockerfile.base_images import Recipe, recipe, referenced_images
from uvmre.core.dockerfile.parser import parse
from uvmre.errors import UsageError

UV = "ghcr.io/astral-sh/uv"


@pytest.mark.parametrize(
    ("image", "suite", "python", "uv"),
    [
        (f"{UV}:0.5.21", "", "", "0.5.21"),
        (UV, "", "", "latest"),
        (f"{UV}:latest", "", "", "latest"),
        ("astral/uv:0.8.0", "", "", "0.8.0"),
        (f"{UV}:0.5.21-python3.12-bookworm-slim", "bookworm", "3.12", "0.5.21"),
        (f"{UV}:0.5.21-bookworm", "bookworm", "", "0.5.21"),
        (f"{UV}:0.9.1-debian-slim", "bookworm", "", "0.9.1"),
        (f"{UV}:python3.13-trixie-slim", "trixie", "3.13", "latest"),
        (f"{UV}:bookworm-slim", "bookworm", "", "latest"),
        ("python:3.11-slim-bookworm", "bookworm", "3.11", ""),
        ("python:3.11.7", "bookworm", "3.11.7", ""),
        ("docker.io/library/python:3.12-slim-trixie", "trixie", "3.12", ""),
        ("debian:bookworm-slim", "bookworm", "", ""),
        ("debian:12.9-slim", "bookworm", "", ""),
        ("debian:trixie-20250811", "trixie", "", ""),
        ("debian", "bookworm", "", ""),
    ],
)
def test_a_tag_says_what_is_in_the_image(image: str, suite: str, python: str, uv: str) -> None:
    assert recipe(image) == Recipe(image, suite, python, uv)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (f"{UV}:0.5.21@sha256:{'0' * 64}", "digest"),
        (f"{UV}:0.5", "no full release"),
        (f"{UV}:0.5.21-alpine", "alpine"),
        (f"{UV}:0.5.21-python3.12-alpine3.20", "alpine"),
        (f"{UV}:0.5.21-bookworm-extra", "bookworm-extra"),
        ("python:3.12-slim-bullseye", "bullseye"),
        ("python:3-slim", "Python version"),
        ("python", "Python version"),
        ("mcr.microsoft.com/devcontainers/python:3.12", "no stand-in"),
        ("debian:sid", "sid"),
        ("ubuntu:24.04", "no stand-in"),
        ("localhost:5000/python:3.12", "no stand-in"),
    ],
)
def test_what_cannot_be_made_is_refused_with_its_reason(image: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        recipe(image)
    assert image in caught.value.message
    assert caught.value.hint


DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG UV=0.5.21
ARG SLIM
FROM ghcr.io/astral-sh/uv:${UV} AS Uv
FROM --platform=linux/amd64 python:${PYTHON:-3.11}-slim${SLIM} AS build
COPY --from=uv /uv /bin/
COPY --from=ghcr.io/astral-sh/uv:0.5.22 /uvx /bin/
COPY . .
RUN --mount=type=cache,target=/root/.cache --mount=type=bind,from=debian:12,source=/etc,target=/e uv sync
RUN --mount=from=uv,source=/uv,target=/bin/uv uv sync
FROM scratch AS files
FROM build
COPY --from=0 /uv /other
COPY --from=files / /
COPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /again
"""


def test_a_dockerfile_names_images_and_stages_are_none() -> None:
    uv, other = "ghcr.io/astral-sh/uv:0.5.21", "ghcr.io/astral-sh/uv:0.5.22"
    assert referenced_images(parse(DOCKERFILE)) == (uv, "python:3.11-slim", other, "debian:12")


def test_what_cannot_be_expanded_stays_as_written() -> None:
    assert referenced_images(parse("FROM python:${V:?which}\n")) == ("python:${V:?which}",)
