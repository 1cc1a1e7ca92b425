"""Tables as text: what a plan and a status are shown in."""

from collections.abc import Collection, Iterable, Iterator, Sequence


def aligned(rows: Iterable[Sequence[str]], left: Collection[int]) -> Iterator[str]:
    """Rows of cells as lines of columns: those numbered *left* begin at one place, the others end at one."""
    columns = [
        [cell.ljust(width) if number in left else cell.rjust(width) for cell in column]
        for number, column in enumerate(zip(*rows, strict=True))
        for width in [max(map(len, column))]
    ]
    return ("  ".join(cells).rstrip() for cells in zip(*columns, strict=True))
