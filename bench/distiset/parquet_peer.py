"""Converts a JSONL file to Parquet: parquet_peer.py datasets|pyarrow JSONL PARQUET CACHE. Prints the measurement as JSON on the last line."""

import json
import resource
import sys
import time


def with_datasets(jsonl, parquet, cache):
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    started = time.perf_counter()
    dataset = load_dataset("json", data_files=jsonl, split="train", cache_dir=cache)
    dataset.to_parquet(parquet)
    return len(dataset), time.perf_counter() - started


def with_pyarrow(jsonl, parquet, _cache):
    from pyarrow import json as arrow_json
    from pyarrow import parquet as arrow_parquet

    started = time.perf_counter()
    table = arrow_json.read_json(jsonl)
    arrow_parquet.write_table(table, parquet, compression="zstd")
    return table.num_rows, time.perf_counter() - started


if __name__ == "__main__":
    which, *paths = sys.argv[1:]
    rows, seconds = {"datasets": with_datasets, "pyarrow": with_pyarrow}[which](*paths)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"rows": rows, "seconds": seconds, "peakMb": round(peak / 1024)}))
