import assert from "node:assert/strict";
import { withDatabase } from "../testing/temporary.ts";
import { readStruct, thrift, type ThriftStruct, writeStruct } from "./compact_protocol.ts";

Deno.test("what is read is written again byte for byte, also what we know nothing of", () =>
  withDatabase(async ({ connection, folder }) => {
    const columns = Array.from({ length: 40 }, (_, index) => `i * ${index} AS column_${index}`);
    await connection.run(`COPY (SELECT ${columns}, [i / 3.0::FLOAT, NULL] AS list, 'ß' || i AS text, i % 2 = 0 AS truth
      FROM range(30_000) rows(i)) TO '${folder}/a.parquet' (ROW_GROUP_SIZE 4096, KV_METADATA {note: 'kept'})`);
    const file = await Deno.readFile(`${folder}/a.parquet`);
    const length = new DataView(file.buffer).getUint32(file.length - 8, true);
    const footer = file.subarray(file.length - 8 - length, file.length - 8);
    assert.deepEqual(writeStruct(readStruct(footer)), footer);
  }));

Deno.test("every type of value comes back as it was", () => {
  const inner: ThriftStruct = new Map([[1, { type: thrift.false, value: false }], [300, {
    type: thrift.i16,
    value: -1n,
  }]]);
  const list = { elementType: thrift.i64, elements: [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)] };
  const many = { elementType: thrift.true, elements: Array.from({ length: 100 }, (_, index) => index % 3 === 0) };
  const map = { types: [thrift.binary, thrift.struct] as const, entries: [[Uint8Array.of(7), inner] as const] };
  const fields: ThriftStruct = new Map([
    [1, { type: thrift.true, value: true }],
    [2, { type: thrift.byte, value: Uint8Array.of(200) }],
    [40, { type: thrift.double, value: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
    [41, { type: thrift.list, value: list }],
    [42, { type: thrift.set, value: many }],
    [43, { type: thrift.map, value: map }],
    [44, { type: thrift.map, value: { types: [0, 0] as const, entries: [] } }],
    [45, { type: thrift.binary, value: new Uint8Array(300) }],
  ]);
  assert.deepEqual(readStruct(writeStruct(fields)), fields);
});

Deno.test("a structure that ends too early, or has an unknown type, is refused", () => {
  assert.throws(() => readStruct(Uint8Array.of(0x18, 5, 1)), RangeError);
  assert.throws(() => readStruct(Uint8Array.of(0x1e, 0)), RangeError);
});
