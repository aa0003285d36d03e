/**
 * A Parquet file out of one that another format wrote of the same rows: its pages are copied as they are, and a footer of this
 * format's columns ends it.
 *
 * Promise: each column holds what its own expression would have given, or nothing is taken.
 */
import type { SharedRows, WrittenRows } from "../change/written_rows.ts";
import { storageError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { DataFile } from "./data_file.ts";
import type { FieldIds } from "./field_ids.ts";
import { preparedFile } from "./parquet.ts";
import { keepColumns, readFooter, writeFooter } from "./parquet_footer.ts";
import type { RowColumns } from "./row_columns.ts";

/** What {@linkcode takeRows} writes, and where. */
export interface TakenTarget {
  readonly storage: Storage;
  /** Path of the file below the storage root; its folder is made. */
  readonly path: string;
  readonly columns: RowColumns;
  readonly fieldIds?: FieldIds | undefined;
  readonly shared: SharedRows;
}

/** Takes the rows over; undefined, and no file, where none are offered or they hold something else. */
export async function takeRows({ shared, ...target }: TakenTarget): Promise<DataFile | undefined> {
  const written = await shared.offered;
  if (written === undefined || !holdsAll(written, target.columns)) return undefined;
  const { storage, path } = target;
  const file = await preparedFile(storage, path);
  try {
    await Deno.copyFile(written.file, file);
    const bytes = await endAnew(file, target);
    await storage.publish(path);
    return { path, rows: written.rows, bytes, statistics: written.statistics };
  } catch (thrown) {
    await Deno.remove(file).catch(() => {});
    // Who wrote it had to give it up, or a cache has dropped it.
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw storageError(thrown, path);
  }
}

function holdsAll(written: WrittenRows, columns: RowColumns): boolean {
  return [...columns].every(([name, value]) => written.columns.get(name) === value);
}

async function endAnew(path: string, { columns, fieldIds }: Omit<TakenTarget, "shared">): Promise<bigint> {
  using file = await Deno.open(path, { read: true, write: true });
  const { startBytes, metadata } = await readFooter(file, path);
  keepColumns(metadata, { names: new Set(columns.keys()), fieldIds });
  return BigInt(await writeFooter(file, { startBytes, metadata }));
}
