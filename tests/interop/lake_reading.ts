/**
 * Lake tables as independent readers see them, held against the source: PostgreSQL computes the hashes of its rows, DuckDB those
 * of what the readers gave, and nothing of Weir reads the lake.
 */
import assert from "node:assert/strict";
import { identifier, literal } from "../../lib/engine/quote.ts";
import { PostgresConnection } from "../../lib/source/postgres/connection.ts";
import { currentRowsOf } from "../../lib/testing/copy_out.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { embeddingColumns } from "../../lib/transform/embedding_columns.ts";
import { verifyTable } from "../../lib/verify/verify.ts";
import type { CapturedTable } from "./captured_lake.ts";
import type { PaimonJava } from "./paimon_java.ts";
import type { Python } from "./python.ts";
import { readBySpark, readers } from "./readers.ts";
import type { Spark } from "./spark.ts";

/** A lake, and what is needed to read it. */
export interface LakeReading {
  readonly python: Python;
  readonly url: string;
  readonly lake: string;
  readonly test: Deno.TestContext;
  /** Where it is given, it reads Iceberg and Delta as well. */
  readonly spark?: Spark | undefined;
  /** Where it is given, it reads Paimon as well. */
  readonly java?: PaimonJava | undefined;
}

interface Reader {
  readonly name: string;
  readonly read: (table: string, output: string) => Promise<{ readonly rows: number }>;
}

function readersOf({ python, lake, spark, java }: LakeReading): readonly Reader[] {
  const names = ["pyiceberg", "pypaimon", "deltalake"] as const;
  return [
    ...names.map((name) => ({
      name,
      read: (table: string, output: string) => readers[name]({ python, lake, table, output }),
    })),
    ...spark === undefined ? [] : (["iceberg", "delta"] as const).map((format) => ({
      name: `Spark's ${format}`,
      read: (table: string, output: string) => readBySpark(format, { spark, lake, table, output }),
    })),
    ...java === undefined ? [] : [{
      name: "Java's paimon",
      read: (table: string, output: string) => java.read({ lake, table, output }),
    }],
  ];
}

/** Reads every table with every reader: each row is the source's, and every reader gives the same vectors. */
export async function readAll(
  reading: LakeReading,
  { tables, stage }: { readonly tables: readonly CapturedTable[]; readonly stage: string },
): Promise<void> {
  const { test } = reading;
  const all = readersOf(reading);
  const source = await PostgresConnection.open(reading.url);
  try {
    await withDatabase(async (fixture) => {
      for (const table of tables) {
        const name = `${table.definition.namespace}.${table.definition.name}`;
        const outputs = all.map((_, index) => `${fixture.folder}/${index}.parquet`);
        const reports = await Promise.all(all.map(({ read }, index) => read(name, outputs[index]!)));
        const scans = outputs.map((output) => `SELECT * FROM read_parquet(${literal(output)})`);
        for (const [index, { rows }] of reports.entries()) {
          await test.step(
            `${stage}: ${all[index]!.name} reads ${rows} rows of ${name}`,
            () => sameAsSource({ source, table, fixture, scan: scans[index]!, rows }),
          );
        }
        await test.step(
          `${stage}: the readers agree about every column of ${name}`,
          () => sameRows(fixture, { table, scans }),
        );
      }
    });
  } finally {
    await source.close();
  }
}

/** What a reader gave, and where it comes from. */
export interface SourceComparison {
  readonly source: PostgresConnection;
  readonly table: CapturedTable;
  readonly fixture: DatabaseFixture;
  /** SELECT of the rows it gave. */
  readonly scan: string;
  /** How many there are to be. */
  readonly rows: number;
}

/** Holds what a reader gave against the source. */
export async function sameAsSource({ source, table, fixture, scan, rows }: SourceComparison): Promise<void> {
  const { missing, extra, different, ...found } = await verifyTable({
    point: currentRowsOf(source),
    ...table,
    scan,
    connection: fixture.connection,
    folder: fixture.folder,
  });
  assert.ok(rows > 0);
  const counts = { rows: found.rows, missing, extra, different };
  assert.deepEqual(counts, { rows, missing: 0, extra: 0, different: 0 }, JSON.stringify(found.mismatches));
}

/** Also what the source cannot speak for: vectors and what travels with them. */
async function sameRows(
  { connection }: DatabaseFixture,
  { table: { definition }, scans }: { readonly table: CapturedTable; readonly scans: readonly string[] },
): Promise<void> {
  const names = definition.columns.map(({ name }) => identifier(name)).join(", ");
  const [left, ...others] = scans.map((scan) => `SELECT ${names} FROM (${scan})`);
  for (const right of others) {
    const differing = await connection.value(
      `SELECT count(*) FROM ((${left} EXCEPT ALL ${right}) UNION ALL (${right} EXCEPT ALL ${left}))`,
    );
    assert.equal(differing, 0n);
  }
  if (!definition.columns.some(({ name }) => name === embeddingColumns[0].name)) return;
  const odd = await connection.value(
    `SELECT count(*) FROM (${left}) WHERE len(embedding_vector) IS DISTINCT FROM embedding_dimensions`,
  );
  assert.equal(odd, 0n, "Every row has a vector");
}
