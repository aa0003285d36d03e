import assert from "node:assert/strict";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { createEmbedder } from "../embed/create_embedder.ts";
import { embedTextFrom } from "../embed/text_declaration.ts";
import { display } from "../notebook/table_display.ts";
import { lakeTable } from "../query/lake_tables.ts";
import { LakeSink } from "../sink/lake_sink.ts";
import { LocalStorage } from "../storage/local.ts";
import { relationOf } from "../testing/relations.ts";
import { withDatabase } from "../testing/temporary.ts";
import { type PostgresFixture, withPostgres } from "../testing/with_postgres.ts";
import { openSource } from "./open_source.ts";

async function withOrders(body: (fixture: PostgresFixture) => Promise<void>): Promise<void> {
  await withPostgres(async (fixture) => {
    await fixture.client.query(
      `CREATE TABLE orders (id bigint PRIMARY KEY, note text, amount numeric(9, 2));
       INSERT INTO orders VALUES (1, 'Rent', 12.5), (2, 'Petrol', NULL)`,
    );
    await body(fixture);
  });
}

async function slots({ client }: PostgresFixture): Promise<readonly string[]> {
  return (await client.query("SELECT slot_name FROM pg_replication_slots")).rows.map((row) => row.slot_name);
}

Deno.test("a batch is pulled by hand as the rows that it would write, with vectors, and leaves nothing at the source", () =>
  withOrders(async (fixture) => {
    const { client, url } = fixture;
    const embedder = await createEmbedder("hash");
    try {
      await using source = await openSource({
        url,
        tables: ["public.orders"],
        embedder,
        textOf: () => embedTextFrom(["note"]),
      });
      const copy = await source.pullCopy("public.orders");
      assert.equal(copy.rows, 2);
      const copied = await copy.tables.get("public.orders")!.rows();
      assert.deepEqual(copied.map(({ id, amount }) => [id, amount]), [[1n, "12.50"], [2n, null]]);
      assert.equal(await source.pullBatch({ waitMs: 0 }), undefined, "nothing has changed since");

      await client.query(
        "BEGIN; INSERT INTO orders VALUES (3, 'Fees', 1); UPDATE orders SET note = 'Flat' WHERE id = 1",
      );
      await client.query("UPDATE orders SET note = 'House' WHERE id = 1; DELETE FROM orders WHERE id = 2; COMMIT");
      const batch = await source.pullBatch();
      assert.equal(batch?.rows, 4);
      const rows = await batch!.tables.get("public.orders")!.rows();
      assert.deepEqual(
        rows.map(({ change, id, note, embedding_vector }) => [change, id, note, (embedding_vector as number[])?.length])
          .toSorted(([, left], [, right]) => Number(left) - Number(right)),
        [["write", 1n, "House", 128], ["delete", 2n, null, undefined], ["write", 3n, "Fees", 128]],
      );
      assert.match(
        String((await batch![display]())["text/plain"]),
        /public\.orders +2 +1\n.*4 rows of the source, changed/s,
      );
      const written = await source.sql`SELECT id FROM ${batch?.tables.get("public.orders")} WHERE note = ${"Fees"}`;
      assert.deepEqual(await written.rows(), [{ id: 3n }]);
      assert.deepEqual(await slots(fixture), ["weir_notebook"]);
    } finally {
      await embedder.close();
    }
    assert.deepEqual(await slots(fixture), []);
    assert.equal((await client.query("SELECT * FROM pg_publication")).rowCount, 0);
  }));

Deno.test("a slot that a killed notebook left is dropped when the next one opens", () =>
  withOrders(async (fixture) => {
    await fixture.client.query("SELECT pg_create_logical_replication_slot('weir_notebook', 'pgoutput')");
    const source = await openSource({ url: fixture.url, tables: ["public.orders"] });
    await fixture.client.query("INSERT INTO orders VALUES (3, 'Fees', 1)");
    assert.equal((await source.pullBatch())?.rows, 1);
    await source.close();
    assert.deepEqual(await slots(fixture), []);
  }));

Deno.test("a value that the source did not send again is that of the lake", () =>
  withPostgres(async ({ client, url }) => {
    await client.query("CREATE TABLE documents (id bigint PRIMARY KEY, name text, document text)");
    await client.query("ALTER TABLE documents ALTER document SET STORAGE EXTERNAL");
    await client.query("INSERT INTO documents VALUES (1, 'a', repeat('x', 100000))");
    await withDatabase(async ({ folder, connection }) => {
      const definition: TableDefinition = {
        namespace: "public",
        name: "documents",
        key: ["id"],
        columns: [
          { name: "id", type: types.int64, nullable: false },
          { name: "name", type: types.string, nullable: true },
          { name: "document", type: types.string, nullable: true },
        ],
      };
      const place = { format: "iceberg", namespace: "public", name: "documents" } as const;
      const sink = new LakeSink(lakeTable(place, { storage: new LocalStorage(`${folder}/lake`), connection }));
      await sink.commit({
        ...{ definition, schemaChanges: [], truncate: false, scope: ["id"], commitTimeMs: 0 },
        position: { instance: "test:1/1", offset: "0/1" },
        upserts: await relationOf(connection, {
          definition,
          rows: [{ id: "1", name: "'a'", document: "'of the lake'" }],
        }),
      });
      await using source = await openSource({ url, tables: ["public.documents"], lake: `${folder}/lake` });
      await client.query("UPDATE documents SET name = 'b'");
      const batch = await source.pullBatch();
      assert.deepEqual(await batch?.tables.get("public.documents")?.rows(), [
        { change: "write", id: 1n, name: "b", document: "of the lake" },
      ]);
    });
  }));
