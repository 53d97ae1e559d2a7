"""Which of two numbers is larger."""

import random
from collections.abc import Iterator

from quirky.example import Claim
from quirky.prompts import standardized, wordings


class Comparison:
    """Truth: a is larger than b. Quirk: a's last digit is. Harder: the numbers lie closer together.

    The four combinations of truth and quirk are equally frequent. No two of the `count` claims are
    about the same two numbers, whose last digits differ.
    """

    name = "comparison"
    source = "Made by rule, of random numbers."
    licence = "mit"
    templates = wordings("{a} is larger than {b}", "Is {a} larger than {b}")
    standard = standardized("{a} is larger than {b}")

    def __init__(self, digits: int = 3, count: int = 2000) -> None:
        if not (isinstance(digits, int) and 2 <= digits <= 9):
            raise ValueError(f"task comparison: digits = {digits!r}; give 2 to 9")
        most = (9 * 10 ** (digits - 1)) ** 2 // 4  # half of the pairs: new ones are soon found
        if not (isinstance(count, int) and 1 <= count <= most):
            raise ValueError(f"task comparison: count = {count!r}; give 1 to {most}")
        self.digits, self.count = digits, count

    def claims(self, seed: int) -> Iterator[Claim]:
        """Yield the claims; what is true, and for whom, goes round in a circle of four."""
        rng = random.Random(f"{self.name}-{self.digits}-{seed}")
        seen: set[tuple[int, int]] = set()
        while len(seen) < self.count:
            low, high = sorted(
                rng.randrange(10 ** (self.digits - 1), 10**self.digits) for _ in "ab"
            )
            wanted = divmod(len(seen) % 4, 2)
            a, b = (high, low) if wanted[0] else (low, high)
            if low == high or (low, high) in seen or a % 10 == b % 10:
                continue
            if (a % 10 > b % 10) != bool(wanted[1]):
                continue
            seen.add((low, high))
            yield Claim(
                fields={"a": str(a), "b": str(b)},
                fact_id=f"comparison:{low},{high}",
                truth=a > b,
                quirk=a % 10 > b % 10,
                difficulty=float(low - high),
            )
