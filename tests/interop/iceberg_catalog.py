"""Uses the tables of an Iceberg REST catalog with pyiceberg, as a second client beside Weir.

Arguments of a request: CATALOG_PROPERTIES_JSON OPERATION TABLE ...

read OUTPUT_PARQUET: writes all rows as Parquet, answers with rows, columns, snapshotId, formatVersion,
location, properties, summaries.
create [LOCATION]: makes a v2 table of id (identifier), name and seen.
append JSON_ROWS: appends rows given as a list of objects.
delete FILTER: deletes rows.
"""

import json
from datetime import datetime

import pyarrow
import pyarrow.parquet
from answering import answer_requests
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType, TimestamptzType

schema = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "name", StringType(), required=False),
    NestedField(3, "seen", TimestamptzType(), required=False),
    identifier_field_ids=[1],
)


def read(table, output):
    rows = table.scan().to_arrow()
    pyarrow.parquet.write_table(rows, output)
    snapshot = table.current_snapshot()
    return {
        "rows": rows.num_rows,
        "columns": rows.column_names,
        "snapshotId": str(snapshot.snapshot_id) if snapshot else None,
        "formatVersion": table.metadata.format_version,
        "location": table.location(),
        "properties": table.properties,
        "summaries": [s.summary.additional_properties for s in table.metadata.snapshots],
    }


def rows_of(table, text):
    rows = json.loads(text)
    for row in rows:
        if row.get("seen") is not None:
            row["seen"] = datetime.fromisoformat(row["seen"])
    return pyarrow.Table.from_pylist(rows, schema=table.schema().as_arrow())


def answer(properties, operation, name, *arguments):
    catalog = RestCatalog("weir", **json.loads(properties))
    if operation == "create":
        catalog.create_namespace_if_not_exists(name.split(".")[0])
        return str(catalog.create_table(name, schema, location=arguments[0] if arguments else None).metadata.table_uuid)
    table = catalog.load_table(name)
    if operation == "read":
        return read(table, *arguments)
    if operation == "append":
        table.append(rows_of(table, *arguments))
    elif operation == "delete":
        table.delete(*arguments)
    else:
        raise ValueError(operation)
    return str(catalog.load_table(name).current_snapshot().snapshot_id)


answer_requests(answer)
