import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { UpkeepPolicy } from "../upkeep.ts";
import { serializeRow } from "./binary_row.ts";
import { type PaimonCompactionPlan, planCompaction } from "./compaction_plan.ts";
import { emptyState } from "./load_state.ts";
import { onlyPlace } from "./partitioning.ts";
import { firstSchema } from "./schema.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 32 << 20,
  mergeFiles: 10,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};
const rowBytes = 100;
const fileBytes = 2000;

/** A table without data: what is known of its files, and what compaction would make of them. */
class PlannedTable {
  files: readonly LiveFile[] = [];
  written = 0;
  rewritten = 0;
  mostBytes = 0;
  readonly #schema: PaimonState["schema"];
  #count = 0;

  constructor(key: readonly string[]) {
    const columns = [{ name: "id", type: types.int64, nullable: false }];
    this.#schema = firstSchema({ namespace: "a", name: "b", columns, key }, { buckets: 1, timeMillis: 0 });
  }

  /** One commit: rows of keys that stand anywhere in a range. */
  append(rows: number, range: readonly [number, number]): void {
    const file = this.#file({ rows, range, level: 0 });
    this.files = [...this.files, file];
    this.written += Number(file.bytes);
  }

  compact(how: UpkeepPolicy = policy): PaimonCompactionPlan | undefined {
    const state = { ...emptyState(this.#schema), files: this.files };
    const plan = planCompaction(state, how);
    if (plan === undefined) return undefined;
    const replaced = new Set([...plan.groups.flat(), ...plan.raised]);
    const merged = plan.groups.flatMap((group) => this.#merged(group, plan));
    this.rewritten += merged.reduce((sum, { bytes }) => sum + Number(bytes), 0);
    this.mostBytes = Math.max(this.mostBytes, Number(plan.bytes));
    const raised = plan.raised.map((file) => ({ ...file, level: plan.level }));
    this.files = [...this.files.filter((file) => !replaced.has(file)), ...raised, ...merged];
    return plan;
  }

  /** Files of level 0, and levels that hold files. */
  get runs(): number {
    const levels = this.files.map(({ level }) => level);
    return levels.filter((level) => level === 0).length + new Set(levels.filter((level) => level > 0)).size;
  }

  get amplification(): number {
    return this.rewritten / this.written;
  }

  /** Rows of random keys meet: what is left of a key is its newest version. */
  #merged(group: readonly LiveFile[], plan: PaimonCompactionPlan): readonly LiveFile[] {
    const low = Math.min(...group.map(({ minKey }) => keyOf(minKey)));
    const high = Math.max(...group.map(({ maxKey }) => keyOf(maxKey))) + 1;
    const keys = high - low;
    const missed = group.reduce((share, { rows }) => share * (1 - Math.min(1, Number(rows) / keys)), 1);
    const keyed = this.#schema.primaryKeys.length > 0;
    const rows = keyed ? Math.round(keys * (1 - missed)) : group.reduce((sum, file) => sum + Number(file.rows), 0);
    const pieces = Math.max(1, Math.round((rows * rowBytes) / plan.targetFileBytes));
    return Array.from({ length: pieces }, (_, index) => {
      const at = (piece: number) => low + Math.floor((keys * piece) / pieces);
      return this.#file({ rows: Math.floor(rows / pieces), range: [at(index), at(index + 1)], level: plan.level });
    });
  }

  #file(of: { readonly rows: number; readonly range: readonly [number, number]; readonly level: number }): LiveFile {
    const key = (value: number) => serializeRow([types.int64], [BigInt(value)]);
    const name = `file-${this.#count++}`;
    return {
      identity: name,
      name,
      place: onlyPlace,
      schemaId: 0,
      level: of.level,
      rows: BigInt(of.rows),
      deletedRows: 0n,
      bytes: BigInt(of.rows * rowBytes + fileBytes),
      minKey: key(of.range[0]),
      maxKey: key(of.range[1] - 1),
      minSequenceNumber: BigInt(this.#count),
      maxSequenceNumber: BigInt(this.#count),
    };
  }
}

function keyOf(row: Uint8Array): number {
  return Number(new DataView(row.buffer, row.byteOffset).getBigInt64(12, true));
}

Deno.test("over hundreds of commits of updates, runs and files stay bounded and rows are rewritten a few times", () => {
  for (const keys of [100_000, 1_000_000, 10_000_000]) {
    const table = new PlannedTable(["id"]);
    const first = keys / 10;
    for (let part = 0; part < 10; part++) table.append(first, [part * first, (part + 1) * first]);
    while (table.compact({ ...policy, mergeFiles: 2 }) !== undefined);
    table.written = table.rewritten = 0;
    for (let commit = 0; commit < 800; commit++) {
      table.append(1000, [0, keys]);
      table.compact();
      const bytes = table.files.reduce((sum, file) => sum + Number(file.bytes), 0);
      const runs = table.runs;
      assert.ok(runs < 2 * policy.mergeFiles, `${runs} runs after commit ${commit}`);
      assert.ok(table.files.length <= runs + bytes / (policy.targetFileBytes / 2), `${table.files.length} files`);
    }
    assert.ok(table.amplification < 12, `${keys} keys: each row was rewritten ${table.amplification} times`);
    assert.ok(table.mostBytes <= 16 * policy.targetFileBytes, `${table.mostBytes} bytes in one compaction`);
    while (table.compact() !== undefined);
    assert.ok(table.runs < policy.mergeFiles);
  }
});

Deno.test("rows of new keys at the table's end are rewritten until their file is large, and never again", () => {
  for (const key of [["id"], []]) {
    const table = new PlannedTable(key);
    for (let commit = 0; commit < 2000; commit++) {
      table.append(1000, [commit * 1000, (commit + 1) * 1000]);
      table.compact();
    }
    const large = table.files.filter(({ bytes }) => Number(bytes) >= policy.targetFileBytes / 2);
    const small = table.files.length - large.length;
    assert.ok(large.length >= 3 && small < 3 * policy.mergeFiles, `${large.length} large files, ${small} small`);
    assert.ok(table.amplification < 4 && table.mostBytes < 2 * policy.targetFileBytes);
  }
});

Deno.test("files that meet no other and are large are raised, not rewritten", () => {
  const table = new PlannedTable(["id"]);
  for (let part = 0; part < 10; part++) table.append(200_000, [part * 200_000, (part + 1) * 200_000]);
  const plan = table.compact();
  assert.deepEqual([plan?.groups.length, plan?.raised.length, plan?.level, plan?.bytes], [0, 10, 5, 0n]);
  assert.equal(table.compact(), undefined);
});

Deno.test("two files to merge leave one sorted run in the end, whatever stood there", () => {
  const table = new PlannedTable(["id"]);
  for (let commit = 0; commit < 200; commit++) {
    table.append(commit % 50 === 0 ? 400_000 : 3000, [0, 1_000_000]);
    table.compact();
  }
  assert.ok(table.runs > 2);
  while (table.compact({ ...policy, mergeFiles: 2 }) !== undefined);
  assert.equal(table.runs, 1);
  assert.ok(table.files.every(({ level }) => level === 5));
});

Deno.test("many deleted rows above level 0 bring a bucket down to its highest level", () => {
  const table = new PlannedTable(["id"]);
  table.append(100_000, [0, 100_000]);
  table.compact({ ...policy, mergeFiles: 1 });
  const [file] = table.files;
  const mark = (level: number) => ({ ...file!, identity: "marks", level, rows: 60_000n, deletedRows: 60_000n });
  table.files = [file!, mark(0)];
  assert.equal(table.compact(), undefined);
  table.files = [file!, mark(3)];
  const plan = table.compact();
  assert.deepEqual([plan?.level, plan?.dropsDeletions, plan?.files], [5, true, 2]);
});
