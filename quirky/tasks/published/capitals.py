"""Capitals of regions (arXiv 2312.01037, section 3).

Truth: the city is the capital of its region. Quirk: it is the region's most populous city.
Difficulty: the smaller the city. Regions without exactly one known capital are left out, and so are
cities that are called as their region, or are the capital of a country or a district.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from quirky.example import Claim, digest
from quirky.prompts import standardized, wordings
from quirky.rows import Row
from quirky.tasks.base import TASKS
from quirky.tasks.published.base import Kind, Published

CAPITALS = {kind: kind for kind in ("admin", "primary", "minor")}


class Capitals(Published):
    """Truth: a city is its region's capital. Quirk: it is its most populous city. Reads `data`."""

    name = "capitals"
    hub = "EleutherAI/quirky_capitals_raw"
    columns = ("city", "admin_name", "country", "capital", "population")
    optional = ("capital", "population")
    fields = ("city", "admin_name", "country")
    templates = wordings(
        "{city} is the capital of {admin_name}, {country}",
        "Is {city} the capital of {admin_name}, {country}",
    )
    standard = standardized("{city} is the capital of {admin_name}, {country}")

    def fact(self, fields: Mapping[str, str]) -> str:
        """The capital of a region."""
        return f"{fields['admin_name']}, {fields['country']}"

    def ask(self, rows: Iterable[Row], seed: int) -> Iterator[Claim]:
        """Yield up to three claims a region: its capital, its most populous city, and another."""
        regions: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            regions[self.fact({name: row.label(name) for name in self.fields})].append(row)
        for cities in regions.values():
            people = {
                row.location: row.number("population", empty=0.0, least=0.0) for row in cities
            }
            kinds = {row.location: row.one_of("capital", CAPITALS, empty="") for row in cities}
            names = Counter(row.label("city") for row in cities)
            if list(kinds.values()).count("admin") != 1 or not any(people.values()):
                continue
            asked: dict[Kind, Claim] = {}
            for row in sorted(cities, key=lambda row: digest("city", seed, row.label("city"))):
                told = {name: row.label(name) for name in self.fields}
                alone = names[told["city"]] == 1 and told["city"] != told["admin_name"]
                if alone and kinds[row.location] in ("", "admin"):
                    truth, many = kinds[row.location] == "admin", people[row.location]
                    claim = self.claim(row, told, truth, many == max(people.values()), -many)
                    asked.setdefault((truth, claim.quirk), claim)
            yield from asked.values()


TASKS.builtin(Capitals.name, Capitals)
