import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { FileCache } from "./file_cache.ts";

interface Scene {
  readonly cache: FileCache;
  readonly fetched: readonly string[];
  /** Which files are there. */
  readonly held: () => Promise<readonly string[]>;
}

/** A cache of 100 bytes; the files `10a`, `60b` … are of so many. */
async function withCache(body: (scene: Scene) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const fetched: string[] = [];
    const fetch = async (path: string, file: string): Promise<number> => {
      fetched.push(path);
      await Deno.writeFile(file, new Uint8Array(parseInt(path)));
      if (path.endsWith("broken")) throw new Error("cut");
      return parseInt(path);
    };
    const held = async () => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    await body({ cache: new FileCache({ folder, limitBytes: 100, fetch }), fetched, held });
  });
}

Deno.test("files are fetched once, and the least recently used go once all are larger than the limit", () =>
  withCache(async ({ cache, fetched, held }) => {
    for (const path of ["40a", "40b", "40a", "40c"]) (await cache.lease([path]))[Symbol.dispose]();
    assert.deepEqual(fetched, ["40a", "40b", "40c"]);
    assert.deepEqual(await held(), ["40a", "40c"]);
    assert.equal(cache.bytes, 80);
  }));

Deno.test("leased files stay however many there are, and go with their last lease", () =>
  withCache(async ({ cache, held }) => {
    const first = await cache.lease(["60a", "60b"]);
    const second = await cache.lease(["60a", "60c"]);
    assert.deepEqual(await held(), ["60a", "60b", "60c"]);
    assert.equal((await Deno.stat(first.duckdbPath("60b"))).size, 60);
    assert.throws(() => first.duckdbPath("60c"), RangeError);
    first[Symbol.dispose]();
    assert.deepEqual(await held(), ["60a", "60c"]);
    second[Symbol.dispose]();
    assert.equal(cache.bytes, 60);
    second[Symbol.dispose]();
    const third = await cache.lease(["60c"]);
    await cache.lease(["60d"]);
    assert.ok((await held()).includes("60c"), "a lease given back twice counts once");
    third[Symbol.dispose]();
  }));

Deno.test("who asks at the same time waits for one fetch, and a fetch that fails leaves nothing", () =>
  withCache(async ({ cache, fetched, held }) => {
    await Promise.all(Array.from({ length: 5 }, () => cache.lease(["10a"])));
    assert.deepEqual(fetched, ["10a"]);
    await assert.rejects(cache.lease(["10b", "20broken"]), /cut/);
    assert.deepEqual(await held(), ["10a", "10b"]);
    await assert.rejects(cache.lease(["20broken"]), /cut/, "it is tried again");
    assert.equal(cache.bytes, 20);
  }));

Deno.test("what was written in its place is taken up and need not be fetched; what is dropped is gone", () =>
  withCache(async ({ cache, fetched, held }) => {
    await Deno.writeFile(cache.file("30mine"), new Uint8Array(30));
    cache.adopt("30mine", 30);
    const readable = await cache.lease(["30mine"]);
    assert.equal(readable.duckdbPath("30mine"), cache.file("30mine"));
    assert.deepEqual(fetched, []);
    await cache.drop("30mine");
    assert.deepEqual(await held(), ["30mine"], "whoever reads it reads on");
    readable[Symbol.dispose]();
    await cache.drop("30mine");
    await cache.drop("never there");
    assert.deepEqual(await held(), []);
    assert.equal(cache.bytes, 0);
  }));
