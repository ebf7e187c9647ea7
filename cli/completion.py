"""`autoopt completion SHELL`: print the script by which a shell completes commands, options and values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(
    epilog="""\b
To have it in every shell from now on:
  bash   autoopt completion bash >> ~/.bashrc
  zsh    autoopt completion zsh >> ~/.zshrc
  fish   autoopt completion fish > ~/.config/fish/completions/autoopt.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script by which a shell completes commands, options, methods, columns and files.

    To try it in this shell: eval "$(autoopt completion bash)".
    """
    kind = get_completion_class(shell)
    assert kind is not None  # click has all three
    root = ctx.find_root()
    click.echo(kind(root.command, {}, "autoopt", "_AUTOOPT_COMPLETE").source())
