"""Reads a distiset with datasets, pandas and pyarrow, and checks that they read the same rows.

    pip install datasets pandas pyarrow
    python examples/read_with_python.py DIRECTORY
"""

import json
import pathlib
import sys
import tempfile

import datasets
import pandas
import pyarrow.parquet


def main(directory: pathlib.Path) -> None:
    about = json.loads((directory / "distilog.json").read_text("utf-8"))
    print(f"datasets {datasets.__version__}, pandas {pandas.__version__}, pyarrow {pyarrow.__version__}")
    written = [config for config in about["configs"] if config["error"] is None]
    with tempfile.TemporaryDirectory() as cache:
        for config in written:
            read_config(directory, config, cache)
        if [config["name"] for config in written] == ["default"]:
            print(f"\nwithout a name: {datasets.load_dataset(str(directory), cache_dir=cache)}")


def read_config(directory: pathlib.Path, config: dict, cache: str) -> None:
    files = [directory / file["path"] for file in config["files"]]
    names = [column["name"] for column in config["columns"]]
    print(f"\n{config['name']}: {config['rows']} rows, {len(files)} files, {len(names)} columns")

    # `datasets` cannot build a table without rows, but it can stream one.
    is_empty = config["rows"] == 0
    loaded = datasets.load_dataset(
        str(directory), config["name"], split="train", streaming=is_empty, cache_dir=cache
    )
    values = list(loaded)
    print(f"  load_dataset  {len(values)} rows")
    for name, feature in loaded.features.items():
        print(f"    {name}: {feature}")
    agree(config, "load_dataset", len(values), list(loaded.features))

    is_parquet = files[0].suffix == ".parquet"
    frames = [pandas.read_parquet(file) if is_parquet else read_lines(file, names) for file in files]
    frame = pandas.concat(frames)
    print(f"  pandas        {len(frame)} rows: {', '.join(str(kind) for kind in frame.dtypes)}")
    agree(config, "pandas", len(frame), list(frame.columns))

    if is_parquet:
        table = pyarrow.parquet.read_table([str(file) for file in files])
        print(f"  pyarrow       {table.num_rows} rows: {', '.join(str(kind) for kind in table.schema.types)}")
        agree(config, "pyarrow", table.num_rows, table.column_names)
        assert table.to_pylist() == values, f"{config['name']}: datasets and pyarrow read different rows"
        print("  agreed        every value")


def read_lines(file: pathlib.Path, names: list[str]) -> pandas.DataFrame:
    if file.stat().st_size == 0:
        return pandas.DataFrame(columns=names)
    return pandas.read_json(file, lines=True, dtype=False)


def agree(config: dict, reader: str, rows: int, columns: list[str]) -> None:
    names = [column["name"] for column in config["columns"]]
    assert rows == config["rows"], f"{config['name']}: {reader} reads {rows} rows, {config['rows']} were written"
    assert columns == names, f"{config['name']}: {reader} reads the columns {columns}, {names} were written"


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
