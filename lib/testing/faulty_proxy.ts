/** What stands between us and a server: forwards every byte until it is told to cut, to go dumb or to refuse. */
import { writeAll } from "../storage/write_all.ts";

/** What happens to a stream that has brought so many bytes. */
export interface ProxyFault {
  /** `cut`: both sockets are closed. `dumb`: nothing is forwarded any more, in either direction, and nothing is closed. */
  readonly kind: "cut" | "dumb";
  /** Bytes from the server on this connection, counted from its first. */
  readonly afterBytes: number;
}

/** A proxy before one PostgreSQL server. Disposing closes every socket. */
export class FaultyProxy implements Disposable {
  /** Connection string of the server, through the proxy. */
  readonly url: string;
  /** Whether new connections are closed at once. */
  isRefusing = false;
  /** Faults that have happened. */
  readonly happened: ProxyFault[] = [];
  readonly #server: { readonly hostname: string; readonly port: number };
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Link>();
  readonly #faults: ProxyFault[] = [];

  constructor(url: string) {
    const target = new URL(url);
    this.#server = { hostname: target.hostname, port: Number(target.port) };
    target.port = String((this.#listener.addr as Deno.NetAddr).port);
    this.url = target.href;
    void this.#accept();
  }

  /** Each fault happens to the next replication connection that brings its bytes, in this order. */
  plan(...faults: readonly ProxyFault[]): void {
    this.#faults.push(...faults);
  }

  /** From now on nothing gets through on the connections that are open, and none of them is closed. */
  goDumb(): void {
    for (const link of this.#open) link.isDumb = true;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const link of this.#open) closeBoth(link);
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) void this.#serve(client).catch(() => close(client));
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BadResource || thrown instanceof Deno.errors.Interrupted)) throw thrown;
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    if (this.isRefusing) return close(client);
    const server = await Deno.connect(this.#server);
    const link: Link = { client, server, isDumb: false };
    this.#open.add(link);
    const startup = new Uint8Array(8192);
    const length = await client.read(startup) ?? 0;
    await writeAll(server, startup.subarray(0, length));
    const isReplication = new TextDecoder().decode(startup.subarray(0, length)).includes("replication");
    await Promise.allSettled([this.#forward(link), this.#answer(link, isReplication)]);
    if (link.isDumb) return;
    closeBoth(link);
    this.#open.delete(link);
  }

  /** From the client to the server. */
  async #forward(link: Link): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (let length = await link.client.read(buffer); length !== null; length = await link.client.read(buffer)) {
      if (link.isDumb) return;
      await writeAll(link.server, buffer.subarray(0, length));
    }
    closeBoth(link);
  }

  /** From the server to the client. */
  async #answer(link: Link, isReplication: boolean): Promise<void> {
    const buffer = new Uint8Array(65_536);
    let bytes = 0;
    for (let length = await link.server.read(buffer); length !== null; length = await link.server.read(buffer)) {
      const fault = isReplication ? this.#faults[0] : undefined;
      if (fault !== undefined && bytes + length > fault.afterBytes) {
        this.#faults.shift();
        this.happened.push(fault);
        // Up to the very byte, which is hardly ever the end of a message.
        await writeAll(link.client, buffer.subarray(0, Math.max(0, fault.afterBytes - bytes)));
        link.isDumb = fault.kind === "dumb";
        if (!link.isDumb) closeBoth(link);
        return;
      }
      if (link.isDumb) return;
      bytes += length;
      await writeAll(link.client, buffer.subarray(0, length));
    }
    closeBoth(link);
  }
}

interface Link {
  readonly client: Deno.Conn;
  readonly server: Deno.Conn;
  isDumb: boolean;
}

function closeBoth({ client, server }: Link): void {
  close(client);
  close(server);
}

function close(socket: Deno.Conn): void {
  try {
    socket.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
  }
}
