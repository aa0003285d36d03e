/** Writes the files of a change: rows, and what becomes of the files whose rows they replace. */
import type { TableChange } from "../../change/sink.ts";
import { failPoint } from "../../fail_point.ts";
import { type DataTarget, writeDataFiles } from "./data_files.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { markRows } from "./mark_rows.ts";
import type { DeltaPrepared, Replacement, TableDescription } from "./prepared_change.ts";
import { protocolFor } from "./protocol.ts";
import { isEmptied, replacedRows } from "./replaced_rows.ts";
import { type FileRewrite, rewriteFile } from "./rewrite_file.ts";
import { formatSchema, physicalName, type TableShape } from "./schema.ts";
import { changesTypes, evolveShape } from "./schema_evolution.ts";
import { type DeltaState, shapeOf, usesVectors } from "./state.ts";

/** The change's files, against a state. What fails half-way is removed again. */
export async function prepareChange(place: TablePlace, state: DeltaState, change: TableChange): Promise<DeltaPrepared> {
  const { columns } = change.definition;
  const key = state.physicalKey;
  const shape = evolveShape(shapeOf(state), { schemaChanges: change.schemaChanges, columns, key });
  const paths: string[] = [];
  try {
    const files = await writeFiles(place, { state, change, shape, paths });
    return {
      base: { protocol: state.protocol, metadata: state.metadata },
      target: describe(state, shape),
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

/** What the table is under another shape; the very same objects where nothing changes. */
function describe({ protocol, metadata, fields }: DeltaState, shape: TableShape): TableDescription {
  const schemaString = formatSchema(shape.fields);
  const isSame = schemaString === formatSchema(fields) && shape.configuration === metadata.configuration;
  if (isSame) return { protocol, metadata };
  return {
    protocol: protocolFor(shape, protocol),
    metadata: {
      ...metadata,
      schemaString,
      partitionColumns: partitionNames(shape),
      configuration: shape.configuration,
    },
  };
}

/** By what columns are called now. */
function partitionNames({ fields, partition }: TableShape): readonly string[] {
  return partition.map((name) => fields.find((field) => physicalName(field) === name)!.name);
}

interface Work {
  readonly state: DeltaState;
  readonly change: TableChange;
  readonly shape: TableShape;
  /** Every path is noted as soon as it is there. */
  readonly paths: string[];
}

async function writeFiles(
  place: TablePlace,
  work: Work,
): Promise<Pick<DeltaPrepared, "added" | "replaced" | "searched">> {
  const { state, change, shape, paths } = work;
  const target = { ...shape, key: state.physicalKey, prefix: crypto.randomUUID(), shared: change.shared };
  const added = change.upserts === undefined ? [] : await writeDataFiles(place, change.upserts, target);
  paths.push(...added.map(({ add }) => filePath(place, add.path)));
  await failPoint("delta.afterDataFiles");
  const { positions, searched } = await replacedRows(place, { state, change, fields: shape.fields });
  const isWidened = !change.truncate && changesTypes(shapeOf(state), shape);
  const touched = isWidened ? [...state.files.values()] : [...positions.keys()].map((path) => state.files.get(path)!);
  const rewrites = touched.map((file) => ({ file, deleted: positions.get(file.add.path) ?? file.deleted?.positions }));
  const replaced = isWidened || !usesVectors(state)
    ? await rewriteAll(place, { rewrites, target, paths })
    : await markAll(place, { rewrites, paths });
  await failPoint("delta.afterDeletes");
  return { added, replaced, ...(searched === undefined ? {} : { searched }) };
}

interface Replacing {
  readonly rewrites: readonly FileRewrite[];
  readonly paths: string[];
}

/** Rows leave by deletion vectors; a file that none stay of leaves whole. */
async function markAll(place: TablePlace, { rewrites, paths }: Replacing): Promise<Replacement[]> {
  const emptied = rewrites.filter(({ file, deleted }) => isEmptied(file, deleted!));
  const marked = rewrites.filter(({ file, deleted }) => !isEmptied(file, deleted!));
  const gone = emptied.map(({ file }) => ({ target: file, dataChange: true }));
  if (marked.length === 0) return gone;
  const written = await markRows(
    place,
    marked.map(({ file, deleted }) => ({ file, deleted: deleted!, dataChange: true })),
  );
  paths.push(written.path);
  return [...gone, ...written.files.map((by, index) => ({ target: marked[index]!.file, by, dataChange: true }))];
}

/** Rows leave, or become wider, by writing the rows that stay anew. */
async function rewriteAll(
  place: TablePlace,
  { rewrites, target, paths }: Replacing & { readonly target: DataTarget },
): Promise<Replacement[]> {
  const replaced: Replacement[] = [];
  for (const { file, deleted } of rewrites) {
    const dataChange = deleted !== file.deleted?.positions;
    const isGone = deleted !== undefined && isEmptied(file, deleted);
    const written = isGone ? undefined : await rewriteFile(place, { file, deleted }, target);
    if (written !== undefined) paths.push(filePath(place, written.add.path));
    const by = written && { ...written, add: { ...written.add, dataChange } };
    replaced.push({ target: file, ...(by === undefined ? {} : { by }), dataChange });
  }
  return replaced;
}
