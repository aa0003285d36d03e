/** A source over a new server, and the ways the property tests read what it hands out. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type pg from "pg";
import type { DatasetChanges, MicroBatch } from "../../lib/change/micro_batch.ts";
import type { Position } from "../../lib/change/position.ts";
import type { InitialCopyPart } from "../../lib/change/source.ts";
import { sourceTable } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { readSpool } from "../../lib/fold/spool_reader.ts";
import { PostgresSource } from "../../lib/source/postgres/source.ts";
import type { PostgresSourceOptions } from "../../lib/source/postgres/source_options.ts";
import { shownSpool } from "../../lib/testing/scripted_spool.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";

/** What a test gets. */
export interface SourceFixture {
  readonly client: pg.Client;
  readonly url: string;
  readonly server: { restart(): Promise<void> };
  readonly connection: Connection;
  readonly folder: string;
  /** A source with short waits; closed, with its slot and publication dropped, when the test ends. */
  open(options: Partial<PostgresSourceOptions> & Pick<PostgresSourceOptions, "tables">): Promise<PostgresSource>;
}

/** Runs a body with a server and an engine. */
export async function withSource(body: (fixture: SourceFixture) => Promise<void>): Promise<void> {
  await withPostgres(async ({ client, url, server }) => {
    await withDatabase(async ({ connection, folder }) => {
      const opened: PostgresSource[] = [];
      const open: SourceFixture["open"] = async (options) => {
        for (const source of opened.splice(0)) await finish(source);
        const source = new PostgresSource({
          url,
          folder: join(folder, `source${crypto.randomUUID()}`),
          batchMs: 20,
          heartbeatMs: 100,
          statusMs: 100,
          ...options,
        });
        opened.push(source);
        await source.start([]);
        return source;
      };
      try {
        await body({ client, url, server, connection, folder, open });
      } finally {
        for (const source of opened) await finish(source);
      }
    });
  }, { settings: { max_prepared_transactions: "0" } });
}

async function finish(source: PostgresSource): Promise<void> {
  await source.close();
  await source.teardown();
  await source.close();
}

/** The whole initial copy. */
export async function copyAll(source: PostgresSource): Promise<readonly InitialCopyPart[]> {
  const parts: InitialCopyPart[] = [];
  for await (const part of source.copy(source.datasets, new AbortController().signal)) parts.push(part);
  return parts;
}

/** Opens a source and copies, so that the stream starts at a known position. */
export async function streaming(
  fixture: SourceFixture,
  tables: readonly string[],
): Promise<{ source: PostgresSource; after: Position }> {
  const source = await fixture.open({ tables });
  const parts = await copyAll(source);
  const after = parts.at(-1)?.position;
  assert.ok(after);
  return { source, after };
}

/** The source's log end: what is committed now lies before it. */
async function currentPosition(client: pg.Client, instance: string): Promise<Position> {
  const result = await client.query("SELECT pg_current_wal_insert_lsn()::text AS lsn");
  return { instance, offset: result.rows[0].lsn };
}

/** The batches after a position up to what is committed now, the last one ending there. */
export async function changesUntilNow(
  source: PostgresSource,
  after: Position,
  client: pg.Client,
): Promise<readonly MicroBatch[]> {
  const now = await currentPosition(client, after.instance);
  // A keepalive names the end of the last record only once a later one was read.
  await client.query("SELECT pg_logical_emit_message(true, 'weir', 'end')");
  return await changesUntil(source, after, now);
}

/** The batches between two positions. */
export async function changesUntil(
  source: PostgresSource,
  after: Position,
  to: Position,
): Promise<readonly MicroBatch[]> {
  const batches: MicroBatch[] = [];
  if (source.compare(after, to) >= 0) return batches;
  for await (const batch of source.changes(after, [to], new AbortController().signal)) {
    batches.push(batch);
    if (source.compare(batch.to, to) >= 0) break;
  }
  return batches;
}

/** The changes of one table, batch by batch. */
export function changesOf(batches: readonly MicroBatch[], table: string): readonly DatasetChanges[] {
  return batches.flatMap((batch) => batch.changes.get(table) ?? []);
}

/** Lines of a change segment, for tables whose values hold no line ends. */
export async function spoolLines(changes: readonly DatasetChanges[]): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const segment of changes.flatMap(({ segments }) => segments)) {
    for (const path of segment.paths) texts.push(await Deno.readTextFile(path));
  }
  return shownSpool(texts.join("")).split("\n").filter((line) => line !== "");
}

/** Reads changes into a typed table of the engine. */
export async function readTyped(
  connection: Connection,
  options: { readonly source: PostgresSource; readonly changes: DatasetChanges; readonly table: string },
): Promise<void> {
  const dataset = options.source.datasets.find(({ source }) =>
    `${source.namespace}.${source.table}` === options.changes.source
  );
  if (dataset === undefined) throw new RangeError(`Cannot read ${options.changes.source}: it is not captured`);
  await readSpool({ connection, changes: options.changes, definition: sourceTable(dataset), table: options.table });
}
