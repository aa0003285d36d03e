import assert from "node:assert/strict";
import { join } from "node:path";
import { createEmbedder } from "../embed/create_embedder.ts";
import { embedTextFrom } from "../embed/text_declaration.ts";
import { indexFolder } from "../query/similar/index_folder.ts";
import { indexTable } from "../query/similar/index_table.ts";
import { VectorIndex } from "../query/similar/vector_index.ts";
import { stateFolder } from "../settings/state_folder.ts";
import { withDatabase } from "../testing/temporary.ts";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import { VectorLake } from "../testing/vector_lake.ts";
import { type Lake, openLake } from "./lake.ts";
import { projectFolder } from "./project.ts";
import type { QueryResult } from "./query_result.ts";
import { identifier, sql } from "./sql_part.ts";
import { display } from "./table_display.ts";

async function withLake(body: (lake: Lake) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    await using lake = await openLake({ lake: folder });
    await body(lake);
  });
}

Deno.test("vectors on a plane keep the distances that a plane can keep", () =>
  withLake(async (lake) => {
    // Points of a plane, turned into five dimensions and moved: the map is that plane, but for a turn.
    const rows = await lake.sql`
      SELECT range AS id, [3 + p, q, p * 2, 7, -q]::FLOAT[] AS embedding_vector
      FROM (SELECT range, sin(range) * 10 AS p, cos(range * 1.7) AS q FROM range(500))`;
    const map = await lake.vectorMap(rows);
    assert.deepEqual(map.columns.map(({ name }) => name), ["id", "x", "y"]);
    const [worst] = await (await lake.sql`
      SELECT max(abs(list_distance(a.embedding_vector, b.embedding_vector) - sqrt((m.x - n.x) ** 2 + (m.y - n.y) ** 2)))
        AS difference, max(abs(m.y)) < max(abs(m.x)) AS widest_first
      FROM ${rows} AS a JOIN ${rows} AS b ON a.id < b.id AND b.id < 50
      JOIN ${map} AS m ON m.id = a.id JOIN ${map} AS n ON n.id = b.id`).rows();
    assert.ok(Number(worst?.difference) < 1e-3, `distances differ by ${worst?.difference}`);
    assert.equal(worst?.widest_first, true);
  }));

Deno.test("a table and a piece of SQL are laid out as a result is", () =>
  withDatabase(async (fixture) => {
    const notes = new VectorLake(fixture, { format: "delta" });
    await notes.write([{ id: 1, text: "Rent of the flat" }, { id: 2, text: "Petrol" }]);
    await using lake = await openLake({ lake: `${fixture.folder}/lake` });
    for (const rows of [lake.table("notes"), sql`SELECT * FROM desk.notes -- all of them`]) {
      const map = await (await lake.vectorMap(rows)).rows();
      assert.deepEqual(map.map(({ id }) => id).toSorted(), [1n, 2n]);
      assert.ok(map.every(({ x, y }) => typeof x === "number" && typeof y === "number"));
    }
  }));

Deno.test("rows without a whole vector are not on the map, which says how many; a map of none says so", () =>
  withLake(async (lake) => {
    const rows = await lake.sql`SELECT * FROM (VALUES (1, [1, 0]), (2, NULL), (3, [0, 1]), (4, [1, 2, 3]),
      (5, ['NaN'::FLOAT, 1]), (6, [NULL, 1]), (7, ['-inf'::FLOAT, 'inf'::FLOAT])) AS t(id, v)`;
    const map = await lake.vectorMap(rows, { vector: "v" });
    const found = await map.rows();
    assert.deepEqual(found.map(({ id }) => id), [1, 3]);
    assert.ok(found.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)), JSON.stringify(found));
    const text = String(await shown(map));
    assert.match(text, /of 7 rows 1 that have no v\b/);
    assert.match(text, /of 7 rows 4 that have a v of other than 2 dimensions, or with NULL, NaN or an infinity in it/);
    for (const none of [sql`SELECT NULL::FLOAT[] AS v`, sql`SELECT ['NaN'::FLOAT, 1] AS v`]) {
      await assert.rejects(lake.vectorMap(none, { vector: "v" }), { name: "RangeError", message: /v has none of two/ });
    }
  }));

Deno.test("columns that the rows have already give way to those of the map and of the model", () =>
  withLake(async (lake) => {
    const rows = await lake.sql`SELECT range + 7 AS x, 'own' AS Y, [range, 2 * range]::FLOAT[] AS v FROM range(3)`;
    const map = await lake.vectorMap(rows, { vector: "v" });
    assert.deepEqual(map.columns.map(({ name }) => name), ["x", "y"]);
    assert.deepEqual((await map.rows()).map(({ x }) => Math.round(Math.abs(Number(x)))), [2, 0, 2]);
    const embedder = await createEmbedder("hash");
    try {
      const options = { text: embedTextFrom(["note"]), embedder };
      const once = await lake.embed(await lake.sql`SELECT 'Rent' AS note, 'own' AS text`, options);
      const twice = await lake.embed(once, options);
      assert.deepEqual(twice.columns.map(({ name }) => name), ["note", "text", "vector"]);
      assert.equal((await twice.rows())[0]?.text, "note: Rent");
    } finally {
      await embedder.close();
    }
  }));

Deno.test("rows with a column that embedding needs itself are refused by its name, with what to do", () =>
  withLake(async (lake) => {
    const embedder = await createEmbedder("hash");
    try {
      const options = { text: embedTextFrom(["note"]), embedder };
      for (const name of ["_ordinal", "_Delete"]) {
        const rows = sql`SELECT 'Rent' AS note, 7 AS ${identifier(name)}`;
        const message = new RegExp(`RENAME \\(${name} `);
        await assert.rejects(lake.embed(rows, options), { name: "TypeError", message });
        const renamed = await lake.embed(sql`SELECT * RENAME (${identifier(name)} AS other) FROM (${rows})`, options);
        assert.equal((await renamed.rows())[0]?.other, 7);
      }
    } finally {
      await embedder.close();
    }
  }));

Deno.test("rows are embedded in their order, with the text that a job would embed", () =>
  withLake(async (lake) => {
    const embedder = await createEmbedder("hash");
    try {
      const rows = await lake.sql`SELECT range AS id, 'Note ' || (range % 3) AS note, NULL AS other
        FROM range(2501) ORDER BY range DESC`;
      const result = await lake.embed(rows, { text: embedTextFrom(["note", "other"]), embedder });
      const found = await result.rows();
      const first = found.slice(0, 2).map(({ id, text }) => [id, text]);
      assert.deepEqual(first, [[2500n, "note: Note 1"], [2499n, "note: Note 0"]]);
      const vectorOf = (index: number) => found[index]?.vector as readonly number[];
      assert.equal(vectorOf(0).length, embedder.model.dimensions);
      assert.deepEqual(vectorOf(0), vectorOf(2499));
      assert.notDeepEqual(vectorOf(0), vectorOf(1));
      const few = lake.embed(rows, { text: embedTextFrom(["note"]), embedder, most: 10 });
      await assert.rejects(few, { name: "RangeError" });
    } finally {
      await embedder.close();
    }
  }));

Deno.test("the index that the similar job made is asked for the rows of a large table", () =>
  withDatabase(async (fixture) => {
    const notes = new VectorLake(fixture, { format: "iceberg" });
    const [rows, dimensions] = [50_000, 4];
    // Points of a circle, each near its neighbours.
    const vectors = Float32Array.from({ length: rows * dimensions }, (_, index) => {
      const angle = Math.floor(index / dimensions) / rows * 6;
      return [Math.cos(angle), Math.sin(angle), 0, 0][index % dimensions]!;
    });
    await notes.writeVectors(0, { vectors, dimensions });
    const lakeFolder = `${fixture.folder}/lake`;
    const folder = indexFolder(join(projectFolder(), stateFolder), { lake: lakeFolder, table: notes.place });
    try {
      await using lake = await openLake({ lake: lakeFolder });
      const near = { key: { id: 1000 } };
      const find = async (exact: boolean) => {
        const found = await lake.similar("notes", { near, top: 4, columns: ["id"], exact });
        return { ids: (await found.rows()).map(({ id }) => Number(id)).toSorted(), text: String(await shown(found)) };
      };
      assert.match((await find(false)).text, /all compared: there is no index/);
      using index = new VectorIndex(folder);
      await indexTable(notes.lake, { table: notes.place, index });
      assert.match((await find(false)).text, /found by the index$/);
      assert.match((await find(true)).text, /all compared$/);
      const { ids } = await find(false);
      assert.ok(ids.every((id) => Math.abs(id - 1000) < 20), `far: ${ids}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }));

async function shown(result: QueryResult): Promise<unknown> {
  return (await result[display]())["text/plain"];
}
