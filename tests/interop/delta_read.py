"""Reads a Delta table with deltalake and says what it saw.

Arguments of a request: TABLE_FOLDER OUTPUT_PARQUET VERSION [FILTER ...]

VERSION is a number, or empty for the newest. Reads through DataFusion (`QueryBuilder`), the path of deltalake that knows deletion
vectors and column mapping; `arrow` says what the other path does with the table. Writes all rows as Parquet, those of the other
path beside them, so that they can be compared with exact types, and answers with rows, columns, version, protocol, position, totalFiles, arrow, and per filter the
files opened and the rows found.
"""

import re

import pyarrow
import pyarrow.parquet
from answering import answer_requests
from deltalake import DeltaTable, QueryBuilder
from object_store import options_for


def arrow_rows(table, output):
    """Writes the rows that the pyarrow dataset gives, and gives their number, or why it gives none."""
    try:
        rows = table.to_pyarrow_table()
    except Exception as refusal:
        return str(refusal)
    pyarrow.parquet.write_table(plain(rows), output)
    return rows.num_rows


def planned(query, text):
    plan = pyarrow.table(query.execute(f"EXPLAIN ANALYZE SELECT * FROM t WHERE {text}").read_all())
    files = sum(map(int, re.findall(r"files_opened=(\d+)", str(plan.to_pylist()))))
    return {
        "filter": text,
        "files": files,
        "rows": pyarrow.table(query.execute(f"SELECT * FROM t WHERE {text}").read_all()).num_rows,
    }


def plain(rows):
    """Views are no types that every Parquet reader is given."""
    types = {pyarrow.string_view(): pyarrow.string(), pyarrow.binary_view(): pyarrow.binary()}

    def plain_type(of):
        if pyarrow.types.is_list(of):
            return pyarrow.list_(plain_type(of.value_type))
        return types.get(of, of)

    return rows.cast(pyarrow.schema([(field.name, plain_type(field.type)) for field in rows.schema]))


def read(folder, output, version, *filters):
    options = options_for("deltalake", folder)
    table = DeltaTable(folder, version=int(version) if version else None, storage_options=options)
    query = QueryBuilder().register("t", table)
    rows = pyarrow.table(query.execute("SELECT * FROM t").read_all())
    pyarrow.parquet.write_table(plain(rows), output)
    protocol = table.protocol()
    commit = next(commit for commit in table.history() if commit["version"] == table.version())
    return {
        "rows": rows.num_rows,
        "columns": rows.column_names,
        "version": table.version(),
        "protocol": {
            "reader": protocol.min_reader_version,
            "writer": protocol.min_writer_version,
            "features": sorted(protocol.reader_features or []),
        },
        "position": commit.get("weir.position"),
        "totalFiles": len(table.file_uris()),
        "arrow": arrow_rows(table, f"{output}.arrow"),
        "planned": [planned(query, text) for text in filters],
    }


answer_requests(read)
