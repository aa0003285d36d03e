/** Filters that the independent readers push down: how many files they plan beside the total, and whether every row is found. */
import assert from "node:assert/strict";
import { PostgresConnection } from "../../lib/source/postgres/connection.ts";
import type { LakeReading } from "./lake_reading.ts";
import { type ReaderReport, readers } from "./readers.ts";

/** The readers that the formats are read with. */
type Reader = "pyiceberg" | "pypaimon" | "deltalake";

/** A filter, and who must open fewer files because of it. */
export interface PrunedFilter {
  /** What it goes by, for the report. */
  readonly how: string;
  /** As {@linkcode TableReading.filters} has it; PostgreSQL reads it too. */
  readonly filter: string;
  readonly fewer: readonly Reader[];
}

/** What {@linkcode planFewer} reads. */
export interface PrunedTable {
  /** `namespace.name` in the lake. */
  readonly table: string;
  /** The table at the source, with its schema. */
  readonly source: string;
  readonly filters: readonly PrunedFilter[];
}

/** Every reader finds as many rows by each filter as the source does; those named for it plan fewer files than there are. */
export async function planFewer(
  { python, url, lake, test }: LakeReading,
  { table, source, filters }: PrunedTable,
): Promise<void> {
  const expected = await countAtSource(
    url,
    filters.map(({ filter }) => `SELECT count(*) FROM ${source} WHERE ${filter}`),
  );
  for (const reader of ["pyiceberg", "pypaimon", "deltalake"] as const) {
    const report: ReaderReport = await readers[reader]({
      ...{ python, lake, table, output: `${lake}/filtered.parquet` },
      filters: filters.map(({ filter }) => filter),
    });
    for (const [index, { how, fewer }] of filters.entries()) {
      const { files, rows } = report.planned[index]!;
      await test.step(`${reader}, ${table} ${how}: ${files} of ${report.totalFiles} files planned`, () => {
        assert.ok(rows > 0);
        assert.equal(rows, expected[index]);
        assert.ok(files < report.totalFiles || !fewer.includes(reader), "fewer files than there are");
      });
    }
  }
}

async function countAtSource(url: string, statements: readonly string[]): Promise<readonly number[]> {
  const connection = await PostgresConnection.open(url);
  try {
    const counts: number[] = [];
    for (const statement of statements) {
      counts.push(Number((await connection.row<{ readonly count: string }>(statement))?.count));
    }
    return counts;
  } finally {
    await connection.close();
  }
}
