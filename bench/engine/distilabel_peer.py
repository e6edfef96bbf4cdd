"""Runs the three trivial steps in Distilabel: distilabel_peer.py ROWS. Prints the measurement as JSON on the last line."""

import json
import logging
import resource
import sys
import time

logging.disable(logging.INFO)

from distilabel.pipeline import Pipeline
from distilabel.steps import GeneratorStep, StepInput, step

BATCH_ROWS = 1_000


class Numbers(GeneratorStep):
    """Numbers up to a count."""

    count: int

    @property
    def outputs(self):
        return ["n"]

    def process(self, offset=0):
        for first in range(offset, self.count, BATCH_ROWS):
            last = min(first + BATCH_ROWS, self.count)
            yield [{"n": n} for n in range(first, last)], last >= self.count


@step(inputs=["n"], outputs=["text"])
def Text(inputs: StepInput):
    for row in inputs:
        row["text"] = f"row {row['n']} {'lorem ipsum ' * 10}"
    yield inputs


@step(inputs=["text"], outputs=["length"])
def Length(inputs: StepInput):
    for row in inputs:
        row["length"] = len(row["text"])
    yield inputs


@step(inputs=["n"])
def Most(inputs: StepInput):
    yield [row for row in inputs if row["n"] % 10 != 0]


def main():
    count = int(sys.argv[1])
    with Pipeline(name="trivial") as pipeline:
        numbers = Numbers(name="all", count=count, batch_size=BATCH_ROWS)
        text = Text(name="text", input_batch_size=BATCH_ROWS)
        length = Length(name="length", input_batch_size=BATCH_ROWS)
        most = Most(name="most", input_batch_size=BATCH_ROWS)
        numbers >> text >> length >> most
    started = time.perf_counter()
    distiset = pipeline.run(use_cache=False)
    seconds = time.perf_counter() - started
    rows = len(distiset["default"]["train"])
    # The larger of this process and the largest step process: each step has one.
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"rows": rows, "seconds": seconds, "peakMb": round(peak / 1024)}))


if __name__ == "__main__":
    main()
