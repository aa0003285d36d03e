import assert from "node:assert/strict";
import { definition, folder, key, type Lake, onLake, row } from "../../testing/iceberg_lake.ts";
import { decodeAvro, encodeAvro } from "../avro.ts";
import { targetOf } from "./delete_files.ts";
import { blankFile, type FileRecord } from "./manifest.ts";

const filePath = 2147483546;
const pathBound = (path: string) => [{ key: filePath, value: new TextEncoder().encode(path) }];

Deno.test("a delete file is about the data file that it names, or that both bounds of its paths name", () => {
  const target = (lower: string | null, upper: string | null, named: string | null = null) =>
    targetOf({
      ...blankFile as FileRecord,
      referenced_data_file: named,
      lower_bounds: lower === null ? null : pathBound(lower),
      upper_bounds: upper === null ? null : pathBound(upper),
    });
  assert.equal(target("a.parquet", "b.parquet", "c.parquet"), "c.parquet");
  assert.equal(target("a.parquet", "a.parquet"), "a.parquet");
  assert.equal(target("a.parquet", "b.parquet"), null);
  assert.equal(target("a.parquet", null), null);
  assert.equal(target(null, null), null);
});

/** Changes the records of delete files, as another writer would have left them. */
async function rewriteDeletes(lake: Lake, change: (file: FileRecord) => FileRecord): Promise<number> {
  let changed = 0;
  for (const path of await lake.paths()) {
    if (!path.startsWith(`${folder}/metadata/`) || !path.endsWith(".avro")) continue;
    const { metadata, rows } = decodeAvro((await lake.storage.read(path))!);
    if (metadata.get("content") !== "deletes") continue;
    const entries = (rows as { data_file: FileRecord }[]).map((entry) => ({
      ...entry,
      data_file: change(entry.data_file),
    }));
    changed += entries.length;
    const { "avro.schema": schema, "avro.codec": _, ...rest } = Object.fromEntries(metadata);
    await lake.storage.put(path, encodeAvro(JSON.parse(schema!), entries, rest));
  }
  return changed;
}

Deno.test(
  "v2: deletes of another writer count where the bounds of their paths name one data file, and are refused where they do not",
  onLake(async (lake) => {
    const table = lake.open({ formatVersion: 2 });
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a"), row(2, 0, "b"), row(3, 0, "c")] });
    await lake.commit(table, { removals: [key(2, 0)] });
    assert.ok(await rewriteDeletes(lake, (file) => ({ ...file, referenced_data_file: null })) > 0);
    assert.deepEqual(await lake.rows(), ["1/0 a", "3/0 c"]);
    const next = lake.open({ formatVersion: 2 });
    await lake.commit(next, { removals: [key(3, 0)] });
    assert.deepEqual(await lake.rows(), ["1/0 a"], "the next commit goes on from them");

    await rewriteDeletes(lake, (file) => ({ ...file, referenced_data_file: null, upper_bounds: pathBound("z") }));
    await assert.rejects(() => lake.open().load(), /a delete file of another writer/);
  }),
);
