"""Judges the banks as a grading would: `python -m tools.banks --exercise ex1 --jobs 2`

Every entry goes through all checks of its exercise, at the instructor's level, for each of `--seeds`. Prints the checks
that each mistake loses, and ends with 1 if one is not named by its own or a right design loses any. About six minutes
of a processor; the tests ask each mistake's own checks alone.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tools.banks import EXERCISES
from tools.banks.judging import judge, tasks


def main() -> int:
    parser = argparse.ArgumentParser(description="Which checks the known mistakes and the right designs lose.")
    parser.add_argument("--exercise", choices=EXERCISES, action="append", help="default: all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[20417], help="default: 20417")
    parser.add_argument("--only", default="", help="entries whose name contains this")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    failed = 0
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        wanted = tasks(asked.exercise or list(EXERCISES), asked.seeds, asked.only)
        for one in pool.map(judge, *zip(*wanted, strict=True)):
            failed += not one.fine
            print(one, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
