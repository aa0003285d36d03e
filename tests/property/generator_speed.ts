/** Prints how many rows the generator writes through COPY in a second of this process's CPU time: the best of up to five rounds. */
import process from "node:process";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";

const [url = "", enough = "Infinity"] = Deno.args;
await using writer = await PaymentsWriter.open({ url });
await writer.load({ holders: 2000, payments: 5000 });
let rowsPerCpuSecond = 0;
for (let round = 0; round < 5 && rowsPerCpuSecond < Number(enough); round++) {
  const before = process.cpuUsage();
  await writer.load({ holders: 0, payments: 15_000 });
  const { user, system } = process.cpuUsage(before);
  rowsPerCpuSecond = Math.max(rowsPerCpuSecond, Math.round(30_000 / (user + system) * 1e6));
}
console.log(rowsPerCpuSecond);
