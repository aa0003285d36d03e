"""Reads a Paimon table with pypaimon and says what it saw.

Arguments of a request: WAREHOUSE DATABASE.TABLE[@TAG] OUTPUT_PARQUET [FILTER ...]

A filter is `COLUMN OPERATOR VALUE`, several joined by ` and `; texts, dates and times stand in single quotes.

Writes all rows as Parquet, so that they can be compared with exact types, and answers with version (of pypaimon), rows,
columns, snapshot, totalFiles, buckets, merged (files that are merged by key when they are read), and per filter the files
planned and the rows found.
"""

import datetime
import decimal
import importlib.metadata
import os
import re

import pyarrow.parquet
import pypaimon
from answering import answer_requests
from object_store import options_for
from pypaimon import CatalogFactory

METHODS = {"=": "equal", "<": "less_than", "<=": "less_or_equal", ">": "greater_than", ">=": "greater_or_equal"}


def value_of(text, field_type):
    quoted = text.strip("'")
    if field_type.startswith("TIMESTAMP"):
        return datetime.datetime.fromisoformat(quoted)
    if field_type.startswith("DATE"):
        return datetime.date.fromisoformat(quoted)
    if field_type.startswith("DECIMAL"):
        return decimal.Decimal(text)
    return quoted if text.startswith("'") else int(text)


def predicate_of(builder, types, text):
    parts = []
    for part in re.split(" and ", text, flags=re.IGNORECASE):
        column, operator, value = re.fullmatch(r"(.+?) (<=|>=|<|>|=) (.+)", part).groups()
        parts.append(getattr(builder, METHODS[operator])(column, value_of(value, types[column])))
    return builder.and_predicates(parts)


def snapshot_of(table):
    snapshot = table.snapshot_manager().get_latest_snapshot()
    if snapshot is None:
        return None
    return {
        "id": str(snapshot.id),
        "schemaId": snapshot.schema_id,
        "commitUser": snapshot.commit_user,
        "commitIdentifier": str(snapshot.commit_identifier),
        "commitKind": snapshot.commit_kind,
        "totalRecordCount": snapshot.total_record_count,
        "properties": snapshot.properties,
    }


def version():
    """The package read from may stand before the installed one."""
    folder = os.path.dirname(os.path.dirname(pypaimon.__file__))
    [found] = importlib.metadata.distributions(name="pypaimon", path=[folder])
    return found.version


def read(warehouse, name, output, *filters):
    name, _, tag = name.partition("@")
    catalog = CatalogFactory.create({"warehouse": warehouse, **options_for("pypaimon", warehouse)})
    table = catalog.get_table(name)
    if tag:
        table = table.copy({"scan.tag-name": tag})
    types = {field.name: str(field.type) for field in table.fields}

    def scan(text):
        builder = table.new_read_builder()
        if text is not None:
            builder = builder.with_filter(predicate_of(builder.new_predicate_builder(), types, text))
        splits = builder.new_scan().plan().splits()
        return splits, builder.new_read().to_arrow(splits)

    def file_count(splits):
        return sum(len(split.files) for split in splits)

    splits, rows = scan(None)
    pyarrow.parquet.write_table(rows, output)
    planned = []
    for text in filters:
        found_splits, found_rows = scan(text)
        planned.append({"filter": text, "files": file_count(found_splits), "rows": found_rows.num_rows})
    return {
        "version": version(),
        "rows": rows.num_rows,
        "columns": rows.column_names,
        "snapshot": snapshot_of(table),
        "totalFiles": file_count(splits),
        "buckets": len({split.bucket for split in splits}),
        "merged": file_count(split for split in splits if not split.raw_convertible),
        "planned": planned,
    }


answer_requests(read)
