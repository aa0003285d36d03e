/** The rows of a mirror: files of another format, whose columns are found by field id. */
import type { Scan } from "../../change/sink.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier, literal } from "../../engine/quote.ts";
import type { DeletedRows } from "../deleted_rows/deleted_rows.ts";
import { rowCount, scanLiveRows } from "../deleted_rows/live_rows.ts";
import { mirrorOfProperty } from "../published_table.ts";
import { type FilePlace, noRowsSql } from "./file_rows_sql.ts";
import type { PaimonField } from "./schema.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** Whether a table's rows stand in the files of another one, or some of them are deleted without a merge. */
export function isMirrored({ files }: Pick<PaimonState, "files">): boolean {
  return files.some(({ externalUri, deleted }) => externalUri !== undefined || deleted !== undefined);
}

/** Whether a table is a mirror by its own word. */
export function isMirror({ schema }: Pick<PaimonState, "schema">): boolean {
  return schema.options[mirrorOfProperty] !== undefined;
}

/** Two states with the files alone that the other does not have just so, the older one under the newer one's columns. */
export function mirrorDifference(
  older: PaimonState,
  newer: PaimonState,
): { readonly before: PaimonState; readonly after: PaimonState } {
  const marked = ({ identity, deleted }: LiveFile) => `${identity} ${deleted?.positions.count ?? 0}`;
  const filesNotIn = ({ files }: PaimonState, other: PaimonState) => {
    const theirs = new Set(other.files.map(marked));
    return files.filter((file) => !theirs.has(marked(file)));
  };
  const { schema, schemas, columns } = newer;
  return {
    before: { ...older, schema, schemas, columns, files: filesNotIn(older, newer) },
    after: { ...newer, files: filesNotIn(newer, older) },
  };
}

/** The columns of a state's snapshot in order, over its files. */
export async function scanMirror(state: PaimonState, where: FilePlace, deleted: DeletedRows): Promise<Scan> {
  const { fields } = state.schema;
  const { storage, layout } = where;
  const scan = await scanLiveRows(storage, {
    files: state.files.map(({ externalUri, place, name, rows, deleted }) => ({
      uri: externalUri ?? name,
      path: externalUri === undefined ? layout.data(place, name) : storage.path(externalUri),
      rows,
      deleted: deleted && { positions: deleted.positions, sequenceNumber: deleted.since },
    })),
    columns: fields.map((field) => `${readName(field)} AS ${identifier(field.name)}`).join(", "),
    read: (paths, files) => readFiles(paths, fields, rowCount(files)),
    deleted,
    sequenceNumber: state.snapshotId ?? 0n,
  });
  return scan ?? { sql: noRowsSql(fields), [Symbol.dispose]: () => {} };
}

function readName({ id }: PaimonField): string {
  return `c${id}`;
}

function readFiles(paths: readonly string[], fields: readonly PaimonField[], rows: bigint): string {
  const columns = fields.map((field) => {
    const type = literal(duckdbType(field.type));
    return `${field.id}: {name: ${literal(readName(field))}, type: ${type}, default_value: NULL}`;
  });
  return `read_parquet([${paths.map(literal).join(", ")}], schema = MAP {${
    columns.join(", ")
  }}, hive_partitioning = false, explicit_cardinality = ${rows})`;
}
