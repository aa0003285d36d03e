/** Writers and compactors on one table over bad storages, and what must be true of the table once they are through. */
import type { Sink } from "../../lib/change/sink.ts";
import { Random } from "../../lib/domain/random.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { toWeirError } from "../../lib/errors.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { type TroubleShares, UnreliableStorage } from "../../lib/testing/unreliable_storage.ts";
import { RaceEnd } from "./race_end.ts";
import { kindOf, type RacedChange, type RaceLayout, RacePlan } from "./race_plan.ts";
import { openRaced, type RacedFormat, racedPolicy, type RacedTable } from "./raced_lake.ts";

/** Who races, and how long. */
export interface RaceOptions extends RaceLayout {
  readonly format: RacedFormat;
  readonly seed: number;
  readonly compactors: number;
  /** No commit is begun after so many, unless there are too few to show anything by then. */
  readonly seconds: number;
  readonly shares: TroubleShares;
}

/** What happened. */
export type RaceCounts = Record<string, number>;

/** On a busy machine a race goes on until it has so many commits of all writers, or took so much longer, milliseconds. */
const leastCommits = 40;
const mostExtraMs = 40_000;

/** Errors that an actor must expect: it opens the table anew and goes on. */
const expectedKinds = new Set(["storage", "fenced", "conflict", "tableUnreadable"]);

/** A race, in its own folder. Throws where the table is not what was committed. */
export async function race(options: RaceOptions): Promise<RaceCounts> {
  return await withDatabase((fixture) => new Race(fixture, options).run(), { threads: 2 });
}

interface Actor {
  readonly name: string;
  readonly storage: UnreliableStorage;
  readonly connection: Connection;
  readonly random: Random;
  open(): RacedTable;
}

class Race {
  readonly #fixture: DatabaseFixture;
  readonly #options: RaceOptions;
  readonly #calm: LocalStorage;
  readonly #plan: RacePlan;
  readonly #endMs: number;
  /** Number of the last change that a writer was told of. */
  #last = 0;
  readonly #counts: RaceCounts = {};
  readonly #actors: Actor[] = [];

  constructor(fixture: DatabaseFixture, options: RaceOptions) {
    this.#fixture = fixture;
    this.#options = options;
    this.#calm = new LocalStorage(`${fixture.folder}/lake`);
    this.#plan = new RacePlan(fixture.connection, options);
    this.#endMs = performance.now() + options.seconds * 1000;
  }

  async run(): Promise<RaceCounts> {
    const { writers, compactors, hasSource, format } = this.#options;
    const { connection } = this.#fixture;
    await this.#plan.create();
    if (!hasSource) await openRaced(format, { storage: this.#calm, connection }).create(this.#plan.definition);
    let isWriting = true;
    const writing = Array.from({ length: writers }, async (_, index) => {
      const actor = await this.#actor(`writer ${index + 1}`);
      await (hasSource ? this.#follow(actor) : this.#append(actor, index + 1));
    });
    const keeping = Array.from({ length: compactors }, async (_, index) => {
      const actor = await this.#actor(`compactor ${index + 1}`);
      while (isWriting) await this.#attempt(actor, () => this.#keepUp(actor));
    });
    // Both are awaited from here on: a compactor that fails while writers go on must not be an error that nobody catches.
    const kept = Promise.allSettled(keeping);
    const written = await Promise.allSettled(writing);
    isWriting = false;
    for (const { storage } of this.#actors) await storage.settled();
    for (const each of [...written, ...await kept]) if (each.status === "rejected") throw each.reason;
    const end = new RaceEnd({ connection, storage: this.#calm, plan: this.#plan });
    await end.check(openRaced(format, { storage: this.#calm, connection }), hasSource ? this.#last : undefined);
    for (const actor of this.#actors) {
      for (const [trouble, count] of Object.entries(actor.storage.counts)) this.#count(trouble, count);
      actor.connection.close();
    }
    return { ...this.#counts, orphans: end.orphans };
  }

  async #actor(name: string): Promise<Actor> {
    const { seed, shares, format } = this.#options;
    const connection = await this.#fixture.database.connect();
    const random = new Random(seed, name);
    const storage = new UnreliableStorage(this.#calm, { random: new Random(seed, `storage of ${name}`), shares });
    const actor = { name, storage, connection, random, open: () => openRaced(format, { storage, connection }) };
    this.#actors.push(actor);
    return actor;
  }

  /** Commits whatever follows the table's position, until there is no more. */
  async #follow(actor: Actor): Promise<void> {
    const { writers, commits } = this.#options;
    let sink = new LakeSink(actor.open());
    for (let isDone = false; !isDone && this.#isTime;) {
      const isWell = await this.#attempt(actor, async () => {
        const { position } = await sink.status();
        const n = Number(position?.offset.slice(2) ?? 0) + 1;
        isDone = n > writers * commits;
        if (isDone) return;
        await this.#commit(actor, { sink, n });
        this.#last = Math.max(this.#last, n);
        this.#count("commits");
      });
      // As a process that is started again, or as one that goes on.
      if (!isWell && actor.random.chance(0.5)) sink = new LakeSink(actor.open());
    }
  }

  async #commit({ connection }: Actor, { sink, n }: { readonly sink: Sink; readonly n: number }): Promise<void> {
    if (kindOf(n) === "position" && n > 1) return await sink.recordPosition({ instance: "race:1/1", offset: `0/${n}` });
    await this.#plan.withChange(connection, { n, writer: 0, position: n }, async ({ change, parts }) => {
      if (parts.length === 0) return void await sink.commit(change);
      const load = await sink.load(change);
      try {
        for (const part of parts) await load.add(part);
        await load.commit();
      } catch (thrown) {
        await load.abandon().catch(() => {});
        throw thrown;
      }
    });
  }

  /** Commits changes of its own under the one position that all such writers share. */
  async #append(actor: Actor, writer: number): Promise<void> {
    let sink = new LakeSink(actor.open());
    for (let n = 1; n <= this.#options.commits && this.#isTime;) {
      const isWell = await this.#attempt(
        actor,
        () =>
          this.#plan.withChange(actor.connection, { n, writer, position: 1 }, async ({ change }) => {
            await sink.commit(change);
          }),
      );
      if (!isWell) {
        await actor.storage.settled();
        sink = new LakeSink(actor.open());
      }
      if (!isWell && !await this.#hasArrived({ n, writer })) continue;
      this.#count("commits");
      await this.#plan.note({ n, writer });
      n++;
    }
  }

  /** A writer that was told of a failure and has no position to go by asks the table for its rows. */
  async #hasArrived({ n, writer }: RacedChange): Promise<boolean> {
    const connection = await this.#fixture.database.connect();
    try {
      const table = openRaced(this.#options.format, { storage: this.#calm, connection });
      using scan = await table.scan((await table.load())!);
      return await connection.value(`SELECT 1 FROM (${scan.sql}) WHERE value = '${writer}/${n}' LIMIT 1`) !== undefined;
    } finally {
      connection.close();
    }
  }

  /** One round of upkeep by a process of its own, which may know an old state of the table. */
  async #keepUp(actor: Actor): Promise<void> {
    const worker = new UpkeepWorker(actor.connection);
    const upkeep = new TableUpkeep({ table: actor.open(), storage: actor.storage, policy: racedPolicy, worker });
    for (let round = actor.random.below(4); round >= 0; round--) {
      const planned = await upkeep.planned();
      if (planned !== undefined) {
        const merged = await upkeep.merge(planned);
        if (await merged.land()) this.#count("merges");
        else this.#count("merges given up");
      } else await new Promise((resolve) => setTimeout(resolve, 100));
      if (actor.random.chance(0.6)) this.#count("expired", (await upkeep.expire()).snapshots);
      if (!actor.random.chance(0.05)) continue;
      for (const { path } of await upkeep.orphans()) await actor.storage.delete(path);
    }
  }

  /** Whether it went well. What an actor must not expect is thrown. */
  async #attempt(actor: Actor, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (thrown) {
      const error = toWeirError(thrown, "internal");
      if (!expectedKinds.has(error.kind)) throw thrown;
      this.#count(`${actor.name.split(" ")[0]} ${error.kind}`);
      return false;
    }
  }

  get #isTime(): boolean {
    const isEarly = (this.#counts["commits"] ?? 0) < leastCommits && performance.now() < this.#endMs + mostExtraMs;
    return isEarly || performance.now() < this.#endMs;
  }

  #count(name: string, by = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }
}
