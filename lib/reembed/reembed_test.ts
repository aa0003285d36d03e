import assert from "node:assert/strict";
import type { LetterDraft } from "../change/dead_letter.ts";
import type { Scan, TableChange } from "../change/sink.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Embedder } from "../embed/embedder.ts";
import { createHashModel } from "../embed/hash_model.ts";
import { embedTextFrom } from "../embed/text_declaration.ts";
import type { Connection } from "../engine/connection.ts";
import { MemoryLake, MemorySink } from "../testing/memory_sink.ts";
import { type LiteralRow, relationOf } from "../testing/relations.ts";
import { withDatabase } from "../testing/temporary.ts";
import { changeRelation } from "../testing/transform_context.ts";
import { Reembed, type ReembedOptions } from "./reembed.ts";

const holders: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["id", "branch"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "branch", type: types.string, nullable: false },
    { name: "name", type: types.string, nullable: true },
    { name: "balance", type: types.int32, nullable: true },
  ],
};

const holder = (id: number, name: string | null, balance = 0): LiteralRow => ({
  id: String(id),
  branch: `'north'`,
  name: name === null ? "NULL" : `'${name}'`,
  balance: String(balance),
});

/** Counts what it embeds; a text with "poison" fails. */
function countingEmbedder(revision = "1"): Embedder & { texts: number } {
  const { model, embedInto } = createHashModel(128);
  return {
    texts: 0,
    model: { ...model, revision },
    maxBatchesInFlight: 2,
    async embed({ bytes, offsets }) {
      const vectors = new Float32Array((offsets.length - 1) * 128);
      const failures = [...await embedInto({ bytes, offsets }, vectors)];
      for (let text = 0; text + 1 < offsets.length; text++) {
        const content = new TextDecoder().decode(bytes.subarray(offsets[text]!, offsets[text + 1]!));
        if (content.includes("poison")) failures.push({ text, reason: "it is poison" });
      }
      this.texts += offsets.length - 1;
      return { vectors, failures };
    },
    close: () => Promise.resolve(),
  };
}

/** A table in a lake, and the vectors beside it. */
class Scene {
  readonly embedder = countingEmbedder();
  readonly letters: LetterDraft[] = [];
  readonly stop = new AbortController();
  readonly #connection: Connection;
  readonly #table: MemorySink;
  readonly #lake: MemoryLake;
  #commits = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#lake = new MemoryLake(connection);
    this.#table = new MemorySink(this.#lake, holders);
  }

  async fill(rows: number): Promise<void> {
    const select = `SELECT range AS id, 'north' AS branch, 'name ' || range AS name, 0 AS balance FROM range(${rows})`;
    await this.#commit({ upserts: await changeRelation(this.#connection, { definition: holders, select }) });
  }

  async put(upserts: readonly LiteralRow[], removals: readonly LiteralRow[] = []): Promise<void> {
    const relation = (rows: readonly LiteralRow[]) => relationOf(this.#connection, { definition: holders, rows });
    await this.#commit({
      ...(upserts.length === 0 ? {} : { upserts: await relation(upserts) }),
      ...(removals.length === 0 ? {} : { removals: await relation(removals) }),
    });
  }

  async #commit(rows: Pick<TableChange, "upserts" | "removals">): Promise<void> {
    await this.#table.commit({
      ...{ definition: holders, schemaChanges: [], truncate: false, scope: holders.key, commitTimeMs: 0 },
      position: { instance: "test:1", offset: String(++this.#commits) },
      ...rows,
    });
  }

  /** As a process that has just started. */
  open(options: Partial<ReembedOptions> = {}): Reembed {
    return new Reembed({
      connection: this.#connection,
      embedder: this.embedder,
      text: embedTextFrom(["name"]),
      table: holders,
      scan: async () => (await this.scan())!,
      sink: this.sink(),
      signal: this.stop.signal,
      writeLetters: (drafts) => Promise.resolve(void this.letters.push(...drafts)),
      ...options,
    });
  }

  scan(): Promise<Scan | undefined> {
    return this.#table.scan();
  }

  sink(): MemorySink {
    return new MemorySink(this.#lake, { namespace: "vectors", name: "holders" });
  }

  /** `id:hash of its text`, or `id:none` for one without a vector. */
  async vectors(): Promise<string> {
    using scan = await this.sink().scan();
    const rows = await this.#connection.rows(`SELECT id || ':' || CASE WHEN embedding_vector IS NULL THEN 'none'
      ELSE embedding_text_hash END AS row FROM (${scan!.sql}) ORDER BY id`);
    return rows.map(({ row }) => row).join(" ");
  }

  /** As {@linkcode vectors} must be for these names. */
  async expected(names: Readonly<Record<number, string | null>>): Promise<string> {
    const hashes = Object.entries(names).map(([id, name]) =>
      `SELECT ${id} AS id, left(md5('${name === null ? "Empty record" : `name: ${name}`}'), 16) AS hash`
    );
    const rows = await this.#connection.rows(
      `SELECT id || ':' || hash AS row FROM (${hashes.join(" UNION ALL ")}) ORDER BY id`,
    );
    return rows.map(({ row }) => row).join(" ");
  }
}

function onScene(body: (scene: Scene) => Promise<void>): () => Promise<void> {
  return () => withDatabase(({ connection }) => body(new Scene(connection)));
}

Deno.test(
  "every row gets a vector of its text, a changed text a new one, and the vector of a row that left goes",
  onScene(async (scene) => {
    await scene.put([holder(1, "Ann"), holder(2, "Ben"), holder(3, null)]);
    assert.equal(await scene.open().pending(), 3);
    assert.deepEqual(await scene.open().run(), { embedded: 3, failed: 0, removed: 0, complete: true });
    assert.equal(await scene.vectors(), await scene.expected({ 1: "Ann", 2: "Ben", 3: null }));
    await scene.put([holder(1, "Ann", 9), holder(2, "Bea"), holder(4, "Dan")], [{ id: "3", branch: "'north'" }]);
    assert.deepEqual(await scene.open().run(), { embedded: 2, failed: 0, removed: 1, complete: true });
    assert.equal(await scene.vectors(), await scene.expected({ 1: "Ann", 2: "Bea", 4: "Dan" }));
    assert.equal(scene.embedder.texts, 5);
    assert.deepEqual(await scene.open().run(), { embedded: 0, failed: 0, removed: 0, complete: true });
    assert.equal(scene.embedder.texts, 5);
  }),
);

Deno.test(
  "another revision of the model, or another template, has every row embedded anew",
  onScene(async (scene) => {
    await scene.put([holder(1, "Ann"), holder(2, "Ben")]);
    await scene.open().run();
    assert.equal((await scene.open({ embedder: countingEmbedder("2") }).run()).embedded, 2);
    assert.equal((await scene.open({ text: embedTextFrom(["name", "balance"]) }).run()).embedded, 2);
  }),
);

Deno.test(
  "a table that changes at every look is gone after for as long as fewer rows wait each time, and the run ends",
  onScene(async (scene) => {
    await scene.put(Array.from({ length: 10 }, (_, id) => holder(id, `name ${id}`)));
    await scene.open().run();
    let looks = 0;
    const run = await scene.open({
      scan: async () => {
        await scene.put([holder(100 + ++looks, "new"), holder(200 + looks, "new")], [{
          id: String(looks),
          branch: "'north'",
        }]);
        return (await scene.scan())!;
      },
    }).run();
    assert.deepEqual([run, looks], [{ embedded: 4, failed: 0, removed: 3, complete: true }, 3]);
  }),
);

Deno.test(
  "a budget of rows ends a run, and the next goes on where it ended",
  onScene(async (scene) => {
    await scene.put(Array.from({ length: 10 }, (_, id) => holder(id, `name ${id}`)));
    assert.deepEqual(await scene.open().run({ rows: 4 }), { embedded: 4, failed: 0, removed: 0, complete: false });
    assert.equal(await scene.open().pending(), 6);
    assert.deepEqual(await scene.open().run({ rows: 40 }), { embedded: 6, failed: 0, removed: 0, complete: true });
    assert.equal(scene.embedder.texts, 10);
    assert.deepEqual(await scene.open().run({ ms: 0 }), { embedded: 0, failed: 0, removed: 0, complete: false });
  }),
);

Deno.test(
  "a text that cannot be embedded leaves its vector null and a dead letter, and is not tried again",
  onScene(async (scene) => {
    await scene.put([holder(1, "Ann"), holder(2, "poison"), holder(3, "Cid")]);
    assert.deepEqual(await scene.open().run(), { embedded: 2, failed: 1, removed: 0, complete: true });
    assert.match(await scene.vectors(), /^1:\S+ 2:none 3:\S+$/);
    assert.deepEqual(scene.letters.map(({ key, column, reason }) => [key, column, reason]), [
      ['{"id":2,"branch":"north"}', "embedding_vector", "it is poison"],
    ]);
    assert.equal((await scene.open().run()).failed, 0);
    assert.deepEqual(await scene.open().held(), { vectors: 2, withoutVector: 1 }, "it counts ever after");
  }),
);

Deno.test(
  "a run that is stopped keeps what it has committed",
  onScene(async (scene) => {
    await scene.fill(2100);
    const stopped = await scene.open().run({}, () => scene.stop.abort());
    assert.deepEqual([stopped.complete, stopped.embedded], [false, 1024]);
    const next = await scene.open({ signal: new AbortController().signal }).run();
    assert.deepEqual([next.complete, next.embedded], [true, 2100 - 1024]);
    assert.equal(scene.embedder.texts, 2100);
  }),
);

Deno.test(
  "the estimate embeds a few rows and keeps nothing of them",
  onScene(async (scene) => {
    await scene.put([holder(1, "Ann"), holder(2, "Ben")]);
    const rowsPerSecond = await scene.open().measure(256);
    assert.ok(rowsPerSecond !== undefined && rowsPerSecond > 0);
    assert.equal(await scene.open().pending(), 2);
    scene.embedder.texts = 0;
    const anew = countingEmbedder();
    await scene.open({ embedder: { ...scene.embedder, anew } }).measure(256);
    assert.deepEqual(
      [scene.embedder.texts, anew.texts],
      [0, 4],
      "vectors that are kept do not make the model look fast",
    );
    await scene.open().run();
    assert.equal(await scene.open().measure(256), undefined);
  }),
);
