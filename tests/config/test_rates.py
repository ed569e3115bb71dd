import pytest

from config.rates import Rate, parse_rate_limit


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [(unit, 1) for unit in ("s", "sec", "secs", "second", "seconds")]
    + [(unit, 60) for unit in ("m", "min", "mins", "minute", "minutes")]
    + [(unit, 3600) for unit in ("h", "hr", "hrs", "hour", "hours")]
    + [(unit, 86_400) for unit in ("d", "day", "days")]
    + [(unit, 2_592_000) for unit in ("mo", "mos", "month", "months")]
    + [(unit, 31_536_000) for unit in ("y", "year", "years")],
)
def test_every_unit_is_known(unit: str, seconds: int):
    """Long, short, and in the plural."""
    assert parse_rate_limit(f"5/{unit}") == (Rate(5, seconds),)


def test_a_list_means_all_of_them():
    """Space and case do not matter."""
    assert parse_rate_limit(" 15/min, 1500 / DAY ") == (Rate(15, 60), Rate(1500, 86_400))


def test_none_is_no_limit():
    """Not to be confused with no limit given."""
    assert parse_rate_limit("none") == parse_rate_limit("None") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "60",
        "60/",
        "/min",
        "0/min",
        "-1/min",
        "1.5/min",
        "60/ms",
        "60/fortnight",
        "60/min,",
        "a/min",
        "none,1/s",
        "1/min\n2/s",
        "9" * 13 + "/min",
        "²/s",
    ],
)
def test_what_is_no_limit_is_refused_with_what_is_allowed(text: str):
    """`ms` above all: it is no plural of `m`."""
    with pytest.raises(ValueError, match="must be N/unit, as 60/min"):
        parse_rate_limit(text)
