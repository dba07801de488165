"""Build the wheels and sdists of synthetic packages.

The builds are reproducible everywhere, as an MRE's `uv.lock` may have their hashes. So nothing is compressed: builds
of zlib differ.
"""

import io
import json
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import IO

from uvmre.core.network.simple_page import normalize_name
from uvmre.core.network.synthetic import SyntheticPackage

Table = Mapping[str, str | list[str]]

BACKENDS = {
    "flit-core": "flit_core.buildapi",
    "hatchling": "hatchling.build",
    "meson-python": "mesonpy",
    "pdm-backend": "pdm.backend",
    "poetry-core": "poetry.core.masonry.api",
    "scikit-build-core": "scikit_build_core.build",
    "setuptools": "setuptools.build_meta",
}
"""The build backend objects whose names differ from their packages' (PEP 517)."""
ZIP_DATE = (2020, 1, 1, 0, 0, 0)
TAR_MTIME = 1_577_836_800
"""ZIP_DATE as a timestamp."""
METADATA_LIMIT = 10_000_000
UNPACKED_LIMIT = 1_000_000_000
BACKEND_MODULE = "synthetic_backend"
BACKEND_SOURCE = '''\
"""Builds the wheel of this synthetic package. Needs nothing but Python 3.8."""

import base64
import hashlib
import os
import zipfile


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = "{stem}.dist-info"
    for name, content in _metadata().items():
        path = os.path.join(metadata_directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    return folder


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {{"{module}/__init__.py": _read("src", "{module}", "__init__.py"), **_metadata()}}
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += "{{}},sha256={{}},{{}}\\n".format(name, digest, len(content))
    files["{stem}.dist-info/RECORD"] = (record + "{stem}.dist-info/RECORD,,\\n").encode()
    filename = "{stem}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as wheel:
        for name, content in files.items():
            wheel.writestr(zipfile.ZipInfo(name), content)
    return filename


def _metadata():
    wheel = b"Wheel-Version: 1.0\\nGenerator: {own}\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    return {{"{stem}.dist-info/METADATA": _read("PKG-INFO"), "{stem}.dist-info/WHEEL": wheel}}


def _read(*parts):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), *parts), "rb") as file:
        return file.read()
'''


def version(package: SyntheticPackage) -> str:
    """Return the normalized version (PEP 440)."""
    from packaging.version import Version

    return str(Version(package.version))


def stem(package: SyntheticPackage) -> str:
    """Return the start of the names of a version's files (PEP 427, 625)."""
    return f"{module(package)}-{version(package)}"


def module(package: SyntheticPackage) -> str:
    """Return the name of the module."""
    return normalize_name(package.name).replace("-", "_")


def metadata(package: SyntheticPackage) -> bytes:
    """Return METADATA or PKG-INFO, which are the same; without Dynamic fields clients need not build (PEP 643)."""
    lines = [
        "Metadata-Version: 2.2",
        f"Name: {package.name}",
        f"Version: {version(package)}",
        f"Summary: {_summary(package)}",
    ]
    lines += [f"Requires-Python: {package.requires_python}"] if package.requires_python else []
    lines += [f"Requires-Dist: {requirement}" for requirement in package.requires]
    for extra, requires in package.extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_with_extra(requirement, extra)}" for requirement in requires]
    return ("\n".join(lines) + "\n").encode()


def _summary(package: SyntheticPackage) -> str:
    # Never empty: flit would read the description of the module.
    return package.description or "Synthetic"


def _with_extra(requirement: str, extra: str) -> str:
    """Add the extra to the marker of a requirement; after a URL it starts with white space (PEP 508)."""
    head, *markers = re.split(r"\s;" if "@" in requirement else ";", requirement, maxsplit=1)
    marker = "".join(f"({marker.strip()}) and " for marker in markers)
    return f"{head.strip()} ; {marker}extra == '{extra}'"


def wheel(package: SyntheticPackage, tag: str) -> bytes:
    """Build a wheel (PEP 427)."""
    info = f"{stem(package)}.dist-info"
    files = {
        f"{module(package)}/__init__.py": _init(package),
        f"{info}/METADATA": metadata(package),
        f"{info}/WHEEL": _wheel_file(tag),
    }
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _init(package: SyntheticPackage) -> bytes:
    return f'__version__ = "{version(package)}"\n'.encode()


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


def _wheel_file(tag: str) -> bytes:
    """Return WHEEL, with all tags of a compressed tag set (PEP 425)."""
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    pure = platforms == ["any"] and abis == ["none"]
    lines = ["Wheel-Version: 1.0", "Generator: uvmre", f"Root-Is-Purelib: {str(pure).lower()}"]
    lines += [f"Tag: {python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms]
    return ("\n".join(lines) + "\n").encode()


def sdist(package: SyntheticPackage) -> bytes:
    """Build an sdist (PEP 625), with its own build backend or the one of the package."""
    files = {
        "PKG-INFO": metadata(package),
        "pyproject.toml": _pyproject(package),
        f"src/{module(package)}/__init__.py": _init(package),
    }
    if not package.build_backend:
        backend = BACKEND_SOURCE.format(stem=stem(package), module=module(package), own=BACKEND_MODULE)
        files[f"{BACKEND_MODULE}.py"] = backend.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{stem(package)}/{name}")
            entry.size, entry.mtime = len(content), TAR_MTIME
            archive.addfile(entry, io.BytesIO(content))
    return _gzip(buffer.getvalue())


def _pyproject(package: SyntheticPackage) -> bytes:
    tables = {"build-system": _build_system(package.build_backend), "project": _project(package)}
    if package.extras:
        tables["project.optional-dependencies"] = {extra: list(requires) for extra, requires in package.extras.items()}
    if package.build_backend and _requirement_name(package.build_backend) == "flit-core":
        # It looks for a module of exactly the project's name, even with dots.
        tables["tool.flit.module"] = {"name": module(package)}
    # Strings and lists of them are the same in JSON and TOML; the output of tomli_w may change, these bytes may not.
    lines = (
        line
        for name, table in tables.items()
        for line in (f"[{name}]", *(f"{_key(key)} = {_json(value)}" for key, value in table.items()), "")
    )
    return "\n".join(lines).encode()


def _key(key: str) -> str:
    return _json(key) if "." in key else key


def _json(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _project(package: SyntheticPackage) -> Table:
    requires_python = {"requires-python": package.requires_python} if package.requires_python else {}
    return {
        "name": package.name,
        "version": version(package),
        "description": _summary(package),
        **requires_python,
        "dependencies": list(package.requires),
    }


def _build_system(backend: str) -> Table:
    if not backend:
        return {"requires": [], "build-backend": BACKEND_MODULE, "backend-path": ["."]}
    name = _requirement_name(backend)
    return {"requires": [backend], "build-backend": BACKENDS.get(name, name.replace("-", "_"))}


def _requirement_name(backend: str) -> str:
    from packaging.requirements import Requirement

    return normalize_name(Requirement(backend).name)


def read_metadata(filename: str, content: bytes) -> bytes | None:
    """Return the metadata in a wheel or sdist; None where there is none, or the file is broken."""
    try:
        if filename.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
                with archive.open(name) as file:
                    return _read_limited(file)
        # As a stream, for a small gzip file may have gigabytes before that member.
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|*") as sources:
            for member in sources:
                if member.offset > UNPACKED_LIMIT:
                    return None
                if member.isreg() and member.name.count("/") == 1 and member.name.endswith("/PKG-INFO"):
                    found = sources.extractfile(member)
                    return _read_limited(found) if found else None
    except (zipfile.BadZipFile, tarfile.TarError, StopIteration, EOFError, OSError, zlib.error, lzma.LZMAError):
        return None
    except (RuntimeError, ValueError):  # encrypted, compressed in an unknown way, or with invalid names
        return None
    return None


def _read_limited(file: IO[bytes]) -> bytes | None:
    content = file.read(METADATA_LIMIT + 1)
    return content if len(content) <= METADATA_LIMIT else None


def _gzip(data: bytes) -> bytes:
    """Return data as uncompressed gzip (RFC 1951, 1952); the header of the module gzip differs between Pythons."""
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return b"".join([header, *_stored_blocks(data), struct.pack("<II", zlib.crc32(data), len(data))])


def _stored_blocks(data: bytes) -> Iterator[bytes]:
    most = 0xFFFF
    for at in range(0, len(data), most):
        block = data[at : at + most]
        last = at + most >= len(data)
        yield struct.pack("<BHH", last, len(block), len(block) ^ most) + block
