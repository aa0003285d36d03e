/**
 * What must be true of a table after a race: its rows are those that were committed, every file that a kept snapshot needs is
 * there, and nothing else is once orphans are collected.
 */
import assert from "node:assert/strict";
import type { Position } from "../../lib/change/position.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import type { TableState } from "../../lib/table/lake_table.ts";
import type { RacePlan } from "./race_plan.ts";
import { keptMs, racedPolicy, type RacedTable } from "./raced_lake.ts";

/** Of the kept snapshots so many are read; files are looked for of all. */
const mostRead = 12;

/** What {@linkcode RaceEnd} looks with. */
export interface RaceEndOptions {
  readonly connection: Connection;
  /** A good one. */
  readonly storage: Storage;
  readonly plan: RacePlan;
}

/** The end of one race. */
export class RaceEnd {
  readonly #options: RaceEndOptions;
  /** Files that nothing referred to. */
  orphans = 0;

  constructor(options: RaceEndOptions) {
    this.#options = options;
  }

  /** @param told Number of the last change of a common source that a writer was told of: one more may have arrived. */
  async check(table: RacedTable, told: number | undefined): Promise<void> {
    const state = await this.#state(table);
    const last = told === undefined ? undefined : numberOf(state.position);
    if (last !== undefined) assert.ok(last >= told!, `change ${told} was committed, the table stands at ${last}`);
    await this.#newestIs(table, last);
    await this.#pastIsWhole(table, last !== undefined);
    // From here on nothing is young enough to be kept for its age alone.
    await new Promise((resolve) => setTimeout(resolve, keptMs + 100));
    await this.#isClean(table);
    await this.#newestIs(table, last);
  }

  async #state(table: RacedTable): Promise<TableState> {
    const state = await table.load();
    assert.ok(state);
    return state;
  }

  async #newestIs(table: RacedTable, last: number | undefined): Promise<void> {
    using scan = await table.scan(await this.#state(table));
    await this.#rowsAre(scan.sql, last);
  }

  async #rowsAre(scan: string, last: number | undefined): Promise<void> {
    const { plan, connection } = this.#options;
    const expected = last === undefined ? plan.ownRows : plan.rowsAt(last);
    const isOwn = last === undefined ? plan.isOwn : "true";
    await this.#same(expected, `SELECT id, value FROM (${scan}) WHERE ${isOwn}`);
    if (last !== undefined) return;
    const [shared] = await connection.rows(
      `SELECT count(*) FILTER (lasts.id IS NULL) AS wrong, count(*) - count(DISTINCT found.id) AS twice,
         (SELECT count(DISTINCT id) FROM (${plan.lastShared})) - count(DISTINCT found.id) AS missing
       FROM (FROM (${scan}) WHERE NOT (${isOwn})) AS found LEFT JOIN (${plan.lastShared}) AS lasts USING (id, value)`,
    );
    assert.deepEqual(shared, { wrong: 0n, twice: 0n, missing: 0n }, "rows that several writers replaced");
  }

  async #same(expected: string, found: string, what = "the newest snapshot"): Promise<void> {
    const [counts] = await this.#options.connection.rows(
      `SELECT (SELECT count(*) FROM (${expected} EXCEPT ALL ${found})) AS missing,
              (SELECT count(*) FROM (${found} EXCEPT ALL ${expected})) AS extra`,
    );
    assert.deepEqual(counts, { missing: 0n, extra: 0n }, what);
  }

  /** Every snapshot that is kept can be read, and shows what was committed up to its position. */
  async #pastIsWhole(table: RacedTable, hasSource: boolean): Promise<void> {
    const { storage, plan, connection } = this.#options;
    const newest = await this.#state(table);
    for (const path of await table.referenced(newest)) {
      assert.ok(isHint(path) || await storage.stat(path), `${path} is gone`);
    }
    const past = await table.history(newest);
    assert.ok(past.length > 0);
    const stride = Math.ceil(past.length / mostRead);
    for (const { id, position } of past.filter((_, index) => (past.length - 1 - index) % stride === 0)) {
      const state = await table.stateAt(newest, id);
      if (state === undefined) continue;
      using read = await table.scan(state);
      const scan = `SELECT id, value FROM (${read.sql})`;
      if (!hasSource) await connection.rows(`SELECT count(COLUMNS(*)) FROM (${scan})`);
      else if (position === undefined) assert.equal(await connection.value(`SELECT count(*) FROM (${scan})`), 0n);
      else {await this.#same(
          plan.rowsAt(numberOf(position)),
          scan,
          `snapshot ${id} at ${position.offset}`,
        );}
    }
  }

  /** What upkeep leaves is what the table refers to. */
  async #isClean(table: RacedTable): Promise<void> {
    const { storage, connection } = this.#options;
    const upkeep = new TableUpkeep({
      ...{ table, storage, worker: new UpkeepWorker(connection) },
      policy: { ...racedPolicy, orphanAgeMs: 0 },
      now: () => Date.now() + 1,
    });
    await upkeep.expire();
    const orphans = await upkeep.orphans();
    this.orphans = orphans.length;
    for (const { path } of orphans) await storage.delete(path);
    const found = await Array.fromAsync(storage.list(storage.path(table.location)));
    const paths = new Set(found.map(({ path }) => path));
    const referenced = [...await table.referenced(await this.#state(table))];
    const needed = referenced.filter((path) => !isHint(path) || paths.has(path));
    assert.deepEqual([...paths].sort(), needed.sort(), "files are those referred to");
  }
}

/** Paimon's hints only save a listing: where one could not be put there is none. */
function isHint(path: string): boolean {
  return /\/snapshot\/(EARLIEST|LATEST)$/.test(path);
}

function numberOf(position: Position | undefined): number {
  return Number(position?.offset.slice(2) ?? 0);
}
