import assert from "node:assert/strict";
import type { CommitResult } from "../change/sink.ts";
import { WeirError } from "../errors.ts";
import type { LakeTable, TableState } from "../table/lake_table.ts";
import { type CommitterOptions, TableCommitter } from "./table_committer.ts";

const cause = new Error("connection lost");

/** A table that is a list of what was committed, and a store that answers as the test says. */
class ListedTable {
  readonly commits: string[] = [];
  readonly answers: ((staged: string) => CommitResult)[] = [];
  /** Undefined: no snapshot with a position is left. */
  offset: number | undefined = 0;
  /** What is being read arrives after it. */
  loading: Promise<void> | undefined;
  /** What is asked for is read after it. */
  away: Promise<void> | undefined;
  #tries = 0;

  get table(): LakeTable {
    const parts: Partial<LakeTable<TableState, string, string>> = {
      format: "delta",
      namespace: "bank",
      name: "cards",
      location: "cards",
      load: async () => {
        const { away, loading } = this;
        await away;
        const found = this.#state();
        await loading;
        return found;
      },
      stage: (_, prepared) => `${prepared} ${++this.#tries}`,
      commit: (staged) => Promise.resolve((this.answers.shift() ?? this.takes)(staged)),
      isCommitted: (staged) => Promise.resolve(this.commits.includes(staged)),
    };
    return parts as LakeTable;
  }

  readonly takes = (staged: string): CommitResult => {
    this.commits.push(staged);
    return { outcome: "committed", snapshotId: 1n, rows: 1n };
  };

  #state(): TableState {
    const state = { columns: [], key: [], rows: BigInt(this.commits.length) };
    if (this.offset === undefined) return state;
    return { ...state, position: { instance: "test:1/1", offset: `0/${this.offset}` } };
  }
}

async function published(
  listed: ListedTable,
  options: CommitterOptions,
  committer = new TableCommitter(listed.table, options),
) {
  const fitted: unknown[] = [];
  const fit = (_: TableState, prepared: unknown) => {
    fitted.push(prepared);
    return Promise.resolve(prepared);
  };
  const isDone = await committer.publish((await committer.current())!, { prepared: "rows", fit });
  return { isDone, fitted: fitted.length };
}

const someTime = () => new Promise((resolve) => setTimeout(resolve, 10));

Deno.test("a commit that arrives after it was looked up in vain is found while the next attempt is under way", async () => {
  const listed = new ListedTable();
  listed.answers.push(
    () => ({ outcome: "unknown", cause }),
    () => {
      listed.takes("rows 1");
      return { outcome: "conflict" };
    },
  );
  assert.equal((await published(listed, { isWriter: false })).isDone, true);
  assert.deepEqual(listed.commits, ["rows 1"]);
});

Deno.test("a commit that the disk has no room for says so after its last attempt", async () => {
  const listed = new ListedTable();
  const full = new WeirError("storageFull", "No space left on device");
  for (let attempt = 0; attempt < 6; attempt++) listed.answers.push(() => ({ outcome: "retryable", cause: full }));
  await assert.rejects(published(listed, {}), { kind: "storageFull", message: /^Cannot commit .* after 6 attempts$/ });
});

Deno.test("it is found as well where the next attempt failed before it came to the commit", async () => {
  const listed = new ListedTable();
  listed.answers.push(
    () => ({ outcome: "unknown", cause }),
    () => {
      listed.takes("rows 1");
      return { outcome: "retryable", cause };
    },
  );
  assert.equal((await published(listed, { isWriter: false })).isDone, true);
  assert.deepEqual(listed.commits, ["rows 1"]);
});

Deno.test("a writer whose table another one moved on is fenced, upkeep goes on from there", async () => {
  for (const isWriter of [true, false]) {
    const listed = new ListedTable();
    listed.answers.push(() => {
      listed.offset = 1;
      return { outcome: "conflict" };
    });
    const ended = published(listed, { isWriter });
    if (!isWriter) assert.equal((await ended).isDone, true);
    else await assert.rejects(ended, (error) => error instanceof WeirError && error.kind === "fenced");
    assert.deepEqual(listed.commits, isWriter ? [] : ["rows 2"]);
  }
});

Deno.test("what somebody began to read before a commit does not stand for the table after it", async () => {
  const listed = new ListedTable();
  const committer = new TableCommitter(listed.table);
  const arrived = Promise.withResolvers<void>();
  listed.loading = arrived.promise;
  const slow = committer.current();
  listed.loading = undefined;
  const prepared = { prepared: "rows", fit: () => Promise.resolve("rows") };
  assert.equal(await committer.publish((await committer.current())!, prepared), true);
  arrived.resolve();
  assert.equal((await slow)?.rows, 1n);
  assert.equal((await committer.current())?.rows, 1n);
});

Deno.test("who looks for another writer while the store is away does not take our own commit for his", async () => {
  const listed = new ListedTable();
  const committer = new TableCommitter(listed.table);
  await committer.current();
  const back = Promise.withResolvers<void>();
  listed.away = back.promise;
  const looked = committer.refreshed();
  await someTime();
  listed.away = undefined;
  const published = committer.settle({
    attempt: () => {
      listed.offset = 1;
      return Promise.resolve(listed.takes("rows"));
    },
    arrived: () => false,
    moves: { to: { instance: "test:1/1", offset: "0/1" } },
  });
  await someTime();
  back.resolve();
  await looked;
  assert.equal(await published, true);
  assert.equal((await committer.refreshed())?.rows, 1n);
});

Deno.test("a writer that could not read the table while another one moved it on is fenced all the same", async () => {
  const listed = new ListedTable();
  const committer = new TableCommitter(listed.table);
  await committer.current();
  listed.away = Promise.reject(cause);
  await assert.rejects(committer.refreshed(), cause);
  listed.away = undefined;
  listed.offset = 1;
  await assert.rejects(committer.current(), { kind: "fenced" });
  await assert.rejects(published(listed, {}, committer), { kind: "fenced" });
  assert.deepEqual(listed.commits, []);
});

Deno.test("a writer whose doubtful commit another one has made in its place is fenced instead of making it twice", async () => {
  const listed = new ListedTable();
  const committer = new TableCommitter(listed.table);
  listed.answers.push(() => {
    listed.offset = 1;
    return { outcome: "unknown", cause };
  });
  const files = {
    prepared: "rows",
    fit: (_: TableState, prepared: unknown) => Promise.resolve(prepared),
    position: { instance: "test:1/1", offset: "0/1" },
  };
  await assert.rejects(committer.publish((await committer.current())!, files), { kind: "fenced" });
  assert.deepEqual(listed.commits, []);
});

Deno.test("a commit of its own that arrives after it was given up fences no writer", async () => {
  const listed = new ListedTable();
  const committer = new TableCommitter(listed.table);
  const position = { instance: "test:1/1", offset: "0/1" };
  const broken = { attempt: () => Promise.reject(cause), arrived: () => false, moves: { to: position } };
  await assert.rejects(committer.settle(broken), cause);
  listed.offset = 1;
  assert.deepEqual((await committer.current())?.position, position);
});

Deno.test("a writer whose position another program took away says what to do", async () => {
  const listed = new ListedTable();
  const committer = new TableCommitter(listed.table);
  await committer.current();
  listed.offset = undefined;
  await assert.rejects(committer.refreshed(), (error) => {
    assert.ok(error instanceof WeirError && error.kind === "fenced");
    assert.match(`${error.message} ${error.advice}`, /position of delta table bank.cards.*start the job again/);
    return true;
  });
});
