/**
 * A commit as a catalog service is told it: what must still hold, and what changes (Iceberg REST catalog, "CommitTableRequest").
 *
 * Promise: plain data, derived from two versions alone, so that whatever makes a next version (rows, a schema, an expiry) can be
 * committed through a catalog. The main branch is always required to stand where the commit was staged.
 */
import type { PartitionSpec, Snapshot, SnapshotRef, TableMetadata } from "./metadata.ts";
import type { IcebergSchema } from "./schema.ts";

/** What a catalog checks before it applies a commit. */
export type TableRequirement =
  | { readonly type: "assert-create" }
  | { readonly type: "assert-table-uuid"; readonly uuid: string }
  | { readonly type: "assert-ref-snapshot-id"; readonly ref: string; readonly "snapshot-id": bigint | null }
  | { readonly type: "assert-last-assigned-field-id"; readonly "last-assigned-field-id": number }
  | { readonly type: "assert-current-schema-id"; readonly "current-schema-id": number }
  | { readonly type: "assert-last-assigned-partition-id"; readonly "last-assigned-partition-id": number }
  | { readonly type: "assert-default-spec-id"; readonly "default-spec-id": number }
  | { readonly type: "assert-default-sort-order-id"; readonly "default-sort-order-id": number };

/** One change. -1 stands for the schema, spec or order that the same commit added last. */
export type TableUpdate =
  | { readonly action: "assign-uuid"; readonly uuid: string }
  | { readonly action: "upgrade-format-version"; readonly "format-version": number }
  | { readonly action: "set-location"; readonly location: string }
  | { readonly action: "add-schema"; readonly schema: IcebergSchema; readonly "last-column-id": number }
  | { readonly action: "set-current-schema"; readonly "schema-id": number }
  | { readonly action: "remove-schemas"; readonly "schema-ids": readonly number[] }
  | { readonly action: "add-spec"; readonly spec: PartitionSpec }
  | { readonly action: "set-default-spec"; readonly "spec-id": number }
  | { readonly action: "remove-partition-specs"; readonly "spec-ids": readonly number[] }
  | { readonly action: "add-sort-order"; readonly "sort-order": unknown }
  | { readonly action: "set-default-sort-order"; readonly "sort-order-id": number }
  | { readonly action: "add-snapshot"; readonly snapshot: Snapshot }
  | { readonly action: "set-snapshot-ref"; readonly "ref-name": string; readonly [field: string]: unknown }
  | { readonly action: "remove-snapshot-ref"; readonly "ref-name": string }
  | { readonly action: "remove-snapshots"; readonly "snapshot-ids": readonly bigint[] }
  | { readonly action: "remove-statistics" | "remove-partition-statistics"; readonly "snapshot-id": bigint }
  | { readonly action: "set-properties"; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: "remove-properties"; readonly removals: readonly string[] };

/** Body of a commit. */
export interface TableCommit {
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
}

/** The commit that makes a table of its first version. */
export function createUpdates(metadata: TableMetadata): TableCommit {
  return {
    requirements: [{ type: "assert-create" }],
    updates: [
      { action: "assign-uuid", uuid: metadata["table-uuid"] },
      { action: "upgrade-format-version", "format-version": metadata["format-version"] },
      ...metadata.schemas.map((schema) => addSchema(schema, metadata)),
      { action: "set-current-schema", "schema-id": -1 },
      ...metadata["partition-specs"].map((spec) => ({ action: "add-spec", spec }) as const),
      { action: "set-default-spec", "spec-id": -1 },
      ...metadata["sort-orders"].map((order) => ({ action: "add-sort-order", "sort-order": order }) as const),
      { action: "set-default-sort-order", "sort-order-id": -1 },
      { action: "set-location", location: metadata.location },
      { action: "set-properties", updates: metadata.properties },
    ],
  };
}

/** The commit that leads from one version to the next. */
export function tableUpdates(base: TableMetadata, next: TableMetadata): TableCommit {
  const updates = [
    ...layoutUpdates(base, next),
    ...snapshotUpdates(base, next),
    ...removals(base, next),
    ...propertyUpdates(base, next),
  ];
  return { requirements: requirementsOf(base, updates), updates };
}

function layoutUpdates(base: TableMetadata, next: TableMetadata): TableUpdate[] {
  const schemas = addedBy(base.schemas, next.schemas, schemaId);
  const specs = addedBy(base["partition-specs"], next["partition-specs"], specId);
  const orders = addedBy(base["sort-orders"], next["sort-orders"], orderId);
  const to = (field: "current-schema-id" | "default-spec-id" | "default-sort-order-id", last: number | undefined) => {
    const id = next[field];
    return id === base[field] ? undefined : id === last ? -1 : id;
  };
  const schema = to("current-schema-id", schemas.map(schemaId).at(-1));
  const spec = to("default-spec-id", specs.map(specId).at(-1));
  const order = to("default-sort-order-id", orders.map(orderId).at(-1));
  return [
    ...base["format-version"] === next["format-version"]
      ? []
      : [{ action: "upgrade-format-version", "format-version": next["format-version"] } as const],
    ...base.location === next.location ? [] : [{ action: "set-location", location: next.location } as const],
    ...schemas.map((each) => addSchema(each, next)),
    ...schema === undefined ? [] : [{ action: "set-current-schema", "schema-id": schema } as const],
    ...specs.map((each) => ({ action: "add-spec", spec: each }) as const),
    ...spec === undefined ? [] : [{ action: "set-default-spec", "spec-id": spec } as const],
    ...orders.map((each) => ({ action: "add-sort-order", "sort-order": each }) as const),
    ...order === undefined ? [] : [{ action: "set-default-sort-order", "sort-order-id": order } as const],
  ];
}

function addSchema(schema: IcebergSchema, metadata: TableMetadata): TableUpdate {
  return { action: "add-schema", schema, "last-column-id": metadata["last-column-id"] };
}

function snapshotUpdates(base: TableMetadata, next: TableMetadata): TableUpdate[] {
  const added = addedBy(base.snapshots, next.snapshots, snapshotId);
  const [before, after] = [base.refs ?? {}, next.refs ?? {}];
  const changed = Object.entries(after).filter(([name, ref]) => refText(ref) !== refText(before[name]));
  return [
    ...added.map((snapshot) => ({ action: "add-snapshot", snapshot }) as const),
    ...changed.map(([name, ref]) => ({ action: "set-snapshot-ref", "ref-name": name, ...ref }) as const),
    ...Object.keys(before).filter((name) => after[name] === undefined)
      .map((name) => ({ action: "remove-snapshot-ref", "ref-name": name }) as const),
  ];
}

function removals(base: TableMetadata, next: TableMetadata): TableUpdate[] {
  const schemas = addedBy(next.schemas, base.schemas, schemaId).map(schemaId);
  const specs = addedBy(next["partition-specs"], base["partition-specs"], specId).map(specId);
  return [
    // One each: catalogs before 1.9 of the reference code take no more.
    ...addedBy(next.snapshots, base.snapshots, snapshotId)
      .map((snapshot) => ({ action: "remove-snapshots", "snapshot-ids": [snapshotId(snapshot)] }) as const),
    ...statisticsRemovals(base, next),
    ...schemas.length === 0 ? [] : [{ action: "remove-schemas", "schema-ids": schemas } as const],
    ...specs.length === 0 ? [] : [{ action: "remove-partition-specs", "spec-ids": specs } as const],
  ];
}

function statisticsRemovals(base: TableMetadata, next: TableMetadata): TableUpdate[] {
  return (["statistics", "partition-statistics"] as const).flatMap((field) =>
    addedBy(next[field] ?? [], base[field] ?? [], snapshotId)
      .map((file) => ({ action: `remove-${field}`, "snapshot-id": snapshotId(file) }) as const)
  );
}

function propertyUpdates(base: TableMetadata, next: TableMetadata): TableUpdate[] {
  const set = Object.entries(next.properties).filter(([name, value]) => base.properties[name] !== value);
  const removed = Object.keys(base.properties).filter((name) => next.properties[name] === undefined);
  return [
    ...set.length === 0 ? [] : [{ action: "set-properties", updates: Object.fromEntries(set) } as const],
    ...removed.length === 0 ? [] : [{ action: "remove-properties", removals: removed } as const],
  ];
}

function requirementsOf(base: TableMetadata, updates: readonly TableUpdate[]): TableRequirement[] {
  const actions = new Set(updates.map(({ action }) => action));
  const refs = updates.flatMap((update) => "ref-name" in update ? [update["ref-name"]] : []);
  return [
    { type: "assert-table-uuid", uuid: base["table-uuid"] },
    ...[...new Set(["main", ...refs])].map((ref) =>
      ({ type: "assert-ref-snapshot-id", ref, "snapshot-id": snapshotOf(base, ref) }) as const
    ),
    ...actions.has("add-schema")
      ? [{ type: "assert-last-assigned-field-id", "last-assigned-field-id": base["last-column-id"] } as const]
      : [],
    ...actions.has("set-current-schema") || actions.has("remove-schemas")
      ? [{ type: "assert-current-schema-id", "current-schema-id": base["current-schema-id"] } as const]
      : [],
    ...actions.has("add-spec")
      ? [
        { type: "assert-last-assigned-partition-id", "last-assigned-partition-id": base["last-partition-id"] } as const,
      ]
      : [],
    ...actions.has("set-default-spec") || actions.has("remove-partition-specs")
      ? [{ type: "assert-default-spec-id", "default-spec-id": base["default-spec-id"] } as const]
      : [],
    ...actions.has("set-default-sort-order")
      ? [{ type: "assert-default-sort-order-id", "default-sort-order-id": base["default-sort-order-id"] } as const]
      : [],
  ];
}

/** Where a branch or tag stands; null: there is none. */
function snapshotOf(metadata: TableMetadata, ref: string): bigint | null {
  // Of a state of the past, `main` itself has moved on.
  return (ref === "main" ? metadata["current-snapshot-id"] : metadata.refs?.[ref]?.["snapshot-id"]) ?? null;
}

function addedBy<T>(before: readonly T[], after: readonly T[], idOf: (entry: T) => number | bigint): T[] {
  const known = new Set(before.map(idOf));
  return after.filter((entry) => !known.has(idOf(entry)));
}

function refText(ref: SnapshotRef | undefined): string {
  return JSON.stringify(Object.entries(ref ?? {}).map(([name, value]) => [name, String(value)]).sort());
}

const schemaId = (schema: IcebergSchema) => schema["schema-id"];
const specId = (spec: PartitionSpec) => spec["spec-id"];
const orderId = (order: unknown) => (order as { "order-id": number })["order-id"];
const snapshotId = (of: { readonly "snapshot-id": bigint }) => of["snapshot-id"];
