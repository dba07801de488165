"""Stand-ins for base images that cannot be pulled, built from what this machine has and labelled as such."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.dockerfile.base_images import Recipe
from uvmre.errors import CannotTell
from uvmre.run.engines import availability, rootfs
from uvmre.run.engines.availability import LABEL, STAND_IN_LABEL, Engine
from uvmre.run.engines.rootfs import Notify
from uvmre.run.process import failure

BASE = "localhost/uvmre/base"
"""The Debian image below the stand-ins; its tag is the suite."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TOOL_BIN_FROM = (0, 8)
"""The first release whose image sets UV_TOOL_BIN_DIR."""


@dataclass(frozen=True)
class Parts:
    """The parts of a stand-in."""

    recipe: Recipe
    uv: Path | None = None
    """The folder with uv and uvx."""
    release: str = ""
    python: Path | None = None
    """The archive of the interpreter."""
    version: str = ""

    @property
    def description(self) -> str:
        """Return the parts as the label and reports list them."""
        debian = f"Debian {self.recipe.suite} by debootstrap" if self.recipe.suite else ""
        python = f"CPython {self.version} of this machine" if self.python else ""
        uv = f"uv {self.release} of its wheel" if self.uv else ""
        return ", ".join(part for part in (debian, python, uv) if part)


def build(engine: Engine, parts: Parts, cache: Path, notify: Notify) -> None:
    """Build a stand-in on an engine, under the name that a Dockerfile uses.

    Raises:
        CannotTell: when a part is not available, or the engine fails.
    """
    suite = parts.recipe.suite
    if suite and availability.labels(engine, f"{BASE}:{suite}") is None:
        with _build_context(cache, {"root.tar": rootfs.debian(suite, cache, notify)}) as folder:
            lines = ["FROM scratch", "ADD root.tar /", f"ENV PATH={PATH}"]
            _build(engine, folder, f"{BASE}:{suite}", lines, {LABEL: "base"})
    files = {"python.tar": parts.python} if parts.python else {}
    if parts.uv:
        files |= {tool: parts.uv / tool for tool in ("uv", "uvx") if (parts.uv / tool).exists()}
    with _build_context(cache, files) as folder:
        labels = {LABEL: "stand-in", STAND_IN_LABEL: parts.description}
        _build(engine, folder, availability.full_name(engine, parts.recipe.image), list(_dockerfile(parts)), labels)


def _dockerfile(parts: Parts) -> Iterator[str]:
    """Yield the Dockerfile of a stand-in, with the paths, variables and commands of the real image."""
    tools = "uv uvx" if parts.uv and (parts.uv / "uvx").exists() else "uv"
    if not parts.recipe.suite:
        yield from ("FROM scratch", f"COPY {tools} /", "WORKDIR /io", 'ENTRYPOINT ["/uv"]')
        return
    yield f"FROM {BASE}:{parts.recipe.suite}"
    command = "bash"
    if parts.python:
        minor = ".".join(parts.version.split(".")[:2])
        links = f"ln -s python{minor} python3 && ln -s python{minor} python"
        pip = f"python{minor} -m ensurepip --default-pip --root / >/dev/null 2>&1"
        yield f"ENV PATH=/usr/local/bin:{PATH} LANG=C.UTF-8 PYTHON_VERSION={parts.version}"
        yield "ADD python.tar /usr/local/"
        yield f"RUN ldconfig && cd /usr/local/bin && {links} && {pip}"
        command = "python3"
    if parts.uv:
        yield f"COPY {tools} /usr/local/bin/"
        if tuple(int(part) for part in parts.release.split(".")[:2]) >= TOOL_BIN_FROM:
            yield "ENV UV_TOOL_BIN_DIR=/usr/local/bin"
        yield "ENTRYPOINT []"
        command = "/usr/local/bin/uv"
    yield f'CMD ["{command}"]'


@contextlib.contextmanager
def _build_context(cache: Path, files: Mapping[str, Path]) -> Iterator[Path]:
    """Give a build context with these files, hard-linked where the file system allows it."""
    with temp_folders.temporary(cache, temp_folders.ASIDE) as folder:
        for name, file in files.items():
            try:
                os.link(file, folder / name)
            except OSError:
                shutil.copy2(file, folder / name)
        yield folder


def _build(engine: Engine, folder: Path, name: str, lines: list[str], labels: dict[str, str]) -> None:
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
    process = availability.call(
        engine, [*availability.COMMANDS[engine.name].build, *options, "--tag", name, str(folder)]
    )
    if process.exit:
        hint = "`uvmre doctor` checks the engine"
        raise CannotTell(f"{engine.name} failed to build `{name}`", hint, cause=failure(process))
