"""Runs calls with a heavy tail in Distilabel: distilabel_tail_peer.py ROWS BATCH_ROWS. Prints the measurement as JSON on the last line."""

import asyncio
import json
import logging
import resource
import sys
import time

logging.disable(logging.INFO)

from distilabel.pipeline import Pipeline
from distilabel.steps import GeneratorStep, StepInput, step


class Numbers(GeneratorStep):
    """Numbers up to a count."""

    count: int

    @property
    def outputs(self):
        return ["n"]

    def process(self, offset=0):
        for first in range(offset, self.count, self.batch_size):
            last = min(first + self.batch_size, self.count)
            yield [{"n": n} for n in range(first, last)], last >= self.count


def latency(n):
    """Returns the seconds of the call for row n, like `latencyMs` in pipelines.ts."""
    share = ((n * 2654435761) % 4294967296) / 4294967296
    return min(20_000, 300 / (1 - share * 0.999) ** 0.6) / 1000


@step(inputs=["n"], outputs=["answer"])
def Answer(inputs: StepInput):
    async def call(row):
        await asyncio.sleep(latency(row["n"]))
        row["answer"] = "answer"

    async def batch():
        # Makes all calls of a batch at once, like Distilabel's AsyncLLM.
        await asyncio.gather(*(call(row) for row in inputs))

    asyncio.run(batch())
    yield inputs


def main():
    count, batch_rows = int(sys.argv[1]), int(sys.argv[2])
    with Pipeline(name="heavy-tail") as pipeline:
        Numbers(name="all", count=count, batch_size=batch_rows) >> Answer(name="answer", input_batch_size=batch_rows)
    started = time.perf_counter()
    distiset = pipeline.run(use_cache=False)
    seconds = time.perf_counter() - started
    rows = len(distiset["default"]["train"])
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"rows": rows, "seconds": seconds, "peakMb": round(peak / 1024)}))


if __name__ == "__main__":
    main()
