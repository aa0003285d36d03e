import assert from "node:assert/strict";
import { withPostgres } from "../../lib/testing/with_postgres.ts";

const enough = 40_000;

// CPU time, for others use the machine too, and of a process of its own: `deno task bench generate` takes the time.
Deno.test("half a core is enough to write 20,000 rows a second", () =>
  withPostgres(async ({ url }) => {
    const script = new URL("generator_speed.ts", import.meta.url).pathname;
    const args = ["run", "-q", "--no-prompt", "-P=test", script, url, String(enough)];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const rowsPerCpuSecond = Number(new TextDecoder().decode(stdout));
    console.log(`      payments: ${rowsPerCpuSecond} rows a CPU-second through COPY`);
    assert.ok(rowsPerCpuSecond >= enough);
  }));
