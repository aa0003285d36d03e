/** The maintenance job as users run it, on a lake that was only written to: what it says it would do, does, and leaves alone. */
import assert from "node:assert/strict";
import type { MaintenanceOutcome } from "../../jobs/wiring/maintenance_outcome.ts";
import { Lake } from "../../jobs/wiring/lake.ts";
import type { ErrorReport } from "../../lib/cli/error_text.ts";
import { Database } from "../../lib/engine/database.ts";
import { openLake } from "../../lib/query/lake.ts";
import { lockLake } from "../../lib/storage/lake_lock.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import type { UpkeepPolicy } from "../../lib/table/upkeep.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { JobProcess } from "../crash/job_process.ts";
import { filesBelow } from "../crash/lake_files.ts";
import { Churn } from "../soak/churn.ts";
import { localPlace } from "../soak/local_place.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 2 ** 20,
  mergeFiles: 4,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

type Outcome = MaintenanceOutcome & { readonly error?: ErrorReport };

/** A lake of one table in each format, many small commits old. */
class Scene {
  readonly folder: string;
  readonly lake: string;
  #rows = "";

  constructor(folder: string) {
    this.folder = folder;
    this.lake = `${folder}/lake`;
  }

  async fill(): Promise<void> {
    await using lake = await Lake.open({
      place: localPlace(this.lake),
      stateFolder: `${this.folder}/state`,
      formats: ["iceberg", "paimon", "delta"],
      icebergVersion: 3,
      deltaDeletes: "vectors",
      memoryLimitBytes: 2 ** 29,
      threads: 1,
      upkeep: { isOn: false, policy, onTrouble: () => {} },
    });
    const churn = new Churn(lake.connection, (of) => lake.sinksFor(of), { rows: 2000, updates: 40, replaced: 10 });
    await churn.load();
    while (churn.commits < 12) await churn.commit();
    this.#rows = String(await lake.connection.value(fingerprint(`(${churn.expected()})`)));
  }

  /** Every table still holds what was written. */
  async holds(): Promise<void> {
    const temporaryFolder = `${this.folder}/engine`;
    const database = await Database.open({ folders: [this.lake], temporaryFolder });
    const connection = await database.connect();
    try {
      const views = await openLake({ storage: new LocalStorage(this.lake), connection });
      assert.equal(views.length, 3);
      for (const { view } of views) assert.equal(String(await connection.value(fingerprint(view))), this.#rows, view);
    } finally {
      connection.close();
      database.close();
    }
  }

  async run(...flags: string[]): Promise<{ code: number; log: string; outcome: Outcome }> {
    const script = new URL("../../jobs/maintain.ts", import.meta.url);
    const args = ["--json", "--lake", this.lake, "--merge-files", "4", ...flags];
    const { status, output, log } = await new JobProcess({ script, args, folder: this.folder }).ended;
    assert.notEqual(output, "", log);
    return { code: status.code, log, outcome: JSON.parse(output) };
  }

  async files(): Promise<readonly string[]> {
    return (await filesBelow(this.lake)).filter((path) => !path.endsWith(".lock")).sort();
  }
}

function fingerprint(from: string): string {
  return `SELECT count(*) || ' ' || bit_xor(hash(rows)) FROM ${from} AS rows`;
}

const forgetful = ["--keep-hours", "0", "--keep-snapshots", "1"];

Deno.test("deno task maintain plans, does what it planned, and leaves orphans where they are unless told", async (test) => {
  await withTemporaryFolder(async (folder) => {
    const scene = new Scene(folder);
    await scene.fill();
    const before = await scene.files();

    await test.step("--dry-run says what would be done and does nothing", async () => {
      const { code, log, outcome } = await scene.run("--dry-run", ...forgetful);
      assert.deepEqual([code, outcome.ok, outcome.dryRun], [0, true, true], log);
      for (const { plan, work } of outcome.tables) assert.ok(plan!.merge!.files > 3 && work === null, log);
      assert.match(log, /soak\.orders\s+iceberg\s+13 .* 13 files/);
      assert.deepEqual(await scene.files(), before);
    });

    await test.step("--tables and --formats choose", async () => {
      const { outcome } = await scene.run("--dry-run", "--tables", "soak.*", "--formats", "delta");
      assert.deepEqual(outcome.tables.map(({ format, table }) => [format, table]), [["delta", "soak.orders"]]);
      const none = await scene.run("--tables", "!soak.*");
      assert.deepEqual([none.code, none.outcome.error?.kind], [1, "precondition"]);
    });

    await test.step("a lake that is not there is an error, and is not made", async () => {
      const { outcome } = await scene.run("--lake", `${folder}/lakes`);
      assert.match(`${outcome.error?.kind} ${outcome.error?.message}`, /^configuration There is no lake in .*\/lakes$/);
      await assert.rejects(Deno.stat(`${folder}/lakes`), Deno.errors.NotFound);
    });

    await test.step("a second maintenance is refused, and so are young orphans beside a writer", async () => {
      {
        using _maintaining = await lockLake(scene.lake, { work: "maintains" });
        assert.equal((await scene.run()).outcome.error?.kind, "fenced");
        assert.equal((await scene.run("--dry-run")).code, 0);
      }
      using _writing = await lockLake(scene.lake);
      assert.equal((await scene.run("--remove-orphans", "--orphan-days", "0.5")).outcome.error?.kind, "fenced");
      assert.deepEqual(await scene.files(), before);
    });

    await test.step("files are merged to the end beside a writer, old ones removed, rows the same", async () => {
      using _writing = await lockLake(scene.lake);
      const { code, log, outcome } = await scene.run(...forgetful);
      assert.deepEqual([code, outcome.ok], [0, true], log);
      for (const { format, plan, work } of outcome.tables) {
        assert.ok(work!.merges > 0 && work!.liveFiles < plan!.liveFiles / 2, `${format} ${log}`);
        assert.ok(work!.removedFiles >= work!.mergedFiles, `${format} ${log}`);
      }
      await scene.holds();
      const again = await scene.run(...forgetful);
      for (const { plan, work } of again.outcome.tables) assert.deepEqual([plan!.merge, work!.merges], [null, 0]);
    });

    await test.step("orphans are counted, and removed when it is asked for", () => leavesOrphans(scene));

    await test.step("a Paimon table that has outgrown its buckets gets more of them", async () => {
      const { outcome, log } = await scene.run("--bucket-size", "16384", "--rescale", ...forgetful);
      const paimon = outcome.tables.find(({ format }) => format === "paimon")!;
      assert.ok(paimon.work!.buckets! > 2, log);
      assert.equal(paimon.work!.buckets, paimon.plan!.rescale!.buckets);
      await scene.holds();
    });
  });
});

async function leavesOrphans(scene: Scene): Promise<void> {
  const orphans = ["iceberg/soak/orders/data", "paimon/soak.db/orders/bucket-0", "delta/soak/orders"]
    .map((place) => `${scene.lake}/${place}/left-behind.parquet`);
  for (const path of orphans) await Deno.writeTextFile(path, "nobody's");
  const [old, young] = [Date.now() - 4 * 86_400_000, Date.now()];
  for (const path of orphans) await Deno.utime(path, new Date(old), new Date(old));
  await Deno.writeTextFile(`${orphans[0]}.young`, "somebody's");
  await Deno.utime(`${orphans[0]}.young`, new Date(young), new Date(young));
  const { outcome, log } = await scene.run();
  assert.deepEqual(outcome.tables.map(({ plan }) => plan!.orphans), Array(3).fill({ files: 1, bytes: 8 }));
  assert.match(log, /3 orphans were left where they are; --remove-orphans deletes them/);
  assert.deepEqual((await scene.files()).filter((path) => orphans.includes(path)).length, 3);
  const removing = await scene.run("--remove-orphans");
  assert.deepEqual(removing.outcome.tables.map(({ work }) => work!.removedOrphans), [1, 1, 1]);
  const left = await scene.files();
  assert.deepEqual(left.filter((path) => path.includes("left-behind")), [`${orphans[0]}.young`]);
  await scene.holds();
}
