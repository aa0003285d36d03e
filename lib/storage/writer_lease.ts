/**
 * One writing process per lake in a bucket: an object that the writer writes again every few seconds.
 *
 * A bucket frees nothing when a process dies, so a lease that nobody renews for a while is taken over. It spares a second
 * instance the work and tells its user; what makes a mistake impossible is the table commit itself (`change/sink.ts`).
 */
import { WeirError } from "../errors.ts";
import type { LakeWork } from "./lake_lock.ts";
import type { Storage } from "./storage.ts";

/** Who leases, and how fast. */
export interface WriterLeaseOptions {
  /**
   * Stands for the machine's own state folder, whose lock the caller holds: a lease of the same name is that of a process
   * which has ended, and is taken over at once.
   */
  readonly writer: string;
  /** What no second process may do meanwhile. Default `writes to`. */
  readonly work?: LakeWork;
  /** Milliseconds between two renewals. Default 5,000. */
  readonly renewMs?: number;
  /** How long a lease is watched before it counts as left behind, milliseconds. Default 20,000. */
  readonly patienceMs?: number;
}

/** Paths of the leases below the lake's root. */
export const leasePaths: Readonly<Record<LakeWork, string>> = {
  "writes to": "writer.lease",
  maintains: "maintenance.lease",
};

/**
 * Takes the lease of a lake. Disposing gives it back.
 *
 * No two clocks are compared: a lease of somebody else is watched, and it is alive if it changes.
 *
 * @throws {WeirError} `fenced` where another process does the same to the lake.
 */
export async function leaseLake(storage: Storage, options: WriterLeaseOptions): Promise<AsyncDisposable> {
  const lease = new WriterLease(storage, options);
  await lease.take();
  return lease;
}

class WriterLease implements AsyncDisposable {
  readonly #storage: Storage;
  readonly #options: WriterLeaseOptions;
  readonly #work: LakeWork;
  readonly #path: string;
  /** Tells this process's lease from one of the same writer that was left behind. */
  readonly #process = crypto.randomUUID();
  #renewals = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(storage: Storage, options: WriterLeaseOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#work = options.work ?? "writes to";
    this.#path = leasePaths[this.#work];
  }

  async take(): Promise<void> {
    if (!await this.#storage.putIfAbsent(this.#path, this.#text())) await this.#takeOver();
    const timer = setInterval(() => {
      // One that cannot be renewed now is renewed the next time; the commits themselves are safe either way.
      this.#renewing = this.#renewing.then(() => this.#renew()).catch(() => {});
    }, this.#options.renewMs ?? 5000);
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    // A lease that stays is no fault: it is taken over.
    const held = await this.#read().catch(() => undefined);
    if (held?.process === this.#process) await this.#storage.delete(this.#path).catch(() => {});
  }

  async #takeOver(): Promise<void> {
    const { writer, patienceMs = 20_000 } = this.#options;
    const found = await this.#read();
    if (found !== undefined && found.writer !== writer) {
      const changed = await this.#changes(found, Date.now() + patienceMs);
      if (changed) {
        throw new WeirError("fenced", `Another process ${this.#work} the lake in ${this.#storage.uri("")}`, {
          detail: { path: this.#path },
        });
      }
    }
    await this.#storage.put(this.#path, this.#text());
    // Of several that waited for the same lease the last one to write has it.
    if (found !== undefined && found.writer !== writer) await this.#changes(this.#own(), Date.now() + 1000);
    const held = await this.#read();
    if (held?.process !== this.#process) {
      throw new WeirError("fenced", `Another process took the lake in ${this.#storage.uri("")} at the same time`, {
        detail: { path: this.#path },
      });
    }
  }

  /** Whether a lease is renewed by somebody until a time. One that is given back has not changed: it is free. */
  async #changes(found: Lease, untilMs: number): Promise<boolean> {
    while (Date.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(500, Math.max(0, untilMs - Date.now()))));
      const now = await this.#read();
      if (now === undefined) return false;
      if (now.process !== found.process || now.renewals !== found.renewals) return true;
    }
    return false;
  }

  async #renew(): Promise<void> {
    const held = await this.#read();
    if (held?.process !== this.#process) return;
    this.#renewals++;
    await this.#storage.put(this.#path, this.#text());
  }

  async #read(): Promise<Lease | undefined> {
    const bytes = await this.#storage.read(this.#path);
    return bytes && parseLease(new TextDecoder().decode(bytes));
  }

  #own(): Lease {
    return { writer: this.#options.writer, process: this.#process, renewals: this.#renewals };
  }

  #text(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.#own()));
  }
}

interface Lease {
  readonly writer: string;
  readonly process: string;
  readonly renewals: number;
}

/** What somebody else put there is a lease of nobody. */
function parseLease(text: string): Lease {
  try {
    return JSON.parse(text) as Lease;
  } catch {
    return { writer: "", process: "", renewals: 0 };
  }
}
