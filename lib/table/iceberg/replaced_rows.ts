/** Old rows of a change's keys, in the live files of a state. */
import type { TableChange } from "../../change/sink.ts";
import type { ScalarType } from "../../dataset/column_type.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { rowCount } from "../deleted_rows/live_rows.ts";
import { findRows, type KeyColumn } from "../row_lookup.ts";
import type { TablePlace } from "./load_state.ts";
import { ofColumn } from "./metrics.ts";
import { readFiles, readName } from "./parquet_fields.ts";
import type { PreparedDeletes } from "./prepared_change.ts";
import { columnType, type IcebergField, type IcebergSchema } from "./schema.ts";
import { type IcebergState, keyFields, type LiveFile } from "./state.ts";

/** Files that lose rows. */
export interface ReplacedRows {
  /** With all positions that are then deleted. */
  readonly partly: readonly Omit<PreparedDeletes, "file">[];
  readonly wholly: readonly LiveFile[];
  /** Files that keys were looked up in; absent where none were looked up. */
  readonly searched?: ReadonlySet<string>;
}

/** What is replaced by a change, under the schema that it leads to. */
export interface ReplaceRequest {
  readonly state: IcebergState;
  readonly change: TableChange;
  readonly schema: IcebergSchema;
}

interface KeyField extends KeyColumn {
  readonly field: IcebergField;
}

/** A truncate takes every old row anyway, so nothing is looked for. */
export async function replacedRows(place: TablePlace, request: ReplaceRequest): Promise<ReplacedRows> {
  const { state, change, schema } = request;
  if (change.truncate) return { partly: [], wholly: [] };
  // Key columns may have been renamed by this very change: they are known by id.
  const key = keyFields(state.metadata).map(({ id }) => schema.fields.find((field) => field.id === id)!.name);
  const found = await findRows(place, {
    files: [...state.files].map(([uri, file]) => ({
      ...{ uri, file, deleted: file.deletes?.positions, rows: file.entry.file.record_count },
      path: place.storage.path(uri),
    })),
    ...{ change, key },
    column: (name): KeyField => {
      const field = schema.fields.find((each) => each.name === name)!;
      return { field, name, readName: readName(field), type: columnType(field.type) as ScalarType };
    },
    boundsOf: ({ file: { entry: { file } } }, { field }) => ({
      lower: ofColumn(file.lower_bounds, field.id),
      upper: ofColumn(file.upper_bounds, field.id),
    }),
    read: (paths, columns, files) => readFiles(paths, columns.map(({ field }) => field), rowCount(files)),
  });
  const partly: Omit<PreparedDeletes, "file">[] = [];
  const wholly: LiveFile[] = [];
  for (const [uri, rows] of found) {
    const target = state.files.get(uri)!;
    const positions = (target.deletes?.positions ?? PositionBitmap.empty).with(rows);
    if (BigInt(positions.count) === target.entry.file.record_count) wholly.push(target);
    else partly.push({ target, positions });
  }
  const looked = change.removals !== undefined || (change.upserts !== undefined && key.length > 0);
  return { partly, wholly, ...(looked ? { searched: new Set(state.files.keys()) } : {}) };
}
