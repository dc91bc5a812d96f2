"""What was just done, said over the page that shows it, with its undoing where there is one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Toast:
    """A sentence. `undo_at` is where a form with `values` takes the act back; empty for never."""

    text: str
    undo_at: str = ""
    values: tuple[tuple[str, str], ...] = ()
