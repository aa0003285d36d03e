/**
 * The relation versions seen so far, each with the point from which on it held.
 *
 * Promise: the step to a new version is taken from what held just before it, also after a reconnect, a restart or a copy of
 * the table in between. Kept in a small file beside the spool; without that file a restart knows no earlier version and
 * takes the first one it sees as it is.
 */
import { storageError } from "../../errors.ts";
import { formatLsn, parseLsn } from "./lsn.ts";
import type { RelationVersion } from "./relation_version.ts";

interface Entry {
  readonly lsn: bigint;
  /** A copy's version stands even when the stream is read again from before it. */
  readonly fromCopy: boolean;
  readonly version: RelationVersion;
}

interface StoredEntry {
  readonly lsn: string;
  readonly fromCopy: boolean;
  readonly version: RelationVersion;
}

/** Versions by table oid. */
export class RelationMemory {
  readonly #path: string;
  readonly #owner: string;
  #entries = new Map<number, readonly Entry[]>();
  readonly #held = new Set<{ readonly lsn: bigint }>();
  #changed = false;
  #saving: Promise<void> = Promise.resolve();

  /** `owner` names server and slot: a file of another one is not believed. */
  constructor(path: string, owner: string) {
    this.#path = path;
    this.#owner = owner;
  }

  /** Reads the file, where there is one of this owner. */
  async load(): Promise<void> {
    try {
      const stored = JSON.parse(await Deno.readTextFile(this.#path)) as { owner: string; tables: StoredEntry[][] };
      if (stored.owner !== this.#owner) return;
      for (const entries of stored.tables) {
        // Files of older releases know no type forms.
        const read = entries.map(({ version, ...entry }) => ({
          ...entry,
          version: { ...version, typeForms: version.typeForms ?? [] },
          lsn: parseLsn(entry.lsn),
        }));
        if (read[0] !== undefined) this.#entries.set(read[0].version.oid, read);
      }
    } catch {
      // Missing or damaged: as on a first start.
      this.#entries.clear();
    }
  }

  /** The version that held for changes of a transaction whose commit record stands at `lsn`. */
  before(oid: number, lsn: bigint): RelationVersion | undefined {
    return this.#entries.get(oid)?.findLast((entry) => entry.lsn <= lsn)?.version;
  }

  /** The version that held for everything before a point; a copy's, also for one made exactly there. */
  at(oid: number, lsn: bigint): RelationVersion | undefined {
    return this.#entries.get(oid)?.findLast((entry) => entry.fromCopy ? entry.lsn <= lsn : entry.lsn < lsn)?.version;
  }

  /** Forgets nothing that held at a point, until the call that it gives. */
  hold(lsn: bigint): () => void {
    const held = { lsn };
    this.#held.add(held);
    return () => void this.#held.delete(held);
  }

  /** The last version of all. */
  latest(oid: number): RelationVersion | undefined {
    return this.#entries.get(oid)?.at(-1)?.version;
  }

  /** Whether the table was captured before, whatever its oid then. */
  knows(source: string): boolean {
    return [...this.#entries.values()].some((entries) => entries.at(-1)?.version.source === source);
  }

  /** `namespace.table` of every table by oid, as of its last version. */
  sources(): ReadonlyMap<number, string> {
    return new Map([...this.#entries].flatMap(([oid, entries]) => {
      const last = entries.at(-1);
      return last === undefined ? [] : [[oid, last.version.source] as const];
    }));
  }

  /** Forgets a table. */
  forget(oid: number): void {
    this.#changed = this.#entries.delete(oid) || this.#changed;
  }

  /** Remembers a version that holds from `lsn` on. */
  add(version: RelationVersion, lsn: bigint, options: { readonly fromCopy: boolean }): void {
    const entries = [...this.#entries.get(version.oid) ?? []];
    const place = entries.findLastIndex((entry) => entry.lsn <= lsn) + 1;
    entries.splice(place, 0, { lsn, version, fromCopy: options.fromCopy });
    this.#entries.set(version.oid, entries);
    this.#changed = true;
  }

  /** Forgets what the stream said after a point from which it will be read again. */
  rewind(lsn: bigint): void {
    this.#keep((entry) => entry.fromCopy || entry.lsn < lsn);
  }

  /** Forgets what can never be a table's latest version before a change again. */
  prune(recordedLsn: bigint): void {
    const lsn = [...this.#held].reduce((least, held) => held.lsn <= least ? held.lsn - 1n : least, recordedLsn);
    for (const [oid, entries] of this.#entries) {
      const first = Math.max(0, entries.findLastIndex((entry) => entry.lsn <= lsn));
      if (first > 0) {
        this.#entries.set(oid, entries.slice(first));
        this.#changed = true;
      }
    }
  }

  /** Writes the file where something changed. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const tables = [...this.#entries.values()]
      .map((entries) => entries.map((entry) => ({ ...entry, lsn: formatLsn(entry.lsn) })));
    const text = JSON.stringify({ owner: this.#owner, tables });
    this.#saving = this.#saving.catch(() => {}).then(() => this.#replace(text));
    await this.#saving;
  }

  async #replace(text: string): Promise<void> {
    try {
      await Deno.writeTextFile(`${this.#path}.new`, text);
      await Deno.rename(`${this.#path}.new`, this.#path);
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
  }

  #keep(wanted: (entry: Entry) => boolean): void {
    for (const [oid, entries] of this.#entries) {
      const kept = entries.filter(wanted);
      if (kept.length === entries.length) continue;
      this.#entries.set(oid, kept);
      this.#changed = true;
    }
  }
}
