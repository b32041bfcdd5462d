"""`t2s completion`: what a shell needs to complete t2s's commands, options and names."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: t2s completion bash > ~/.local/share/bash-completion/completions/t2s")
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help="Which shell.")],
) -> int:
    """Print a shell's completion script.

    bash: into ~/.local/share/bash-completion/completions/t2s; zsh: as _t2s into a folder of $fpath; fish: into
    ~/.config/fish/completions/t2s.fish.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from t2s.cli.app import ASKED_BY_SHELL

    sys.stdout.write(get_completion_script(prog_name="t2s", complete_var=ASKED_BY_SHELL, shell=shell) + "\n")
    return 0
