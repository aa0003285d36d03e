/** pyiceberg, pypaimon and deltalake read what the main job wrote: every row is the source's, and a filter opens fewer files. */
import assert from "node:assert/strict";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { captureIntoLake } from "./captured_lake.ts";
import { type LakeReading, readAll } from "./lake_reading.ts";
import { pythonTest } from "./python_env.ts";
import { planFewer } from "./pruning.ts";

await pythonTest(
  "independent readers find every row of the main job, Iceberg v3, Paimon and Delta",
  (python, test) =>
    withPostgres(({ url, client }) =>
      withTemporaryFolder(async (lake) => {
        await using writer = await PaymentsWriter.open({ url, seed: 4 });
        await writer.load({ holders: 300, payments: 1500 });
        const capture = {
          url,
          lake,
          tables: { datasets: [accountHolders, transactions] },
          icebergVersion: "3" as const,
        };
        const reading = { python, url, lake, test };
        const copied = await captureIntoLake(capture);
        await readAll(reading, { tables: copied, stage: "after the initial copy" });
        const streamed = await captureIntoLake(capture, async () => {
          await writer.stream({ payments: 500, churnShare: 0.5 });
          await client.query("ALTER TABLE accountholders ADD COLUMN rating integer");
          await client.query("UPDATE accountholders SET rating = _id % 5 WHERE _id % 2 = 0");
          await writer.stream({ payments: 500, churnShare: 0.5 });
        });
        const { updated, deleted, keyChanged } = writer.counts;
        for (const changes of [updated, deleted, keyChanged]) assert.ok(changes > 0);
        const holders = streamed.find(({ definition }) => definition.name === accountHolders.name);
        assert.ok(holders?.definition.columns.some(({ name }) => name === "rating"));
        const stage = `after ${updated} updates, ${deleted} deletes, ${keyChanged} key changes and a new column`;
        await readAll(reading, { tables: streamed, stage });
        await findsLess(reading);
      })
    ),
);

const dayMs = 86_400_000;

/** A day of the transactions and one of them are found without opening every file. */
async function findsLess(reading: LakeReading): Promise<void> {
  const [from, to] = [3, 2].map((daysAgo) => new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10));
  await planFewer(reading, {
    table: "payments.transactions",
    source: "public.transactions",
    filters: [
      // Iceberg's table is partitioned by the day, Delta's has files by the day. In Paimon's only the key's bounds leave files out.
      {
        how: "by day",
        filter: `eventtime >= '${from}T00:00:00+00:00' AND eventtime < '${to}T00:00:00+00:00'`,
        fewer: ["pyiceberg", "deltalake"],
      },
      { how: "by key", filter: "_id = 7", fewer: ["pyiceberg", "pypaimon", "deltalake"] },
    ],
  });
}
