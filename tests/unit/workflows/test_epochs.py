"""What is seen of networks that learn one after the other."""

from core.networks.training import Epoch
from core.workflows.epochs import EpochLog


def told(networks: int, *epochs: tuple[int, int]) -> tuple[EpochLog, list[float], list[str], list[str]]:
    shares: list[float] = []
    messages: list[str] = []
    names: list[str] = []

    def progress(share: float, message: str, /) -> None:
        shares.append(share)
        messages.append(message)

    log = EpochLog(
        "Pump/flow", networks, progress=progress, metric=lambda _step, name, _value: names.append(name)
    )
    for number, of in epochs:
        log(Epoch(number, of, 0.5 / number, 0.6 / number))
    return log, shares, messages, names


def test_one_network_fills_the_bar_and_has_two_curves() -> None:
    log, shares, messages, names = told(1, (1, 4), (2, 4), (4, 4))
    assert shares == sorted(shares)
    assert shares[-1] == 0.05 + 0.8
    assert messages[1] == "Pump/flow: epoch 2 of at most 4, validation loss 0.3"
    assert set(names) == {"train loss", "validation loss"}
    assert log.curves[0] == (1, "train loss", 0.5)


def test_a_second_network_goes_on_where_the_first_ended_with_curves_of_its_own() -> None:
    _, shares, messages, names = told(2, (1, 2), (2, 2), (1, 4), (4, 4))
    assert shares == [0.05 + 0.8 * done for done in (0.25, 0.5, 0.625, 1.0)]
    assert "epoch 1 of at most 4 of network 2" in messages[2]
    assert names[4:6] == ["train loss of network 2", "validation loss of network 2"]


def test_a_training_that_goes_on_begins_where_it_was_and_ends_with_its_whole_curve() -> None:
    log, shares, messages, names = told(1, (3, 4), (4, 4))
    assert shares == [0.05 + 0.8 * 0.75, 0.05 + 0.8]
    assert messages[0] == "Pump/flow: epoch 3 of at most 4, validation loss 0.2"
    assert set(names) == {"train loss", "validation loss"}
    log.complete([[Epoch(number, 4, 0.5 / number, 0.6 / number) for number in range(1, 5)]])
    assert [point for point in log.curves if point[1] == "train loss"] == [
        (number, "train loss", 0.5 / number) for number in range(1, 5)
    ]


def test_networks_that_were_done_before_keep_their_names_in_the_whole_curves() -> None:
    log, _, _, _ = told(2, (1, 1))
    log.complete([[Epoch(1, 1, 0.5, 0.6)], [Epoch(1, 1, 0.3, 0.4)]])
    assert log.curves == [
        (1, "train loss", 0.5),
        (1, "validation loss", 0.6),
        (1, "train loss of network 2", 0.3),
        (1, "validation loss of network 2", 0.4),
    ]


def test_more_networks_than_were_announced_never_leave_the_bar() -> None:
    _, shares, _, _ = told(1, (2, 2), (1, 2), (2, 2), (1, 2))
    assert max(shares) == 0.05 + 0.8
    assert shares == sorted(shares)
