/**
 * What it costs to replace rows of a large table that is kept up: batches of 10,000 keys, drawn from the whole table, or from the
 * rows that came last. Keys are UUIDs of version 7, whose order is that of their time.
 */
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { types } from "../../lib/dataset/column_type.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { UpkeepPolicy, UpkeepTable } from "../../lib/table/upkeep.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { taken } from "./capture_bench.ts";

const batchKeys = 10_000;
/** Batches that are measured; the figures are those of the middle one. */
const batches = 15;
/** Rows of one commit while the table is filled. */
const loadRows = 500_000;
/** Recent keys are drawn from so many of the last rows. */
const recentRows = 100_000;
const threads = 2;

/** As jobs keep tables up, but for history: what was merged away leaves the disk at once. */
const policy: UpkeepPolicy = {
  targetFileBytes: 128 * 2 ** 20,
  mergeFiles: 10,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

const definition: TableDefinition = {
  namespace: "bench",
  name: "payments",
  key: ["id"],
  columns: [
    { name: "id", type: types.string, nullable: false },
    { name: "account", type: types.int64, nullable: true },
    { name: "amount", type: types.decimal(12, 2), nullable: true },
    { name: "at", type: types.timestamptz, nullable: true },
    { name: "payer", type: types.string, nullable: true },
    { name: "note", type: types.string, nullable: true },
    { name: "status", type: types.string, nullable: true },
    { name: "version", type: types.int64, nullable: true },
  ],
};

/** What one batch cost: the middle of several. */
export interface BatchCost {
  readonly ms: number;
  readonly cpuMs: number;
  /** Through the operating system, cached or not. */
  readonly readMB: number;
  /** Of keeping the table up meanwhile, spread over the batches. */
  readonly upkeepCpuMs: number;
}

/** What {@linkcode measureUpserts} found. */
export interface UpsertCosts {
  readonly random: BatchCost;
  readonly recent: BatchCost;
  /** Largest resident memory while upserting. */
  readonly peakMB: number;
  readonly files: number;
}

/** Fills a table with so many rows, merges until nothing is due, and replaces rows of it. */
export async function measureUpserts(format: UpkeepTable["format"], rows: number): Promise<UpsertCosts> {
  return await withDatabase(async (fixture) => {
    const bench = new UpsertBench(fixture, format);
    await bench.fill(rows);
    const files = await bench.files();
    await Deno.writeTextFile("/proc/self/clear_refs", "5");
    const recent = await bench.upsert((n) => `${rows} - 1 - (hash(${n}, i) % ${recentRows})::BIGINT`);
    const random = await bench.upsert((n) => `(hash(${n}, i) % ${rows})::BIGINT`);
    return { random, recent, peakMB: await peakMB(), files };
  }, { threads });
}

class UpsertBench {
  readonly #connection: Connection;
  readonly #fixture: DatabaseFixture;
  readonly #storage: Storage;
  readonly #table: UpkeepTable;
  #sink: LakeSink;
  #commits = 0;

  constructor(fixture: DatabaseFixture, format: UpkeepTable["format"]) {
    this.#fixture = fixture;
    this.#connection = fixture.connection;
    this.#storage = new LocalStorage(`${fixture.folder}/lake`);
    this.#table = openTable(format, { storage: this.#storage, connection: fixture.connection });
    this.#sink = new LakeSink(this.#table);
  }

  async fill(rows: number): Promise<void> {
    for (let first = 0; first < rows; first += loadRows) {
      const numbers = `range(${first}, ${Math.min(rows, first + loadRows)}) AS numbers(i)`;
      await this.#commit(`SELECT i AS key FROM ${numbers}`, false);
    }
    while (await this.#keepUp());
    await this.#clean();
  }

  async files(): Promise<number> {
    const found = await Array.fromAsync(this.#storage.list(this.#storage.path(this.#table.location)));
    return found.filter(({ path }) => path.endsWith(".parquet")).length;
  }

  async upsert(key: (batch: number) => string): Promise<BatchCost> {
    const costs: BatchCost[] = [];
    let upkeepCpuSeconds = 0;
    for (let batch = 0; batch < batches; batch++) {
      const name = await this.#relation(
        `SELECT DISTINCT ${key(batch)} AS key FROM range(${batchKeys}) AS numbers(i)`,
        true,
      );
      const before = await readBytes();
      const { ms, cpuSeconds } = await taken(() => this.#upsertRelation(name));
      const readMB = (await readBytes() - before) / 2 ** 20;
      costs.push({ ms, cpuMs: cpuSeconds * 1000, readMB, upkeepCpuMs: 0 });
      upkeepCpuSeconds += (await taken(() => this.#keepUp())).cpuSeconds;
    }
    await this.#clean();
    const middle = (of: keyof BatchCost) =>
      costs.map((cost) => cost[of]).sort((left, right) => left - right)[batches >> 1]!;
    return {
      ...{ ms: Math.round(middle("ms")), cpuMs: Math.round(middle("cpuMs")), readMB: Math.round(middle("readMB")) },
      upkeepCpuMs: Math.round(upkeepCpuSeconds * 1000 / batches),
    };
  }

  async #commit(keys: string, replaces: boolean): Promise<void> {
    await this.#upsertRelation(await this.#relation(keys, replaces));
  }

  async #relation(keys: string, replaces: boolean): Promise<string> {
    const name = `batch_${++this.#commits}`;
    const values = [
      "i AS account",
      "(i % 1000000 / 100)::DECIMAL(12, 2) AS amount",
      "TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_milliseconds(i * 100) AS at",
      "'payer ' || i * 31 % 100003 AS payer",
      "CASE WHEN i % 3 = 0 THEN 'note on ' || md5(i::VARCHAR) END AS note",
      "['new', 'sent', 'paid', 'failed'][1 + i % 4] AS status",
      `${this.#commits} AS version`,
    ].join(", ");
    const flags = `0::BIGINT AS _ordinal, false AS _delete, ${replaces} AS _replaces`;
    await this.#connection.run(
      `CREATE TABLE ${name} AS SELECT ${uuid7("i")} AS id, ${values}, ${flags} FROM (SELECT key AS i FROM (${keys}))`,
    );
    return name;
  }

  async #upsertRelation(name: string): Promise<void> {
    const rows = Number(await this.#connection.value(`SELECT count(*) FROM ${name}`));
    await this.#sink.commit({
      ...{ definition, schemaChanges: [], truncate: false, scope: definition.key, commitTimeMs: this.#commits },
      upserts: { name, definition, rows },
      position: { instance: "bench:1/1", offset: `0/${this.#commits}` },
    });
    await this.#connection.run(`DROP TABLE ${name}`);
  }

  /** Whether something was merged. */
  async #keepUp(): Promise<boolean> {
    return await this.#upkeep(async (upkeep) => {
      const planned = await upkeep.planned();
      const merged = planned && await upkeep.merge(planned);
      if (!await merged?.land()) return false;
      this.#sink = new LakeSink(this.#table);
      return true;
    });
  }

  async #clean(): Promise<void> {
    await this.#upkeep(async (upkeep) => {
      await upkeep.expire();
      for (const { path } of await upkeep.orphans()) await this.#storage.delete(path);
    });
  }

  async #upkeep<T>(work: (upkeep: TableUpkeep) => Promise<T>): Promise<T> {
    const connection = await this.#fixture.database.connect();
    try {
      const worker = new UpkeepWorker(connection);
      return await work(new TableUpkeep({ table: this.#table, storage: this.#storage, policy, worker }));
    } finally {
      connection.close();
    }
  }
}

function openTable(
  format: UpkeepTable["format"],
  place: { readonly storage: Storage; readonly connection: Connection },
): UpkeepTable {
  const at = { ...place, folder: "bench", namespace: "bench", name: "payments" };
  if (format === "iceberg") return new IcebergTable(at) as UpkeepTable;
  return (format === "paimon" ? new PaimonTable(at) : new DeltaTable(at)) as UpkeepTable;
}

/** The n-th of UUIDs that come ten in a second. */
function uuid7(n: string): string {
  const time = `printf('%012x', 1767225600000 + ${n} * 100)`;
  const random = `md5(${n}::VARCHAR)`;
  const parts = [`${time}[1:8]`, `${time}[9:12]`, `'7' || ${random}[1:3]`, `'8' || ${random}[4:6]`, `${random}[7:18]`];
  return parts.join(" || '-' || ");
}

async function readBytes(): Promise<number> {
  return Number(/^rchar: (\d+)/m.exec(await Deno.readTextFile("/proc/self/io"))![1]);
}

async function peakMB(): Promise<number> {
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(await Deno.readTextFile("/proc/self/status"))![1]) / 1024);
}
