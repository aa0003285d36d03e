/** pyiceberg and pypaimon read from a bucket what the main job wrote there: every row is the source's. */
import assert from "node:assert/strict";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { captureIntoLake } from "./captured_lake.ts";
import { readAll } from "./lake_reading.ts";
import { lakeIn, objectStoreTests, pointAt, sharedObjectServer } from "./object_server.ts";
import { pythonTest } from "./python_env.ts";

const server = await sharedObjectServer();

await objectStoreTests("independent readers of a bucket", () => {});

if (server !== undefined) {
  await pythonTest(
    "independent readers find every row of the main job in a bucket",
    (python, test) =>
      withPostgres(async ({ url }) => {
        using _environment = pointAt(server);
        const lake = lakeIn(server);
        await using writer = await PaymentsWriter.open({ url, seed: 4 });
        await writer.load({ holders: 200, payments: 1000 });
        const tables = { datasets: [accountHolders, transactions] };
        const streamed = await captureIntoLake({ url, lake, tables, icebergVersion: "3" }, async () => {
          await writer.stream({ payments: 300, churnShare: 0.5 });
        });
        const { updated, deleted, keyChanged } = writer.counts;
        for (const changes of [updated, deleted, keyChanged]) assert.ok(changes > 0);
        await readAll({ python, url, lake, test }, { tables: streamed, stage: "from the bucket" });
      }),
  );
}
