/**
 * pyiceberg and pypaimon read what the main job wrote, and every row is the source's: PostgreSQL computes the hashes of its
 * rows, DuckDB those of what the readers gave.
 */
import assert from "node:assert/strict";
import type { Dataset, TableDefinition } from "../../lib/dataset/dataset.ts";
import { sourceTable } from "../../lib/dataset/dataset.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { literal } from "../../lib/engine/quote.ts";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { PostgresConnection } from "../../lib/source/postgres/connection.ts";
import { currentRowsOf } from "../../lib/testing/copy_out.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { createChildRows } from "../../lib/transform/child_rows.ts";
import { createFlatten } from "../../lib/transform/flatten.ts";
import { verifyTable } from "../../lib/verify/verify.ts";
import { captureIntoLake, paymentTables } from "./captured_lake.ts";
import { pythonTest, runPython } from "./python_env.ts";

interface ReaderReport {
  readonly rows: number;
  readonly totalFiles: number;
  readonly planned: readonly { readonly filter: string; readonly files: number; readonly rows: number }[];
}

interface Comparison {
  readonly python: string;
  readonly source: PostgresConnection;
  readonly lake: string;
  readonly test: Deno.TestContext;
  readonly stage: string;
}

/** The three lake tables of the main job with the datasets they come from. */
const tables: readonly { readonly dataset: Dataset; readonly definition: TableDefinition }[] = [
  { dataset: accountHolders, definition: createFlatten(accountHolders).define(sourceTable(accountHolders)) },
  { dataset: transactions, definition: createFlatten(transactions).define(sourceTable(transactions)) },
  ...(accountHolders.children ?? []).map((child) => ({
    dataset: accountHolders,
    definition: createChildRows(child).define(sourceTable(accountHolders)),
  })),
];

/** Reads every table with both readers and holds each row against the source. */
async function compareAll(comparison: Comparison): Promise<void> {
  const { python, source, lake, test, stage } = comparison;
  await withDatabase(async ({ folder, connection }) => {
    for (const { dataset, definition } of tables) {
      const { namespace, name } = definition;
      const output = `${folder}/rows.parquet`;
      const readers = [
        [
          "pyiceberg",
          () => runPython<ReaderReport>(python, "iceberg_read.py", [`${lake}/iceberg/${namespace}/${name}`, output]),
        ],
        [
          "pypaimon",
          () => runPython<ReaderReport>(python, "paimon_read.py", [`${lake}/paimon`, `${namespace}.${name}`, output]),
        ],
      ] as const;
      for (const [reader, read] of readers) {
        const report = await read();
        await test.step(`${stage}: ${reader} reads ${report.rows} rows of ${namespace}.${name}`, async () => {
          const found = await verifyTable({
            point: currentRowsOf(source),
            dataset,
            definition,
            scan: `SELECT * FROM read_parquet(${literal(output)})`,
            connection,
            folder,
          });
          const { rows, missing, extra, different } = found;
          assert.deepEqual({ rows, missing, extra, different }, {
            rows: report.rows,
            missing: 0,
            extra: 0,
            different: 0,
          });
        });
      }
    }
  });
}

for (const icebergVersion of ["3", "2"] as const) {
  await pythonTest(
    `independent readers find every row of the main job, Iceberg v${icebergVersion} and Paimon`,
    async (python, test) => {
      await withPostgres(async ({ url, client }) => {
        const lake = await Deno.makeTempDir({ prefix: "weir-lake-" });
        await using writer = await PaymentsWriter.open({ url });
        const source = await PostgresConnection.open(url);
        await writer.load({ holders: 300, payments: 1500 });
        const capture = { url, lake, tables: paymentTables, icebergVersion };
        await captureIntoLake(capture);
        await compareAll({ python, source, lake, test, stage: "after the initial copy" });
        await captureIntoLake(capture, async () => {
          await writer.stream({ payments: 500, churnShare: 0.5 });
          await client.query("ALTER TABLE accountholders ADD COLUMN rating integer");
          await writer.stream({ payments: 500, churnShare: 0.5 });
        });
        await compareAll({ python, source, lake, test, stage: "after updates, deletes, key changes and a new column" });
        await pruned({ python, lake, test });
        await Deno.remove(lake, { recursive: true });
      });
    },
  );
}

/** A day of the Iceberg table and a key of the Paimon table are found without opening every file. */
async function pruned({ python, lake, test }: Pick<Comparison, "python" | "lake" | "test">): Promise<void> {
  const output = `${lake}/pruned.parquet`;
  const day = new Date().toISOString().slice(0, 10);
  const reports = {
    "pyiceberg, by day": await runPython<ReaderReport>(python, "iceberg_read.py", [
      `${lake}/iceberg/payments/transactions`,
      output,
      `eventtime < '${day}T00:00:00+00:00'`,
    ]),
    "pyiceberg, by key": await runPython<ReaderReport>(python, "iceberg_read.py", [
      `${lake}/iceberg/payments/transactions`,
      output,
      "_id = 7",
    ]),
    "pypaimon, by key": await runPython<ReaderReport>(python, "paimon_read.py", [
      `${lake}/paimon`,
      "payments.transactions",
      output,
      "_id=7",
    ]),
  };
  for (const [how, { totalFiles, planned }] of Object.entries(reports)) {
    const files = planned[0]?.files ?? totalFiles;
    await test.step(`${how}: ${files} of ${totalFiles} files planned`, () => {
      assert.ok(files < totalFiles, `${files} of ${totalFiles}`);
      assert.ok((planned[0]?.rows ?? 0) > 0);
    });
  }
}
