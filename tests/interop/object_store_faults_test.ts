/** What an object store and the network before it may do to a storage, against a store of another maker. */
import assert from "node:assert/strict";
import { ObjectClient } from "../../lib/storage/s3/client.ts";
import { FaultyObjectProxy } from "../../lib/testing/faulty_object_proxy.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { writtenByDuckdb } from "../contract/storage_contract.ts";
import { objectStoreTests } from "./object_server.ts";
import { everyFourth, storageOf } from "./object_storage.ts";

await objectStoreTests("faults of an object store", (withServer) => {
  Deno.test("storage s3: what DuckDB writes into a prepared folder is published, and read by DuckDB again", () =>
    withServer((server) =>
      withDatabase(async ({ folder, connection }) => {
        await writtenByDuckdb(storageOf(server, { folder }), connection);
      })
    ));

  Deno.test("a put whose answer is lost counts as won by who made it, also where another tries at the same time", () =>
    withServer((server) =>
      withTemporaryFolder(async (folder) => {
        // Every first attempt of a put is done and its answer lost.
        const met = new Set<string>();
        await using proxy = await FaultyObjectProxy.start(server.endpoint, ({ method, path }) => {
          if (method !== "PUT" || met.has(path)) return undefined;
          met.add(path);
          return "lost";
        });
        const [one, other] = [storageOf(server, { folder, endpoint: proxy.endpoint }), storageOf(server, { folder })];
        for (let round = 0; round < 20; round++) {
          const path = `version/${round}`;
          const same = new TextEncoder().encode("the same bytes");
          const [mine, theirs] = await Promise.all([one.putIfAbsent(path, same), other.putIfAbsent(path, same)]);
          assert.equal(Number(mine) + Number(theirs), 1, `round ${round}`);
        }
        assert.equal(await one.putIfAbsent("alone", new Uint8Array(1)), true);
        assert.equal(proxy.happened.get("lost"), 21);
      })
    ));

  Deno.test("two writers racing two hundred commits each over a network that fails take every version once", () =>
    withServer((server) =>
      withTemporaryFolder(async (folder) => {
        await using proxy = await FaultyObjectProxy.start(server.endpoint, everyFourth());
        const commits = 200;
        let lost = 0;
        const wonBy = async (name: string): Promise<readonly number[]> => {
          const storage = storageOf(server, { folder, endpoint: proxy.endpoint });
          const won: number[] = [];
          for (let version = 1; won.length < commits; version++) {
            if (await storage.putIfAbsent(`v${version}`, new TextEncoder().encode(name))) won.push(version);
            else lost++;
          }
          return won;
        };
        const [mine, theirs] = await Promise.all([wonBy("mine"), wonBy("theirs")]);
        const all = [...mine, ...theirs].toSorted((left, right) => left - right);
        assert.deepEqual(all, Array.from({ length: 2 * commits }, (_, index) => index + 1));
        assert.ok(lost > commits / 2, `only ${lost} of the puts met one that was there`);
        const storage = storageOf(server, { folder });
        for (const [name, won] of [["mine", mine], ["theirs", theirs]] as const) {
          for (const version of won) {
            assert.equal(new TextDecoder().decode(await storage.read(`v${version}`)), name);
          }
        }
      })
    ));
});

await objectStoreTests("large files and refusals of an object store", (withServer) => {
  Deno.test("a large file goes up and comes back in parts, over a network that fails, and nothing half is left", () =>
    withServer((server) =>
      withTemporaryFolder(async (folder) => {
        await using proxy = await FaultyObjectProxy.start(server.endpoint, everyFourth());
        const through = storageOf(server, { folder, endpoint: proxy.endpoint });
        const bytes = new Uint8Array(37 * 2 ** 20 + 11);
        for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
        await Deno.writeFile(`${await through.prepareFolder("data")}/large.bin`, bytes);
        await through.publish("data/large.bin");
        const reader = storageOf(server, { folder, endpoint: proxy.endpoint });
        using readable = await reader.readable(["data/large.bin"]);
        assert.deepEqual(await Deno.readFile(readable.duckdbPath("data/large.bin")), bytes);
        assert.deepEqual(await Array.fromAsync(through.list("data"), ({ bytes }) => bytes), [bytes.length]);
        const client = new ObjectClient({ ...server, scheme: "s3", region: "us-east-1" });
        const uploads = await client.send({ method: "GET", key: "", query: { uploads: "" } }, (found) => found.text());
        assert.match(uploads, /<ListMultipartUploadsResult/);
        assert.doesNotMatch(uploads, /<Upload>/, "no unfinished upload is left in the store");
      })
    ));

  Deno.test("a store of the family that refuses a second put is taken, and one out of reach is told as that", () =>
    withServer((server) =>
      withTemporaryFolder(async (folder) => {
        const storage = storageOf(server, { folder });
        await storage.probe();
        assert.deepEqual(await Array.fromAsync(storage.list("")), [], "the probe leaves nothing behind");
        const wrong = { ...server.credentials, secretAccessKey: "wrong" };
        await assert.rejects(storageOf(server, { folder, credentials: wrong }).probe(), { kind: "authentication" });
        const nowhere = { scheme: "s3", bucket: "nowhere", prefix: "" } as const;
        await assert.rejects(storageOf(server, { folder, location: nowhere }).probe(), { kind: "precondition" });
      })
    ));
});
