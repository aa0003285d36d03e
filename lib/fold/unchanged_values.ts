/**
 * Fills the values that PostgreSQL did not send because an update left them alone (unchanged TOAST, protocol message `u`).
 *
 * Promise: the value is the one of the row's previous version: first along its key chain inside the batch, through key
 * changes; only where the chain begins in the lake, from the lake's row as of the batch's start.
 */
import type { Relation } from "../change/relation.ts";
import type { TransformContext } from "../change/transform.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { type OldRows, oldValueSql } from "../dataset/row_retention.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { keyChanged } from "./latest_by_key.ts";

/** What {@linkcode fillUnchangedValues} needs. */
export interface UnchangedValuesOptions {
  readonly connection: Connection;
  readonly definition: TableDefinition;
  /** Typed rows as `readSpool` makes them; filled in place. */
  readonly rows: string;
  readonly truncatedBefore?: bigint;
  readonly temporaryName: TransformContext["temporaryName"];
  readonly currentRows: TransformContext["currentRows"];
  readonly deadLetter: TransformContext["deadLetter"];
  /** Rows that may have left the lake with their time: what nobody can fill of those is no dead letter. Default: none. */
  readonly left?: (() => Promise<OldRows | undefined>) | undefined;
}

/** Fills every unchanged value of the table. */
export async function fillUnchangedValues(options: UnchangedValuesOptions): Promise<void> {
  const { connection } = options;
  const columns = await connection.rows(
    `SELECT DISTINCT unnest(_unchanged) AS name FROM ${identifier(options.rows)} WHERE _unchanged IS NOT NULL`,
  );
  const names = columns.map((row) => row["name"]).filter((name): name is string => typeof name === "string");
  if (names.length === 0) return;
  const chains = await linkChains(options);
  const inherited = await inheritAlongChains(options, { chains, names });
  await fillFromLake(options, { inherited, names });
}

/** A table `_ordinal`, `_root`: the first event of the key chain each insert or update belongs to. */
async function linkChains(options: UnchangedValuesOptions): Promise<string> {
  const { connection, definition } = options;
  const chains = options.temporaryName("chains");
  const previous = definition.key.map((name) => `previous.${identifier(name)} = typed.${identifier(`_prior_${name}`)}`);
  await connection.run(`
    CREATE OR REPLACE TABLE ${identifier(chains)} AS
    WITH typed AS (SELECT *, ${priorKey(definition)} FROM ${identifier(options.rows)}
      WHERE _op <> 'D' AND _ordinal >= ${options.truncatedBefore ?? 0n})
    SELECT typed._ordinal, CASE WHEN typed._op = 'U' THEN coalesce(previous._ordinal, typed._ordinal)
      ELSE typed._ordinal END AS _root
    FROM typed ASOF LEFT JOIN typed AS previous ON ${previous.join(" AND ")} AND typed._ordinal > previous._ordinal`);
  // Pointer doubling: each round halves the way to the root, so a row updated n times takes log2(n) rounds.
  for (let moved = 1; moved > 0;) {
    moved = await connection.run(`
      UPDATE ${identifier(chains)} AS chain SET _root = parent._root FROM ${identifier(chains)} AS parent
      WHERE chain._root = parent._ordinal AND parent._root <> chain._root`);
  }
  return chains;
}

/** The key a row had before the event, as `_prior_<key>`. */
function priorKey(definition: TableDefinition): string {
  return definition.key.map((name) =>
    `CASE WHEN ${keyChanged(definition)} THEN ${identifier(`_old_${name}`)} ELSE ${identifier(name)} END AS ${
      identifier(`_prior_${name}`)
    }`
  ).join(", ");
}

/** A copy of the rows with the chain's last sent value in place, and `_missing`: the columns no event of the chain sent. */
async function inheritAlongChains(
  options: UnchangedValuesOptions,
  found: { readonly chains: string; readonly names: readonly string[] },
): Promise<string> {
  const inherited = options.temporaryName("inherited");
  const sent = (name: string) => {
    const unchanged = `list_contains(_unchanged, ${literal(name)})`;
    return `last_value(CASE WHEN ${unchanged} IS TRUE THEN NULL ELSE {v: ${identifier(name)}} END IGNORE NULLS)
      OVER (PARTITION BY _root ORDER BY _ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`;
  };
  const replaced = found.names.map((name) => `(${sent(name)}).v AS ${identifier(name)}`);
  const missing = found.names.map((name) =>
    `CASE WHEN _root IS NOT NULL AND (${sent(name)}) IS NULL THEN ${literal(name)} END`
  );
  await options.connection.run(`
    CREATE OR REPLACE TABLE ${identifier(inherited)} AS
    SELECT * REPLACE (${replaced.join(", ")}), list_filter([${missing.join(", ")}], lambda x: x IS NOT NULL) AS _missing
    FROM ${identifier(options.rows)} LEFT JOIN ${identifier(found.chains)} USING (_ordinal)`);
  return inherited;
}

/** Writes the rows back, with what the chains could not give read from the lake by the chain root's prior key. */
async function fillFromLake(
  options: UnchangedValuesOptions,
  found: { readonly inherited: string; readonly names: readonly string[] },
): Promise<void> {
  const { connection, definition, rows } = options;
  const lakeRows = options.temporaryName("lake_rows");
  const keys = await lakeKeys(options, found.inherited);
  const select = keys.rows === 0 ? undefined : await options.currentRows(keys, found.names);
  const key = definition.key.map(identifier);
  const columns = [...definition.key, ...found.names].map(identifier).join(", ");
  const source = select === undefined ? `(SELECT ${columns} FROM ${identifier(rows)} LIMIT 0)` : `(${select})`;
  await connection.run(`CREATE OR REPLACE TABLE ${identifier(lakeRows)} AS SELECT ${columns} FROM ${source}`);
  const value = (name: string) =>
    `CASE WHEN list_contains(typed._missing, ${literal(name)}) THEN lake.${identifier(name)} ELSE typed.${
      identifier(name)
    } END AS ${identifier(name)}`;
  const from = `FROM ${identifier(found.inherited)} AS typed
    LEFT JOIN ${identifier(keys.name)} AS root ON root._ordinal = typed._root AND len(typed._missing) > 0
    LEFT JOIN ${identifier(lakeRows)} AS lake ON ${key.map((name) => `lake.${name} = root.${name}`).join(" AND ")}`;
  await reportUnfilled(options, { from, found: `lake.${key[0]}` });
  await connection.run(`
    CREATE OR REPLACE TABLE ${identifier(rows)} AS
    SELECT typed.* EXCLUDE (_root, _missing) REPLACE (${found.names.map(value).join(", ")}) ${from}`);
}

/** Chain roots whose values must come from the lake, by the key they have there. */
async function lakeKeys(options: UnchangedValuesOptions, inherited: string): Promise<Relation> {
  const { connection, definition } = options;
  const name = options.temporaryName("lake_keys");
  const keys = definition.key.map((column) => `${identifier(`_prior_${column}`)} AS ${identifier(column)}`);
  await connection.run(`
    CREATE OR REPLACE TABLE ${identifier(name)} AS
    WITH typed AS (SELECT *, ${priorKey(definition)} FROM ${identifier(inherited)})
    SELECT _ordinal, ${keys.join(", ")} FROM typed
    WHERE _ordinal IN (SELECT _root FROM ${identifier(inherited)} WHERE len(_missing) > 0)`);
  const rows = Number(await connection.value(`SELECT count(*) FROM ${identifier(name)}`));
  return { name, definition, rows };
}

async function reportUnfilled(
  options: UnchangedValuesOptions,
  join: { readonly from: string; readonly found: string },
): Promise<void> {
  const { definition } = options;
  const left = await options.left?.();
  const key = definition.key.map((name) => `${literal(name)}, typed.${identifier(name)}`).join(", ");
  const time = definition.columns.find(({ name }) => name === left?.column);
  const hasLeft = left && time && oldValueSql(`typed.${identifier(time.name)}`, left.texts, time.type);
  const unfilled = await options.connection.rows(`
    SELECT typed._ordinal AS ordinal, json_object(${key})::VARCHAR AS key, unnest(typed._missing) AS name ${join.from}
    WHERE len(typed._missing) > 0 AND ${join.found} IS NULL AND (${hasLeft ?? "false"}) IS NOT TRUE`);
  for (const row of unfilled) {
    options.deadLetter({
      ordinal: row["ordinal"] as bigint,
      key: String(row["key"]),
      column: String(row["name"]),
      reason: "the source left the value unchanged and the lake holds no earlier version of the row",
    });
  }
}
