/** The names that Weir's statements give to what they compute can be those of a table's columns too. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { Column } from "../../lib/dataset/column.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Embedder } from "../../lib/embed/embedder.ts";
import { createHashModel } from "../../lib/embed/hash_model.ts";
import { embedTextFrom } from "../../lib/embed/text_declaration.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { identifier } from "../../lib/engine/quote.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import { lakeTable } from "../../lib/query/lake_tables.ts";
import { indexTable } from "../../lib/query/similar/index_table.ts";
import { similar } from "../../lib/query/similar/similar.ts";
import { VectorIndex } from "../../lib/query/similar/vector_index.ts";
import { Reembed } from "../../lib/reembed/reembed.ts";
import { lakeNames } from "../../lib/source/postgres/lake_names.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { changeRelation, transformFixture } from "../../lib/testing/transform_context.ts";
import { createChildRows } from "../../lib/transform/child_rows.ts";
import { createEmbed } from "../../lib/transform/embed.ts";
import { createFlatten } from "../../lib/transform/flatten.ts";

const folders = ["lib/embed", "lib/fold", "lib/transform", "lib/reembed", "lib/query/similar"];

/** Names that statements have of their own: after AS, and of lambdas. As lake columns: what Weir keeps for itself is renamed. */
async function ownNames(): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const folder of folders) {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".ts") || name.endsWith("_test.ts")) continue;
      const source = await Deno.readTextFile(`${folder}/${name}`);
      for (const [, found] of source.matchAll(/(?:\bAS|lambda) ([a-z_]+)/g)) names.add(found!);
    }
  }
  for (const known of ["place", "hash", "label", "vector", "_hash", "_row", "similarity"]) names.add(known);
  const others = [...names].filter((name) => !name.startsWith("embedding_"));
  return lakeNames(others).filter((name, index) => name === others[index] || !others.includes(name));
}

/** Which columns a table has beside those that are read. */
interface Named {
  readonly key: readonly string[];
  /** Without a value in any row. */
  readonly empty?: readonly string[];
}

/** The columns named so, a text that is read, and a document. */
function definitionOf({ key, empty = [] }: Named): TableDefinition {
  const column = (nullable: boolean) => (name: string): Column => ({ name, type: types.string, nullable });
  const columns = [...key.map(column(false)), ...[...empty, "said", "json_said"].map(column(true))];
  return { namespace: "odd", name: "names", columns, key };
}

/** Rows told apart by every column of the key, and by nothing that looks like a text's hash or place. */
function rowsSql(
  { key, empty = [] }: Named,
  { rows, said, document = "NULL" }: { readonly rows: number; readonly said: string; readonly document?: string },
): string {
  const values = [
    ...key.map((name, index) => `'${index} of ' || i AS ${identifier(name)}`),
    ...empty.map((name) => `NULL::VARCHAR AS ${identifier(name)}`),
  ];
  return `SELECT ${values.join(", ")}, ${said} AS said, ${document} AS json_said FROM range(${rows}) AS numbers(i)`;
}

function embedderOf(revision: string): Embedder {
  const { model, embedInto } = createHashModel(128);
  return {
    model: { ...model, revision },
    maxBatchesInFlight: 1,
    async embed(texts) {
      const vectors = new Float32Array((texts.offsets.length - 1) * 128);
      return { vectors, failures: await embedInto(texts, vectors) };
    },
    close: () => Promise.resolve(),
  };
}

/** Number of rows whose vector is not the one that the text of that row alone has. */
async function wrongVectors(
  connection: Connection,
  { rows, texts }: { readonly rows: string; readonly texts: string },
) {
  const wrong = `SELECT count(*) FROM (${rows}) AS had JOIN (${texts}) AS wanted ON had.number = wanted.number
    WHERE array_cosine_similarity(had.found::FLOAT[128], wanted.found::FLOAT[128]) < 0.999
      OR had.found IS NULL OR wanted.found IS NULL`;
  const joined = await connection.value(
    `SELECT count(*) FROM (${rows}) AS had JOIN (${texts}) AS wanted USING (number)`,
  );
  return [joined, await connection.value(wrong)];
}

const tables: Readonly<Record<string, (names: readonly string[]) => Named>> = {
  "a key": (names) => ({ key: names }),
  "columns without a value": (names) => ({ key: ["id"], empty: names.filter((name) => name !== "id") }),
};

for (const [what, namedOf] of Object.entries(tables)) {
  const promise =
    `${what} named as what statements compute: rows get the vectors of their own texts, before and after a ` +
    "change, in a table beside them and in an index";
  Deno.test(promise, () => withDatabase((fixture) => keepsVectors(fixture, namedOf)));
}

async function keepsVectors(
  { connection, folder }: { readonly connection: Connection; readonly folder: string },
  namedOf: (names: readonly string[]) => Named,
): Promise<void> {
  const all = await ownNames();
  assert.ok(all.length > 20);
  const named = namedOf(all);
  const names = named.key;
  const definition = definitionOf(named);
  const text = embedTextFrom(["said"]);
  const lake = { storage: new LocalStorage(`${folder}/lake`), connection };
  const place = { format: "iceberg", namespace: "odd", name: "names" } as const;
  const sink = new LakeSink(lakeTable(place, lake));
  let commits = 0;
  const embed = createEmbed({ text, embedder: embedderOf("1") });
  const commit = async (select: string) => {
    const { context, letters } = transformFixture(connection, async (keys, columns) => {
      const scan = await sink.scan();
      return scan &&
        `SELECT ${[...names, ...columns].map(identifier).join(", ")} FROM (${scan.sql}) SEMI JOIN ${
          identifier(keys.name)
        } USING (${names.map(identifier).join(", ")})`;
    });
    const prefix = `commit_${++commits}_`;
    const input = await changeRelation(connection, { definition, select });
    const upserts = await embed.apply(input, { ...context, temporaryName: (purpose) => prefix + purpose });
    assert.deepEqual(letters, []);
    await sink.commit({
      ...{ upserts, definition: upserts.definition, schemaChanges: [], truncate: false, scope: names },
      ...{ position: { instance: "test", offset: String(commits) }, commitTimeMs: 0 },
    });
  };
  await commit(rowsSql(named, { rows: 40, said: "'word ' || i" }));
  // Every second text changes; the others keep the vector they have.
  const changed = "CASE WHEN i % 2 = 0 THEN 'word ' || i ELSE 'other ' || i END";
  await commit(
    `SELECT *, true AS _replaces FROM (${rowsSql(named, { rows: 40, said: changed })}) ORDER BY said DESC`,
  );
  assert.deepEqual({ ...embed.counts }, { embedded: 60, reused: 20, failed: 0 });
  const fresh = await commitFree(connection, { definition, select: rowsSql(named, { rows: 40, said: changed }) });
  const numbered = (sql: string) =>
    `SELECT ${identifier(names[0]!)} AS number, embedding_vector AS found FROM (${sql})`;
  using scan = (await sink.scan())!;
  assert.deepEqual(await wrongVectors(connection, { rows: numbered(scan.sql), texts: numbered(fresh) }), [40n, 0n]);

  const beside = new LakeSink(lakeTable({ ...place, namespace: "beside" }, lake));
  const reembed = new Reembed({
    ...{ connection, text, embedder: embedderOf("2"), table: definition, sink: beside },
    scan: async () => (await sink.scan())!,
    signal: new AbortController().signal,
    writeLetters: () => Promise.resolve(),
  });
  assert.deepEqual(await reembed.run(), { embedded: 40, failed: 0, removed: 0, complete: true });
  assert.equal(await reembed.pending(), 0);
  using besideScan = (await beside.scan())!;
  const pair = { rows: numbered(besideScan.sql), texts: numbered(fresh) };
  assert.deepEqual(await wrongVectors(connection, pair), [40n, 0n]);

  using index = new VectorIndex(`${folder}/index`);
  assert.equal((await indexTable(lake, { table: place, index })).added, 40);
  const key = Object.fromEntries(names.map((name, at) => [name, `${at} of 7`]));
  const found = await similar(lake, { table: place, near: { key }, index, indexFromRows: 0, top: 3 });
  assert.deepEqual([found.rows.length, found.comparable, found.scanReason], [3, 40n, undefined]);
}

/** SELECT of rows that were embedded without a lake. */
async function commitFree(
  connection: Connection,
  { definition, select }: { readonly definition: TableDefinition; readonly select: string },
): Promise<string> {
  const { context } = transformFixture(connection);
  const input = await changeRelation(connection, { definition, select });
  const embed = createEmbed({ text: embedTextFrom(["said"]), embedder: embedderOf("1") });
  const { name } = await embed.apply(input, { ...context, temporaryName: (purpose) => `free_${purpose}` });
  return `FROM ${identifier(name)}`;
}

Deno.test("a key that is named as what statements compute stands in dead letters as it is, and beside what was read out of JSON", () =>
  withDatabase(async ({ connection }) => {
    // `ordinal` is a column of the child's own.
    const names = (await ownNames()).filter((name) => name !== "ordinal");
    const definition = definitionOf({ key: names });
    const document =
      `CASE WHEN i = 3 THEN '{"n": "x", "list": [{"n": "x"}]}' ELSE '{"n": 1, "list": [{"n": ' || i || '}]}' END`;
    const select = rowsSql({ key: names }, { rows: 5, said: "'a'", document });
    const number: Column = { name: "number", type: types.int32, nullable: true };
    const flatten = createFlatten({
      ...definition,
      source: { namespace: "odd", table: "names" },
      projections: [{ column: number, from: "json_said", path: ["n"] }],
    });
    const children = createChildRows({
      ...{ name: "children", from: "json_said", columns: [number] },
      arrays: [{ path: ["list"], columns: { number: { path: ["n"] } } }],
    });
    for (const transform of [flatten, children]) {
      const { context, letters } = transformFixture(connection);
      const input = await changeRelation(connection, { definition, select });
      const prefix = transform.name.replaceAll(" ", "_");
      const { name } = await transform.apply(input, { ...context, temporaryName: (purpose) => prefix + purpose });
      const [{ key: letterKey } = {}] = letters;
      assert.equal(letters.length, 1);
      const { ordinal: _, ...held } = JSON.parse(letterKey!) as Record<string, unknown>;
      assert.deepEqual(held, Object.fromEntries(names.map((name, at) => [name, `${at} of 3`])));
      const rows = await connection.rows(
        `SELECT ${names.map(identifier).join(", ")} FROM ${identifier(name)} ORDER BY _ordinal`,
      );
      assert.deepEqual(
        rows.map((row) => Object.values(row)),
        [0, 1, 2, 3, 4].map((row) => names.map((_, at) => `${at} of ${row}`)),
      );
    }
  }));
