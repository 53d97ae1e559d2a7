"""The dry run as tables and sentences."""

from rich.table import Column, Table

from benchmarks.preflight.plan import UTILISATION, Plan
from benchmarks.recipe.pinning import bytes_per_weight
from finetune.hub.resources import format_bytes


def models_table(plan: Plan) -> Table:
    """Return the models and the sizes of their weights."""
    table = Table("model", title="models")
    for column in ("parameters", "blocks x width", "weights", "as", "to download"):
        table.add_column(column, justify="right")
    for model in plan.recipe.models:
        shape = plan.shapes.get(model.label)
        if shape is None:
            table.add_row(model.label, *["?"] * 5)
            continue
        download = plan.downloads.get(model.label, 0)
        table.add_row(
            model.label,
            f"{shape.parameters:,}",
            f"{shape.blocks} x {shape.width}",
            format_bytes(shape.parameters * bytes_per_weight(plan.recipe, model)),
            f"{model.quantise} bits" if model.quantise else plan.recipe.precision(model),
            "?" if download is None else format_bytes(download) if download else "-",
        )
    return table


def cells_table(plan: Plan) -> Table:
    """Return the cells and what each needs."""
    table = Table(Column("cell", overflow="fold"), title="cells")
    for column in ("device memory", "host memory", "disk", "time"):
        table.add_column(column, justify="right")
    for cell in plan.cells:
        needs = plan.needs.get(cell.name)
        if needs is None:
            table.add_row(cell.name, *["?"] * 4)
            continue
        sizes = [format_bytes(n) for n in (needs.device, needs.host, needs.disk)]
        table.add_row(cell.name, *sizes, format_duration(plan.seconds(needs)))
    return table


def summary_lines(plan: Plan) -> list[str]:
    """Return what is unreachable, what all cells need together, and what the time assumes."""
    needs = list(plan.needs.values())
    lines = [f"? {reason}" for reason in plan.unreachable.values()]
    count = f"{len(needs)} of {len(plan.cells)}" if plan.unreachable else f"{len(needs)}"
    if needs:
        disk = format_bytes(plan.data_bytes + sum(need.disk for need in needs))
        device = format_bytes(max(need.device for need in needs))
        host = format_bytes(max(need.host for need in needs))
        lines.append(
            f"{count} cells: disk {disk}; device memory {device}, host memory {host} a cell at most"
        )
        times = [plan.seconds(need) for need in needs]
        total = None if plan.rate is None else sum(t for t in times if t is not None)
        lines.append(
            f"time, an estimate: {format_duration(total)} to fine-tune and to read states, one "
            "device; fitting the probes, on the CPU, comes on top"
        )
    if plan.rate is None:
        return [*lines, f"rate: {plan.rate_source}"]
    return [
        *lines,
        f"rate: {plan.rate / 1e12:.3g} TFLOP/s for matrix products, {plan.rate_source}; a model is "
        f"assumed to reach {UTILISATION:.0%} of it",
    ]


def format_duration(seconds: float | None) -> str:
    """Return a duration for people, "?" if it is unknown."""
    if seconds is None:
        return "?"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.{1 if seconds < 10 * size else 0}f} {unit}"
    return f"{seconds:.2g} s"
