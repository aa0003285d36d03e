/** Several prepared parts of one load as one change. */
import type { IcebergPrepared } from "./prepared_change.ts";

/**
 * The parts' files under the first part's snapshot id.
 *
 * @throws {RangeError} If a part deletes rows one by one: such parts depend on the state they were prepared against.
 */
export function combineParts(parts: readonly [IcebergPrepared, ...IcebergPrepared[]]): IcebergPrepared {
  if (parts.some(({ deletes, removed }) => deletes.length > 0 || removed.length > 0)) {
    throw new RangeError("Cannot combine parts that replace rows: only loads of new keys come in parts");
  }
  const [first] = parts;
  const last = parts.at(-1)!;
  const searched = parts.find((part) => part.searched !== undefined)?.searched;
  return {
    ...first,
    schema: last.schema,
    lastColumnId: last.lastColumnId,
    truncate: parts.some(({ truncate }) => truncate),
    dataFiles: parts.flatMap(({ dataFiles }) => dataFiles),
    ...(searched === undefined ? {} : { searched }),
    position: last.position,
    ...(last.commitTimeMs === undefined ? {} : { commitTimeMs: last.commitTimeMs }),
    paths: parts.flatMap(({ paths }) => paths),
  };
}
