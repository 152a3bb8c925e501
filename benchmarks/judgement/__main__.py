"""`python -m benchmarks.judgement`: how often each gate is wrong, in seeded situations.

The numbers are percentages of the runs with a wrong verdict. `!` marks the library where it is wrong more often than `limit`
allows, `<` where another gate is right more often (by more than two standard deviations).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.judgement.runs import judge_all
from benchmarks.judgement.situations import situations
from benchmarks.judgement.table import COLUMNS, Judged, as_json, cells, markdown


def _lines(rows: Sequence[Judged]) -> Iterator[str]:
    table = [COLUMNS, *map(cells, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    for row in table:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and return 0 if the library holds every limit."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.judgement",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=200, help="runs of each situation (%(default)s)")
    parser.add_argument("--first-seed", type=int, default=0, help="the seeds follow from here (%(default)s)")
    parser.add_argument("--only", default="", help="regular expression for 'group: name at green/blue'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (%(default)s)")
    parser.add_argument("--list", action="store_true", help="print the situations")
    parser.add_argument("--json", type=Path, help="file for the table as JSON")
    parser.add_argument("--markdown", type=Path, help="file for the table as Markdown")
    options = parser.parse_args(arguments)
    chosen = [each for each in situations() if re.search(options.only, each.label)]
    if options.list:
        print("\n".join(each.label for each in chosen))
        return 0
    rows = judge_all(chosen, range(options.first_seed, options.first_seed + options.runs), options.jobs)
    print("\n".join(_lines(rows)))
    if options.json:
        options.json.write_text(json.dumps([as_json(each) for each in rows], indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(markdown(rows))
    failed = sum(not each.holds for each in rows)
    print(
        f"{options.runs} runs each; {failed} of {sum(each.row.limit is not None for each in rows)} limits do not hold"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
