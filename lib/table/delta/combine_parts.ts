/** Several prepared parts of one load as one change. */
import type { DeltaPrepared } from "./prepared_change.ts";

/**
 * The parts' files in one change.
 *
 * @throws {RangeError} If a part replaces rows: such parts depend on the state they were prepared against.
 */
export function combineParts(parts: readonly [DeltaPrepared, ...DeltaPrepared[]]): DeltaPrepared {
  if (parts.some(({ replaced }) => replaced.length > 0)) {
    throw new RangeError("Cannot combine parts that replace rows: only loads of new keys come in parts");
  }
  const [first] = parts;
  if (parts.some(({ target }) => target.metadata.schemaString.length !== first.target.metadata.schemaString.length)) {
    throw new RangeError("Cannot combine parts with different columns");
  }
  const last = parts.at(-1)!;
  const searched = parts.find((part) => part.searched !== undefined)?.searched;
  return {
    ...first,
    truncate: parts.some(({ truncate }) => truncate),
    added: parts.flatMap(({ added }) => added),
    ...(searched === undefined ? {} : { searched }),
    position: last.position,
    ...(last.commitTimeMs === undefined ? {} : { commitTimeMs: last.commitTimeMs }),
    paths: parts.flatMap(({ paths }) => paths),
  };
}
