"""What pictures of a service cost, and a limit that a run keeps to. Pure; amounts are US dollars."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from generator.model import Error


@dataclass(frozen=True, slots=True)
class Cost:
    """What is asked of a model: ``count`` pictures at ``price`` each; None where nobody knows it, 0 where they cost nothing."""

    model: str
    price: float | None
    count: int


def _exact(amount: float) -> Decimal:
    """The amount as it is written: ten pictures at 0.1 cost 1, and no more."""
    return Decimal(str(amount))


def estimate(price: float | None, count: int) -> float:
    """What that many pictures cost at a price each; an unknown price counts as nothing."""
    return float(_exact(price or 0) * count)


def total(costs: Iterable[Cost]) -> float:
    """What all of it costs."""
    return float(sum((_exact(cost.price or 0) * cost.count for cost in costs), Decimal()))


def keep_within(costs: Iterable[Cost], limit: float | None) -> None:
    """:class:`Error` if the plan costs more than the limit, or if nobody can say what it costs. Without a limit all is well."""
    if limit is None:
        return
    asked = [cost for cost in costs if cost.count]
    if unknown := sorted({cost.model for cost in asked if cost.price is None}):
        raise Error(
            "\n".join(f"models.yml: models.{name}.price: is missing, --limit needs to know what a picture costs" for name in unknown)
        )
    if (wanted := total(asked)) > limit:
        raise Error(f"--limit: the plan costs {wanted:.2f} $, which is more than {limit:.2f} $, ask for fewer pictures or raise it")


@dataclass(slots=True)
class Ledger:
    """What a run may still spend. Pictures are booked before they are asked for, so that the limit is never passed.

    Every picture asked for counts, also one that came to nothing and is tried again; ``limit`` None is none.
    """

    limit: float | None
    booked: Decimal = Decimal()

    @property
    def spent(self) -> float:
        """What is booked."""
        return float(self.booked)

    def take(self, price: float | None, count: int) -> int:
        """Book as many of *count* pictures at a price each as there is money for; how many those are."""
        cost = _exact(price or 0)
        if self.limit is not None and cost > 0:
            count = max(0, min(count, int((_exact(self.limit) - self.booked) // cost)))
        self.booked += cost * count
        return count

    def give_back(self, price: float | None, count: int) -> None:
        """Undo the booking of pictures that were not asked for after all."""
        self.booked = max(Decimal(), self.booked - _exact(price or 0) * count)
