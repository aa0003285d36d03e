/** Ports on the loopback interface. */
import { WeirError } from "../errors.ts";

const loopback = "127.0.0.1";

/** A port that nobody listens on at this moment. */
export function freePort(): number {
  return freePorts(1)[0]!;
}

/** So many ports that nobody listens on at this moment, each another one. */
export function freePorts(count: number): readonly number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: loopback, port: 0 }));
  return listeners.map((listener) => {
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    return port;
  });
}

/** Whether nobody listens on a port at this moment. */
export function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: loopback, port }).close();
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.AddrInUse) return false;
    throw thrown;
  }
}

/** The error for a port somebody else listens on. */
export function portTaken(port: number, cause?: unknown): WeirError {
  return new WeirError("portTaken", `port ${port} on ${loopback} is taken by another program`, { cause });
}
