/** Killed at every step of a refresh: searches go on by the index that is there, and the next refresh catches up. */
import assert from "node:assert/strict";
import type { IndexRefresh } from "../../lib/query/similar/index_refresh.ts";
import { indexTable } from "../../lib/query/similar/index_table.ts";
import { similar } from "../../lib/query/similar/similar.ts";
import { VectorIndex } from "../../lib/query/similar/vector_index.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { manyNotes, VectorLake } from "../../lib/testing/vector_lake.ts";
import { JobProcess } from "./job_process.ts";

/** The index that a kill leaves, and what the next refresh has to do then. */
const kills = [
  { point: "index.afterGraph", leaves: "the one before", then: ["added to", 300] },
  { point: "index.afterPublish", leaves: "the new one", then: ["current", 0] },
] as const;

Deno.test("a refresh that is killed leaves an index to search, and the next one catches up", (test) =>
  withDatabase(async (fixture) => {
    const table = new VectorLake(fixture, { format: "iceberg" });
    await table.write(manyNotes(0, 2000));
    using index = new VectorIndex(`${fixture.folder}/index`);
    const refresh = () => indexTable(table.lake, { table: table.place, index, threads: 2 });
    const find = (by: VectorIndex | undefined) =>
      similar(table.lake, { table: table.place, near: { key: { id: 4 } }, index: by, indexFromRows: 0 });
    await refresh();
    for (const [round, { point, leaves, then }] of kills.entries()) {
      await table.write(manyNotes(2000 + round * 300, 300));
      const process = new JobProcess({
        script: new URL("./index_refresh.ts", import.meta.url),
        args: [fixture.folder, point],
        folder: fixture.folder,
      });
      const { status, log } = await process.ended;
      assert.equal(status.signal, "SIGKILL", log);
      await test.step(`${point}: ${leaves}`, async () => {
        const found = await find(index);
        assert.equal(found.scanReason, undefined);
        // An index may miss a few, and knows three digits.
        const least = (await find(undefined)).rows.at(-1)!.similarity - 0.001;
        const near = found.rows.filter(({ similarity }) => similarity >= least).length;
        assert.ok(near >= 8, `${near} of 10`);
        assert.deepEqual(pick(await refresh()), then);
        assert.equal((await find(index)).index?.textsSince, 0);
      });
    }
    await table.write(manyNotes(5000, 1));
    await refresh();
    const left = (await Array.fromAsync(Deno.readDir(`${fixture.folder}/index`))).map(({ name }) => name);
    assert.equal(left.filter((name) => name.endsWith(".graph")).length, 1, left.join(", "));
  }));

function pick({ how, added }: IndexRefresh): readonly unknown[] {
  return [how, added];
}
