/** Texts that a static model knows little or nothing of, through the jobs as users run them. */
import assert from "node:assert/strict";
import type { CaptureRun } from "../../jobs/wiring/capture_run.ts";
import type { ReembeddingOutcome } from "../../jobs/wiring/reembedding_outcome.ts";
import { createEmbedder } from "../../lib/embed/create_embedder.ts";
import { modelVersion, textBatch } from "../../lib/embed/embedder.ts";
import {
  scattered,
  smallTokenizer,
  tensorOf,
  tokensOf,
  writeStaticModel,
} from "../../lib/testing/static_model_files.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { type PostgresFixture, withPostgres } from "../../lib/testing/with_postgres.ts";
import { JobProcess } from "../crash/job_process.ts";
import { assertVerified, captureJob } from "./capture_job.ts";

/** What stands in a row, and the text that it is embedded by. The column's name is its label, which the small model does not know. */
const label = "ø";
const contents: readonly (readonly [string | null, string])[] = [
  ["town", "ø: town"],
  ["cape town 🎉", "ø: cape town 🎉"],
  [null, "Empty record"],
  ["", "Empty record"],
  ["   ", "Empty record"],
  ["🎉🎊", "ø: 🎉🎊"],
  ["日本", "ø: 日本"],
  ["\u200b", "ø: \u200b"],
  ["payment ".repeat(2 ** 17), `ø: ${"payment ".repeat(1024)}`.slice(0, 8192)],
  ["🎉".repeat(2 ** 18), `ø: ${"🎉".repeat(8189)}`],
];

interface Stored {
  readonly id: number;
  readonly version: string;
  readonly vector: readonly number[] | null;
}

async function storedIn({ plans, lake }: CaptureRun): Promise<readonly (readonly Stored[])[]> {
  const tables: Stored[][] = [];
  for (const sink of plans.flatMap((plan) => plan.tables).flatMap((table) => table.sinks)) {
    using scan = await sink.scan();
    const rows = await lake.connection.rows(
      `SELECT id, embedding_model, to_json(embedding_vector)::VARCHAR AS vector FROM (${scan!.sql}) ORDER BY id`,
    );
    tables.push(rows.map(({ id, embedding_model, vector }) => ({
      id: Number(id),
      version: String(embedding_model),
      vector: vector === null ? null : JSON.parse(String(vector)),
    })));
  }
  return tables;
}

/** Each text's vector as the model gives it alone; undefined where it gives none. */
async function ownVectors(model: string, texts: readonly string[]) {
  const embedder = await createEmbedder(model);
  const vectors: (Float32Array | undefined)[] = [];
  for (const text of texts) {
    const batch = await embedder.embed(textBatch([text]));
    vectors.push(batch.failures.length > 0 ? undefined : batch.vectors);
  }
  await embedder.close();
  return { version: modelVersion(embedder.model), vectors };
}

/** Every table of every format has for row `i` the model's own vector of text `i`, or none where the model has none. */
async function holds(model: string, tables: readonly (readonly Stored[])[], texts: readonly string[]): Promise<void> {
  const own = await ownVectors(model, texts);
  assert.equal(tables.length, 2);
  for (const rows of tables) {
    assert.deepEqual(rows.map(({ id }) => id), texts.map((_, id) => id));
    for (const { id, version, vector } of rows) {
      const expected = own.vectors[id];
      assert.equal(version, own.version);
      if (expected === undefined || vector === null) assert.deepEqual([id, vector], [id, expected ?? null]);
      else {
        assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5, `row ${id}`);
        vector.forEach((value, at) => assert.ok(Math.abs(value - expected[at]!) < 1e-5, `row ${id}`));
      }
    }
  }
}

async function fill({ client }: PostgresFixture): Promise<void> {
  await client.query(`CREATE TABLE notes (id int PRIMARY KEY, "${label}" text)`);
  for (const [id, [content]] of contents.entries()) {
    await client.query("INSERT INTO notes VALUES ($1, $2)", [id, content]);
  }
}

const texts = contents.map(([, text]) => text);

Deno.test("the shipped model has a vector for the record of every text: none is zero, none fails", () =>
  onServer(async (fixture, folder) => {
    await fill(fixture);
    let stored: readonly (readonly Stored[])[] = [];
    const outcome = await captureJob({
      url: fixture.url,
      lake: `${folder}/lake`,
      tables: ["public.notes"],
      flags: { model: "weir" },
      embed: [label],
      work: async (run) => void (stored = await storedIn(run)),
    });
    assertVerified(outcome, 1);
    assert.equal(outcome.deadLetters, 0);
    await holds("weir", stored, texts);
  }));

Deno.test("a text that a static model cannot embed leaves a null and a dead letter, and the stream goes on", (test) =>
  onServer(async (fixture, folder) => {
    const model = `${folder}/model`;
    await writeColonlessModel(model);
    await fill(fixture);
    const failing = (await ownVectors(model, texts)).vectors.filter((vector) => vector === undefined).length;
    assert.ok(failing > 2 && failing < texts.length - 2, `${failing}`);

    await test.step("in the job that captures", async () => {
      const outcome = await captureJob({
        url: fixture.url,
        lake: `${folder}/lake`,
        tables: ["public.notes"],
        flags: { model },
        embed: [label],
        work: async (run) => {
          await run.pipeline.streaming;
          await holds(model, await storedIn(run), texts);
          assert.equal(run.deadLetters.count, failing);
          await fixture.client.query(
            `UPDATE notes SET "${label}" = '🎉' WHERE id = 0; UPDATE notes SET "${label}" = 'bank' WHERE id = 5;
             INSERT INTO notes VALUES (${texts.length}, '🎊'), (${texts.length + 1}, 'card')`,
          );
          await until(async () => (await storedIn(run)).every((rows) => rows.length === texts.length + 2));
          const now = [`${label}: 🎉`, ...texts.slice(1), `${label}: 🎊`, `${label}: card`];
          now[5] = `${label}: bank`;
          await holds(model, await storedIn(run), now);
          assert.equal(run.deadLetters.count, failing + 2);
        },
      });
      assertVerified(outcome, 1);
    });

    await test.step("in the job that makes vectors beside the tables", async () => {
      const { status, output, log } = await new JobProcess({
        script: new URL("../../jobs/embed.ts", import.meta.url),
        args: ["--json", "--lake", "lake", "--model", model, "--dead-letter-share", "1"],
        folder,
      }).ended;
      assert.equal(status.code, 0, log);
      const { tables: [done] } = JSON.parse(output) as ReembeddingOutcome;
      const rows = texts.length + 2;
      assert.deepEqual([done?.embedded, done?.failed, done?.complete], [rows - failing - 1, failing + 1, true]);
    });
  }));

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!await isSo()) {
    assert.ok(performance.now() < endMs, "it takes too long");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A static model that does not know what stands behind each label, so that a record may hold nothing that it knows. */
async function writeColonlessModel(folder: string): Promise<void> {
  const file = JSON.parse(smallTokenizer());
  delete file.model.vocab[":"];
  const tokenizer = JSON.stringify(file);
  const tokens = tokensOf(tokenizer);
  await Deno.mkdir(folder);
  const embeddings = tensorOf("F32", [tokens, 16], scattered(tokens * 16, 1));
  await writeStaticModel(folder, { tokenizer, tensors: { embeddings } });
}

function onServer(body: (fixture: PostgresFixture, folder: string) => Promise<void>): Promise<void> {
  const settings = { wal_level: "logical" };
  return withPostgres((fixture) => withTemporaryFolder((folder) => body(fixture, folder)), { settings });
}
