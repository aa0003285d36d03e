import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import { MemoryStorage } from "../../testing/memory_storage.ts";
import type { UpkeepPolicy } from "../upkeep.ts";
import { mostSmallFiles } from "../merging/merge_plan.ts";
import { planCompaction } from "./compaction_plan.ts";
import { stageExpiry } from "./expire_snapshots.ts";
import { blankFile, type FileRecord } from "./manifest.ts";
import { currentSchema } from "./metadata.ts";
import { newTable } from "./new_table.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { type IcebergPrepared, newSnapshotId } from "./prepared_change.ts";
import { type IcebergStaged, stageCommit } from "./stage_commit.ts";
import { type IcebergState, stateOf } from "./state.ts";
import { SnapshotFiles } from "./unneeded_files.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 2 ** 20,
  mergeFiles: 8,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 20,
  orphanAgeMs: 0,
};
const rowsOfCommit = 200n;
let files = 0;

function file(rows: bigint): FileRecord {
  return {
    ...blankFile,
    content: 0,
    file_path: `memory://weir/t/data/${++files}.parquet`,
    file_format: "PARQUET",
    partition: {},
    record_count: rows,
    file_size_in_bytes: rows * 1000n,
  };
}

/** The metadata of a table in memory: everything about its commits is real but for the files themselves. */
class TableOfNames {
  readonly place = { storage: new MemoryStorage(), folder: "t" };
  readonly #known = new SnapshotFiles();
  state: IcebergState = stateOf({
    version: 1,
    metadata: newTable({
      namespace: "n",
      name: "t",
      key: ["id"],
      columns: [{ name: "id", type: types.int64, nullable: false }],
    }, { formatVersion: 3, location: "memory://weir/t" }),
    manifests: [],
    files: new Map(),
  }, 0n);

  #prepared(rest: Partial<IcebergPrepared>): IcebergPrepared {
    const { metadata } = this.state;
    return {
      snapshotId: newSnapshotId(),
      schema: currentSchema(metadata),
      lastColumnId: metadata["last-column-id"],
      baseSchemaId: 0,
      truncate: false,
      specId: 0,
      dataFiles: [],
      deletes: [],
      removed: [],
      position: undefined,
      paths: [],
      ...rest,
    };
  }

  #take(staged: IcebergStaged): IcebergStaged {
    this.state = staged.next;
    if (staged.snapshotId !== undefined) this.#known.released.set(staged.snapshotId, staged.released);
    return staged;
  }

  /** Adds a file and deletes some rows of five others. */
  change(): IcebergStaged {
    const live = [...this.state.files.values()];
    const targets = new Set(Array.from({ length: Math.min(5, live.length) }, () => live[randomBelow(live.length)]!));
    const deletes = [...targets].map((target, index) => {
      const rows = Number(target.entry.file.record_count);
      const positions = (target.deletes?.positions ?? PositionBitmap.empty).with(
        Array.from({ length: 40 }, () => randomBelow(rows - 1)),
      );
      const record: FileRecord = {
        ...blankFile,
        content: 1,
        file_path: `memory://weir/t/data/${files + 1}.puffin`,
        file_format: "PUFFIN",
        partition: {},
        record_count: BigInt(positions.count),
        file_size_in_bytes: 100n,
        referenced_data_file: target.entry.file.file_path,
        content_offset: BigInt(index * 10),
        content_size_in_bytes: 10n,
      };
      return { target, file: record, positions };
    });
    return this.#take(
      stageCommit(this.place, this.state, this.#prepared({ dataFiles: [file(rowsOfCommit)], deletes })),
    );
  }

  compact(): void {
    for (let plan; (plan = planCompaction(this.state, policy)) !== undefined;) {
      const inputs = plan.inputs.map((uri) => this.state.files.get(uri)!);
      const rows = inputs.reduce((sum, { entry, deletes }) => {
        return sum + entry.file.record_count - BigInt(deletes?.positions.count ?? 0);
      }, 0n);
      const sequenceNumber = this.state.metadata["last-sequence-number"];
      const prepared = this.#prepared({ dataFiles: [file(rows)], removed: inputs, merge: { inputs, sequenceNumber } });
      this.#take(stageCommit(this.place, this.state, prepared));
    }
  }

  async expire(): Promise<readonly string[]> {
    const nowMs = Date.now() + 1;
    const expiry = await stageExpiry(this.place, this.state, { policy, nowMs, known: this.#known });
    if (expiry === undefined) return [];
    this.#take(expiry.staged);
    this.#known.keepOnly(expiry.kept);
    return expiry.unneeded;
  }
}

function randomBelow(limit: number): number {
  return Math.floor(Math.random() * limit);
}

Deno.test("over many commits, what a commit writes and what a table lists stay bounded, and expiry reads nothing", async () => {
  const table = new TableOfNames();
  const written = { manifests: 0, bytes: 0, metadata: 0 };
  const unneeded = new Set<string>();
  for (let commit = 0; commit < 400; commit++) {
    const staged = table.change();
    table.compact();
    // The storage is empty: whatever expiry read would fail.
    if (commit % 10 === 9) { for (const path of await table.expire()) unneeded.add(path); }
    const bytes = staged.manifests.reduce((sum, each) => sum + each.bytes.length, 0);
    written.manifests = Math.max(written.manifests, staged.manifests.length);
    written.bytes = Math.max(written.bytes, bytes + (staged.manifestList?.bytes.length ?? 0));
    written.metadata = Math.max(written.metadata, staged.metadata.bytes.length);
    assert.ok(table.state.manifests.length <= 100, `${table.state.manifests.length} manifests`);
    assert.ok(table.state.files.size <= mostSmallFiles(policy) + 20, `${table.state.files.size} files`);
  }
  const { metadata, files: live } = table.state;
  assert.deepEqual(metadata.snapshots.length <= 60, true, `${metadata.snapshots.length} snapshots`);
  assert.ok(written.manifests <= 4 && written.bytes < 40_000 && written.metadata < 60_000, JSON.stringify(written));
  for (const { entry, deletes } of live.values()) {
    for (const each of [entry, deletes?.entry]) {
      if (each !== undefined) assert.ok(!unneeded.has(table.place.storage.path(each.file.file_path)));
    }
  }
  assert.ok(unneeded.size > 1000, "what left is named");
});
