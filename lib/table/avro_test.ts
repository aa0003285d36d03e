import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { recodedAvro } from "../testing/recoded_avro.ts";
import { decodeAvro, encodeAvro } from "./avro.ts";

const schema = {
  type: "record",
  name: "entry",
  fields: [
    { name: "id", type: "long", "field-id": 1 },
    { name: "day", type: ["null", { type: "int", logicalType: "date" }], default: null, "field-id": 1000 },
    { name: "bound", type: ["null", "bytes"], default: null, "field-id": 2 },
    {
      name: "sizes",
      type: ["null", {
        type: "array",
        logicalType: "map",
        items: {
          type: "record",
          name: "k1_v2",
          fields: [{ name: "key", type: "int" }, { name: "value", type: "long" }],
        },
      }],
      default: null,
    },
    { name: "empty", type: { type: "record", name: "r102", fields: [] } },
  ],
};

const row = (id: bigint, bound: Uint8Array | null = null) => ({
  id,
  day: Number(id % 1000n),
  bound,
  sizes: [{ key: 7, value: id }],
  empty: {},
});

const plain = (value: unknown) =>
  JSON.stringify(value, (_key, entry) => typeof entry === "bigint" ? `${entry}n` : entry);

Deno.test("rows come back as they were, longs as bigint", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.uint8Array())), (values) => {
      const rows = values.map(([id, bound]) => row(id, Uint8Array.from(bound)));
      const back = decodeAvro(encodeAvro(schema, rows)).rows as ReturnType<typeof row>[];
      assert.deepEqual(back.map(({ id }) => id), rows.map(({ id }) => id));
      assert.deepEqual(back.map(({ bound }) => [...bound!]), rows.map(({ bound }) => [...bound!]));
      assert.equal(plain(back.map(({ sizes }) => sizes)), plain(rows.map(({ sizes }) => sizes)));
    }),
    { seed: 2, numRuns: 50 },
  );
});

Deno.test("more rows than one block holds", () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => row(BigInt(index)));
  const back = decodeAvro(encodeAvro(schema, rows)).rows as ReturnType<typeof row>[];
  assert.equal(back.length, 10_000);
  assert.equal(back[9_999]!.id, 9_999n);
});

Deno.test("the header keeps field ids, logical types and our own entries", () => {
  const { metadata, rows } = decodeAvro(encodeAvro(schema, [], { content: "data", schema: '{"é":1}' }));
  assert.deepEqual(rows, []);
  assert.equal(metadata.get("avro.schema"), JSON.stringify(schema));
  assert.equal(metadata.get("avro.codec"), "deflate");
  assert.equal(metadata.get("content"), "data");
  assert.equal(metadata.get("schema"), '{"é":1}');
});

Deno.test("a row that does not fit is refused by path, without its value", () => {
  assert.throws(() => encodeAvro(schema, [{ ...row(1n), id: 424242 }]), (thrown: Error) => {
    assert.match(thrown.message, /invalid value at id/);
    assert.doesNotMatch(thrown.message, /424242/);
    return thrown instanceof TypeError;
  });
});

Deno.test("damaged files are refused", () => {
  const file = encodeAvro(schema, [row(1n), row(2n)]);
  assert.throws(() => decodeAvro(new Uint8Array(10)), RangeError);
  assert.throws(() => decodeAvro(file.subarray(0, 40)), RangeError);
  assert.throws(() => decodeAvro(file.subarray(0, file.length - 5)), RangeError);
  const flipped = Uint8Array.from(file);
  flipped[file.length - 1]! ^= 1;
  assert.throws(() => decodeAvro(flipped), /sync marker/);
});

Deno.test("files of other writers are read whatever codec they are in", () => {
  const file = encodeAvro(schema, [row(1n), row(2n, Uint8Array.of(7))]);
  const expected = plain(decodeAvro(file).rows);
  for (
    const [codec, compress] of [
      ["null", (body: Uint8Array) => body],
      ["zstandard", (body: Uint8Array) => zstdCompressSync(body)],
    ] as const
  ) {
    const { metadata, rows } = decodeAvro(recodedAvro(file, { codec, compress }));
    assert.equal(metadata.get("avro.codec"), codec);
    assert.equal(plain(rows), expected);
  }
  const recode = (codec: string) => recodedAvro(file, { codec, compress: (body) => body });
  assert.throws(() => decodeAvro(recode("snappy")), /codec snappy is not supported/);
  assert.throws(() => decodeAvro(recode("zstandard")), /a block does not inflate/);
});
