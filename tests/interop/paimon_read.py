"""Reads a Paimon table with pypaimon and says what it saw.

Usage: paimon_read.py WAREHOUSE DATABASE.TABLE OUTPUT_PARQUET [COLUMN=INTEGER ...]

Writes all rows as Parquet, so that they can be compared with exact types, and prints JSON: rows, columns, totalFiles, and per
filter the files planned and the rows found.
"""

import json
import sys

import pyarrow.parquet
from pypaimon import CatalogFactory


def main() -> None:
    warehouse, name, output, *filters = sys.argv[1:]
    table = CatalogFactory.create({"warehouse": warehouse}).get_table(name)

    def read(text):
        builder = table.new_read_builder()
        if text is not None:
            column, value = text.split("=")
            builder = builder.with_filter(builder.new_predicate_builder().equal(column, int(value)))
        splits = builder.new_scan().plan().splits()
        files = sum(len(split.files) for split in splits)
        return files, builder.new_read().to_arrow(splits)

    files, rows = read(None)
    pyarrow.parquet.write_table(rows, output)
    planned = []
    for text in filters:
        found_files, found_rows = read(text)
        planned.append({"filter": text, "files": found_files, "rows": found_rows.num_rows})
    print(json.dumps({"rows": rows.num_rows, "columns": rows.column_names, "totalFiles": files, "planned": planned}))


main()
