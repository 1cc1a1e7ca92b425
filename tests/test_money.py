"""What pictures cost: estimates, and a limit that is never passed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.illustrate.money import Cost, Ledger, estimate, keep_within, total
from generator.model import Error

prices = st.decimals(0, 5, places=4).map(float)


def test_estimate() -> None:
    assert estimate(0.039, 214 * 4) == 33.384
    assert estimate(0.1, 3) == 0.3, "as one reckons, not as floats do"
    assert estimate(None, 100) == estimate(0, 100) == 0
    assert total([Cost("a", 0.1, 3), Cost("b", None, 5), Cost("c", 0.003, 10)]) == 0.33


def test_a_plan_over_the_limit() -> None:
    costs = [Cost("a", 0.1, 30), Cost("demo", 0, 1000)]
    keep_within(costs, 3)
    keep_within(costs, None)
    with pytest.raises(Error, match=r"^--limit: the plan costs 3\.00 \$, which is more than 2\.99 \$"):
        keep_within(costs, 2.99)


def test_a_plan_of_unknown_price() -> None:
    costs = [Cost("b", None, 1), Cost("a", None, 2), Cost("done", None, 0)]
    keep_within(costs, None)
    with pytest.raises(Error) as error:
        keep_within(costs, 100)
    assert [line.split(":")[1] for line in str(error.value).splitlines()] == [" models.a.price", " models.b.price"]


def test_the_limit_is_met_exactly() -> None:
    ledger = Ledger(1)
    assert [ledger.take(0.1, 1) for _ in range(11)] == [1] * 10 + [0]
    assert ledger.spent == 1


def test_given_back() -> None:
    ledger = Ledger(1)
    assert ledger.take(0.4, 8) == 2
    ledger.give_back(0.4, 1)
    assert (ledger.spent, ledger.take(0.4, 8), ledger.take(0, 8), ledger.take(None, 8)) == (0.4, 1, 8, 8)


def test_without_a_limit() -> None:
    ledger = Ledger(None)
    assert ledger.take(9.99, 1000) == 1000
    assert ledger.spent == 9990


@given(st.decimals(0, 50, places=2).map(float), st.lists(st.tuples(prices, st.integers(0, 40), st.integers(0, 40))))
def test_the_limit_is_never_passed(limit: float, asked: list[tuple[float, int, int]]) -> None:
    ledger = Ledger(limit)
    for price, count, unused in asked:
        given = ledger.take(price, count)
        assert 0 <= given <= count
        assert ledger.spent <= limit
        assert given == count or estimate(price, 1) > 0
        if given < count:
            assert ledger.take(price, 1) == 0, "as many as there is money for"
        ledger.give_back(price, min(given, unused))
        assert 0 <= ledger.spent <= limit
