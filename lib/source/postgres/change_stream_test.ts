import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { type ChangeConnection, ChangeStream } from "./change_stream.ts";
import { CutPoints } from "./cut_points.ts";
import { dataHeaderBytes, messageType, streamMessage } from "./pgoutput.ts";
import { RelationMemory } from "./relation_memory.ts";
import type { StreamOptions } from "./replication_connection.ts";
import { streamLimits } from "./source_options.ts";
import { SpoolFolder } from "./spool_folder.ts";

/** A message of the walsender: a pgoutput message of a type, then 64-bit numbers. */
function message(type: number, ...numbers: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(dataHeaderBytes + 1 + 8 * numbers.length);
  bytes[0] = streamMessage.data;
  bytes[dataHeaderBytes] = type;
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, index) => view.setBigUint64(dataHeaderBytes + 1 + 8 * index, number));
  return bytes;
}

const begin = (lsn: bigint) => message(messageType.begin, lsn, 0n, 0n);

/** As PostgreSQL has it: flags, the commit's LSN, its end and its time. */
function commit(lsn: bigint): Uint8Array {
  const bytes = message(messageType.commit, 0n, 0n, 0n, 0n);
  new DataView(bytes.buffer).setBigUint64(dataHeaderBytes + 10, lsn);
  return bytes;
}

/** A stream that reads what a test sends it, and ends a batch at every source commit. */
async function withStream(body: (stream: ChangeStream, send: (bytes: Uint8Array) => void) => Promise<void>) {
  await withTemporaryFolder(async (folder) => {
    const reading = Promise.withResolvers<StreamOptions>();
    const connection: ChangeConnection = {
      stream: reading.resolve,
      pause: () => {},
      resume: () => {},
      sendStatus: () => {},
      close: () => Promise.resolve(),
    };
    const spool = new SpoolFolder(`${folder}/spool`);
    await spool.clear();
    const stream = new ChangeStream({
      ...{ instance: "test", afterLsn: 1n, slot: "slot", publication: "publication", folder: spool },
      memory: new RelationMemory(`${folder}/relations.json`, "test"),
      tables: new Map(),
      cutPoints: new CutPoints(),
      limits: { ...streamLimits({ url: "", folder: "" }), batchRows: 0 },
      connect: () => Promise.resolve(connection),
      resolve: () => Promise.resolve(),
      recordedLsn: () => 1n,
      isStopping: () => Promise.resolve(false),
    });
    try {
      await stream.open();
      const { onMessage } = await reading.promise;
      await body(stream, onMessage);
    } finally {
      await stream.close();
    }
  });
}

Deno.test("a source commit ends a batch", () =>
  withStream(async (stream, send) => {
    send(begin(10n));
    send(commit(11n));
    assert.equal((await stream.next())?.to.offset, "0/B");
  }));

Deno.test("no batch holds what came after a message that could not be read", () =>
  withStream(async (stream, send) => {
    send(begin(10n));
    // Says nothing of its tables.
    send(message(messageType.truncate));
    send(commit(11n));
    await assert.rejects(stream.next(), { kind: "internal", message: /DataView/ });
  }));
