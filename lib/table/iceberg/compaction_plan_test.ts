import assert from "node:assert/strict";
import type { UpkeepPolicy } from "../upkeep.ts";
import { type MergePlan, mostSmallFiles } from "../merging/merge_plan.ts";
import type { PartitionValue } from "./partition_values.ts";
import { planCompaction } from "./compaction_plan.ts";
import { blankFile } from "./manifest.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import type { IcebergState, LiveFile } from "./state.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 32 * 2 ** 20,
  mergeFiles: 8,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};
const rowBytes = 1000;

/** Files as plain numbers: what a table would hold after commits and compactions, without a byte written. */
class SimulatedTable {
  readonly files = new Map<string, LiveFile>();
  /** Rows written again, by compactions. */
  rewritten = 0;
  written = 0;
  #commits = 0;

  get state(): IcebergState {
    return { files: this.files } as unknown as IcebergState;
  }

  add(rows: number, day: PartitionValue = null): void {
    const uri = `file:///${++this.#commits}.parquet`;
    const file = {
      ...blankFile,
      content: 0,
      file_path: uri,
      file_format: "PARQUET",
      partition: day === null ? {} : { day },
      record_count: BigInt(rows),
      file_size_in_bytes: BigInt(rows * rowBytes),
    };
    const numbers = { snapshotId: 1n, sequenceNumber: BigInt(this.#commits), fileSequenceNumber: 1n, specId: 0 };
    this.files.set(uri, { manifest: "m", entry: { status: 1, ...numbers, file } });
  }

  commit(rows: number, day: PartitionValue = null): void {
    this.written += rows;
    this.add(rows, day);
  }

  /** Deletes rows at random places of every file, as updates of random keys do. */
  delete(rows: number): void {
    const living = [...this.files.values()].reduce((sum, file) => sum + livingOf(file), 0);
    for (const [uri, file] of this.files) {
      const most = Number(file.entry.file.record_count);
      const count = Math.round(rows * livingOf(file) / living);
      const positions = (file.deletes?.positions ?? PositionBitmap.empty).with(
        Array.from({ length: count }, () => Math.floor(Math.random() * most)),
      );
      if (positions.count === most) this.files.delete(uri);
      else if (positions.count > 0) {
        this.files.set(uri, { ...file, deletes: { entry: file.entry, manifest: "d", positions } });
      }
    }
  }

  compact(plan: MergePlan): void {
    const inputs = plan.inputs.map((uri) => this.files.get(uri)!);
    for (const uri of plan.inputs) this.files.delete(uri);
    const rows = inputs.reduce((sum, file) => sum + livingOf(file), 0);
    this.rewritten += rows;
    this.add(rows, inputs[0]!.entry.file.partition.day ?? null);
  }

  /** Compacts until nothing is due; gives how often. */
  settle(): number {
    let times = 0;
    for (let plan; (plan = planCompaction(this.state, policy)) !== undefined; times++) {
      assert.ok(times < 100, "compaction comes to an end");
      this.compact(plan);
    }
    return times;
  }

  get smallFiles(): number {
    return [...this.files.values()].filter((file) => livingOf(file) * rowBytes < policy.targetFileBytes).length;
  }
}

function livingOf({ entry, deletes }: LiveFile): number {
  return Number(entry.file.record_count) - (deletes?.positions.count ?? 0);
}

Deno.test("over thousands of commits the files of a table stay few, and a row is written anew a few times", () => {
  const table = new SimulatedTable();
  for (let commit = 0; commit < 5000; commit++) {
    table.commit(100 + Math.floor(Math.random() * 100));
    table.settle();
    assert.ok(table.smallFiles <= mostSmallFiles(policy), `${table.smallFiles} small files after ${commit} commits`);
  }
  const full = table.written * rowBytes / policy.targetFileBytes;
  assert.ok(table.files.size <= mostSmallFiles(policy) + full, `${table.files.size} files`);
  const amplification = table.rewritten / table.written;
  assert.ok(amplification > 1 && amplification <= 5, `each row was rewritten ${amplification} times`);
});

Deno.test("updates of random keys keep the files of a table bounded by its living rows", () => {
  const table = new SimulatedTable();
  table.commit(100_000);
  const bound = mostSmallFiles(policy) + 100_000 * rowBytes / policy.targetFileBytes / (1 - policy.deletedShare) + 1;
  for (let commit = 0; commit < 600; commit++) {
    table.delete(500);
    table.commit(500);
    table.settle();
    assert.ok(table.files.size <= bound, `${table.files.size} files after ${commit} commits`);
    const living = [...table.files.values()].reduce((sum, file) => sum + livingOf(file), 0);
    const all = [...table.files.values()].reduce((sum, { entry }) => sum + Number(entry.file.record_count), 0);
    assert.ok(all <= 1.7 * living, `${all} rows of which ${living} live`);
  }
  const amplification = table.rewritten / table.written;
  assert.ok(amplification <= 8, `each row was rewritten ${amplification} times`);
});

Deno.test("one compaction reads about twice the target size at most, and stays inside its partition", () => {
  const table = new SimulatedTable();
  for (let day = 0; day < 5; day++) for (let file = 0; file < 300; file++) table.commit(300, BigInt(day));
  let plans = 0;
  for (let plan; (plan = planCompaction(table.state, policy)) !== undefined; plans++) {
    assert.ok(plan.bytes <= 2n * BigInt(policy.targetFileBytes));
    assert.equal(new Set(plan.inputs.map((uri) => table.files.get(uri)!.entry.file.partition.day)).size, 1);
    assert.equal(plan.isUrgent, plan.files > 64);
    table.compact(plan);
  }
  assert.ok(plans >= 5);
  assert.ok(table.smallFiles <= 5 * mostSmallFiles(policy));
});

// One beyond the target size, and one that merging would reach after hundreds of commits.
for (const [kind, rows] of [["large", 40_000], ["middling", 6000]] as const) {
  Deno.test(`a ${kind} file is written anew once its share of deleted rows is reached, not before`, () => {
    const table = new SimulatedTable();
    table.commit(rows);
    const [uri, file] = [...table.files][0]!;
    const deleted = (share: number) => {
      const positions = PositionBitmap.empty.with(Array.from({ length: share * rows }, (_, index) => index));
      table.files.set(uri, { ...file, deletes: { entry: file.entry, manifest: "d", positions } });
      return planCompaction(table.state, policy)?.reason;
    };
    assert.equal(deleted(0.29), undefined);
    assert.equal(deleted(0.3), "1 files: deleted rows");
  });
}
