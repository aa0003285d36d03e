/** Writes the files of a change: rows, and the deletes of the rows they replace. */
import type { TableChange } from "../../change/sink.ts";
import { failPoint } from "../../fail_point.ts";
import { writeDataFiles } from "./data_files.ts";
import { writeDeletes } from "./delete_files.ts";
import { type FileNames, nextFileNames, schemaInFiles } from "./file_names.ts";
import { layoutOf } from "./layout.ts";
import type { TablePlace } from "./load_state.ts";
import type { FileRecord } from "./manifest.ts";
import { currentSchema } from "./metadata.ts";
import { type IcebergPrepared, newSnapshotId, type RetypedFile } from "./prepared_change.ts";
import { type ReplacedRows, replacedRows } from "./replaced_rows.ts";
import { isTypedAs, retypeFile } from "./retype_file.ts";
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

interface Writing extends PrepareRequest {
  readonly names: FileNames;
  /** Starts the names of the change's own files. */
  readonly prefix: string;
  readonly paths: string[];
}

/** Writes data and delete files, noting every path as soon as it is there. */
async function writeFiles(
  place: TablePlace,
  request: PrepareRequest & Pick<Writing, "paths">,
): Promise<Pick<IcebergPrepared, "specId" | "layout" | "dataFiles"> & OldFiles> {
  const { state, change, evolved: { schema }, paths } = request;
  const { metadata } = state;
  const layout = layoutOf(metadata, change.definition, schema);
  const writing = { ...request, names: nextFileNames(metadata, schema), prefix: crypto.randomUUID() };
  const target = { schema, ...layout, names: writing.names, prefix: writing.prefix, shared: change.shared };
  const dataFiles = change.upserts === undefined ? [] : await writeDataFiles(place, change.upserts, target);
  paths.push(...pathsOf(place, dataFiles));
  await failPoint("iceberg.afterDataFiles");
  const replaced = await replacedRows(place, { state, change, schema });
  const old = isTypedAs(metadata, schema)
    ? await markRows(place, writing, replaced)
    : await retypeAll(place, writing, replaced);
  await failPoint("iceberg.afterDeleteFiles");
  return { specId: layout.spec["spec-id"], layout, dataFiles, ...old };
}

function pathsOf({ storage }: TablePlace, records: readonly FileRecord[]): Set<string> {
  return new Set(records.map(({ file_path }) => storage.path(file_path)));
}

/** What becomes of the files that are there. */
type OldFiles = Pick<IcebergPrepared, "deletes" | "removed" | "retyped" | "searched">;

/** Rows leave by delete files; a file that none stay of leaves whole. */
async function markRows(
  place: TablePlace,
  { state: { metadata }, prefix, paths }: Writing,
  { partly, wholly, searched }: ReplacedRows,
): Promise<OldFiles> {
  const vectors = partly.map(({ target: { entry }, positions }) => ({ dataFile: entry.file, positions }));
  const written = await writeDeletes(place, vectors, { formatVersion: metadata["format-version"], prefix });
  paths.push(...pathsOf(place, written));
  return {
    deletes: partly.map((deletes, index) => ({ ...deletes, file: written[index]! })),
    removed: wholly,
    ...(searched === undefined ? {} : { searched }),
  };
}

/** Every file leaves. What stays of it comes back in files of the types that columns have now. */
async function retypeAll(
  place: TablePlace,
  { state, change, evolved: { schema }, names, paths }: Writing,
  { partly, wholly }: ReplacedRows,
): Promise<OldFiles> {
  if (change.truncate) return { deletes: [], removed: [], retyped: [] };
  const gone = new Set(wholly);
  const deleted = new Map(partly.map(({ target, positions }) => [target, positions]));
  const target = { metadata: state.metadata, schema: schemaInFiles(schema, names) };
  const retyped: RetypedFile[] = [];
  for (const file of state.files.values()) {
    if (gone.has(file)) continue;
    const written = await retypeFile(place, { file, deleted: deleted.get(file) ?? file.deletes?.positions }, target);
    if (written === undefined) continue;
    paths.push(...pathsOf(place, [written.file]));
    retyped.push(written);
  }
  return { deletes: [], removed: [...state.files.values()], retyped, searched: new Set(state.files.keys()) };
}

function evolvedSchema({ metadata }: IcebergState, change: TableChange): NumberedSchema {
  const pinned = {
    key: keyFields(metadata).map(({ id }) => id),
    partition: metadata["partition-specs"].flatMap(({ fields }) => fields),
  };
  const from = { schema: currentSchema(metadata), lastColumnId: metadata["last-column-id"] };
  return evolveSchema(from, { schemaChanges: change.schemaChanges, columns: change.definition.columns, pinned });
}
