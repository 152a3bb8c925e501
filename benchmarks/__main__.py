"""`python -m benchmarks`: run all, print ratios; `--json` for programs."""

from __future__ import annotations

import argparse
import json
import platform
import sys

from benchmarks import cold_start, cold_start_aws, load, many_checks, many_metrics, samples, warm


def main() -> int:
    """Run the benchmarks, and return 0 if every ratio is within its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rows = []
    for bench in (cold_start, cold_start_aws, many_checks, many_metrics, load, samples, warm):
        if not options.json:
            print(f"measuring: {bench.__name__.removeprefix('benchmarks.')} ...", file=sys.stderr, flush=True)
        made = bench.run()
        rows += made if isinstance(made, list) else [made]
    if options.json:
        print(json.dumps({"python": platform.python_version(), "results": rows}, indent=2))
    else:
        print(f"{'measured':32} {'ms':>8}   {'baseline':32} {'ms':>8}   {'ratio':>6}  {'limit':5}  middle half")
        for row in rows:
            spread = " to ".join(f"{ratio:.2f}" for ratio in row.get("middle_half", ()))
            limit = "-" if row["limit"] is None else f"{row['limit']:.4g}"
            print(
                f"{row['name']:32} {row['measured_ms']:8.1f}   {row['baseline']:32} {row['baseline_ms']:8.1f}   "
                f"{row['ratio']:6.2f}  {limit:5}  {spread}".rstrip()
            )
    return int(any(row["limit"] is not None and row["ratio"] > row["limit"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
