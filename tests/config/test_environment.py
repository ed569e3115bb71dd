import pytest

from config.environment import Environment
from config.problems import ConfigError


def test_an_empty_environment_has_the_defaults():
    """As documented."""
    environment = Environment.read({})
    assert environment == Environment()
    assert environment.timeout == 100
    assert environment.db_path == "data/stats.db"
    assert environment.disable_database is False
    assert environment.database_url is None
    assert environment.config_url == ""
    assert environment.moderation_on_error == "refuse"


def test_every_variable_is_read():
    """Space around a value does not count."""
    variables = {
        "TIMEOUT": " 12.5 ",
        "CONFIG_URL": "https://example.com/api.yaml ",
        "DISABLE_DATABASE": "true",
        "DB_PATH": "/data/x.db",
        "DATABASE_URL": "postgresql://user:fake@localhost/x",
        "MODERATION_ON_ERROR": "Allow",
        "OTHER": "x",
    }
    environment = Environment.read(variables)
    assert environment.timeout == 12.5
    assert environment.config_url == "https://example.com/api.yaml"
    assert environment.disable_database is True
    assert environment.db_path == "/data/x.db"
    assert environment.database_url is not None
    assert environment.database_url.reveal() == "postgresql://user:fake@localhost/x"
    assert environment.moderation_on_error == "allow"
    assert environment.variables == variables


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off", "", " "])
def test_words_that_mean_no(text: str):
    """`bool("false")` would be true."""
    assert Environment.read({"DISABLE_DATABASE": text}).disable_database is False


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on"])
def test_words_that_mean_yes(text: str):
    """In any case."""
    assert Environment.read({"DISABLE_DATABASE": text}).disable_database is True


def test_bad_values_are_told_by_the_names_of_their_variables():
    """All at once."""
    with pytest.raises(ConfigError) as caught:
        Environment.read({"TIMEOUT": "soon", "DISABLE_DATABASE": "perhaps", "MODERATION_ON_ERROR": "maybe"})
    assert str(caught.value).splitlines() == [
        "environment: TIMEOUT: must be a number of seconds above 0",
        "environment: DISABLE_DATABASE: must be true, 1, yes, on, false, 0, no or off",
        "environment: MODERATION_ON_ERROR: must be refuse or allow",
    ]


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "true", "1e999"])
def test_a_timeout_that_is_none_is_refused(text: str):
    """It must end, and not before it begins."""
    with pytest.raises(ConfigError, match="TIMEOUT"):
        Environment.read({"TIMEOUT": text})


def test_an_environment_shows_no_secret():
    """Neither passwords in URLs nor the variables it does not know."""
    secret = "fake-password-0123456789"
    environment = Environment.read(
        {
            "DATABASE_URL": f"postgresql://user:{secret}@host/x",
            "CONFIG_URL": f"https://x/{secret}",
            "KEY": secret,
        }
    )
    assert secret not in repr(environment)
