/** Rebuilding a table's state from its files, once at a start or after somebody else committed. */
import { withDeleted } from "./deletion_index.ts";
import { mirrorOfProperty } from "../published_table.ts";
import { mergeEntries } from "./manifest.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { rowRetention } from "./partition_expiry.ts";
import { Partitioning } from "./partitioning.ts";
import { type PaimonSchema, schemaColumns } from "./schema.ts";
import { decodeProperties, type Snapshot } from "./snapshot.ts";
import { type LiveFile, liveFile, type PaimonState, raiseSequenceNumbers } from "./table_state.ts";

/**
 * Reads a table's newest state.
 *
 * @param commitUser Whose commits carry the position; snapshots of others (a compaction) are looked past.
 * @returns Undefined where there is no table.
 * @throws {WeirError} `tableUnreadable` naming the file that is damaged.
 */
export async function loadState(reader: MetadataReader, commitUser: string): Promise<PaimonState | undefined> {
  const newest = await reader.newestSnapshotId();
  if (newest === undefined) {
    const schemas = await schemasFrom(reader, 0);
    const schema = schemas[0];
    return schema && { ...emptyState(schema), pendingSchemas: schemas.slice(1) };
  }
  const snapshot = await reader.snapshot(newest);
  if (snapshot === undefined) throw reader.unreadable(reader.layout.snapshot(newest), "the file is missing");
  return await stateOf(reader, { snapshot, commitUser });
}

/** The table as a snapshot shows it. */
export async function stateOf(
  reader: MetadataReader,
  of: { readonly snapshot: Snapshot; readonly commitUser: string },
): Promise<PaimonState> {
  const { snapshot } = of;
  const schema = await reader.requiredSchema(snapshot.schemaId);
  const manifests = await reader.manifestsOf(snapshot);
  const entries = mergeEntries((await Promise.all(manifests.map((meta) => reader.manifest(meta)))).flat());
  if (entries.some((entry) => entry._KIND !== 0)) {
    const path = reader.layout.manifest(snapshot.baseManifestList);
    throw reader.unreadable(path, "a file is deleted that was never added");
  }
  const partitioning = new Partitioning(schema);
  const live = entries.map((entry) => liveFile(entry, partitioning));
  const files = await withDeleted(reader, { schema, snapshot, files: live });
  return {
    ...emptyState(schema),
    snapshot,
    snapshotId: snapshot.id,
    rows: snapshot.totalRecordCount,
    schemas: await schemasOf(reader, { schema, files }),
    pendingSchemas: await schemasFrom(reader, schema.id + 1),
    manifests,
    files,
    sequenceNumbers: raiseSequenceNumbers(new Map(), files),
    ...await ownProgress(reader, of),
  };
}

/** A table without a snapshot. */
export function emptyState(schema: PaimonSchema): PaimonState {
  return {
    ...schemaState(schema),
    ...(schema.options[mirrorOfProperty] === undefined ? {} : { mirrorOf: schema.options[mirrorOfProperty] }),
    rows: 0n,
    schemas: new Map([[schema.id, schema]]),
    pendingSchemas: [],
    manifests: [],
    files: [],
    sequenceNumbers: new Map(),
    commitIdentifier: 0n,
  };
}

/** What a schema alone says of a state. */
export function schemaState(
  schema: PaimonSchema,
): Pick<PaimonState, "columns" | "fixedPartition" | "retention" | "key" | "schema"> {
  const retention = rowRetention(schema);
  return {
    columns: schemaColumns(schema),
    fixedPartition: schema.partitionKeys,
    ...(retention === undefined ? {} : { retention }),
    key: schema.primaryKeys,
    schema,
  };
}

/** Schemas from an id on: ids are dense, so the first missing one is the end. */
async function schemasFrom(reader: MetadataReader, first: number): Promise<readonly PaimonSchema[]> {
  const schemas: PaimonSchema[] = [];
  for (let id = first;; id++) {
    const schema = await reader.schema(id);
    if (schema === undefined) return schemas;
    schemas.push(schema);
  }
}

async function schemasOf(
  reader: MetadataReader,
  of: { readonly schema: PaimonSchema; readonly files: readonly LiveFile[] },
): Promise<ReadonlyMap<number, PaimonSchema>> {
  const schemas = new Map([[of.schema.id, of.schema]]);
  for (const { schemaId } of of.files) {
    if (!schemas.has(schemaId)) schemas.set(schemaId, await reader.requiredSchema(schemaId));
  }
  return schemas;
}

/** Identifier and position of our newest commit, carried on by our upkeep, looked up behind snapshots of others. */
async function ownProgress(
  reader: MetadataReader,
  from: { readonly snapshot: Snapshot; readonly commitUser: string },
): Promise<Pick<PaimonState, "commitIdentifier" | "progressId" | "position" | "commitTimeMs" | "mirroredSnapshotId">> {
  for (let snapshot: Snapshot | undefined = from.snapshot; snapshot !== undefined;) {
    const { position, commitTimeMs, mirroredSnapshotId, writer } = propertiesOf(reader, snapshot);
    const { user, identifier } = writer ?? { user: snapshot.commitUser, identifier: snapshot.commitIdentifier };
    if (user === from.commitUser) {
      return {
        commitIdentifier: identifier,
        progressId: snapshot.id,
        ...(position === undefined ? {} : { position }),
        ...(commitTimeMs === undefined ? {} : { commitTimeMs }),
        ...(mirroredSnapshotId === undefined ? {} : { mirroredSnapshotId }),
      };
    }
    snapshot = await reader.snapshot(snapshot.id - 1n);
  }
  return { commitIdentifier: 0n };
}

function propertiesOf(
  reader: MetadataReader,
  snapshot: Snapshot,
): Partial<NonNullable<ReturnType<typeof decodeProperties>>> {
  try {
    return decodeProperties(snapshot) ?? {};
  } catch (thrown) {
    throw reader.unreadable(reader.layout.snapshot(snapshot.id), thrown);
  }
}
