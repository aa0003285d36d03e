/** Writes the files of a change: rows, and the deletes of the rows they replace. */
import type { TableChange } from "../../change/sink.ts";
import { failPoint } from "../../fail_point.ts";
import { writeDataFiles } from "./data_files.ts";
import { writeDeletes } from "./delete_files.ts";
import { nextFileNames } from "./file_names.ts";
import { layoutOf } from "./layout.ts";
import type { TablePlace } from "./load_state.ts";
import type { FileRecord } from "./manifest.ts";
import { currentSchema } from "./metadata.ts";
import { type IcebergPrepared, newSnapshotId } from "./prepared_change.ts";
import { replacedRows } from "./replaced_rows.ts";
import type { NumberedSchema } from "./schema.ts";
import { evolveSchema } from "./schema_evolution.ts";
import { type IcebergState, keyFields } from "./state.ts";

/** The change's files, against a state. What fails half-way is removed again. */
export async function prepareChange(
  place: TablePlace,
  state: IcebergState,
  change: TableChange,
): Promise<IcebergPrepared> {
  const evolved = evolvedSchema(state, change);
  const paths: string[] = [];
  try {
    const files = await writeFiles(place, { state, change, evolved, paths });
    return {
      snapshotId: newSnapshotId(),
      schema: evolved.schema,
      lastColumnId: evolved.lastColumnId,
      baseSchemaId: state.metadata["current-schema-id"],
      truncate: change.truncate,
      ...files,
      position: change.position,
      ...(change.after === undefined ? {} : { after: change.after }),
      commitTimeMs: change.commitTimeMs,
      paths,
    };
  } catch (thrown) {
    for (const path of paths) await place.storage.delete(path).catch(() => {});
    throw thrown;
  }
}

interface PrepareRequest {
  readonly state: IcebergState;
  readonly change: TableChange;
  readonly evolved: NumberedSchema;
}

/** Writes data and delete files, noting every path as soon as it is there. */
async function writeFiles(
  place: TablePlace,
  request: PrepareRequest & { readonly paths: string[] },
): Promise<Pick<IcebergPrepared, "specId" | "layout" | "dataFiles" | "deletes" | "removed" | "searched">> {
  const { state: { metadata }, change, evolved, paths } = request;
  const prefix = crypto.randomUUID();
  const noted = (records: FileRecord[]) => {
    paths.push(...new Set(records.map(({ file_path }) => place.storage.path(file_path))));
    return records;
  };
  const layout = layoutOf(metadata, change.definition, evolved.schema);
  const names = nextFileNames(metadata, evolved.schema);
  const target = { schema: evolved.schema, names, ...layout, prefix };
  const dataFiles = change.upserts === undefined ? [] : noted(await writeDataFiles(place, change.upserts, target));
  await failPoint("iceberg.afterDataFiles");
  const lookup = await replacedRows(place, { state: request.state, change, schema: evolved.schema });
  const vectors = lookup.partly.map(({ target: { entry }, positions }) => ({ dataFile: entry.file, positions }));
  const written = noted(await writeDeletes(place, vectors, { formatVersion: metadata["format-version"], prefix }));
  await failPoint("iceberg.afterDeleteFiles");
  return {
    specId: layout.spec["spec-id"],
    layout,
    dataFiles,
    deletes: lookup.partly.map((deletes, index) => ({ ...deletes, file: written[index]! })),
    removed: lookup.wholly,
    ...(lookup.searched === undefined ? {} : { searched: lookup.searched }),
  };
}

function evolvedSchema({ metadata }: IcebergState, change: TableChange): NumberedSchema {
  const pinned = {
    key: keyFields(metadata).map(({ id }) => id),
    // A spec that is used no more is still read: its files may be there.
    partition: metadata["partition-specs"].flatMap(({ fields }) => fields.map((field) => field["source-id"])),
  };
  const from = { schema: currentSchema(metadata), lastColumnId: metadata["last-column-id"] };
  return evolveSchema(from, { schemaChanges: change.schemaChanges, columns: change.definition.columns, pinned });
}
