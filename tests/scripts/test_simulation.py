"""The simulation, with fixed seeds: what balancing promises for a bad day, and the figures that people are shown."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from config.load import load_text
from scripts.simulation.__main__ import main
from scripts.simulation.report import report
from scripts.simulation.run import Outcome, Simulation
from scripts.simulation.scenario import Outage, Scenario, parse_outage


def simulate(
    scenario: Scenario,
    *,
    weights: tuple[int, ...] | None = None,
    providers: int = 20,
    keys: int = 3,
    algorithm: str = "round_robin",
    auto_retry: bool | int = True,
    cooldown: float = 300.0,
) -> Outcome:
    """What becomes of the scenario with providers p0, p1 … that have these weights, or that many without one."""
    names = [f"p{number}" for number in range(len(weights or range(providers)))]
    rules = [{f"{name}/*": weight} for name, weight in zip(names, weights, strict=True)] if weights else ["all"]
    text = {
        "providers": [
            {
                "provider": name,
                "base_url": f"https://{name}.example/v1",
                "api": [f"sk-{name}-{number}" for number in range(keys)],
                "model": ["m"],
            }
            for name in names
        ],
        "api_keys": [
            {
                "api": "sk-client",
                "model": rules,
                "preferences": {"SCHEDULING_ALGORITHM": algorithm, "AUTO_RETRY": auto_retry},
            }
        ],
        "preferences": {"cooldown_period": cooldown},
    }
    config = load_text(json.dumps(text), "test", {}).config
    return Simulation(config, config.client_keys[0], "m", scenario, timeout=100.0).run()


def served_by(outcome: Outcome) -> dict[str, int]:
    """Requests that each provider served."""
    return {channel.provider.name: outcome.served[channel.key] for channel in outcome.channels}


@pytest.mark.parametrize("algorithm", ["fixed_priority", "round_robin", "random", "weighted_round_robin", "lottery"])
def test_whoever_has_a_live_candidate_is_served(algorithm: str) -> None:
    """With 30 % of the channels down at random, and coming back, no request is given up beside one that could serve."""
    outcome = simulate(Scenario(requests=5000, rate=5, down=0.3, seed=3), weights=(5, 3, 2) * 7, algorithm=algorithm)
    assert outcome.requests == 5000
    assert outcome.given_up == outcome.impossible == 0
    assert outcome.served.total() == 5000


def test_also_when_hardly_anything_is_up() -> None:
    """Of three providers all are down at times, and only then a request fails."""
    outcome = simulate(Scenario(requests=5000, rate=5, down=0.7, outage=60), providers=3)
    assert outcome.given_up == 0
    assert 500 < outcome.impossible < 2500
    assert outcome.served.total() + outcome.impossible == 5000


def test_a_budget_of_one_attempt_gives_requests_up() -> None:
    """`AUTO_RETRY: false`: the figures can tell these from those that nobody could have served."""
    outcome = simulate(Scenario(requests=5000, rate=5, down=0.3), auto_retry=False)
    assert max(outcome.attempts) == 1
    assert outcome.given_up > 10


def test_the_weights_are_kept_when_all_is_well() -> None:
    """5, 3 and 2 of every ten, to the request."""
    scenario = Scenario(requests=1000, rate=5, down=0)
    outcome = simulate(scenario, weights=(5, 3, 2), algorithm="weighted_round_robin")
    assert served_by(outcome) == {"p0": 500, "p1": 300, "p2": 200}


def test_after_an_outage_of_nine_in_ten_one_attempt_is_enough() -> None:
    """Once found out, the dead are left alone: 99 of 100 requests need one attempt."""
    outages = tuple(Outage(f"p{number}", 0, 1e9) for number in range(9))
    outcome = simulate(Scenario(requests=3000, rate=20, down=0, outages=outages), providers=10)
    assert outcome.attempts[1] > 0.99 * 3000
    assert served_by(outcome)["p9"] == 3000


def test_a_recovered_provider_has_requests_again() -> None:
    """Its outage of five minutes, and at most a cooldown more: then it has its third of all."""
    scenario = Scenario(requests=9000, rate=5, down=0, outages=(Outage("p0", 0, 300),))
    outcome = simulate(scenario, providers=3, cooldown=60)
    assert 9000 / 3 - 5 * 360 / 3 < served_by(outcome)["p0"] < 9000 / 3 - 5 * 300 / 3 + 50


def test_dead_keys_are_left_alone() -> None:
    """They are refused now and then, and nobody notices."""
    outcome = simulate(Scenario(requests=3000, rate=5, down=0, dead_keys=0.3))
    assert outcome.served.total() == 3000
    assert 0.1 < outcome.keys_cooling[-1] < 0.5
    assert max(outcome.channels_cooling) == 0


def test_quotas_are_used_up_to_the_full() -> None:
    """Two keys with 60 a minute serve two a second, and what is asked beyond that is refused."""
    outcome = simulate(Scenario(requests=3000, rate=4, down=0, quota=60), providers=1, keys=2)
    per_second = outcome.served.total() / outcome.virtual_seconds
    assert 1.8 < per_second < 2.1
    assert outcome.given_up == 0


def test_the_same_seed_is_the_same_day() -> None:
    """To the request; another seed is another."""
    days = [simulate(Scenario(requests=1000, rate=5, seed=seed), algorithm="lottery") for seed in (1, 1, 2)]
    assert days[0].served == days[1].served != days[2].served
    assert days[0].attempts == days[1].attempts


def test_the_report_says_what_people_want_to_know() -> None:
    """Success, attempts, waiting, cooldowns, and the spread beside the weights."""
    scenario = Scenario(requests=1000, rate=5, down=0)
    text = report(simulate(scenario, weights=(5, 3, 2), algorithm="weighted_round_robin"))
    assert "1,000 requests, 3 channels" in text
    assert "served      100.000%" in text
    assert "attempts    1.000 for each request (1: 100.00%" in text
    assert "cooling     0.0% of the channels" in text
    assert "5              1     50.00%    50.00%   500 … 500" in text


def test_providers_can_be_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    """`scripts/simulate` by itself."""
    options = "--requests 500 --rate 5 --providers 4 --keys 2 --weights 3,1 --outage-of p1=0-50 --auto-retry 3"
    assert main(options.split()) == 0
    printed = capsys.readouterr().out
    assert "500 requests, 4 channels" in printed
    assert "\n3              2" in printed


def test_an_api_yaml_can_be_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its own rules, weights and preferences."""
    path = tmp_path / "api.yaml"
    path.write_text(
        "providers:\n"
        "  - {provider: a, base_url: https://a.example/v1, api: sk-a, model: [x: chat]}\n"
        "  - {provider: b, base_url: https://b.example/v1, api: sk-b, model: [chat, other]}\n"
        "api_keys:\n"
        "  - {api: sk-one, model: [other]}\n"
        "  - {api: sk-two, model: [chat]}\n"
    )
    assert main(["--config", str(path), "--model", "chat", "--client", "2", "--requests", "100"]) == 0
    assert "100 requests, 2 channels" in capsys.readouterr().out
    assert main(["--config", str(path), "--model", "chat"]) == 2
    assert "may not ask for 'chat'" in capsys.readouterr().err
    assert main(["--config", str(path), "--model", "chat", "--client", "3"]) == 2
    assert "api_keys has 2 entries" in capsys.readouterr().err


def test_outages_are_written_with_their_provider_and_time() -> None:
    """A name may have anything in it, and an outage no end; but it ends after it begins."""
    assert parse_outage("a=b=600-1200") == Outage("a=b", 600, 1200)
    assert parse_outage("a=0-inf") == Outage("a", 0, math.inf)
    for wrong in ("a", "a=600", "=1-2", "a=x-y", "a=600-100", "a=5-5", "a=0-nan", "a=nan-5", "a=-5-10"):
        with pytest.raises(ValueError, match=r"NAME=FROM-TO|could not convert"):
            parse_outage(wrong)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--outage-of a=600", "NAME=FROM-TO"),
        ("--outage-of p1=600-100", "NAME=FROM-TO, in seconds, TO after FROM"),
        ("--weights 5,x", "must be a whole number, 1 or more"),
        ("--requests 0", "must be a whole number, 1 or more"),
        ("--quota -5", "must be a whole number, 0 or more"),
        ("--rate 0", "must be a number from 0.001 to 1,000,000"),
        ("--rate -1", "must be a number from 0.001 to 1,000,000"),
        ("--rate nan", "must be a number from 0.001 to 1,000,000"),
        ("--rate fast", "must be a number from 0.001 to 1,000,000"),
        ("--outage 0", "must be a number from 1 to 1,000,000"),
        ("--down 2", "must be a number from 0 to 1"),
        ("--hanging -0.1", "must be a number from 0 to 1"),
        ("--dead-keys nan", "must be a number from 0 to 1"),
        ("--timeout 0", "must be a number from 0.001 to 1,000,000"),
        ("--cooldown inf", "must be a number from 0 to 1,000,000"),
        ("--auto-retry abc", "must be true, false, or the number of attempts at most, from 1"),
        ("--auto-retry 0", "must be true, false, or the number of attempts at most, from 1"),
    ],
)
def test_a_wrong_option_is_explained(option: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In a word, and not by a traceback."""
    with pytest.raises(SystemExit):
        main(option.split())
    printed = capsys.readouterr().err
    assert f"argument {option.split()[0]}: " in printed
    assert says in printed


def test_an_outage_of_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt name would be a day without it."""
    assert main(["--requests", "10", "--providers", "2", "--outage-of", "p3=0-10"]) == 2
    assert capsys.readouterr().err == "simulate: --outage-of p3: no provider is called so\n"


@pytest.mark.parametrize(
    ("content", "says"), [(b"\xff\xfe", "is not a text in UTF-8"), (None, "cannot be read: No such file or directory")]
)
def test_a_file_that_is_no_text_is_told(
    content: bytes | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the gateway tells it."""
    path = tmp_path / "api.yaml"
    if content is not None:
        path.write_bytes(content)
    assert main(["--config", str(path)]) == 2
    assert capsys.readouterr().err == f"simulate: {path}: {says}\n"


@pytest.mark.parametrize("option", ["--down 1", "--rate 0.001", "--outage 1", "--quota 0", "--auto-retry false"])
def test_the_ends_of_the_ranges_can_be_simulated(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing served is a result, too."""
    assert main(["--requests", "20", "--providers", "3", *option.split()]) == 0
    assert "20 requests, 3 channels" in capsys.readouterr().out
