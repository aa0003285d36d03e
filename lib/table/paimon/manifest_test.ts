import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { applyStep, type PaimonLake, rowsOf, withPaimonLake } from "../../testing/paimon_lake.ts";
import { recodedAvro } from "../../testing/recoded_avro.ts";
import { decodeManifestList, encodeManifestList } from "./manifest.ts";

/** Leaves every manifest and list as Paimon's own writers do: in Zstandard. Gives how many there are. */
async function recodeManifests({ storage }: PaimonLake): Promise<number> {
  const folder = "paimon/shop.db/orders/manifest";
  const zstandard = { codec: "zstandard", compress: (body: Uint8Array) => zstdCompressSync(body) };
  const paths = (await Array.fromAsync(storage.list(folder))).map(({ path }) => path);
  const [lists, manifests] = [true, false].map((isList) => {
    return paths.filter((path) => path.includes("/manifest-list-") === isList);
  });
  const sizes = new Map<string, bigint>();
  for (const path of manifests!) {
    const bytes = recodedAvro((await storage.read(path))!, zstandard);
    sizes.set(path.slice(folder.length + 1), BigInt(bytes.length));
    await storage.put(path, bytes);
  }
  for (const path of lists!) {
    const metas = decodeManifestList((await storage.read(path))!);
    const resized = metas.map((meta) => ({ ...meta, _FILE_SIZE: sizes.get(meta._FILE_NAME)! }));
    const bytes = encodeManifestList(resized);
    await storage.put(path, metas.length === 0 ? bytes : recodedAvro(bytes, zstandard));
  }
  return sizes.size;
}

Deno.test("a table whose manifests another writer left in Zstandard is read and written on", async () => {
  await withPaimonLake(async (lake) => {
    const rows = (from: number) =>
      `SELECT i AS id, 'a' || i AS name, i::DECIMAL(12,2) AS amount FROM range(${from}, ${from + 4}) r(i)`;
    const table = lake.open();
    await applyStep(lake, table, { upserts: rows(0) });
    await applyStep(lake, table, { upserts: rows(2), removals: "SELECT 0 AS id" });
    const before = await rowsOf(lake, table);
    assert.equal(before.length, 5);
    assert.ok(await recodeManifests(lake) >= 2);
    assert.deepEqual(await rowsOf(lake, lake.open()), before);
    await applyStep(lake, lake.open(), { removals: "SELECT 1 AS id" });
    assert.equal((await rowsOf(lake, lake.open())).length, 4);
  });
});
