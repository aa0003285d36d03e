import assert from "node:assert/strict";
import type { MicroBatch } from "../change/micro_batch.ts";
import { types } from "../dataset/column_type.ts";
import { type Dataset, sourceTable } from "../dataset/dataset.ts";
import { identifier } from "../engine/quote.ts";
import { fold } from "../fold/fold.ts";
import { MemorySource } from "./memory_source.ts";
import { withDatabase } from "./temporary.ts";
import { withTemporaryFolder } from "./temporary_folder.ts";
import { transformFixture } from "./transform_context.ts";

const notes: Dataset = {
  namespace: "n",
  name: "notes",
  source: { namespace: "public", table: "notes" },
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "body", type: types.string, nullable: true },
  ],
};

const insert = (id: number, body: string | null) => ({ op: "I", row: { id: `${id}`, body } }) as const;

async function take(source: MemorySource, options: { readonly after: number; readonly batches: number }) {
  const abort = new AbortController();
  const taken: MicroBatch[] = [];
  const after = { instance: "memory:1/1", offset: `${options.after}` };
  for await (const batch of source.changes(after, [], abort.signal)) {
    taken.push(batch);
    if (taken.length === options.batches) abort.abort();
  }
  return taken;
}

Deno.test("a scripted source sends batches in order, cuts them at a verification point and sends them again", () =>
  withTemporaryFolder(async (folder) => {
    const source = new MemorySource({ datasets: [notes], folder, commitsPerBatch: 2 });
    for (const id of [1, 2, 3]) source.append({ notes: [insert(id, "x")] });
    assert.equal((await source.verificationPoint()).position.offset, "3");
    source.append({ notes: [insert(4, "x")] });
    for (let round = 0; round < 2; round++) {
      const batches = await take(source, { after: 0, batches: 3 });
      assert.deepEqual(batches.map(({ after, to }) => [after.offset, to.offset]), [["0", "2"], ["2", "3"], ["3", "4"]]);
      for (const batch of batches) await batch.release();
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  }));

Deno.test("a scripted source waits for the next commit, and refuses to start before what was acknowledged", () =>
  withTemporaryFolder(async (folder) => {
    const source = new MemorySource({ datasets: [notes], folder });
    const waiting = take(source, { after: 0, batches: 1 });
    const end = source.append({ notes: [insert(1, null)] });
    assert.deepEqual((await waiting).map(({ to }) => to), [end]);
    source.acknowledge(end);
    await assert.rejects(source.start([]).then(() => take(source, { after: 0, batches: 1 })), { kind: "sourceLost" });
    await assert.rejects(take(source, { after: 0, batches: 1 }), { kind: "sourceLost" });
    assert.throws(() => source.compare(end, { instance: "memory:2/1", offset: "1" }), { kind: "sourceMismatch" });
  }));

Deno.test("what a scripted source spools folds to the rows it says it holds", () =>
  withDatabase(async ({ folder, connection }) => {
    const source = new MemorySource({ datasets: [notes], folder, commitsPerBatch: 9, rowsPerPart: 2 });
    source.append({
      notes: [insert(9, "gone"), "truncate", insert(1, 'say "hi",\r\n'), insert(2, ""), insert(3, null)],
    });
    source.append({
      notes: [{ op: "D", row: { id: "2" } }, { op: "U", row: { id: "5", body: "moved" }, oldKey: { id: "1" } }],
    });
    const expected = [["3", null], ["5", "moved"]];
    assert.deepEqual(source.rows(notes).map(({ id, body }) => [id, body ?? null]), expected);
    const read = async (changes: Parameters<typeof fold>[0]["changes"]) => {
      const { context } = transformFixture(connection);
      const temporaryName = () => `folded_${crypto.randomUUID().replaceAll("-", "")}`;
      const folded = await fold({ ...context, temporaryName, changes, definition: sourceTable(notes) });
      const rows = `SELECT id::VARCHAR AS id, body FROM ${identifier(folded.name)} WHERE NOT _delete ORDER BY id`;
      return (await connection.rows(rows)).map((row) => Object.values(row));
    };
    const [batch] = await take(source, { after: 0, batches: 1 });
    const changes = batch?.changes.get("public.notes");
    assert.ok(changes);
    assert.equal(changes.truncatedBefore, 1n);
    assert.deepEqual(await read(changes), expected);
    const parts = await Array.fromAsync(source.copy([notes], new AbortController().signal));
    assert.deepEqual(parts.map(({ last }) => last), [true]);
    assert.deepEqual(await read(parts[0]!.changes), expected);
  }));
