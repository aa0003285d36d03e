/**
 * Everything that must hold before capture starts, asked at once, so that nobody mends one thing only to meet the next.
 */
import { WeirError } from "../../errors.ts";
import { identifier } from "../../engine/quote.ts";
import type { PostgresConnection } from "./connection.ts";
import type { Problem } from "./source_table.ts";

/** Oldest server that is read. */
const oldestServerVersion = 130_000;

/** What the server says of itself and of this user. */
export interface ServerState {
  /** `server_version_num`, for example 180004. */
  readonly version: number;
  readonly versionText: string;
  readonly database: string;
  readonly user: string;
  readonly encoding: string;
  readonly walLevel: string;
  readonly inRecovery: boolean;
  readonly mayReplicate: boolean;
  readonly mayCreate: boolean;
  readonly slots: number;
  readonly maxSlots: number;
  readonly walSenders: number;
  readonly maxWalSenders: number;
}

/** Slots and walsenders in use at once: the stream's and one temporary. */
const slotsNeeded = 2;

const stateQuery = `
  SELECT current_setting('server_version_num')::int4 AS version, current_setting('server_version') AS "versionText",
    current_database() AS database, current_user AS "user", current_setting('server_encoding') AS encoding,
    current_setting('wal_level') AS "walLevel", pg_is_in_recovery() AS "inRecovery",
    (SELECT r.rolreplication OR r.rolsuper OR EXISTS (SELECT FROM pg_roles g WHERE g.rolname = 'rds_replication'
       AND pg_has_role(r.oid, g.oid, 'MEMBER')) FROM pg_roles r WHERE r.rolname = current_user) AS "mayReplicate",
    has_database_privilege(current_database(), 'CREATE') AS "mayCreate",
    (SELECT count(*)::int4 FROM pg_replication_slots) AS slots,
    current_setting('max_replication_slots')::int4 AS "maxSlots",
    (SELECT count(*)::int4 FROM pg_stat_replication) AS "walSenders",
    current_setting('max_wal_senders')::int4 AS "maxWalSenders"`;

/** Asks the server. */
export async function readServerState(connection: PostgresConnection): Promise<ServerState> {
  const state = await connection.row<ServerState>(stateQuery);
  if (state === undefined) throw new WeirError("internal", "The server says nothing of itself");
  return state;
}

/**
 * Whether the catalogue can be asked for more. An older server lacks columns of it; of a database that knows no encoding it may hold
 * names that the server refuses to send as UTF-8.
 */
export function mayBeAsked({ version, encoding }: ServerState): boolean {
  return version >= oldestServerVersion && hasEncoding(encoding);
}

function hasEncoding(encoding: string): boolean {
  return encoding !== "SQL_ASCII";
}

/** What is wrong with server and user; `slotExists` tells whether a slot of ours is among those counted. */
export function serverProblems(state: ServerState, slotExists: boolean): readonly Problem[] {
  const problems: Problem[] = [];
  const unless = (holds: boolean, problem: string, remedy: string) => {
    if (!holds) problems.push({ problem, remedy });
  };
  unless(
    state.version >= oldestServerVersion,
    `PostgreSQL ${state.versionText} is older than 13`,
    "upgrade the server",
  );
  unless(!state.inRecovery, "the server is a standby", "connect to the primary server");
  unless(
    state.walLevel === "logical",
    `wal_level is ${state.walLevel}, not logical`,
    "ALTER SYSTEM SET wal_level = logical -- then restart the server",
  );
  const user = identifier(state.user);
  unless(state.mayReplicate, `user ${user} may not replicate`, `ALTER ROLE ${user} REPLICATION`);
  const slots = slotsNeeded - (slotExists ? 1 : 0);
  unless(
    state.slots + slots <= state.maxSlots,
    `${state.slots} of ${state.maxSlots} replication slots are taken, ${slots} more are needed`,
    `ALTER SYSTEM SET max_replication_slots = ${state.slots + slots + 2} -- then restart the server`,
  );
  unless(
    state.walSenders + slotsNeeded <= state.maxWalSenders,
    `${state.walSenders} of ${state.maxWalSenders} walsenders are busy, ${slotsNeeded} more are needed`,
    `ALTER SYSTEM SET max_wal_senders = ${state.walSenders + slotsNeeded + 2} -- then restart the server`,
  );
  unless(
    hasEncoding(state.encoding),
    "the database has encoding SQL_ASCII, so nobody knows what its texts say",
    "CREATE DATABASE … ENCODING 'UTF8' and restore into it",
  );
  return problems;
}

/** Throws one `precondition` error that names all problems, each with what puts it right. */
export function assertReady(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map(({ problem, remedy }) => `- ${problem}: ${remedy}`);
  throw new WeirError("precondition", `The source is not ready for capture:\n${lines.join("\n")}`);
}
