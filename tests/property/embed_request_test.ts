/** Vectors that are asked for later, or no more: the tables follow at once, and say why. */
import assert from "node:assert/strict";
import type { CaptureRun } from "../../jobs/wiring/capture_run.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertVerified, captureJob } from "./capture_job.ts";

Deno.test("vectors come and go with --embed at the next start, without a change at the source", async () => {
  await withPostgres(async ({ url, client }) => {
    await withTemporaryFolder(async (lake) => {
      await client.query(
        `CREATE TABLE notes (id int PRIMARY KEY, body text, extra int);
         INSERT INTO notes SELECT i, 'note ' || i, i FROM generate_series(1, 30) i;
         CREATE TABLE others (id int PRIMARY KEY, body text); INSERT INTO others VALUES (1, 'o')`,
      );
      const run = async (embed: readonly string[] | undefined) => {
        let vectors: readonly (number | undefined)[] = [];
        const work = async (run: CaptureRun) => void (vectors = await vectorsIn(run));
        const outcome = await captureJob({
          url,
          lake,
          tables: ["public.notes", "public.others"],
          work,
          ...asked(embed),
        });
        assertVerified(outcome, 2);
        return { notes: outcome.notes, vectors };
      };
      assert.deepEqual((await run(undefined)).vectors, [undefined, undefined, undefined, undefined]);
      const added = await run(["body"]);
      assert.deepEqual(added.vectors, [30, 30, 1, 1]);
      assert.match(
        added.notes,
        /public\.notes is copied again: its lake table lacks embedding_vector, .* declared with now/,
      );
      const same = await run(["body"]);
      assert.deepEqual(same.vectors, [30, 30, 1, 1]);
      assert.doesNotMatch(same.notes, /copied again/);
      const removed = await run(undefined);
      assert.deepEqual(removed.vectors, [undefined, undefined, undefined, undefined]);
      assert.match(removed.notes, /public\.notes is copied again: its lake table has embedding_vector, .* without now/);
      // What the source itself drops or adds is no reason for a copy.
      await client.query("ALTER TABLE notes DROP extra, ADD added int; INSERT INTO notes VALUES (31, 'late', 1)");
      assert.doesNotMatch((await run(undefined)).notes, /copied again/);
    });
  }, { settings: { wal_level: "logical" } });
});

function asked(embed: readonly string[] | undefined): { readonly embed?: readonly string[] } {
  return embed === undefined ? {} : { embed };
}

/** Vectors in each lake table; undefined where it has no such column. */
async function vectorsIn({ plans, lake }: CaptureRun): Promise<readonly (number | undefined)[]> {
  const counts: (number | undefined)[] = [];
  for (const sink of plans.flatMap(({ tables }) => tables).flatMap(({ sinks }) => sinks)) {
    const { columns = [] } = await sink.status();
    const has = columns.some(({ name }) => name === "embedding_vector");
    using scan = await sink.scan();
    const count = `SELECT count(embedding_vector) FROM (${scan?.sql})`;
    counts.push(has ? Number(await lake.connection.value(count)) : undefined);
  }
  return counts;
}
