/**
 * The tables of an Iceberg catalog in memory: requirements and updates as the specification of the REST catalog has them, written
 * from there and sharing no code with the client.
 */

/** JSON of any shape. */
export type Json = Record<string, unknown>;

/** A refusal with the status that the specification gives it. */
export class Refusal extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

interface Entry {
  readonly metadata: Json;
  readonly location: string;
}

/** Namespaces and tables. */
export class CatalogTables {
  readonly namespaces = new Set<string>();
  readonly #tables = new Map<string, Entry>();
  #versions = 0;

  /** Names of the tables in a namespace. */
  names(namespace: string): string[] {
    return [...this.#tables.keys()].filter((table) => table.startsWith(`${namespace}.`)).map((table) =>
      table.slice(namespace.length + 1)
    );
  }

  /** A table as `LoadTableResult` shows it. */
  load(table: string): { "metadata-location": string; metadata: Json } {
    const entry = this.#tables.get(table);
    if (entry === undefined) throw new Refusal(404, "NoSuchTableException", `Table does not exist: ${table}`);
    return { "metadata-location": entry.location, metadata: entry.metadata };
  }

  /** Reserves a name. The catalog numbers columns and gives the uuid itself, and the place where none is asked for. */
  stage(namespace: string, request: Json): { metadata: Json } {
    const table = `${namespace}.${String(request.name)}`;
    if (!this.namespaces.has(namespace)) throw new Refusal(404, "NoSuchNamespaceException", "No namespace");
    if (this.#tables.has(table)) throw new Refusal(409, "AlreadyExistsException", `Table already exists: ${table}`);
    return { metadata: { "table-uuid": crypto.randomUUID(), location: request.location ?? `s3://warehouse${table}` } };
  }

  /** Applies a commit whole or not at all. */
  commit(table: string, request: Json): { "metadata-location": string; metadata: Json } {
    const entry = this.#tables.get(table);
    const requirements = request.requirements as Json[];
    if (entry === undefined && requirements[0]?.type !== "assert-create") return this.load(table);
    for (const requirement of requirements) require(entry?.metadata, requirement);
    const before = structuredClone(entry?.metadata ?? emptyMetadata());
    const metadata = (request.updates as Json[]).reduce(updated, before);
    metadata["last-updated-ms"] = Math.max(Date.now(), Number(metadata["last-updated-ms"]));
    const location = `${String(metadata.location)}/metadata/${++this.#versions}.metadata.json`;
    const log = metadata["metadata-log"] as unknown[];
    if (entry !== undefined) log.push({ "timestamp-ms": Date.now(), "metadata-file": entry.location });
    this.#tables.set(table, { metadata, location });
    return this.load(table);
  }
}

function emptyMetadata(): Json {
  return {
    "last-sequence-number": 0n,
    "last-updated-ms": 0,
    "last-column-id": 0,
    schemas: [],
    "partition-specs": [],
    "last-partition-id": 999,
    "sort-orders": [],
    properties: {},
    snapshots: [],
    refs: {},
    "snapshot-log": [],
    "metadata-log": [],
    "current-snapshot-id": -1,
  };
}

function require(metadata: Json | undefined, requirement: Json): void {
  const type = String(requirement.type);
  const holds = metadata === undefined ? type === "assert-create" : requirements[type]?.(metadata, requirement);
  if (holds === undefined) throw new Refusal(400, "BadRequestException", `Unknown requirement ${type}`);
  if (!holds) throw new Refusal(409, "CommitFailedException", `Requirement failed: ${type}`);
}

const requirements: Readonly<Record<string, (metadata: Json, requirement: Json) => boolean>> = {
  "assert-create": () => false,
  "assert-table-uuid": (metadata, { uuid }) => metadata["table-uuid"] === uuid,
  "assert-ref-snapshot-id": ({ refs }, { ref, "snapshot-id": id }) =>
    String((refs as Record<string, Json>)[String(ref)]?.["snapshot-id"] ?? null) === String(id),
  "assert-last-assigned-field-id": equal("last-column-id", "last-assigned-field-id"),
  "assert-current-schema-id": equal("current-schema-id", "current-schema-id"),
  "assert-last-assigned-partition-id": equal("last-partition-id", "last-assigned-partition-id"),
  "assert-default-spec-id": equal("default-spec-id", "default-spec-id"),
  "assert-default-sort-order-id": equal("default-sort-order-id", "default-sort-order-id"),
};

function equal(field: string, asserted: string) {
  return (metadata: Json, requirement: Json) => metadata[field] === requirement[asserted];
}

function updated(metadata: Json, update: Json): Json {
  const apply = updates[String(update.action)];
  if (apply === undefined) throw new Refusal(400, "BadRequestException", `Unknown update ${String(update.action)}`);
  apply(metadata, update);
  return metadata;
}

const updates: Readonly<Record<string, (metadata: Json, update: Json) => void>> = {
  "assign-uuid": (metadata, { uuid }) => metadata["table-uuid"] = uuid,
  "upgrade-format-version": (metadata, update) => {
    metadata["format-version"] = update["format-version"];
    if (metadata["format-version"] === 3) metadata["next-row-id"] ??= 0n;
  },
  "set-location": (metadata, { location }) => metadata.location = location,
  "add-schema": (metadata, { schema }) => {
    (metadata.schemas as unknown[]).push(schema);
    const ids = (schema as { fields: { id: number; type: { "element-id"?: number } }[] }).fields
      .flatMap(({ id, type }) => [id, type["element-id"] ?? 0]);
    metadata["last-column-id"] = Math.max(Number(metadata["last-column-id"]), ...ids);
  },
  "set-current-schema": chosen("schemas", { id: "schema-id", current: "current-schema-id" }),
  "add-spec": (metadata, { spec }) => {
    (metadata["partition-specs"] as unknown[]).push(spec);
    const ids = (spec as { fields: { "field-id": number }[] }).fields.map((field) => field["field-id"]);
    metadata["last-partition-id"] = Math.max(Number(metadata["last-partition-id"]), ...ids);
  },
  "set-default-spec": chosen("partition-specs", { id: "spec-id", current: "default-spec-id" }),
  "add-sort-order": (metadata, update) => (metadata["sort-orders"] as unknown[]).push(update["sort-order"]),
  "set-default-sort-order": chosen("sort-orders", {
    id: "order-id",
    current: "default-sort-order-id",
    given: "sort-order-id",
  }),
  "add-snapshot": addSnapshot,
  "set-snapshot-ref": (metadata, { action: _, "ref-name": name, ...ref }) => {
    (metadata.refs as Json)[String(name)] = ref;
    if (name !== "main") return;
    metadata["current-snapshot-id"] = ref["snapshot-id"];
    const at = { "timestamp-ms": Date.now(), "snapshot-id": ref["snapshot-id"] };
    (metadata["snapshot-log"] as unknown[]).push(at);
  },
  "remove-snapshot-ref": (metadata, update) => delete (metadata.refs as Json)[String(update["ref-name"])],
  "remove-snapshots": (metadata, update) => {
    const gone = (update["snapshot-ids"] as bigint[]).map(String);
    const left = (entry: Json) => !gone.includes(String(entry["snapshot-id"]));
    metadata.snapshots = (metadata.snapshots as Json[]).filter(left);
    metadata["snapshot-log"] = (metadata["snapshot-log"] as Json[]).filter(left);
  },
  "set-properties": (metadata, update) => Object.assign(metadata.properties as Json, update.updates),
  "remove-properties": (metadata, { removals }) => {
    for (const name of removals as string[]) delete (metadata.properties as Json)[name];
  },
};

/** Makes one of a list the current one; -1 is the last. `given` names the id in the update. */
function chosen(list: string, names: { readonly id: string; readonly current: string; readonly given?: string }) {
  const { id: idField, current, given = idField } = names;
  return (metadata: Json, update: Json) => {
    const entries = metadata[list] as Json[];
    const id = update[given] === -1 ? entries.at(-1)![idField] : update[given];
    if (!entries.some((entry) => entry[idField] === id)) throw new Refusal(400, "ValidationException", `No ${current}`);
    metadata[current] = id;
  };
}

function addSnapshot(metadata: Json, { snapshot }: Json): void {
  const added = snapshot as Json;
  const sequence = BigInt(added["sequence-number"] as bigint);
  if (sequence <= BigInt(metadata["last-sequence-number"] as bigint)) {
    throw new Refusal(400, "ValidationException", "The sequence number is not newer");
  }
  if ((metadata.snapshots as Json[]).some((each) => String(each["snapshot-id"]) === String(added["snapshot-id"]))) {
    throw new Refusal(400, "ValidationException", "The snapshot is there already");
  }
  metadata["last-sequence-number"] = sequence;
  (metadata.snapshots as unknown[]).push(added);
  if (metadata["format-version"] !== 3) return;
  const first = BigInt(added["first-row-id"] as bigint);
  if (first < BigInt(metadata["next-row-id"] as bigint)) {
    throw new Refusal(400, "ValidationException", "Row ids overlap");
  }
  metadata["next-row-id"] = first + BigInt(added["added-rows"] as bigint);
}
