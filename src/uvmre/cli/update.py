"""`uvmre update`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli.new import question_options, read_answers, require_terminal, trust_option
from uvmre.cli.options import mre_argument
from uvmre.cli.output import Rendered, json_option

if TYPE_CHECKING:
    from uvmre.flows.update import UpdatedMre


@click.command(short_help="Answer the questions of an MRE's template again, and keep your edits.")
@mre_argument
@question_options
@trust_option
@json_option
def update(mre: Path, *, data: tuple[str, ...], data_file: Path | None, defaults: bool, trust: bool) -> Rendered:
    """Answer the questions of the template of MRE again, with the answers that it keeps as defaults.

    The template is rendered again, as it is now, and what changed is merged into the folder: edits stay. Where an edit
    and a change do not fit together, the file has conflict markers.

    Exit code: 0 if all is merged, 1 if conflicts are left to edit.
    """
    from uvmre.flows.update import update as flow

    answers = read_answers(data, data_file)
    require_terminal(defaults=defaults)
    return _render(flow(mre, answers=answers, ask=not defaults, trust=trust))


def _render(updated: "UpdatedMre") -> Rendered:
    merged = updated.merged
    written = [file.path for file in merged.files]
    changes = [*(f"  updated {path}" for path in written), *(f"  removed {path}" for path in merged.removed)]
    conflicts = [f"  conflict {each}" for each in merged.conflicts]
    data: dict[str, Any] = {
        "schema": 1,
        "folder": str(updated.folder),
        "template": updated.template,
        "updated": written,
        "removed": list(merged.removed),
        "conflicts": list(merged.conflicts),
        "notes": list(merged.notes),
    }
    count = len(merged.conflicts)
    hint = f"hint: edit the {count} file{'s' * (count > 1)} with conflicts before you run it"
    return Rendered(
        "\n".join([f"updated {updated.folder} from {updated.template}", *changes, *conflicts]),
        lambda: data,
        exit_code=1 if conflicts else 0,
        notes=[*(f"note: {note}" for note in merged.notes), *[hint] * bool(conflicts)],
    )
