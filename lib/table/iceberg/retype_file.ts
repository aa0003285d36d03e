/**
 * Data files written anew with the types that their columns have now.
 *
 * Readers of Iceberg widen as they read, and files stay. Those of Delta, which a mirror hands the same files, do not.
 */
import { sameType } from "../../dataset/column_type.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import type { TablePlace } from "./load_state.ts";
import { lineageColumns, writeMerged } from "./merge_files.ts";
import { specOf, type TableMetadata } from "./metadata.ts";
import type { RetypedFile } from "./prepared_change.ts";
import { mirroredAs, ownProperties } from "./properties.ts";
import { columnType, type IcebergSchema } from "./schema.ts";
import { unsorted } from "./sort_order.ts";
import type { LiveFile } from "./state.ts";

/** Whether files are typed as a schema is, as far as anybody who reads them minds. */
export function isTypedAs(metadata: TableMetadata, schema: IcebergSchema): boolean {
  if (!mirroredAs(metadata).includes("delta")) return true;
  const noted = metadata.properties[ownProperties.filesTypedAs];
  const last = metadata.schemas.find((each) => String(each["schema-id"]) === noted);
  // Where nothing is noted, a file may be as old as any schema.
  return (last === undefined ? metadata.schemas : [last]).every((each) => sameTypes(each, schema));
}

/** Whether columns that both schemas have are typed alike. */
function sameTypes(left: IcebergSchema, right: IcebergSchema): boolean {
  const types = new Map(left.fields.map(({ id, type }) => [id, columnType(type)]));
  return right.fields.every(({ id, type }) => sameType(types.get(id) ?? columnType(type), columnType(type)));
}

/** A file and the rows of it that are deleted. */
export interface Retyping {
  readonly file: LiveFile;
  readonly deleted: PositionBitmap | undefined;
}

/** What files become. */
export interface RetypingTarget {
  readonly metadata: TableMetadata;
  /** Under the names that files have. */
  readonly schema: IcebergSchema;
}

/** Writes a file's remaining rows, in their order, as another file; undefined where none remain. */
export async function retypeFile(
  place: TablePlace,
  { file: { entry }, deleted }: Retyping,
  { metadata, schema }: RetypingTarget,
): Promise<RetypedFile | undefined> {
  const { file } = await writeMerged(place, {
    inputs: [{ entry, ...(deleted === undefined ? {} : { deletes: { positions: deleted } }) }],
    schema,
    lineage: lineageColumns(metadata, schema),
    order: unsorted,
    spec: specOf(metadata, entry.specId),
  });
  return file && { specId: entry.specId, file: { ...file, sort_order_id: entry.file.sort_order_id } };
}
