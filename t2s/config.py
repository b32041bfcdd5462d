"""Settings: built-in defaults < config file < `.env` < environment < flags, each value with its source."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2s.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from t2s.settings import Settings

FOREIGN_VARIABLES = {
    "ANTHROPIC_API_KEY": "provider.api_key",
    "ANTHROPIC_BASE_URL": "provider.base_url",
    "OPENAI_API_KEY": "provider.openai_api_key",
    "OPENAI_BASE_URL": "provider.openai_base_url",
}
"""Variables that keep the name their own SDK gives them."""

NOT_SETTINGS = (
    "T2S_HOME",
    "T2S_CONFIG",
    "T2S_PASSWORD_",
    "T2S_TEST_",
    "T2S_REQUIRE_SERVERS",
    "T2S_TRACEBACK",
)

Layer = tuple[str, dict[str, Any]]
"""A source's name and the values it sets, by dotted path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Validated settings, where each came from (`sources`, by dotted path), and what looked odd."""

    settings: Settings
    sources: Mapping[str, str]
    warnings: tuple[str, ...]
    path: Path


def home() -> Path:
    """The folder of t2s's own data: `T2S_HOME`, else the platform's user data folder."""
    if chosen := os.environ.get("T2S_HOME"):
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("t2s", appauthor=False)


def own_home() -> Path:
    """The same, made where it is not there, for its owner's eyes only: what lies in it tells of questions and data."""
    path = home()
    with suppress(OSError):  # whoever writes there says so
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def config_path() -> Path:
    """The config file: `T2S_CONFIG`, else `config.toml` in the home of the data."""
    if chosen := os.environ.get("T2S_CONFIG"):
        return Path(chosen).expanduser()
    return home() / "config.toml"


def load_config(flags: Mapping[str, Any] | None = None) -> Config:
    """Read and validate every source; `flags` maps dotted paths to values, None meaning not given.

    Raises `ConfigError` that names the setting, its source and what is wrong.
    """
    path = config_path()
    dotenv = _dotenv(Path.cwd() / ".env")
    warnings: list[str] = []
    layers: list[Layer] = [
        (str(path), _from_file(path)),
        (".env", _trusted(_from_environment(dotenv, warnings), warnings)),
        ("environment", _from_environment(os.environ, warnings)),
        ("flag", {key: value for key, value in (flags or {}).items() if value is not None}),
    ]
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, values in layers:
        for key, value in values.items():
            merged[key] = value
            sources[key] = _source_name(source, key)
    return Config(settings=_validate(merged, sources), sources=sources, warnings=tuple(warnings), path=path)


@cache
def leaves() -> Mapping[str, str]:
    """Every setting's dotted path and the environment variable that sets it; maps are not among them."""
    from t2s.settings import Settings

    foreign = {path: name for name, path in FOREIGN_VARIABLES.items()}
    return {path: foreign.get(path, "T2S_" + path.upper().replace(".", "_")) for path in _paths(Settings, "")}


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    from pydantic import BaseModel

    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _paths(kind, f"{prefix}{name}.")
        elif not str(kind).startswith("dict"):
            yield prefix + name


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if os.environ.get("T2S_CONFIG"):
            raise ConfigError(f"T2S_CONFIG names {path}, which does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"cannot read {path}: {e}") from e
    try:
        return dict(_flatten(tomllib.loads(text), ""))
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{path} is not valid TOML: {e}") from e


def _flatten(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and (prefix or key not in ("connections", "prices")):
            yield from _flatten(value, f"{path}.")
        elif isinstance(value, dict):
            for name, entry in value.items():
                yield f"{path}.{name}", entry
        else:
            yield path, value


def _dotenv(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {key: value for key, value in dotenv_values(path).items() if value is not None}
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"cannot read {path}: {e}") from e


def _from_environment(variables: Mapping[str, str], warnings: list[str]) -> dict[str, Any]:
    by_name = {variable: path for path, variable in leaves().items()}
    found = {}
    for name, value in variables.items():
        if name in by_name:
            if value != "":
                found[by_name[name]] = value
        elif name.startswith("T2S_") and not name.startswith(NOT_SETTINGS):
            near = get_close_matches(name, by_name, n=1)
            warnings.append(f"{name} is no setting of t2s" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def _trusted(values: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """Drop addresses by which a folder's `.env` could collect what is yours: a service's without its key, a webhook."""
    for kind in ("", "openai_"):
        address, key = f"provider.{kind}base_url", f"provider.{kind}api_key"
        if address in values and key not in values:
            del values[address]
            warnings.append(f"{leaves()[address]} in .env is ignored: an address is only taken from there with its key")
    if values.pop("alerts.webhook", None) is not None:
        warnings.append("T2S_ALERTS_WEBHOOK in .env is ignored: set it in the environment or the config file")
    return values


def _source_name(source: str, path: str) -> str:
    if source in ("environment", ".env"):
        return f"{leaves()[path]} in {source}" if source == ".env" else leaves()[path]
    return source


def _validate(merged: Mapping[str, Any], sources: Mapping[str, str]) -> Settings:
    from pydantic import ValidationError

    from t2s.settings import Settings

    tree: dict[str, Any] = {}
    for path, value in merged.items():
        *parents, leaf = path.split(".", 1) if path.startswith(("connections.", "prices.")) else path.split(".")
        node = tree
        for parent in parents:
            child = node.setdefault(parent, {})
            if not isinstance(child, dict):
                raise ConfigError(f"{parent} must be a section, not a value ({sources[path]})")
            node = child
        node[leaf] = value
    try:
        return Settings.model_validate(tree)
    except ValidationError as e:
        raise _named(e.errors(include_url=False)[0], sources) from None


def _named(error: ErrorDetails, sources: Mapping[str, str]) -> ConfigError:
    """The first validation error with the setting's path and its source; the value only where not secret."""
    path = ".".join(str(part) for part in error["loc"])
    known = [key for key in sources if path.startswith(key) or key.startswith(path + ".")]
    where = sources[max(known, key=len)] if known else "config"
    if error["type"] == "extra_forbidden":
        near = get_close_matches(path, leaves(), n=1)
        hint = f"did you mean {near[0]}?" if near else "`t2s config show` lists every setting"
        return ConfigError(f"{where}: there is no setting {path}", hint=hint)
    given = "" if any(secret in path for secret in ("key", "url", "webhook")) else f" (it is {error['input']!r})"
    return ConfigError(f"{where}: {path}: {error['msg'][:1].lower()}{error['msg'][1:]}{given}")
