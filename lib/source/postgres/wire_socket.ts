/**
 * The socket under a `pg.Client`, which hands CopyData messages over as they lie in one buffer.
 *
 * Why: otherwise each piece that is read has memory of its own, and each message becomes an object and an event of its own. V8
 * marks the whole heap for every 64 MiB of such memory: together a twentieth of all CPU time of a capture.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import { CopyDataFrames } from "./copy_data_frames.ts";

/** The part of `npm:pg`'s connection that is told of messages. */
interface MessageReceiver {
  emit(event: "copyData", message: { readonly chunk: Uint8Array }): void;
}

/** What `npm:pg` says when it asks for a socket. */
interface SocketWish {
  readonly ssl?: unknown;
}

/**
 * The option `stream` of a `pg.Client`. A connection that is to be encrypted gets an ordinary socket: its bytes are another's to
 * read.
 *
 * @param receiver The client's connection, asked for when the first message comes.
 */
export function wireSocket(receiver: () => MessageReceiver): (wish: SocketWish) => net.Socket {
  return ({ ssl }) => {
    if (ssl) return new net.Socket();
    const frames = new CopyDataFrames({
      onCopyData: (chunk) => receiver().emit("copyData", { chunk }),
      // A copy: the client keeps what it has not come to the end of.
      onOther: (bytes) => void socket.emit("data", Buffer.from(bytes)),
    });
    const onread = {
      buffer: () => frames.room,
      callback: (count: number) => {
        frames.take(count);
        return true;
      },
    };
    const socket = new net.Socket({ onread });
    return socket;
  };
}
