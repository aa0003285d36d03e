/** Rows that several formats write are written once: the others copy the pages, and read as if they had written them themselves. */
import assert from "node:assert/strict";
import type { Relation } from "../../lib/change/relation.ts";
import type { Sink, TableChange } from "../../lib/change/sink.ts";
import type { SharedRows, WrittenRows } from "../../lib/change/written_rows.ts";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { identifier } from "../../lib/engine/quote.ts";
import { sharingRows } from "../../lib/pipeline/sharing_rows.ts";
import { relationOf } from "../../lib/testing/relations.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { holders, position, type SinkFormat } from "./sink_fixture.ts";
import { deltaByVectors, icebergV2, icebergV3, paimonOfOneBucket as paimon } from "./sink_formats.ts";
import { everyRow, everything, sameRows } from "./sink_values.ts";

function changeOf(definition: TableDefinition, upserts: Relation): TableChange {
  const at = { position: position(1), commitTimeMs: 1_700_000_000_000 };
  return { definition, schemaChanges: [], truncate: false, upserts, scope: definition.key, ...at };
}

function sinksOf(fixture: DatabaseFixture, definition: TableDefinition, formats: readonly SinkFormat[]): Sink[] {
  return formats.map((format) => format.lake(fixture).open(definition));
}

/** Every type under names that no format spells in another way of its own. */
const plain: TableDefinition = {
  ...everything,
  key: everything.key.map(plainName),
  columns: everything.columns.map((column) => ({ ...column, name: plainName(column.name) })),
};
const plainRows = everyRow.map((row) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [plainName(name), value]))
);

function plainName(name: string): string {
  return name.replaceAll(" ", "_");
}

/** Data files of the fixture's lakes, the contents up to the footer. */
async function pagesOf(folder: string): Promise<readonly string[]> {
  const pages: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) pages.push(...await pagesOf(path));
    else if (entry.name.endsWith(".parquet")) {
      const bytes = await Deno.readFile(path);
      const footer = new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
      pages.push(bytes.subarray(0, bytes.length - 8 - footer).toHex());
    }
  }
  return pages;
}

for (
  const formats of [[icebergV3, paimon], [icebergV2, paimon, deltaByVectors], [deltaByVectors, icebergV3]]
) {
  const names = formats.map(({ name }) => name).join(", ");
  Deno.test(`every value of every type is written once for ${names}, and comes back from each`, () =>
    withDatabase(async (fixture) => {
      const { connection, folder } = fixture;
      const kept = await relationOf(connection, { definition: plain, rows: plainRows, replaces: true, deletes: false });
      // Whoever reads it again gets it in another order.
      await connection.run(`CREATE VIEW shuffled AS SELECT * FROM ${identifier(kept.name)} ORDER BY random()`);
      const upserts = { ...kept, name: "shuffled" };
      await sharingRows(sinksOf(fixture, plain, formats), async (sink, shared) => {
        await sink.commit({ ...changeOf(plain, upserts), shared });
      });
      for (const sink of sinksOf(fixture, plain, formats)) {
        await sameRows(connection, { expected: kept.name, sink, definition: plain });
      }
      const pages = await pagesOf(folder);
      assert.deepEqual([pages.length, new Set(pages).size], [formats.length, 1]);
    }));
}

Deno.test("columns of odd names are taken over whole", () =>
  withDatabase(async (fixture) => {
    const { connection, folder } = fixture;
    const names = ["a.b", 'a"b', "é", "\ufeffa"];
    const columns = names.map((name) => ({ name, type: types.string, nullable: true }));
    const definition = { ...holders, columns: [...holders.columns.slice(0, 1), ...columns] };
    const rows = [{ id: "1", ...Object.fromEntries(names.map((name, index) => [name, `'${index}'`])) }];
    const upserts = await relationOf(connection, { definition, rows });
    await sharingRows(sinksOf(fixture, definition, [paimon, icebergV3]), async (sink, shared) => {
      await sink.commit({ ...changeOf(definition, upserts), shared });
    });
    const [iceberg] = sinksOf(fixture, definition, [icebergV3]);
    await sameRows(connection, { expected: upserts.name, sink: iceberg!, definition });
    assert.equal(new Set(await pagesOf(folder)).size, 1);
  }));

Deno.test("rows are written anew where the file offered has other columns, or is gone, or the one who offers fails", () =>
  withDatabase(async (fixture) => {
    const { connection, folder } = fixture;
    const rows = [{ id: "1", name: "'a'", balance: "1", seen: "NULL", tags: "['x']" }];
    const upserts = await relationOf(connection, { definition: holders, rows, replaces: true, deletes: false });
    const written = (columns: ReadonlyMap<string, string>): WrittenRows => {
      return { file: `${folder}/gone.parquet`, rows: 1n, columns, statistics: new Map() };
    };
    const all = new Map(holders.columns.map(({ name, type }) => [name, `${name} ${type.kind}`]));
    const offers = [written(all), written(new Map()), undefined];
    for (const [index, offered] of offers.entries()) {
      const definition = { ...holders, name: `holders ${index}` };
      const [sink] = sinksOf(fixture, definition, [icebergV3]);
      const shared: SharedRows = { offered: Promise.resolve(offered) };
      await sink!.commit({ ...changeOf(definition, upserts), shared });
      using scan = await sinksOf(fixture, definition, [icebergV3])[0]!.scan();
      assert.deepEqual(await connection.rows(`SELECT id, name FROM (${scan!.sql})`), [{ id: 1n, name: "a" }]);
    }
    const [iceberg, broken] = sinksOf(fixture, holders, [icebergV3, paimon]);
    const committed: string[] = [];
    const failing = sharingRows([iceberg!, broken!], async (sink, shared) => {
      if (sink === broken) throw new Error("no space");
      await sink.commit({ ...changeOf(holders, upserts), shared });
      committed.push(sink.table.format);
    });
    await assert.rejects(failing, /no space/);
    assert.deepEqual(committed, ["iceberg"]);
  }));
