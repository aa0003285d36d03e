import assert from "node:assert/strict";
import { withDatabase } from "../testing/temporary.ts";
import { UpkeepWorker } from "./upkeep_worker.ts";

Deno.test("a worker that is stopped breaks off what it does, and does nothing any more", async () => {
  await withDatabase(async ({ database }) => {
    const connection = await database.connect();
    const worker = new UpkeepWorker(connection);
    assert.equal(await worker.run((own) => own.value("SELECT 42")), 42);
    const endless = worker.run((own) => {
      const sum = own.value("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b");
      // DuckDB has hardly begun.
      worker.stop();
      return sum;
    });
    const after = worker.run((own) => own.value("SELECT 1"));
    await assert.rejects(endless, { kind: "interrupted" });
    await assert.rejects(after, { kind: "interrupted" });
    connection.close();
  });
});
