/**
 * A server that ends when it is told to.
 *
 * Promise: requests that have come are answered first, for as long as a client may be waited for; a client that has sent half of one
 * and is silent does not keep the process from ending.
 */
import { WeirError } from "../../errors.ts";

/** Longest time in which requests under way are still answered. */
const farewellMs = 5_000;

/** Where to listen, and until when. */
export interface HttpServerOptions {
  readonly hostname: string;
  /** 0: a free one. */
  readonly port: number;
  /** Aborted where nothing further is to be answered. */
  readonly signal: AbortSignal;
  /** Told the port once somebody may ask. */
  readonly onListen?: (port: number) => void;
  /** How long requests under way are answered after that, ms. Default 5,000. */
  readonly farewellMs?: number;
}

/** Answers requests until `signal` is aborted. Throws `portTaken` where something listens there already. */
export async function serveUntil(options: HttpServerOptions, handle: Deno.ServeHandler): Promise<void> {
  const { signal, farewellMs: longestMs = farewellMs } = options;
  const server = listen(options, handle);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, longestMs));
  // What is not over by then waits for clients alone; it ends with them, or with the process.
  await Promise.race([server.shutdown(), enough]);
  clearTimeout(timer);
}

function listen({ hostname, port, onListen }: HttpServerOptions, handle: Deno.ServeHandler): Deno.HttpServer {
  try {
    return Deno.serve({ hostname, port, onListen: (address) => onListen?.(address.port) }, handle);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.AddrInUse)) throw thrown;
    throw new WeirError("portTaken", `Something listens on port ${port} already`, {
      advice: "Choose another port with --port, or stop the program that listens on it",
    });
  }
}
