/** The verification as a job of its own: beside a job that goes on committing, and where none runs and the source has moved on. */
import assert from "node:assert/strict";
import type { ComparedResult } from "../../jobs/wiring/lake_verification.ts";
import type { VerificationOutcome } from "../../jobs/wiring/verification_outcome.ts";
import { JobProcess } from "./job_process.ts";
import { startJob } from "./real_job.ts";
import { type Scene, untilCapturing, withScene } from "./scene.ts";

interface VerifyEnd {
  readonly code: number;
  readonly outcome: VerificationOutcome;
  readonly log: string;
}

async function verify({ url, folder, lake }: Scene, ...flags: string[]): Promise<VerifyEnd> {
  const job = new JobProcess({
    script: new URL("../../jobs/verify.ts", import.meta.url),
    args: ["--json", "--lake", lake, ...flags],
    folder,
    environment: { POSTGRES_URL: url },
  });
  const { status, output, log } = await job.ended;
  assert.notEqual(output, "", log);
  return { code: status.code, outcome: JSON.parse(output), log };
}

const differing = ({ missing, extra, different }: ComparedResult) => missing + extra + different;

function assertRight({ code, outcome, log }: VerifyEnd, tables: number): void {
  assert.equal(outcome.tables?.length, tables, log);
  for (const found of outcome.tables) {
    assert.deepEqual([found.notCompared, differing(found)], [null, 0], JSON.stringify(found));
    assert.ok(found.rows > 0, JSON.stringify(found));
  }
  assert.deepEqual([code, outcome.ok], [0, true], log);
}

const run = (scene: Scene, ...flags: string[]) =>
  startJob({ job: "pipeline", folder: scene.folder, url: scene.url, flags: ["--lake", scene.lake, ...flags] });

Deno.test("beside a job that goes on committing every row of every format is compared at once or at a later point, and nothing differs", () =>
  withScene(async (scene) => {
    const job = run(scene, "--follow", "--batch-seconds", "0.3", "--formats", "iceberg,delta");
    await untilCapturing(scene.client);
    const stop = new AbortController();
    const writing = scene.writer.stream({ rate: 200, churnShare: 0.1, signal: stop.signal });
    const end = await verify(scene);
    stop.abort();
    await writing;
    job.kill("SIGINT");
    const { status, log } = await job.ended;
    assert.equal(status.code, 0, log);
    assertRight(end, 6);
    for (const { table, rows, setAside } of end.outcome.tables) assert.ok(setAside < rows / 4, `${table}: ${setAside}`);
  }));

Deno.test("where no job runs, rows that the source changed since are set aside, and one that the lake has missed is named", () =>
  withScene(async (scene) => {
    const { client } = scene;
    assert.equal((await run(scene).ended).status.code, 0);
    const still = await verify(scene);
    assertRight(still, 6);
    assert.deepEqual(still.outcome.tables.map(({ setAside }) => setAside), [0, 0, 0, 0, 0, 0]);

    await client.query(
      "UPDATE transactions SET msgtype = 'ZZZ' WHERE _id IN (SELECT _id FROM transactions ORDER BY _id LIMIT 5)",
    );
    const moved = await verify(scene, "--tables", "payments.transactions");
    assertRight(moved, 2);
    assert.deepEqual(moved.outcome.tables.map(({ setAside }) => setAside), [5, 5]);
    assert.deepEqual(
      moved.outcome.tables.map(({ rows }) => rows),
      still.outcome.tables.filter(({ table }) => table === "payments.transactions").map(({ rows }) => rows - 5),
    );

    const { rows: [publication] } = await client.query("SELECT pubname FROM pg_publication");
    await client.query(`ALTER PUBLICATION ${publication.pubname} DROP TABLE transactions`);
    const { rows: [missed] } = await client.query(
      "UPDATE transactions SET msgtype = 'YYY' WHERE _id = (SELECT max(_id) FROM transactions) RETURNING _id::text",
    );
    await client.query(`ALTER PUBLICATION ${publication.pubname} ADD TABLE transactions`);
    const found = await verify(scene, "--tables", "transactions=payments.transactions", "--formats", "paimon");
    assert.deepEqual([found.code, found.outcome.ok], [1, false], found.log);
    const [table] = found.outcome.tables;
    assert.equal(table?.setAside, 5);
    assert.deepEqual(table?.mismatches, [{ kind: "different", key: { _id: missed._id } }]);
    assert.match(found.log, /different in paimon payments\.transactions: _id=/);

    const sampled = await verify(scene, "--tables", "payments.accounts", "--sample", "0.5");
    assertRight(sampled, 2);
    const all = still.outcome.tables.find(({ table }) => table === "payments.accounts")!.rows;
    for (const { rows } of sampled.outcome.tables) assert.ok(rows > 0.3 * all && rows < 0.7 * all, `${rows} of ${all}`);
    const nothing = await verify(scene, "--tables", "payments.none");
    assert.equal(nothing.code, 1);
    assert.match(nothing.log, /The lake holds no table that payments\.none names/);
  }));
