import assert from "node:assert/strict";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Embedder, TextBatch, VectorBatch } from "../embed/embedder.ts";
import { embedTextFrom } from "../embed/text_declaration.ts";
import type { Connection } from "../engine/connection.ts";
import { WeirError } from "../errors.ts";
import { withDatabase } from "../testing/temporary.ts";
import { changeRelation, transformFixture } from "../testing/transform_context.ts";
import { createEmbed } from "./embed.ts";

const definition: TableDefinition = {
  namespace: "test",
  name: "notes",
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "note", type: types.string, nullable: true },
    { name: "price", type: types.int32, nullable: true },
  ],
  key: ["id"],
};

const text = embedTextFrom(["note"], "Nothing");

/** What the {@linkcode AngleModel} gives for some texts instead. */
type Misbehaviour = (text: string) => readonly number[] | { readonly reason: string } | undefined;

/** Two floats a text: the direction of the first number in it, in degrees. Remembers the texts it was given. */
class AngleModel implements Embedder {
  readonly model;
  readonly maxBatchesInFlight = 4;
  readonly texts: string[] = [];
  readonly #misbehave: Misbehaviour;

  constructor(misbehave: Misbehaviour = () => undefined, revision = "1") {
    this.model = { id: "angle", revision, dimensions: 2, semantic: false };
    this.#misbehave = misbehave;
  }

  async embed({ bytes, offsets }: TextBatch): Promise<VectorBatch> {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const texts = Array.from(offsets.subarray(1), (end, index) => decoder.decode(bytes.subarray(offsets[index], end)));
    this.texts.push(...texts);
    // Batches end in another order than they were given in.
    await new Promise((resolve) => setTimeout(resolve, this.texts.length % 3));
    const failures: { text: number; reason: string }[] = [];
    const vectors = texts.flatMap((text, index) => {
      const found = this.#misbehave(text) ?? direction(Number(/-?\d+/.exec(text)?.[0] ?? 0));
      if (!("reason" in found)) return found;
      failures.push({ text: index, reason: found.reason });
      return [9, 9];
    });
    return { vectors: new Float32Array(vectors), failures };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function direction(degrees: number): readonly [number, number] {
  return [Math.cos(degrees * Math.PI / 180), Math.sin(degrees * Math.PI / 180)];
}

interface Step {
  readonly select: string;
  readonly embedder: Embedder;
  readonly text?: typeof text;
  readonly definition?: TableDefinition;
  /** The lake: what an earlier step made. */
  readonly lake?: string;
  readonly hour?: number;
}

/** Embeds a SELECT's rows. */
async function embedRows(connection: Connection, step: Step) {
  const input = await changeRelation(connection, { definition: step.definition ?? definition, select: step.select });
  let looks = 0;
  const { context, letters } = transformFixture(connection, (keys, columns) => {
    looks++;
    if (step.lake === undefined) return Promise.resolve(undefined);
    return Promise.resolve(
      `SELECT ${["id", ...columns].join(", ")} FROM "${step.lake}" SEMI JOIN "${keys.name}" USING (id)`,
    );
  });
  const now = () => new Date(Date.UTC(2026, 0, 1, step.hour ?? 0));
  const name = `embedded_${crypto.randomUUID()}`;
  const embed = createEmbed({ text: step.text ?? text, embedder: step.embedder, now });
  const output = await embed.apply(input, { ...context, temporaryName: (purpose) => `${name}_${purpose}` });
  assert.deepEqual(output.definition, embed.define(input.definition));
  const rows = await connection.rows(
    `SELECT id, _delete, [round(v, 4) FOR v IN embedding_vector]::VARCHAR AS vector, embedding_dimensions AS dimensions,
      hour(embedding_timestamp) AS hour, embedding_model AS model, embedding_template AS template,
      embedding_text_hash AS hash FROM "${output.name}" ORDER BY _ordinal`,
  );
  return { table: output.name, pages: output.vectors, rows, letters, counts: embed.counts, looks };
}

function vectorText(degrees: number): string {
  return `[${
    direction(degrees).map((value) => Math.fround(value).toFixed(4)).map(Number).map((value) =>
      Number.isInteger(value) ? value.toFixed(1) : String(value)
    ).join(", ")
  }]`;
}

Deno.test("every row has the vector of its own text beside it, over many batches, reads and rows without a text", async () => {
  await withDatabase(async ({ connection }) => {
    const model = new AngleModel();
    const { table, pages, counts, letters } = await embedRows(connection, {
      embedder: model,
      select: `SELECT n::BIGINT AS id, CASE WHEN n % 5 = 0 THEN NULL WHEN n % 7 = 0 THEN 'é🙂' || n
          ELSE chr(65279) || n || repeat('x', (n % 11)::INTEGER) END AS note, 1::INTEGER AS price,
        n % 13 = 0 AS _delete FROM range(20000) AS numbers(n)`,
    });
    const wrong = await connection.rows(
      `SELECT * FROM (SELECT *, radians(if(note IS NULL, 0, id)) AS angle FROM "${table}")
      WHERE CASE WHEN _delete THEN coalesce(embedding_vector::VARCHAR, embedding_model, embedding_template,
          embedding_text_hash, embedding_timestamp::VARCHAR, embedding_dimensions::VARCHAR) IS NOT NULL
        ELSE coalesce(abs(embedding_vector[1] - cos(angle)) + abs(embedding_vector[2] - sin(angle)), 1) > 1e-4
          OR embedding_text_hash <> left(md5(if(note IS NULL, 'Nothing', 'note: ' || note)), 16)
          OR embedding_model <> 'angle@1' OR embedding_template <> 'columns:note' OR embedding_dimensions <> 2 END`,
    );
    assert.deepEqual(wrong, []);
    const kept = Array.from({ length: 20_000 }, (_, n) => n).filter((n) => n % 13 !== 0).length;
    assert.equal(await connection.value(`SELECT count(*) FROM "${table}"`), 20_000n);
    assert.equal(pages?.groups.reduce((sum, { rows }) => sum + rows, 0), 20_000);
    assert.deepEqual([model.texts.length, counts, letters], [kept, { embedded: kept, reused: 0, failed: 0 }, []]);
  });
});

Deno.test("a text that did not change is not embedded again, and keeps its vector and its time", async () => {
  await withDatabase(async ({ connection }) => {
    const first = await embedRows(connection, {
      embedder: new AngleModel(),
      select: `SELECT n::BIGINT AS id, n::VARCHAR AS note, 1::INTEGER AS price FROM range(6) AS numbers(n)`,
    });
    assert.equal(first.looks, 0, "new rows are not looked for in the lake");
    const model = new AngleModel();
    // 0: only the price changes. 1: the text changes. 2: deleted. 3: known to be new. 7: not in the lake.
    const second = await embedRows(connection, {
      embedder: model,
      lake: first.table,
      hour: 5,
      select: `SELECT * FROM (VALUES (0::BIGINT, '0', 2::INTEGER, false, true), (1, '100', 1, false, true),
        (2, NULL, NULL, true, true), (3, '3', 1, false, false), (7, '7', 1, false, true), (5, '5', 1, false, true))
        AS t(id, note, price, _delete, _replaces)`,
    });
    assert.deepEqual(model.texts, ["note: 100", "note: 3", "note: 7"]);
    assert.deepEqual(second.counts, { embedded: 3, reused: 2, failed: 0 });
    const found = second.rows.map(({ vector, hour, model }) => [vector, hour === null ? null : Number(hour), model]);
    assert.deepEqual(found, [
      [vectorText(0), 0, "angle@1"],
      [vectorText(100), 5, "angle@1"],
      [null, null, null],
      [vectorText(3), 5, "angle@1"],
      [vectorText(7), 5, "angle@1"],
      [vectorText(5), 0, "angle@1"],
    ]);
  });
});

Deno.test("another model, size or template, or a vector that is missing, embeds the same text again", async () => {
  await withDatabase(async ({ connection }) => {
    const select = `SELECT n::BIGINT AS id, n::VARCHAR AS note, 1::INTEGER AS price, true AS _replaces
      FROM range(3) AS numbers(n)`;
    const failing = new AngleModel((text) => text.endsWith("1") ? { reason: "too odd" } : undefined);
    const { table: lake } = await embedRows(connection, { embedder: failing, select });
    await connection.run(`CREATE TABLE wider AS SELECT * REPLACE (384 AS embedding_dimensions) FROM "${lake}"`);
    const again: [Partial<Step>, number][] = [
      [{}, 1],
      [{ lake: "wider" }, 3],
      [{ embedder: new AngleModel(() => undefined, "2") }, 3],
      [{ text: { ...text, version: "other" } }, 3],
    ];
    for (const [change, embedded] of again) {
      const { counts, rows } = await embedRows(connection, { embedder: new AngleModel(), select, lake, ...change });
      assert.deepEqual(counts, { embedded, reused: 3 - embedded, failed: 0 });
      assert.deepEqual(rows.map(({ vector }) => vector), [0, 1, 2].map(vectorText));
    }
  });
});

Deno.test("the rows keep their order whatever is asked of them, also beside vectors out of the lake", async () => {
  await withDatabase(async ({ connection }) => {
    const { table: lake } = await embedRows(connection, {
      embedder: new AngleModel(),
      select:
        `SELECT n::BIGINT AS id, n::VARCHAR AS note, 1::INTEGER AS price FROM range(3000) AS t(n) ORDER BY hash(n)`,
    });
    const { table, counts } = await embedRows(connection, {
      embedder: new AngleModel(),
      lake,
      select: `SELECT n::BIGINT AS id, (CASE WHEN n % 3 = 0 THEN n ELSE -n END)::VARCHAR AS note, 1::INTEGER AS price,
        true AS _replaces FROM range(3000) AS t(n)`,
    });
    assert.deepEqual(counts, { embedded: 2000, reused: 1000, failed: 0 });
    const questions = ["id", "id, embedding_vector", "*", "id, price"].flatMap((columns) =>
      ["true", "id % 2 = 1", "embedding_vector[1] > 0", "hash(id) % 5 = 2"].map((where) =>
        `SELECT ${columns} FROM "${table}" WHERE ${where}`
      )
    );
    for (const question of questions) {
      const ids = (await connection.rows(`SELECT id FROM (${question})`)).map(({ id }) => Number(id));
      assert.ok(ids.length > 100 && ids.every((id, row) => row === 0 || ids[row - 1]! < id), question);
    }
  });
});

Deno.test("a text the model cannot embed leaves its row in place with a null vector and a dead letter", async () => {
  const answers = new Map<string, ReturnType<Misbehaviour>>([
    ["note: 3000", { reason: "it's odd" }],
    ["note: 3001", [0, 0]],
    ["note: 3002", [NaN, 1]],
    ["note: 3003", [Infinity, 0]],
  ]);
  await withDatabase(async ({ connection }) => {
    const { rows, pages, letters, counts } = await embedRows(connection, {
      embedder: new AngleModel((text) => answers.get(text)),
      select: `SELECT n::BIGINT AS id, n::VARCHAR AS note, 1::INTEGER AS price FROM range(5000) AS numbers(n)`,
    });
    const finite = "the model gave a vector that is not finite";
    const reasons = ["it's odd", "the model gave a vector of zeros", finite, finite];
    assert.deepEqual(
      letters,
      reasons.map((reason, index) => ({
        ordinal: 3000n + BigInt(index),
        key: `{"id":${3000 + index}}`,
        column: "embedding_vector",
        reason,
      })),
    );
    assert.deepEqual(counts, { embedded: 4996, reused: 0, failed: 4 });
    assert.equal(pages, undefined, "equal texts may not have equal vectors");
    const without = rows.filter(({ vector }) => vector === null);
    assert.deepEqual(without.map(({ id }) => id), [3000n, 3001n, 3002n, 3003n]);
    for (const { hour, model, hash } of without) {
      assert.deepEqual([hour, model], [null, "angle@1"]);
      assert.match(String(hash), /^[0-9a-f]{16}$/);
    }
  });
});

Deno.test("a row without a key is named by its ordinal alone", async () => {
  await withDatabase(async ({ connection }) => {
    const { letters, looks } = await embedRows(connection, {
      embedder: new AngleModel(() => ({ reason: "no" })),
      definition: { ...definition, key: [] },
      select: `SELECT 1::BIGINT AS id, 'a' AS note, 1::INTEGER AS price, true AS _replaces`,
    });
    assert.deepEqual(letters, [{ ordinal: 0n, column: "embedding_vector", reason: "no" }]);
    assert.equal(looks, 0);
  });
});

Deno.test("an embedder that fails fails the batch with its own error, and the connection works on", async () => {
  const stopped = new WeirError("internal", "An embedding worker failed: out of memory");
  for (const failAt of [0, 3000, 19_000]) {
    await withDatabase(async ({ connection }) => {
      const model = new AngleModel((text) => {
        if (text === `note: ${failAt}`) throw stopped;
        return undefined;
      });
      const select = `SELECT n::BIGINT AS id, n::VARCHAR AS note, 1::INTEGER AS price FROM range(20000) AS numbers(n)`;
      await assert.rejects(embedRows(connection, { embedder: model, select }), stopped);
      const { counts } = await embedRows(connection, { embedder: new AngleModel(), select: `${select} LIMIT 1` });
      assert.deepEqual(counts, { embedded: 1, reused: 0, failed: 0 });
    });
  }
});

Deno.test("a batch of no rows, or of deletes alone, asks the model for nothing", async () => {
  await withDatabase(async ({ connection }) => {
    const model = new AngleModel();
    const rows =
      `SELECT n::BIGINT AS id, NULL::VARCHAR AS note, NULL::INTEGER AS price, true AS _delete FROM range(3) AS t(n)`;
    for (const select of [rows, `${rows} LIMIT 0`]) {
      const { counts } = await embedRows(connection, { embedder: model, select });
      assert.deepEqual(counts, { embedded: 0, reused: 0, failed: 0 });
    }
    assert.deepEqual(model.texts, []);
  });
});

Deno.test("a table is refused whose own columns would be covered or whose text would be made of bytes", () => {
  const column = (name: string) => ({ name, type: types.string, nullable: true });
  const { define } = createEmbed({ text, embedder: new AngleModel() });
  assert.throws(
    () => define({ ...definition, columns: [...definition.columns, column("Embedding_Model")] }),
    { kind: "configuration", message: /column named "embedding_model" of its own/ },
  );
  const bytes = { ...column("note"), type: types.binary };
  assert.throws(() => define({ ...definition, columns: [bytes] }), { kind: "configuration", message: /"note".*bytes/ });
});
