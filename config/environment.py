"""The process's own settings, from environment variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from config.nodes import word
from config.problems import ConfigError, Problem, listed
from config.secrets import Secret

TRUE_WORDS = ("true", "1", "yes", "on")
FALSE_WORDS = ("false", "0", "no", "off")
MODERATION_CHOICES = ("refuse", "allow")


@dataclass(frozen=True, slots=True)
class Environment:
    """Every variable that the program reads, and the whole environment for api.yaml to refer to."""

    timeout: float = 100.0
    """TIMEOUT: seconds an attempt may take to its first output, where no model_timeout says otherwise."""
    config_url: str = field(default="", repr=False)
    """CONFIG_URL: URL or path of api.yaml, which may carry a token; empty = not set."""
    disable_database: bool = False
    """DISABLE_DATABASE: keep no statistics."""
    db_path: str = "data/stats.db"
    """DB_PATH: the statistics' SQLite file."""
    database_url: Secret | None = None
    """DATABASE_URL: another database for them, password and all."""
    moderation_on_error: str = "refuse"
    """MODERATION_ON_ERROR: whether requests pass (`allow`) when the moderation cannot be asked."""

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All of them, for the references in api.yaml."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Environment:
        """Raises ConfigError that names every variable whose value is no good. Empty = not set."""
        usual = cls()
        database_url = environ.get("DATABASE_URL", "").strip()
        problems: list[Problem] = []

        def checked[T](name: str, read: Callable[[str], T], default: T) -> T:
            text = environ.get(name, "").strip()
            try:
                return read(text) if text else default
            except ValueError as error:
                problems.append(Problem("environment", None, name, str(error)))
                return default

        environment = cls(
            timeout=checked("TIMEOUT", _seconds, usual.timeout),
            config_url=environ.get("CONFIG_URL", "").strip(),
            disable_database=checked("DISABLE_DATABASE", _boolean, usual.disable_database),
            db_path=environ.get("DB_PATH", "").strip() or usual.db_path,
            database_url=Secret(database_url) if database_url else None,
            moderation_on_error=checked("MODERATION_ON_ERROR", _moderation_choice, usual.moderation_on_error),
            variables=dict(environ),
        )
        if problems:
            raise ConfigError(problems)
        return environment


def _boolean(text: str) -> bool:
    if text.lower() in TRUE_WORDS:
        return True
    if text.lower() in FALSE_WORDS:
        return False
    raise ValueError(f"must be {listed((*TRUE_WORDS, *FALSE_WORDS))}")


def _seconds(text: str) -> float:
    seconds = word(text)
    if isinstance(seconds, bool | str) or seconds is None or seconds <= 0:
        raise ValueError("must be a number of seconds above 0")
    return float(seconds)


def _moderation_choice(text: str) -> str:
    if text.lower() not in MODERATION_CHOICES:
        raise ValueError(f"must be {listed(MODERATION_CHOICES)}")
    return text.lower()
