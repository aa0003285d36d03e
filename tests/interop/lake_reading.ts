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
import type { Python } from "./python.ts";
import { readers } from "./readers.ts";

/** A lake, and what is needed to read it. */
export interface LakeReading {
  readonly python: Python;
  readonly url: string;
  readonly lake: string;
  readonly test: Deno.TestContext;
}

const all = ["pyiceberg", "pypaimon", "deltalake"] as const;

/** Reads every table with every reader: each row is the source's, and every reader gives the same vectors. */
export async function readAll(
  { python, url, lake, test }: LakeReading,
  { tables, stage }: { readonly tables: readonly CapturedTable[]; readonly stage: string },
): Promise<void> {
  const source = await PostgresConnection.open(url);
  try {
    await withDatabase(async (fixture) => {
      for (const table of tables) {
        const name = `${table.definition.namespace}.${table.definition.name}`;
        const reports = await Promise.all(all.map((reader) => {
          return readers[reader]({ python, lake, table: name, output: fileOf(fixture, reader) });
        }));
        for (const [index, { rows, totalFiles }] of reports.entries()) {
          const reader = all[index]!;
          await test.step(
            `${stage}: ${reader} reads ${rows} rows of ${name} in ${totalFiles} files`,
            () => sameAsSource({ source, table, fixture, reader, rows }),
          );
        }
        await test.step(`${stage}: the readers agree about every column of ${name}`, () => sameRows(fixture, table));
      }
    });
  } finally {
    await source.close();
  }
}

interface SourceComparison {
  readonly source: PostgresConnection;
  readonly table: CapturedTable;
  readonly fixture: DatabaseFixture;
  readonly reader: string;
  readonly rows: number;
}

async function sameAsSource({ source, table, fixture, reader, rows }: SourceComparison): Promise<void> {
  const { missing, extra, different, ...found } = await verifyTable({
    point: currentRowsOf(source),
    ...table,
    scan: scanOf(fixture, reader),
    connection: fixture.connection,
    folder: fixture.folder,
  });
  assert.ok(rows > 0);
  const counts = { rows: found.rows, missing, extra, different };
  assert.deepEqual(counts, { rows, missing: 0, extra: 0, different: 0 }, JSON.stringify(found.mismatches));
}

/** Also what the source cannot speak for: vectors and what travels with them. */
async function sameRows(fixture: DatabaseFixture, { definition }: CapturedTable): Promise<void> {
  const { connection } = fixture;
  const names = definition.columns.map(({ name }) => identifier(name)).join(", ");
  const [left, ...others] = all.map((reader) => `SELECT ${names} FROM (${scanOf(fixture, reader)})`);
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

function fileOf({ folder }: DatabaseFixture, reader: string): string {
  return `${folder}/${reader}.parquet`;
}

function scanOf(fixture: DatabaseFixture, reader: string): string {
  return `SELECT * FROM read_parquet(${literal(fileOf(fixture, reader))})`;
}
