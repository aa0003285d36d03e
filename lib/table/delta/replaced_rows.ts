/** Old rows of a change's keys, in the live files of a state. */
import type { TableChange } from "../../change/sink.ts";
import type { ScalarType } from "../../dataset/column_type.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { findRows, type KeyColumn } from "../row_lookup.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { readFiles, readName } from "./parquet_fields.ts";
import { columnType, type DeltaField, physicalName } from "./schema.ts";
import type { DeltaState, LiveFile } from "./state.ts";
import { boundsOf } from "./statistics.ts";

/** Files that lose rows. */
export interface ReplacedRows {
  /** By path, every position that is deleted afterwards. */
  readonly positions: ReadonlyMap<string, PositionBitmap>;
  /** Files that keys were looked up in; absent where none were looked up. */
  readonly searched?: ReadonlySet<string>;
}

/** What is replaced by a change, under the columns that it leads to. */
export interface ReplaceRequest {
  readonly state: DeltaState;
  readonly change: TableChange;
  readonly fields: readonly DeltaField[];
}

interface KeyField extends KeyColumn {
  readonly field: DeltaField;
}

/** A truncate takes every old row anyway, so nothing is looked for. */
export async function replacedRows(place: TablePlace, request: ReplaceRequest): Promise<ReplacedRows> {
  const { state, change, fields } = request;
  if (change.truncate) return { positions: new Map() };
  // Key columns may have been renamed by this very change: they are known by their physical names.
  const keyFields = state.physicalKey.map((name) => fields.find((field) => physicalName(field) === name)!);
  const found = await findRows(place, {
    files: [...state.files].map(([uri, file]) => {
      return { uri, add: file.add, deleted: file.deleted?.positions, path: filePath(place, uri), rows: file.rows };
    }),
    change,
    key: keyFields.map(({ name }) => name),
    column: (name) => keyColumn(keyFields, name),
    boundsOf: ({ add }, { field }) => boundsOf(add, field),
    read: (paths, _, files) => readFiles(paths, { fields: keyFields, partition: state.partition, files }),
  });
  const positions = new Map(
    [...found].map((
      [uri, rows],
    ) => [uri, (state.files.get(uri)?.deleted?.positions ?? PositionBitmap.empty).with(rows)]),
  );
  const looked = change.removals !== undefined || (change.upserts !== undefined && keyFields.length > 0);
  return { positions, ...(looked ? { searched: new Set(state.files.keys()) } : {}) };
}

function keyColumn(keyFields: readonly DeltaField[], name: string): KeyField {
  const index = keyFields.findIndex((field) => field.name === name);
  const field = keyFields[index];
  if (field === undefined) throw new TypeError(`Cannot look up rows by ${name}: it is no key column`);
  return { field, name, readName: readName(index), type: columnType(field.type) as ScalarType };
}

/** Whether every row of a file is deleted. */
export function isEmptied({ rows }: LiveFile, deleted: PositionBitmap): boolean {
  return BigInt(deleted.count) === rows;
}
