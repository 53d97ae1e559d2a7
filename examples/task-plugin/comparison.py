"""Which of two numbers is larger."""

import random
from collections.abc import Iterator

from quirky import Claim, Task, standardized, wordings


class Comparison(Task):
    """Truth: a is larger than b. Quirk: a's last digit is. Harder: the numbers are closer together.

    The four combinations of truth and quirk are equally frequent. Each claim is about another pair
    of numbers, whose last digits differ.

    Args:
        digits: digits of each number, 2 to 9.
        count: number of claims.

    Raises:
        ValueError: if a parameter is out of range.
    """

    name = "comparison"
    source = "Made by rule, of random numbers."
    licence = "mit"
    templates = wordings("{a} is larger than {b}", "Is {a} larger than {b}")
    standard = standardized("{a} is larger than {b}")

    def __init__(self, digits: int = 3, count: int = 2000) -> None:
        if not (isinstance(digits, int) and 2 <= digits <= 9):
            raise ValueError(f"task comparison: digits = {digits!r}; give 2 to 9")
        most = (9 * 10 ** (digits - 1)) ** 2 // 4  # half of all pairs, so a new one is drawn soon
        if not (isinstance(count, int) and 1 <= count <= most):
            raise ValueError(f"task comparison: count = {count!r}; give 1 to {most}")
        self.digits, self.count = digits, count

    def claims(self, seed: int) -> Iterator[Claim]:
        """Yield the claims; truth and quirk cycle through their four combinations."""
        rng = random.Random(f"{self.name}-{self.digits}-{seed}")
        pairs: set[tuple[int, int]] = set()
        while len(pairs) < self.count:
            low, high = sorted(
                rng.randrange(10 ** (self.digits - 1), 10**self.digits) for _ in "ab"
            )
            truth, quirk = divmod(len(pairs) % 4, 2)
            a, b = (high, low) if truth else (low, high)
            if low == high or (low, high) in pairs or a % 10 == b % 10:
                continue
            if (a % 10 > b % 10) != bool(quirk):
                continue
            pairs.add((low, high))
            yield Claim(
                fields={"a": str(a), "b": str(b)},
                fact_id=f"comparison:{low},{high}",
                truth=a > b,
                quirk=a % 10 > b % 10,
                difficulty=float(low - high),
            )
