/**
 * What a job says, and what becomes of it when nobody reads that any more (`| head`, a closed terminal).
 *
 * Promise: a reader that goes away is no error; what it does not read is dropped, and {@linkcode Output.gone} aborts.
 */
import { WeirError } from "../errors.ts";

type Stream = Pick<typeof Deno.stdout, "writeSync">;

/** What a shell reports of a program whose reader went away: 128 and the number of SIGPIPE. */
export const readerGoneCode = 141;

/** A pipe without a reader, a terminal that was closed. */
const goneCodes = ["EPIPE", "EIO"];

/** The two streams of a job. */
export class Output {
  readonly #streams: { readonly out: Stream; readonly error: Stream };
  readonly #controller = new AbortController();

  /** @param streams Default: the process's own. */
  constructor(streams: { readonly out: Stream; readonly error: Stream } = { out: Deno.stdout, error: Deno.stderr }) {
    this.#streams = streams;
  }

  /** Aborts when the reader of either stream has gone, with a WeirError of kind `interrupted` as its reason. */
  get gone(): AbortSignal {
    return this.#controller.signal;
  }

  /** Writes a text or bytes to standard output. Throws what the system says, but for a reader that has gone. */
  out(content: string | Uint8Array): void {
    this.#write(this.#streams.out, content);
  }

  /** Writes a text to standard error, likewise. */
  error(text: string): void {
    this.#write(this.#streams.error, text);
  }

  #write(stream: Stream, content: string | Uint8Array): void {
    try {
      const all = typeof content === "string" ? new TextEncoder().encode(content) : content;
      for (let bytes = all; bytes.length > 0;) {
        bytes = bytes.subarray(stream.writeSync(bytes));
      }
    } catch (thrown) {
      if (!goneCodes.includes((thrown as { code?: string }).code ?? "")) throw thrown;
      this.#controller.abort(new WeirError("interrupted", "nobody reads the output any more"));
    }
  }
}
