/** What every storage must keep, as one suite; a storage is one call. */
import assert from "node:assert/strict";
import type { Connection } from "../../lib/engine/connection.ts";
import type { Storage } from "../../lib/storage/storage.ts";

/** A kind of storage. */
export interface StorageKind {
  readonly name: string;
  /** Runs a body with two instances over one empty place, as two processes would have them. */
  readonly withStorage: (body: (one: Storage, other: Storage) => Promise<void>) => Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (found: Uint8Array | undefined) => found && new TextDecoder().decode(found);

/** Registers the suite for one kind. */
export function storageContract({ name, withStorage }: StorageKind): void {
  const promise = (title: string, body: (one: Storage, other: Storage) => Promise<void>) =>
    Deno.test(`storage ${name}: ${title}`, () => withStorage(body));
  registerObjects(promise);
  registerRaces(promise);
  registerPaths(promise);
}

type Register = (title: string, body: (one: Storage, other: Storage) => Promise<void>) => void;

function registerObjects(promise: Register): void {
  promise("what was put is read whole, by every instance", async (one, other) => {
    const all = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
    assert.equal(await one.putIfAbsent("a/b/c.bin", all), true);
    assert.deepEqual(await other.read("a/b/c.bin"), all);
    assert.equal((await other.stat("a/b/c.bin"))?.bytes, all.length);
    assert.equal(await one.putIfAbsent("empty", new Uint8Array()), true);
    assert.equal((await other.read("empty"))?.length, 0);
  });

  promise("what is not there is undefined, and deleting it is no error", async (one) => {
    assert.equal(await one.read("a/missing"), undefined);
    assert.equal(await one.stat("a/missing"), undefined);
    await one.delete("a/missing");
    assert.deepEqual(await Array.fromAsync(one.list("a")), []);
  });

  promise("putIfAbsent leaves what is there unchanged and says so", async (one, other) => {
    assert.equal(await one.putIfAbsent("v1", bytes("first")), true);
    assert.equal(await other.putIfAbsent("v1", bytes("second")), false);
    assert.equal(text(await one.read("v1")), "first");
  });

  promise("the caller may reuse its bytes after a put", async (one) => {
    const reused = bytes("kept");
    await one.putIfAbsent("kept", reused);
    reused.fill(0);
    assert.equal(text(await one.read("kept")), "kept");
  });
}

function registerRaces(promise: Register): void {
  promise("of many writers of one name exactly one succeeds, and its bytes stay", async (one, other) => {
    const attempts = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? one : other)
        .putIfAbsent("race/v1", bytes(`writer ${index}`)));
    const won = (await Promise.all(attempts)).flatMap((success, index) => success ? [index] : []);
    assert.equal(won.length, 1);
    assert.equal(text(await one.read("race/v1")), `writer ${won[0]}`);
    assert.deepEqual(await paths(one, "race"), ["race/v1"], "no attempt may leave a file behind");
  });

  promise("put replaces, also with fewer bytes, and a reader never sees half of it", async (one, other) => {
    await one.put("hint", bytes("x".repeat(100_000)));
    const writes = (async () => {
      for (let round = 0; round < 50; round++) {
        await one.put("hint", bytes((round % 2 === 0 ? "y" : "x").repeat(100_000)));
      }
      await one.put("hint", bytes("1"));
    })();
    for (let round = 0; round < 50; round++) {
      const seen = text(await other.read("hint")) ?? "";
      assert.match(seen, /^(x{100000}|y{100000}|1)$/);
    }
    await writes;
    assert.equal(text(await other.read("hint")), "1");
  });
}

function registerPaths(promise: Register): void {
  promise("list walks everything below a folder and nothing beside it, each folder in order", async (one, other) => {
    for (const path of ["t/b/2", "t/b/10", "t/a", "t.b/1", "tt/1", "t/b.c"]) await one.putIfAbsent(path, bytes(path));
    assert.deepEqual((await paths(other, "t")).toSorted(), ["t/a", "t/b.c", "t/b/10", "t/b/2"]);
    assert.deepEqual(await paths(other, "t/b"), ["t/b/10", "t/b/2"]);
    assert.equal((await paths(other, "")).length, 6);
    await other.delete("t/b/10");
    assert.deepEqual(await paths(one, "t/b"), ["t/b/2"]);
  });

  promise("folders are named by what lies below them", async (one, other) => {
    for (const path of ["t/b/2", "t/c/d/1", "t/a", "u"]) await one.putIfAbsent(path, bytes(path));
    assert.deepEqual(await other.subfolders("t"), ["b", "c"]);
    assert.deepEqual(await other.subfolders(""), ["t"]);
    assert.deepEqual(await other.subfolders("nowhere"), []);
  });

  promise("any name that a table may have is read and listed as it was put", async (one, other) => {
    const names = ["a b", "ä", "x=1%20", "q?#&+", "it's (1)*!~", "日本"].map((name) => `names/${name}/f.bin`)
      .toSorted();
    for (const path of names) assert.equal(await one.putIfAbsent(path, bytes(path)), true);
    for (const path of names) assert.equal(text(await other.read(path)), path);
    assert.deepEqual((await paths(other, "names")).toSorted(), names);
  });

  promise("a URI leads back to its path, whatever is in it, and one from elsewhere is refused", (one) => {
    for (const path of ["a/b.parquet", "n.db/t ä%20+#?/x=1/f.avro"]) assert.equal(one.path(one.uri(path)), path);
    assert.match(one.uri("a"), /^[a-z0-9]+:\/\/./);
    assert.throws(() => one.path("file:///elsewhere/of/nobody"), { kind: "tableUnreadable" });
    return Promise.resolve();
  });
}

/** What DuckDB wrote is in the storage once it is published, for DuckDB too. */
export async function writtenByDuckdb(storage: Storage, connection: Connection): Promise<void> {
  const folder = await storage.prepareFolder("n/t/data");
  await connection.run(`COPY (SELECT unnest(range(1000)) AS a) TO '${folder}/1.parquet' (FORMAT parquet)`);
  await storage.publish("n/t/data/1.parquet");
  const [file] = await Array.fromAsync(storage.list("n"));
  assert.equal(file?.path, "n/t/data/1.parquet");
  assert.equal((await storage.read("n/t/data/1.parquet"))?.length, file?.bytes);
  using readable = await storage.readable(["n/t/data/1.parquet"]);
  const rows = await connection.value(`SELECT count(*) FROM '${readable.duckdbPath("n/t/data/1.parquet")}'`);
  assert.equal(rows, 1000n);
}

async function paths(storage: Storage, folder: string): Promise<readonly string[]> {
  return (await Array.fromAsync(storage.list(folder))).map((object) => object.path);
}
