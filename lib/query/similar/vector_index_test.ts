import assert from "node:assert/strict";
import { withDatabase } from "../../testing/temporary.ts";
import { manyNotes, VectorLake } from "../../testing/vector_lake.ts";
import type { IndexRefresh } from "./index_refresh.ts";
import { indexTable } from "./index_table.ts";
import { similar, type SimilarRows } from "./similar.ts";
import { VectorIndex } from "./vector_index.ts";

/** A table of notes, and the index of it in a folder. */
interface IndexedNotes {
  readonly table: VectorLake;
  readonly folder: string;
  refresh(): Promise<IndexRefresh>;
  /** By the index as a process finds it that has just started. */
  search(): Promise<SimilarRows>;
  /** By no index. */
  scan(): Promise<SimilarRows>;
}

async function withIndexedNotes(count: number, body: (notes: IndexedNotes) => Promise<void>): Promise<void> {
  await withDatabase(async (fixture) => {
    const table = new VectorLake(fixture, { format: "delta" });
    await table.write(manyNotes(0, count));
    const folder = `${fixture.folder}/index`;
    using index = new VectorIndex(folder);
    const find = (by?: VectorIndex) =>
      similar(table.lake, { table: table.place, near: { key: { id: 3 } }, index: by, indexFromRows: 0 });
    const search = async () => {
      using fresh = new VectorIndex(folder);
      return await find(fresh);
    };
    const refresh = () => indexTable(table.lake, { table: table.place, index });
    await body({ table, folder, refresh, search, scan: () => find() });
  });
}

const isDamaged = "the index is damaged, and --index builds it anew";

Deno.test("an index that is damaged, cut off or of another model is not asked, and the next refresh builds it anew", () =>
  withIndexedNotes(50, async ({ table, folder, refresh, search }) => {
    const reason = async () => {
      const { rows, scanReason } = await search();
      assert.equal(rows.length, 10);
      return scanReason;
    };
    const { manifest } = await refresh();
    assert.equal(await reason(), undefined);
    const graph = `${folder}/${manifest.graph.file}`;
    await Deno.writeFile(graph, new Uint8Array(manifest.graph.bytes));
    assert.equal(await reason(), isDamaged);
    const mended = await refresh();
    assert.deepEqual([mended.how, mended.reason], ["built", "it was damaged"]);
    assert.equal(await reason(), undefined);
    await Deno.truncate(`${folder}/${mended.manifest.graph.file}`, 100);
    assert.equal(await reason(), "there is no index");
    assert.equal((await refresh()).how, "built");
    await table.write(manyNotes(0, 40), 256);
    assert.match((await refresh()).reason!, /^it is of weir-hash-nonsemantic@1 \(128 dimensions\)$/);
  }));

Deno.test("an index whose middle was lost on the disk is not asked, and neither added to nor called current", () =>
  withIndexedNotes(700, async ({ table, folder, refresh, search, scan }) => {
    const lostBytes = 70_000;
    const lose = async ({ manifest: { graph } }: IndexRefresh) => {
      assert.ok(graph.bytes > 3 * lostBytes, `${graph.bytes} bytes have a middle`);
      using file = await Deno.open(`${folder}/${graph.file}`, { write: true });
      await file.seek(Math.floor((graph.bytes - lostBytes) / 2), Deno.SeekMode.Start);
      assert.equal(await file.write(new Uint8Array(lostBytes)), lostBytes);
    };
    await lose(await refresh());
    const found = await search();
    assert.equal(found.scanReason, isDamaged);
    assert.deepEqual(found.rows, (await scan()).rows);
    const mended = await refresh();
    assert.deepEqual([mended.how, mended.reason, mended.added], ["built", "it was damaged", 700]);
    assert.deepEqual((await search()).scanReason, undefined);
    await lose(mended);
    await table.write(manyNotes(700, 1));
    const added = await refresh();
    assert.deepEqual([added.how, added.reason, added.added], ["built", "it was damaged", 701]);
  }));

Deno.test("one byte of an index that is another is found", () =>
  withIndexedNotes(50, async ({ folder, refresh, search }) => {
    const { manifest: { graph } } = await refresh();
    const path = `${folder}/${graph.file}`;
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await Deno.writeFile(path, bytes);
    assert.equal((await search()).scanReason, isDamaged);
  }));
