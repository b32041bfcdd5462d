"""The config file as the commands that change it read and write it: comments and layout stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from tomlkit import TOMLDocument


def read_document(path: Path) -> TOMLDocument:
    """The file with its comments and layout; an empty one where there is none. Raises `ConfigError`."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except (OSError, UnicodeDecodeError, TOMLKitError) as e:
        raise ConfigError(f"cannot read {path}: {e}") from e


def write_document(path: Path, document: TOMLDocument) -> None:
    """Write the file whole, for its owner's eyes; what makes it invalid is taken back."""
    import tomlkit

    from t2s.config import load_config
    from t2s.render.files import whole_file

    before = path.read_bytes() if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole_file(path) as temporary:
        temporary.write_text(tomlkit.dumps(document).rstrip() + "\n", encoding="utf-8")
        temporary.chmod(0o600)
    try:
        load_config()
    except ConfigError:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
        raise
