"""Make the wheels and sdists of made-up packages.

The same package gives the same bytes everywhere and always, as an MRE's `uv.lock` may hold their hashes. So nothing is
compressed: builds of zlib differ in that.
"""

import io
import json
import re
import struct
import tarfile
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256

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
"""The object of each backend that is not called as its package is (PEP 517)."""
ZIP_DATE = (2020, 1, 1, 0, 0, 0)
TAR_MTIME = 1_577_836_800
"""The same day, since 1970."""
BACKEND_MODULE = "made_up_backend"
BACKEND_SOURCE = '''\
"""Builds the wheel of this made-up package. Needs nothing but Python 3.8."""

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


def normalized(name: str) -> str:
    """Return a project's name as an index has it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def version(made: SyntheticPackage) -> str:
    """Return the version as file names have it (PEP 440)."""
    from packaging.version import Version

    return str(Version(made.version))


def stem(made: SyntheticPackage) -> str:
    """Return how the names of a version's files start (PEP 427, 625)."""
    return f"{module(made)}-{version(made)}"


def module(made: SyntheticPackage) -> str:
    """Return the name of what is imported."""
    return normalized(made.name).replace("-", "_")


def metadata(made: SyntheticPackage) -> bytes:
    """Write METADATA, or PKG-INFO, which is the same: with nothing Dynamic clients need not build (PEP 643)."""
    lines = ["Metadata-Version: 2.2", f"Name: {made.name}", f"Version: {version(made)}", f"Summary: {_summary(made)}"]
    lines += [f"Requires-Python: {made.requires_python}"] if made.requires_python else []
    lines += [f"Requires-Dist: {requirement}" for requirement in made.requires]
    for extra, requires in made.extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_with_extra(requirement, extra)}" for requirement in requires]
    return ("\n".join(lines) + "\n").encode()


def _summary(made: SyntheticPackage) -> str:
    """Return what it is; flit does without a description only where it reads the module's."""
    return made.description or "Made up"


def _with_extra(requirement: str, extra: str) -> str:
    """Add the extra to a requirement's marker, which after a URL starts with white space (PEP 508)."""
    head, *markers = re.split(r"\s;" if "@" in requirement else ";", requirement, maxsplit=1)
    marker = "".join(f"({marker.strip()}) and " for marker in markers)
    return f"{head.strip()} ; {marker}extra == '{extra}'"


def wheel(made: SyntheticPackage, tag: str) -> bytes:
    """Make a wheel (PEP 427)."""
    info = f"{stem(made)}.dist-info"
    files = {
        f"{module(made)}/__init__.py": _init(made),
        f"{info}/METADATA": metadata(made),
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


def _init(made: SyntheticPackage) -> bytes:
    return f'__version__ = "{version(made)}"\n'.encode()


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


def _wheel_file(tag: str) -> bytes:
    """Write WHEEL, which has each of the tags that a name may stand for, with `.` between them (PEP 425)."""
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    pure = platforms == ["any"] and abis == ["none"]
    lines = ["Wheel-Version: 1.0", "Generator: uvmre", f"Root-Is-Purelib: {str(pure).lower()}"]
    lines += [f"Tag: {python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms]
    return ("\n".join(lines) + "\n").encode()


def sdist(made: SyntheticPackage) -> bytes:
    """Make an sdist (PEP 625), which its own backend or the named one builds."""
    files = {
        "PKG-INFO": metadata(made),
        "pyproject.toml": _pyproject(made),
        f"src/{module(made)}/__init__.py": _init(made),
    }
    if not made.build_backend:
        own = BACKEND_SOURCE.format(stem=stem(made), module=module(made), own=BACKEND_MODULE)
        files[f"{BACKEND_MODULE}.py"] = own.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{stem(made)}/{name}")
            entry.size, entry.mtime = len(content), TAR_MTIME
            archive.addfile(entry, io.BytesIO(content))
    return _gzip(buffer.getvalue())


def _pyproject(made: SyntheticPackage) -> bytes:
    tables = {"build-system": _build_system(made.build_backend), "project": _project(made)}
    if made.extras:
        tables["project.optional-dependencies"] = {extra: list(requires) for extra, requires in made.extras.items()}
    if made.build_backend and _requirement_name(made.build_backend) == "flit-core":
        # It looks for a module of the project's own name, dots and all.
        tables["tool.flit.module"] = {"name": module(made)}
    # Texts and lists of them are written in JSON as in TOML; how tomli_w lays them out is no promise, our bytes are.
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


def _project(made: SyntheticPackage) -> Table:
    requires_python = {"requires-python": made.requires_python} if made.requires_python else {}
    return {
        "name": made.name,
        "version": version(made),
        "description": _summary(made),
        **requires_python,
        "dependencies": list(made.requires),
    }


def _build_system(backend: str) -> Table:
    if not backend:
        return {"requires": [], "build-backend": BACKEND_MODULE, "backend-path": ["."]}
    name = _requirement_name(backend)
    return {"requires": [backend], "build-backend": BACKENDS.get(name, name.replace("-", "_"))}


def _requirement_name(backend: str) -> str:
    from packaging.requirements import Requirement

    return normalized(Requirement(backend).name)


def read_metadata(filename: str, content: bytes) -> bytes | None:
    """Return the metadata inside a file that somebody else made; None where it has none, or cannot be opened."""
    try:
        if filename.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(content)) as wheels:
                inside = next(name for name in wheels.namelist() if name.endswith(".dist-info/METADATA"))
                return wheels.read(inside)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = next(name for name in archive.getnames() if name.count("/") == 1 and name.endswith("/PKG-INFO"))
            file = archive.extractfile(member)
            return file.read() if file else None
    except (zipfile.BadZipFile, tarfile.TarError, StopIteration, NotImplementedError, EOFError, OSError, zlib.error):
        return None


def _gzip(data: bytes) -> bytes:
    """Wrap data as gzip does, stored (RFC 1951, 1952): the module gzip's header differs between Pythons."""
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return b"".join([header, *_stored_blocks(data), struct.pack("<II", zlib.crc32(data), len(data))])


def _stored_blocks(data: bytes) -> Iterator[bytes]:
    most = 0xFFFF
    for at in range(0, len(data), most):
        block = data[at : at + most]
        last = at + most >= len(data)
        yield struct.pack("<BHH", last, len(block), len(block) ^ most) + block
