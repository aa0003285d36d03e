"""Reads an Iceberg table with pyiceberg and says what it saw.

Arguments of a request: TABLE_FOLDER OUTPUT_PARQUET [@TAG] [FILTER ...]

Writes all rows of the current snapshot, or of the tag's, as Parquet, so that they can be compared with exact types, and answers with rows,
columns, snapshotId, formatVersion, properties, totalFiles, and per filter the files planned and the rows found.
"""

import pyarrow.parquet
from answering import answer_requests
from object_store import options_for
from pyiceberg.table import StaticTable


def read(folder, output, *filters):
    table = StaticTable.from_metadata(folder, options_for("pyiceberg", folder))
    tags = [text[1:] for text in filters if text.startswith("@")]
    filters = [text for text in filters if not text.startswith("@")]
    rows = (table.scan().use_ref(tags[0]) if tags else table.scan()).to_arrow()
    pyarrow.parquet.write_table(rows, output)
    snapshot = table.current_snapshot()
    planned = [
        {
            "filter": text,
            "files": len(list(table.scan(row_filter=text).plan_files())),
            "rows": table.scan(row_filter=text).to_arrow().num_rows,
        }
        for text in filters
    ]
    return {
        "rows": rows.num_rows,
        "columns": rows.column_names,
        "snapshotId": str(snapshot.snapshot_id) if snapshot else None,
        "formatVersion": table.metadata.format_version,
        "properties": table.properties,
        "totalFiles": len(list(table.scan().plan_files())),
        "manifests": table.inspect.manifests().num_rows,
        "planned": planned,
    }


answer_requests(read)
