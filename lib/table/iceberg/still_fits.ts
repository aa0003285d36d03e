/** Whether files prepared against one state may be committed on a newer one. */
import { layoutFits } from "./layout.ts";
import { sameDeletes } from "./load_state.ts";
import { currentSchema } from "./metadata.ts";
import type { IcebergPrepared } from "./prepared_change.ts";
import { sameFields } from "./schema.ts";
import type { IcebergState, LiveFile } from "./state.ts";

/**
 * True while the schema is the one the files were written for, every file that loses rows is there with the same deletes,
 * and no file has come that keys were not looked up in: it may hold a row that this change replaces.
 */
export function stillFits(state: IcebergState, prepared: IcebergPrepared): boolean {
  const { metadata } = state;
  const sameSchema = metadata["current-schema-id"] === prepared.baseSchemaId ||
    sameFields(currentSchema(metadata), prepared.schema);
  if (!sameSchema || metadata["last-column-id"] > Math.max(prepared.lastColumnId, ...idsOf(prepared))) return false;
  if (prepared.layout !== undefined && !layoutFits(metadata, prepared.layout)) return false;
  const targets = [...prepared.deletes.map(({ target }) => target), ...prepared.removed];
  if (!targets.every((target) => isUnchanged(target, state.files.get(target.entry.file.file_path)))) return false;
  return prepared.searched === undefined || [...state.files.keys()].every((uri) => prepared.searched!.has(uri));
}

function idsOf(prepared: IcebergPrepared): number[] {
  return prepared.schema.fields.map(({ id }) => id);
}

function isUnchanged(before: LiveFile, now: LiveFile | undefined): boolean {
  if (now === undefined || (before.deletes === undefined) !== (now.deletes === undefined)) return false;
  return before.deletes === undefined || sameDeletes(before.deletes.entry, now.deletes!.entry);
}
