import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { CopyDataFrames } from "./copy_data_frames.ts";

interface Message {
  readonly type: string;
  readonly content: Uint8Array;
}

function wire({ type, content }: Message): Uint8Array {
  const bytes = new Uint8Array(5 + content.length);
  bytes[0] = type.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, 4 + content.length);
  bytes.set(content, 5);
  return bytes;
}

/** What is handed over of bytes that come in pieces of the given sizes, again and again, or as large as there is room. */
function handedOver(bytes: Uint8Array, sizes: readonly number[]) {
  const handed: (Message | Uint8Array)[] = [];
  const frames = new CopyDataFrames({
    onCopyData: (content) => void handed.push({ type: "d", content: content.slice() }),
    onOther: (others) => void handed.push(others.slice()),
  });
  for (let [at, piece] = [0, 0]; at < bytes.length; piece++) {
    const { room } = frames;
    assert.ok(room.length > 0);
    const some = bytes.subarray(at, at + Math.min(room.length, sizes[piece % sizes.length] ?? room.length));
    room.set(some);
    frames.take(some.length);
    at += some.length;
  }
  return handed;
}

/** CopyData apart, and all between two of them as one stretch of bytes. */
function stretches(handed: readonly (Message | Uint8Array)[]): readonly Uint8Array[] {
  const all: Uint8Array[][] = [[]];
  for (const each of handed) {
    if (each instanceof Uint8Array) all.at(-1)!.push(each);
    else all.push([each.content], []);
  }
  return all.map((parts) => Buffer.concat(parts));
}

const contents = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  fc.integer({ min: 0, max: 400_000 }).map((length) => new Uint8Array(length).fill(length)),
);
const messages = fc.array(fc.record({ type: fc.constantFrom("d", "d", "Z", "D", "C"), content: contents }), {
  maxLength: 20,
});

Deno.test("every CopyData message comes whole and every other byte in its place, however the bytes come in", () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 200_000 })), {
    maxLength: 4,
  });
  fc.assert(fc.property(messages, sizes, (sent, pieces) => {
    const wanted = stretches(sent.map((message) => message.type === "d" ? message : wire(message)));
    assert.deepEqual(stretches(handedOver(Buffer.concat(sent.map(wire)), pieces)), wanted);
  }));
});

Deno.test("a large message leaves no large buffer behind", () => {
  const handed: number[] = [];
  const frames = new CopyDataFrames({ onCopyData: ({ length }) => void handed.push(length), onOther: () => {} });
  const bytes = wire({ type: "d", content: new Uint8Array(20 * 2 ** 20) });
  const usualBytes = frames.room.length;
  for (let at = 0; at < bytes.length;) {
    const some = bytes.subarray(at, at + frames.room.length);
    frames.room.set(some);
    frames.take(some.length);
    at += some.length;
  }
  assert.deepEqual([handed, frames.room.length], [[20 * 2 ** 20], usualBytes]);
});
