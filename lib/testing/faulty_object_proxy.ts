/** What stands between us and an object store: passes every request on, unless it is told to spoil it. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What happens to a request. `busy`: answered 503, and the store never hears of it. `cut`: the connection closes before the
 * store hears of it. `lost`: the store does it, and the connection closes without an answer. `denied`: the store does it, and
 * the answer says 500. `half`: the store does it, and the connection closes in the middle of the answer. `late`: as always,
 * after a while.
 */
export type RequestFault = "busy" | "cut" | "lost" | "denied" | "half" | "late";

/** Chooses the fault of a request, or none. `path` is percent-encoded, without the query. */
export type RequestPlan = (request: { readonly method: string; readonly path: string }) => RequestFault | undefined;

/** A proxy before one object store. Disposing closes every connection. */
export class FaultyObjectProxy implements AsyncDisposable {
  /** May be replaced while a test runs. */
  plan: RequestPlan;
  /** How often each fault has happened. */
  readonly happened = new Map<RequestFault, number>();
  readonly #target: URL;
  readonly #server: Server;

  private constructor(endpoint: string, plan: RequestPlan) {
    this.#target = new URL(endpoint);
    this.plan = plan;
    this.#server = createServer((asked, answer) => this.#serve(asked, answer));
  }

  /** Starts one before a store. */
  static async start(endpoint: string, plan: RequestPlan = () => undefined): Promise<FaultyObjectProxy> {
    const proxy = new FaultyObjectProxy(endpoint, plan);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** URL of the store, through the proxy. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(asked: IncomingMessage, answer: ServerResponse): void {
    const { method = "GET", url = "/" } = asked;
    const fault = this.plan({ method, path: url.replace(/\?.*/, "") });
    if (fault !== undefined) this.happened.set(fault, (this.happened.get(fault) ?? 0) + 1);
    const body: Uint8Array[] = [];
    asked.on("data", (bytes: Uint8Array) => body.push(bytes));
    asked.on("end", () => {
      if (fault === "cut") return answer.destroy();
      if (fault === "busy") return void answer.writeHead(503).end("<Error><Code>SlowDown</Code></Error>");
      const pass = () => this.#pass({ asked, body, fault }, answer);
      if (fault === "late") setTimeout(pass, 200);
      else pass();
    });
  }

  #pass(
    { asked, body, fault }: {
      readonly asked: IncomingMessage;
      readonly body: readonly Uint8Array[];
      readonly fault: RequestFault | undefined;
    },
    answer: ServerResponse,
  ): void {
    const { hostname: host, port } = this.#target;
    // The Host header stays as it came: it is under the signature.
    const { method, url: path, headers } = asked;
    const passed = request({ host, port, method, path, headers, setHost: false }, (response) => {
      const chunks: Uint8Array[] = [];
      response.on("data", (bytes: Uint8Array) => chunks.push(bytes));
      response.on("end", () => {
        const bytes = joined(chunks);
        if (fault === "lost") return answer.destroy();
        if (fault === "denied") return void answer.writeHead(500).end();
        answer.writeHead(response.statusCode ?? 502, response.headers);
        if (fault !== "half") return void answer.end(bytes);
        answer.write(bytes.subarray(0, bytes.length / 2), () => answer.destroy());
      });
    });
    passed.on("error", () => answer.destroy());
    for (const bytes of body) passed.write(bytes);
    passed.end();
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
