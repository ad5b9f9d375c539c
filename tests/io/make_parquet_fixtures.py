#!/usr/bin/env python3
"""Writes tests/golden/parquet: one table as pandas and pyarrow write it in many ways, and the same as CSV.

    python tests/io/make_parquet_fixtures.py        # needs pandas and pyarrow
"""

import argparse
import pathlib

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

READABLE = {
    "pandas": {},
    "uncompressed": {"compression": None},
    "page_v2": {"data_page_version": "2.0"},
    "page_v2_uncompressed": {"data_page_version": "2.0", "compression": "none"},
    "plain": {"use_dictionary": False},
    "old": {"version": "1.0"},
    "groups": {"row_group_size": 17, "data_page_size": 64, "write_batch_size": 4},
}
REFUSED = {"zstd": {"compression": "zstd"}, "gzip": {"compression": "gzip"},
           "delta": {"use_dictionary": False, "column_encoding": {"hour_utc": "DELTA_BINARY_PACKED"}}}


def table():
    """Five soundscapes' windows, one of them without site and hour."""
    rows = []
    for f in range(5):
        name = f"BC2026_Train_{f:04}_S{f:02}_20250{f + 1}01_0{f}0000" if f != 3 else "caf\u00e9 \U0001f426"
        for t in range(1, 13):
            rows.append((f"{name}_{5 * t}", f"{name}.ogg", None if f == 3 else f"S{f:02}", -1 if f == 3 else f))
    return pd.DataFrame(rows, columns=["row_id", "filename", "site", "hour_utc"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = pathlib.Path(__file__).parent.parent / "golden" / "parquet"
    parser.add_argument("--out", type=pathlib.Path, default=default)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    data = table()
    data.to_csv(out / "table.csv", index=False)
    for name, options in (READABLE | REFUSED).items():
        data.to_parquet(out / f"{name}.parquet", engine="pyarrow", **options)
    data.sample(frac=1, random_state=1).to_parquet(out / "shuffled.parquet")  # with an index column
    data.astype({"hour_utc": "float64"}).to_parquet(out / "float_hours.parquet")
    data.astype({"hour_utc": "int32"}).to_parquet(out / "int32_hours.parquet")
    data[:0].to_parquet(out / "empty.parquet")
    nested = pa.table({"row_id": ["a", "b"], "filename": [["x", "y"], ["z"]]})
    pq.write_table(nested, out / "nested.parquet")


if __name__ == "__main__":
    main()
