/** The embedding job as users run it: vectors of another model beside a table that goes on changing, whatever becomes of the job. */
import assert from "node:assert/strict";
import { Lake } from "../../jobs/wiring/lake.ts";
import type { ReembeddingOutcome } from "../../jobs/wiring/reembedding_outcome.ts";
import type { ErrorReport } from "../../lib/cli/error_text.ts";
import { Database } from "../../lib/engine/database.ts";
import { openLake } from "../../lib/query/lake.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { eagerPolicy } from "../../lib/testing/iceberg_lake.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { JobProcess } from "../crash/job_process.ts";
import { Churn } from "../soak/churn.ts";
import { localPlace } from "../soak/local_place.ts";

type Outcome = ReembeddingOutcome & { readonly error?: ErrorReport };

const text = ["--embed", "orders:customer,note", "--model", "hash:256"];

class Scene {
  readonly lake: Lake;
  readonly churn: Churn;
  readonly #folder: string;

  private constructor(folder: string, lake: Lake) {
    this.#folder = folder;
    this.lake = lake;
    this.churn = new Churn(lake.connection, (of) => lake.sinksFor(of), { rows: 20_000, updates: 400, replaced: 100 });
  }

  static async open(folder: string): Promise<Scene> {
    return new Scene(
      folder,
      await Lake.open({
        place: localPlace(`${folder}/lake`),
        stateFolder: `${folder}/state`,
        formats: ["iceberg", "paimon", "delta"],
        icebergVersion: 3,
        deltaDeletes: "vectors",
        memoryLimitBytes: 2 ** 29,
        threads: 1,
        upkeep: { isOn: false, policy: eagerPolicy, onTrouble: () => {} },
      }),
    );
  }

  start(...flags: string[]): JobProcess {
    const script = new URL("../../jobs/embed.ts", import.meta.url);
    return new JobProcess({
      script,
      args: ["--json", "--lake", `${this.#folder}/lake`, ...flags],
      folder: this.#folder,
    });
  }

  async run(...flags: string[]): Promise<{ code: number; log: string; outcome: Outcome }> {
    const { status, output, log } = await this.start(...flags).ended;
    assert.notEqual(output, "", log);
    return { code: status.code, log, outcome: JSON.parse(output) };
  }

  /** Every row of the table, and no other, has the vector of its text. */
  async holds(format: string): Promise<void> {
    const folder = `${this.#folder}/lake/vectors/weir-hash-nonsemantic_1-256`;
    const database = await Database.open({ folders: [folder], temporaryFolder: `${this.#folder}/engine` });
    const connection = await database.connect();
    try {
      const views = await openLake({ storage: new LocalStorage(folder), connection });
      const view = views.find((each) => each.format === format)!.view;
      const vectors = await connection.value(
        `SELECT count(*) || ' ' || bit_xor(hash(id, embedding_text_hash)) FROM ${view}
        WHERE len(embedding_vector) = 256 AND embedding_dimensions = 256`,
      );
      const hash = "left(md5('customer: ' || customer || '. note: ' || note), 16)";
      const rows = `SELECT count(*) || ' ' || bit_xor(hash(id, ${hash})) FROM (${this.churn.expected()})`;
      assert.equal(vectors, await this.lake.connection.value(rows));
    } finally {
      connection.close();
      database.close();
    }
  }
}

Deno.test("deno task embed brings every row its vector beside a writer, once, wherever it is stopped", async (test) => {
  await withTemporaryFolder(async (folder) => {
    const scene = await Scene.open(folder);
    await using _lake = scene.lake;
    await scene.churn.load();

    await test.step("--dry-run says what it will cost, and leaves nothing behind", async () => {
      const before = await namesIn(`${folder}/lake`);
      const { code, log, outcome } = await scene.run("--dry-run", ...text);
      assert.deepEqual([code, outcome.ok, outcome.tables], [0, true, []], log);
      assert.deepEqual(outcome.estimates.map(({ table, format, rows }) => [table, format, rows]), [
        ["soak.orders", "iceberg", 20_000],
      ]);
      assert.match(log, /model weir-hash-nonsemantic@1, 256 dimensions\n\n.*rows to embed.*\n.*\n.*20,000.*about/s);
      assert.deepEqual(await namesIn(`${folder}/lake`), before);
      assert.deepEqual(await namesIn(`${folder}/data/state`), ["embed", "runs"]);
      assert.deepEqual(await namesIn(`${folder}/data/state/embed`), []);
    });

    await test.step("killed in the middle, and by a budget, it goes on where it was", async () => {
      const killed = scene.start(...text);
      await killed.until(/embedding soak\.orders/);
      killed.kill("SIGKILL");
      await killed.ended;
      const { outcome: { tables: [some] } } = await scene.run(...text, "--budget-rows", "3000");
      assert.deepEqual([some?.embedded, some?.complete], [3000, false]);
      const { outcome: { estimates: [left], tables: [rest] } } = await scene.run(...text);
      assert.ok(left!.rows < 17_000, `${left!.rows}`);
      assert.deepEqual([rest?.embedded, rest?.complete], [left?.rows, true]);
      await scene.holds("iceberg");
    });

    await test.step("with --follow it goes after what is written, and Ctrl-C ends it well", async () => {
      const following = scene.start(...text, "--follow");
      await following.until(/rows to embed/);
      assert.equal((await scene.run("--dry-run", ...text)).code, 0, "a look is taken beside it");
      while (scene.churn.commits < 5) await scene.churn.commit();
      await following.until(/embedding soak\.orders/);
      following.kill("SIGINT");
      assert.equal((await following.ended).status.code, 0);
      const { outcome: { tables: [caughtUp] } } = await scene.run(...text);
      assert.equal(caughtUp?.complete, true);
      await scene.holds("iceberg");
    });

    await test.step("each format's tables may have theirs", async () => {
      for (const format of ["paimon", "delta"]) {
        const { log, outcome } = await scene.run(...text, "--formats", format);
        assert.deepEqual(outcome.tables.map((table) => [table.format, table.complete]), [[format, true]], log);
        await scene.holds(format);
      }
    });

    await test.step("what it cannot work with is told", async () => {
      const refused = async (...flags: string[]) => {
        const { code, outcome } = await scene.run(...flags);
        assert.equal(code, 1);
        return `${outcome.error?.kind}: ${outcome.error?.message}`;
      };
      assert.match(await refused("--model", "hash"), /^configuration: None of the tables says/);
      assert.match(await refused("--embed", "orders:notes"), /^configuration: There is no column "notes" to embed/);
      assert.match(await refused("--tables", "soak.sales", ...text), /^precondition: The lake holds no table/);
    });
  });
});

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).toSorted();
}
