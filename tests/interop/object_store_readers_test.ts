/** pyiceberg, pypaimon and deltalake read from a bucket what the main job wrote and showed there: every row is the source's. */
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
        for (
          const { stage, datasets, ...kind } of [
            {
              ...{ stage: "written", datasets: [accountHolders] },
              flags: { "partition-by": "account_holders=gender,children;accounts=ordinal" },
            },
            { stage: "mirrored", datasets: [accountHolders, transactions], isMirrored: true },
          ]
        ) {
          const at = { url, lake: `${lake}/${stage}` };
          const options = { ...at, tables: { datasets }, icebergVersion: "3", ...kind } as const;
          const before = writer.counts;
          const tables = await captureIntoLake(options, async () => {
            await writer.stream({ payments: 200, churnShare: 0.5 });
          });
          const { updated, deleted, keyChanged } = writer.counts;
          assert.ok(updated > before.updated && deleted > before.deleted && keyChanged > before.keyChanged);
          await readAll({ python, ...at, test }, { tables, stage });
        }
      }),
  );
}
