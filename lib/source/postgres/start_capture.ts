/** What happens before the first byte is read: server, tables, publication and slot, in that order. */
import type { RecordedPosition } from "../../change/source.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import { identifier } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import { failPoint } from "../../fail_point.ts";
import type { PostgresConnection } from "./connection.ts";
import { type CaptureTable, findTables } from "./find_tables.ts";
import { formatLsn, instanceOf, lsnOf, parseLsn } from "./lsn.ts";
import { assertReady, mayBeAsked, readServerState, serverProblems, type ServerState } from "./preflight.ts";
import { missedChanges } from "./missed_changes.ts";
import {
  generatedColumnsVersion,
  leftOutOf,
  planPublication,
  type PublicationPlan,
  readPublication,
} from "./publication.ts";
import type { ReplicationConnection } from "./replication_connection.ts";
import { assertSlot, awaitFreeSlot, createSlot, readSlot } from "./slot.ts";
import type { Problem } from "./source_table.ts";
import { openTransactions, telling } from "./telling.ts";

/** Points that every start passes. */
export const startFailPoints = ["start.afterForgetting", "start.afterPublication"] as const;

/** What {@linkcode startCapture} needs. */
export interface StartOptions {
  readonly connection: PostgresConnection;
  readonly connect: () => Promise<ReplicationConnection>;
  readonly datasets?: readonly Dataset[];
  readonly tables?: readonly string[];
  readonly slot: string;
  readonly publication: string;
  readonly slotWaitMs: number;
  /** Told what keeps the start waiting once it has waited for some seconds. */
  readonly onWait?: (text: string) => void;
  readonly recorded: readonly RecordedPosition[];
}

/** What is known after the start. */
export interface StartedCapture {
  readonly instance: string;
  readonly server: ServerState;
  readonly tables: readonly CaptureTable[];
  /** Whether the publication sends stored generated columns. */
  readonly generatedColumns: boolean;
}

/** What a start would find. */
export interface InspectedTables {
  readonly tables: readonly CaptureTable[];
  /** `namespace.table` of tables that were captured so far and are not named any more. */
  readonly leftOut: readonly string[];
}

type SurveyOptions = Pick<StartOptions, "connection" | "datasets" | "tables" | "slot" | "publication">;

/** The tables that would be captured, looked up without making anything. Throws `precondition` naming all that stands in the way. */
export async function inspectTables(options: SurveyOptions): Promise<InspectedTables> {
  const { state, tables } = await survey(options);
  const leftOut = leftOutOf(state, tables.map(({ table }) => table));
  return { tables, leftOut: leftOut.map(({ namespace, name }) => `${namespace}.${name}`) };
}

/** What server, slot, publication and tables are. Throws `precondition` naming all that stands in the way of a start. */
async function survey({ connection, slot: name, publication, ...wanted }: SurveyOptions) {
  const server = await readServerState(connection);
  // One more question, also that for a slot of ours, could fail, and its failure would be told in place of what is known already.
  if (!mayBeAsked(server)) assertReady(serverProblems(server, true));
  const slot = await readSlot(connection, name);
  const problems = serverProblems(server, slot !== undefined);
  const state = await readPublication(connection, publication);
  const generatedColumns = sendsGeneratedColumns(server, state);
  const found = await findTables({ ...wanted, connection, user: server.user, generatedColumns });
  const plan = planPublication(publication, {
    tables: found.tables.map(({ table }) => table),
    state,
    serverVersion: server.version,
    mayCreate: server.mayCreate,
  });
  assertReady([...problems, ...found.problems, ...(found.tables.length > 0 ? plan.problems : [])]);
  return { server, slot, state, generatedColumns, tables: found.tables, plan };
}

/** What a server, and this user there, lack for a capture of any table. Any of the slots and publications will do. */
export async function inspectServer(
  connection: PostgresConnection,
  objects: readonly Pick<SurveyOptions, "slot" | "publication">[],
): Promise<{ readonly server: ServerState; readonly problems: readonly Problem[] }> {
  const server = await readServerState(connection);
  if (!mayBeAsked(server)) return { server, problems: serverProblems(server, true) };
  let [hasSlot, isPublished] = [false, server.mayCreate];
  for (const { slot, publication } of objects) {
    hasSlot ||= await readSlot(connection, slot) !== undefined;
    isPublished ||= await readPublication(connection, publication) !== undefined;
  }
  const problems = serverProblems(server, hasSlot);
  return { server, problems: isPublished ? problems : [...problems, mayNotPublish(server)] };
}

function mayNotPublish({ database, user }: ServerState): Problem {
  return {
    problem: `user ${identifier(user)} may not make a publication in database ${identifier(database)}`,
    remedy: `GRANT CREATE ON DATABASE ${identifier(database)} TO ${identifier(user)}`,
  };
}

function sendsGeneratedColumns(server: ServerState, state: Awaited<ReturnType<typeof readPublication>>): boolean {
  return state === undefined ? server.version >= generatedColumnsVersion : state.storedGeneratedColumns;
}

/** Starts, or throws what stands in the way (see `PostgresSource.start`). */
export async function startCapture(options: StartOptions): Promise<StartedCapture> {
  const { connection, slot: name, publication } = options;
  const { server, slot, state, generatedColumns, tables, plan } = await survey(options);

  const instance = await identify(options);
  const recorded = options.recorded.map((recorded) => ({ recorded, lsn: lsnOf(recorded.position, instance) }))
    .sort((left, right) => left.lsn < right.lsn ? -1 : 1);
  await assertNotRestored(connection, recorded.at(-1)?.lsn);
  const missed = missedChanges(recorded, { publication, state, slot });
  const smallest = recorded.find((entry) => missed.every((other) => other.recorded !== entry.recorded));
  const { isMissing } = assertSlot(slot, { name, database: server.database, recordedLsn: smallest?.lsn });
  if (state === undefined && !isMissing) throw lostPublication(options);
  await awaitFreeSlot(connection, name, options.slotWaitMs);
  // Once the table is in the publication again, nothing tells that it was not.
  for (const { recorded, reason } of missed) await recorded.forget(reason);
  await failPoint("start.afterForgetting");
  await applyPublication(connection, plan);
  await failPoint("start.afterPublication");
  if (isMissing) await telling(createSlot(connection, name), () => options.onWait?.(openTransactions));
  return { instance, server, tables, generatedColumns };
}

async function identify(options: StartOptions): Promise<string> {
  const replication = await options.connect();
  try {
    return instanceOf(await replication.identify());
  } finally {
    await replication.close();
  }
}

/** A server restored from a backup has a log that ends before what was read from it once. */
async function assertNotRestored(connection: PostgresConnection, recordedLsn: bigint | undefined): Promise<void> {
  if (recordedLsn === undefined) return;
  const row = await connection.row<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
  if (row === undefined || parseLsn(row.lsn) >= recordedLsn) return;
  throw new WeirError(
    "sourceMismatch",
    `The server's log ends at ${row.lsn}, before the recorded position ${formatLsn(recordedLsn)}: ` +
      "it was restored from a backup",
    { detail: { position: formatLsn(recordedLsn) } },
  );
}

function lostPublication(options: StartOptions): WeirError {
  return new WeirError(
    "sourceLost",
    `Publication "${options.publication}" was dropped while slot "${options.slot}" stood: the slot's changes ` +
      "cannot be decoded any more",
    { advice: "Start over with --resync" },
  );
}

async function applyPublication(connection: PostgresConnection, plan: PublicationPlan): Promise<void> {
  if (plan.statements.length === 0) return;
  await connection.run("BEGIN");
  try {
    for (const statement of plan.statements) await connection.run(statement);
    await connection.run("COMMIT");
  } catch (thrown) {
    // Of a connection that is gone the first error says more.
    await connection.run("ROLLBACK").catch(() => {});
    throw thrown;
  }
}
