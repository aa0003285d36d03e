import assert from "node:assert/strict";
import { TableKeys } from "./table_keys.ts";

const hourMs = 3_600_000;
const location = "s3://lake/bank/holders";

/** Answers that load a table, each with a key of its own, and how often they were asked for. */
class Catalog {
  asked = 0;
  isDown = false;
  nowMs = 1_800_000_000_000;
  readonly keys = new TableKeys(() => {
    this.asked++;
    return this.isDown ? Promise.reject(new Error("out of reach")) : Promise.resolve(this.answer());
  }, () => this.nowMs);

  constructor() {
    this.keys.take(this.answer(), location);
  }

  answer(): unknown {
    const config = {
      "s3.access-key-id": `key ${this.asked}`,
      "s3.secret-access-key": "secret",
      "s3.session-token-expires-at-ms": String(this.nowMs + hourMs),
    };
    return { "storage-credentials": [{ prefix: "s3://lake/", config }] };
  }

  async current(refused?: string): Promise<string> {
    const credentials = refused === undefined ? undefined : { accessKeyId: refused, secretAccessKey: "secret" };
    return (await this.keys.current(credentials)).accessKeyId;
  }
}

Deno.test("keys are renewed when little of their life is left, by one request however many wait for it", async () => {
  const catalog = new Catalog();
  catalog.nowMs += hourMs - 301_000;
  assert.equal(await catalog.current(), "key 0");
  catalog.nowMs += 1000;
  assert.deepEqual(await Promise.all([catalog.current(), catalog.current()]), ["key 1", "key 1"]);
  assert.equal(await catalog.current(), "key 1");
});

Deno.test("keys that the store refused are renewed, unless later ones are there already", async () => {
  const catalog = new Catalog();
  assert.equal(await catalog.current("key 0"), "key 1");
  assert.equal(await catalog.current("key 0"), "key 1");
  assert.equal(catalog.asked, 1);
});

Deno.test("while the catalog is out of reach, keys go on being used for as long as they are good", async () => {
  const catalog = new Catalog();
  catalog.isDown = true;
  catalog.nowMs += hourMs - 1;
  assert.equal(await catalog.current(), "key 0");
  assert.equal(catalog.asked, 1, "they were to be renewed");
  await assert.rejects(catalog.current("key 0"), /out of reach/);
  catalog.nowMs += 1;
  await assert.rejects(catalog.current(), /out of reach/);
});

Deno.test("an answer without keys takes none away", async () => {
  const catalog = new Catalog();
  assert.equal(catalog.keys.take({}, location), undefined);
  assert.equal(await catalog.current(), "key 0");
});
