/**
 * Lake tables held against the source from a process of its own, beside the job that fills them or while none does.
 *
 * A point is opened at the source; each lake table is read where it is known exactly, at the point or as near to it as it stands;
 * keys that changed in between cannot be compared and are set aside. While a job runs they are looked at again at a later point,
 * which they seldom change around too.
 */
import { formatPosition } from "../../lib/change/position.ts";
import type { Dataset, TableDefinition } from "../../lib/dataset/dataset.ts";
import { oldRows } from "../../lib/dataset/row_retention.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { WeirError } from "../../lib/errors.ts";
import { lsnOf } from "../../lib/source/postgres/lsn.ts";
import { ReplayPoint } from "../../lib/source/postgres/replay.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import type { RestCatalog } from "../../lib/table/iceberg/rest/rest_catalog.ts";
import type { ComparedRows, KeyTable } from "../../lib/verify/compared_rows.ts";
import { type Stretch, TouchedKeys } from "../../lib/verify/touched_keys.ts";
import { type Mismatch, type TableVerification, verifyTable } from "../../lib/verify/verify.ts";
import type { ComparedTable } from "./compared_tables.ts";
import { awaitStands, type StandlessTable, type TableStand } from "./table_stands.ts";

/** What was found in one lake table. */
export interface ComparedResult extends Omit<TableVerification, "mismatches"> {
  readonly format: string;
  /** `namespace.table` in the lake. */
  readonly table: string;
  /** `namespace.table` at the source. */
  readonly source: string;
  /** Position of the lake table when it was compared last. */
  readonly position: string | null;
  /** Keys that changed each time between the point at the source and the lake's position: nothing is known of their rows. */
  readonly setAside: number;
  /** Rows compared are those of later partitions, where older ones leave the table. Null: all. */
  readonly comparedAfter: string | null;
  /** Why the table could not be compared. */
  readonly notCompared: string | null;
  readonly mismatches: readonly Mismatch[];
}

/** What {@linkcode verifyCapture} needs. */
export interface LakeVerificationOptions {
  readonly url: string;
  readonly lake: Storage;
  /** Keeps the versions of its Iceberg tables, if one does. */
  readonly icebergCatalog: RestCatalog | undefined;
  /** Name of the slot and the publication of the job that fills the tables. */
  readonly capture: string;
  readonly tables: readonly ComparedTable[];
  readonly connection: Connection;
  /** Absolute folder of its own that the connection may use. */
  readonly folder: string;
  readonly maxValueBytes: number;
  /** Share of the keys that are compared, above 0 and up to 1. */
  readonly share: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  readonly onTable: (table: string) => void;
}

/** Points at most: what changes around three of them changes all the time. */
const mostPoints = 3;
const mostMismatches = 20;

/** A table on its way. */
interface Pending {
  readonly table: ComparedTable;
  readonly result: ComparedResult;
  /** Rows that are still to be compared. Undefined: all. */
  readonly only?: KeyTable;
}

/** Verifies the tables of one capture. Throws what keeps all of them from being compared. */
export async function verifyCapture(options: LakeVerificationOptions): Promise<readonly ComparedResult[]> {
  const results = new Map<ComparedTable, ComparedResult>();
  let pending: readonly Pending[] = options.tables.map((table) => ({ table, result: nothingYet(table) }));
  for (let points = 1; pending.length > 0; points++) {
    await using point = await ReplayPoint.open({
      ...options,
      slot: options.capture,
      publication: options.capture,
      sources: [...new Map(pending.map(({ table: { source } }) => [sourceName(source), source])).values()],
      onWait: options.note,
    });
    const compared = await compareAt(point, pending, options);
    for (const { table, result } of compared) results.set(table, result);
    const { isRead } = await point.standing();
    pending = !isRead || points === mostPoints || options.signal.aborted
      ? []
      : compared.filter(({ result: { setAside, notCompared } }) => setAside > 0 || notCompared === changedMeanwhile);
  }
  return options.tables.map((table) => results.get(table)!);
}

/** Reasons that may be none at another point end with it. */
const changedMeanwhile = "the table changed as a whole while it was looked at";

async function compareAt(
  point: ReplayPoint,
  pending: readonly Pending[],
  options: LakeVerificationOptions,
): Promise<readonly Pending[]> {
  const { connection, lake, icebergCatalog, waitMs, signal } = options;
  const stands = await awaitStands({
    lake: { storage: lake, connection, icebergCatalog },
    point,
    tables: pending.map(({ table }) => table),
    waitMs,
    signal,
    onWait: () => options.note(`waiting for the running job to come past ${formatPosition(point.position)}`),
  });
  const touched = await replayed(point, stands, connection);
  const compared: Pending[] = [];
  for (const [index, stand] of stands.entries()) {
    const before = pending[index]!;
    compared.push(
      "reason" in stand ? withoutStand(before, stand) : await compareTable(before, { stand, point, touched, options }),
    );
  }
  return compared;
}

/** At a first point there is no result; at a later one what was set aside stays so. */
function withoutStand(before: Pending, { reason }: StandlessTable): Pending {
  return before.result.position === null ? { ...before, result: { ...before.result, notCompared: reason } } : before;
}

/** What happened between the point and each table's position, as touched keys. */
async function replayed(
  point: ReplayPoint,
  stands: readonly (TableStand | StandlessTable)[],
  connection: Connection,
): Promise<TouchedKeys> {
  const touched = new TouchedKeys(connection);
  const { instance } = point.position;
  const pointLsn = lsnOf(point.position, instance);
  const datasets = new Map(point.sources.map(({ dataset }) => [sourceName(dataset.source), dataset]));
  const positions = stands.flatMap((stand) => "at" in stand ? [stand.at] : []);
  const isAfter = positions.filter((position) => lsnOf(position, instance) > pointLsn);
  const isBefore = positions.filter((position) => lsnOf(position, instance) < pointLsn);
  for (const batches of [point.changesUpTo(isAfter), point.changesSince(isBefore)]) {
    for await (const batch of batches) {
      try {
        for (const [source, changes] of batch.changes) {
          const dataset = datasets.get(source);
          if (dataset !== undefined) await touched.add(changes, { dataset, at: lsnOf(batch.to, instance) });
        }
      } finally {
        await batch.release();
      }
    }
  }
  return touched;
}

interface Comparison {
  readonly stand: TableStand;
  readonly point: ReplayPoint;
  readonly touched: TouchedKeys;
  readonly options: LakeVerificationOptions;
}

async function compareTable(before: Pending, { stand, point, touched, options }: Comparison): Promise<Pending> {
  const { table } = before;
  const { result } = before;
  const source = sourceName(table.source);
  const dataset = point.sources.find((found) => sourceName(found.dataset.source) === source)!.dataset;
  const stretch = stretchBetween(point, stand);
  const position = formatPosition(stand.at);
  if (touched.unclear(source, stretch) !== undefined) {
    return { ...before, result: { ...result, position, notCompared: changedMeanwhile } };
  }
  options.onTable(`${result.format} ${result.table}`);
  const except = await touched.within(source, stretch);
  const without = stand.state.retention && oldRows(stand.state.retention, Date.now());
  const compared: ComparedRows = {
    share: options.share,
    without,
    ...(before.only === undefined ? {} : { only: before.only }),
    ...(except === undefined ? {} : { except }),
  };
  const found = await verifiedTable({ stand, dataset, point, options, compared });
  if (typeof found === "string") return { ...before, result: { ...result, position, notCompared: found } };
  const left = except === undefined ? undefined : await bothOf(except, before.only, options.connection);
  return {
    table,
    result: {
      ...added(result, { ...found, mismatches: masked(found.mismatches, dataset) }),
      position,
      setAside: left?.count ?? 0,
      comparedAfter: without?.texts.last ?? null,
      notCompared: null,
    },
    ...(left === undefined ? {} : { only: left.keys }),
  };
}

/** Says why not, where the columns have changed so that nobody can tell what to compare. */
async function verifiedTable(
  { stand, dataset, point, options, compared }: Omit<Comparison, "touched"> & {
    readonly dataset: Dataset;
    readonly compared: ComparedRows;
  },
): Promise<TableVerification | string> {
  using scan = await stand.scan();
  try {
    return await verifyTable({
      point,
      dataset,
      definition: definitionOf(stand, dataset),
      scan: scan.sql,
      connection: options.connection,
      folder: options.folder,
      maxValueBytes: options.maxValueBytes,
      maxMismatches: mostMismatches,
      compared,
    });
  } catch (thrown) {
    if (thrown instanceof WeirError && thrown.kind === "unsupportedSchemaChange") return thrown.message;
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new WeirError("precondition", thrown.message, {
      cause: thrown,
      detail: { table: `${stand.table.place.namespace}.${stand.table.place.name}` },
      advice: "Compare it with the table it comes from: --tables source.table=lake.table",
    });
  }
}

/** The lake's own columns, and those that the source has and the lake has not heard of: no row has changed since. */
function definitionOf({ table: { place }, state }: TableStand, dataset: Dataset): TableDefinition {
  const isChild = dataset.children?.some(({ name }) => name === place.name) ?? false;
  const held = new Set(state.columns.map(({ name }) => name));
  const added = isChild ? [] : dataset.columns.filter(({ name }) => !held.has(name));
  return { ...place, columns: [...state.columns, ...added], key: state.key };
}

function stretchBetween(point: ReplayPoint, { at }: TableStand): Stretch {
  const { instance } = point.position;
  const [pointLsn, tableLsn] = [lsnOf(point.position, instance), lsnOf(at, instance)];
  return pointLsn < tableLsn ? { after: pointLsn, to: tableLsn } : { after: tableLsn, to: pointLsn };
}

/** Keys of the first that are of the second too, where there is one. */
async function bothOf(
  keys: KeyTable,
  only: KeyTable | undefined,
  connection: Connection,
): Promise<{ readonly keys: KeyTable; readonly count: number } | undefined> {
  const name = `pending_${crypto.randomUUID().replaceAll("-", "")}`;
  const within = only === undefined ? "" : ` INTERSECT FROM ${only.name}`;
  await connection.run(`CREATE TEMP TABLE ${name} AS FROM ${keys.name}${within}`);
  const count = Number(await connection.value(`SELECT count(*) FROM ${name}`));
  return count === 0 ? undefined : { keys: { ...keys, name }, count };
}

/** A table of which nothing can be said. */
export function uncompared(table: ComparedTable, reason: string): ComparedResult {
  return { ...nothingYet(table), notCompared: reason };
}

function nothingYet({ place, source }: ComparedTable): ComparedResult {
  return {
    format: place.format,
    table: `${place.namespace}.${place.name}`,
    source: sourceName(source),
    position: null,
    rows: 0,
    missing: 0,
    extra: 0,
    different: 0,
    deadLettered: 0,
    setAside: 0,
    comparedAfter: null,
    notCompared: null,
    mismatches: [],
  };
}

function added(result: ComparedResult, found: TableVerification): ComparedResult {
  return {
    ...result,
    rows: result.rows + found.rows,
    missing: result.missing + found.missing,
    extra: result.extra + found.extra,
    different: result.different + found.different,
    deadLettered: result.deadLettered + found.deadLettered,
    mismatches: [...result.mismatches, ...found.mismatches].slice(0, mostMismatches),
  };
}

/** Keys of people are not shown. */
function masked(mismatches: readonly Mismatch[], dataset: Dataset): readonly Mismatch[] {
  const personal = new Set(
    [...dataset.columns, ...dataset.children?.flatMap(({ columns }) => columns) ?? []]
      .filter((column) => column.personal).map(({ name }) => name),
  );
  return mismatches.map(({ kind, key }) => ({
    kind,
    key: Object.fromEntries(Object.entries(key).map(([name, text]) => [name, personal.has(name) ? "***" : text])),
  }));
}

function sourceName({ namespace, table }: { readonly namespace: string; readonly table: string }): string {
  return `${namespace}.${table}`;
}
