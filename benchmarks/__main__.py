"""`python -m benchmarks`: run all, print ratios; `--json` for programs."""

from __future__ import annotations

import argparse
import json
import platform
import sys

from benchmarks import cold_start, cold_start_aws, load, many_checks, many_metrics, warm


def main() -> int:
    """Run the benchmarks and return 0 where every ratio is within its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rows = []
    for measure in (cold_start.run, cold_start_aws.run, many_checks.run, many_metrics.run, load.run, warm.run):
        if not options.json:
            print(f"measuring: {measure.__module__.removeprefix('benchmarks.')} ...", file=sys.stderr, flush=True)
        made = measure()
        rows += made if isinstance(made, list) else [made]
    if options.json:
        print(json.dumps({"python": platform.python_version(), "results": rows}, indent=2))
    else:
        print(f"{'measured':32} {'ms':>8}   {'baseline':32} {'ms':>8}   {'ratio':>6}  limit")
        for row in rows:
            limit = "-" if row["limit"] is None else f"{row['limit']:.1f}"
            print(
                f"{row['name']:32} {row['measured_ms']:8.1f}   {row['baseline']:32} {row['baseline_ms']:8.1f}   "
                f"{row['ratio']:6.2f}  {limit}"
            )
    return int(any(row["limit"] is not None and row["ratio"] > row["limit"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
