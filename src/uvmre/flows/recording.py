"""The recording of an MRE: look at it, delete from it, and give it away with all that a run needs."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre import files
from uvmre.core.mre.model import BUNDLED, MANIFEST, Mre
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import secret_lines, secrets
from uvmre.errors import InputError, UsageError
from uvmre.folder.evidence import RECORDING, RUNS
from uvmre.folder.read import read_mre, require_own_folders
from uvmre.gateway.recording import archive as packing
from uvmre.gateway.recording.archive import Check, Listing, PackedFile, ProgressCallback
from uvmre.releases import binaries, cache_users, catalogue

BODIES = "bodies"


@dataclass(frozen=True)
class Packed:
    """A pack that was written."""

    path: Path
    top: str
    """The folder that comes out of it."""
    entries: int
    size: int
    uv: str
    platform: str
    """What its uv runs on."""
    sha256: str
    secrets: tuple[str, ...]
    """The files in it with a value that looks like a secret: the MRE's own, which a run needs as they are."""


def ls(folder: Path) -> Listing:
    """List the recording of the MRE in `folder`."""
    return packing.list_recording(_recording_folder(folder))


def rm(folder: Path, patterns: Sequence[str]) -> int:
    """Delete the entries whose address matches a pattern, all without one; return how many."""
    return packing.remove_entries(_recording_folder(folder), patterns)


def verify(folder: Path, *, cache: Path, on_progress: ProgressCallback) -> Check:
    """Look whether every answer on the recording is there and is what it was."""
    return packing.check_recording(_recording_folder(folder), cache / BODIES, on_progress)


def pack(
    target: Path,
    folder: Path,
    *,
    cache: Path,
    progress: Progress,
    on_progress: ProgressCallback,
    allow_secrets: bool = False,
) -> Packed:
    """Write the MRE with its recording, the bodies and its release of uv into one file.

    Args:
        target: the file to write, outside the MRE; an older pack is replaced.
        folder: the MRE.
        cache: where the bodies and the releases are.
        progress: the progress callback of the release's download.
        on_progress: called with the progress of the rest.
        allow_secrets: whether files with secrets may be in it.

    Raises:
        UsageError: if there is no recording, or the target is invalid.
        InputError: if the recording or the folder is damaged, or may contain secrets.
        CannotTell: if the release is not available.
    """
    mre, quoted = read_mre(folder), shlex.quote(str(folder))
    _take(target, folder)
    cache_users.hold(cache, str((folder / RECORDING).absolute()))
    recording, release = folder / RECORDING, catalogue.resolve(mre.environment.uv, cache)[0]
    checked = packing.check_recording(recording, cache / BODIES, on_progress)
    if not (checked.entries or checked.faults or (folder / RUNS).is_dir()):  # some runs ask for nothing
        raise UsageError(
            f"`{folder}` has no recording",
            f"record one with `uvmre run {quoted}`",
        )
    if checked.faults:
        raise InputError(
            f"the recording of `{folder}` is damaged",
            [fault.line for fault in checked.faults],
            f"delete the damaged entries with `uvmre recording rm {quoted} URL`, then run `uvmre run {quoted}`",
        )
    own = [PackedFile(MANIFEST, (folder / MANIFEST).read_bytes())]
    own += [PackedFile(file.path, file.content, file.executable) for file in mre.files]
    replayed = [
        PackedFile(f"{RECORDING}/{content.name}", content.source)
        for content in packing.packed_files(recording, checked.bodies)
    ]
    confidential = tuple(_secret_places(mre, [*own, *replayed]))
    if confidential and not allow_secrets:
        raise InputError(
            f"`{folder}` may contain secrets in {len(confidential)} place{'s' * (len(confidential) > 1)}",
            confidential,
            "replace them, or use `--allow-secrets` if none of them is confidential",
        )
    _, uv = binaries.get(release, cache, progress.downloading, bundled=folder / BUNDLED)
    top = folder.resolve().name or "mre"
    sha256 = packing.write_pack(target, top, [*own, *replayed, *_release(release, uv)], on_progress)
    named = tuple(dict.fromkeys(place.rpartition(":")[0] for place in confidential))
    return Packed(target, top, checked.entries, target.stat().st_size, release, catalogue.platform(), sha256, named)


def _recording_folder(folder: Path) -> Path:
    hint = "Name the folder of an MRE; patterns come after it, as in `uvmre recording rm . '*/simple/*'`."
    files.require_folder(folder, hint)
    if not (folder / MANIFEST).is_file():
        raise UsageError(f"`{folder}` is not an MRE: it has no `{MANIFEST}`", hint)
    require_own_folders(folder)
    return folder / RECORDING


def _take(target: Path, folder: Path) -> None:
    """Refuse a target that would harm something, or that cannot be written."""
    import zipfile

    if target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"`{target}` is inside the MRE",
            f"name a file outside, as ../{folder.resolve().name}.zip",
        )
    if not target.parent.is_dir():
        raise UsageError(f"`{target.parent}` is not a folder", "create it first")
    if target.is_dir():
        raise UsageError(f"`{target}` is a folder", f"name a file, as {target / folder.resolve().name}.zip")
    if target.exists() and not zipfile.is_zipfile(target):
        raise UsageError(f"`{target}` already exists and is not a pack", "name another file; the MRE follows it")


def _secret_places(mre: Mre, packed: Sequence[PackedFile]) -> Iterator[str]:
    """Yield where something looks like a secret, as FILE:LINE; what the network sent as bodies is not read."""
    values = secrets(mre)
    for content in packed:
        if isinstance(content.source, bytes) or content.name.endswith(".json"):
            text = content.source if isinstance(content.source, bytes) else content.source.read_bytes()
            yield from (f"{content.name}:{line}" for line in secret_lines(text.decode(errors="replace"), values))


def _release(release: str, uv: Path) -> Iterator[PackedFile]:
    below = f"{BUNDLED}/{release}"
    yield PackedFile(f"{below}/{binaries.PLATFORM}", f"{catalogue.platform()}\n".encode())
    for tool in (uv.with_name(name) for name in binaries.TOOLS):
        if tool.exists():
            yield PackedFile(f"{below}/{tool.name}", tool, executable=True)
