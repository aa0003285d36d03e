import assert from "node:assert/strict";
import fc from "fast-check";
import type { Position } from "../change/position.ts";
import type { TransformContext } from "../change/transform.ts";
import type { Connection } from "../engine/connection.ts";
import { WeirError } from "../errors.ts";
import type { ScriptedCommit } from "../testing/memory_source.ts";
import { type PipelineScene, type SceneRun, withPipelineScene } from "../testing/pipeline_scene.ts";
import type { ScriptedEvent, ScriptedRow } from "../testing/scripted_spool.ts";

const insert = (id: number): ScriptedEvent => ({ op: "I", row: { id: `${id}`, price: "0", document: `d${id}` } });
/** An update whose document the source does not send, because it is what it was. */
const reprice = (id: number, price: number): ScriptedEvent => ({
  op: "U",
  row: { id: `${id}`, price: `${price}` },
  unchanged: ["document"],
});

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waits = 0; !await condition(); waits++) {
    assert.ok(waits < 4000, "waited too long");
    await pause(5);
  }
}

/** Appends source commits; the position of the last. */
function appendAll(scene: PipelineScene, commits: readonly ScriptedCommit[]): Position {
  return commits.map((commit) => scene.source.append(commit)).at(-1)!;
}

function sinksOf({ sinks }: SceneRun) {
  return [...sinks.orders, ...sinks.customers];
}

async function assertTables(scene: PipelineScene, run: SceneRun, upTo?: number): Promise<void> {
  for (const name of ["orders", "customers"] as const) {
    for (const sink of run.sinks[name]) assert.deepEqual(await scene.rows(sink), scene.expected(name, upTo));
  }
}

async function leftOver(connection: Connection): Promise<readonly unknown[]> {
  const names =
    "SELECT table_name AS name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal";
  return await connection.rows(`SELECT * FROM (${names}) WHERE name LIKE 'batch%'`);
}

/** Source commits a database could have made, of both datasets: every kind of change, half of them with a value not sent. */
function commits(seed: number, count: number): readonly ScriptedCommit[] {
  const held: Record<string, Set<number>> = { orders: new Set(), customers: new Set() };
  const intention = fc.record({
    name: fc.constantFrom("orders", "customers"),
    action: fc.constantFrom("delete", "move", "moveWhole", "update", "reprice", "reprice", "truncate", "none"),
    id: fc.nat({ max: 2 }),
    other: fc.nat({ max: 2 }),
  });
  const play = fc.array(intention, { minLength: 1, maxLength: 4 });
  return fc.sample(play, { seed, numRuns: count }).map((intentions, commit) => {
    const events: Record<string, ScriptedEvent[]> = {};
    for (const [index, { name, action, id, other }] of intentions.entries()) {
      const rows = held[name]!;
      const row: ScriptedRow = { id: `${id}`, price: `${commit}`, document: `d${commit}.${index}` };
      const event = ((): ScriptedEvent | undefined => {
        if (action === "truncate") return commit % 7 === 0 ? (rows.clear(), "truncate") : undefined;
        if (!rows.has(id)) return rows.add(id), { op: "I", row };
        if (action === "delete") return rows.delete(id), { op: "D", row };
        if (action === "reprice") return reprice(id, commit);
        if (action === "update" || action === "none" || rows.has(other)) return { op: "U", row };
        rows.delete(id);
        rows.add(other);
        const moved = { op: "U", row: { ...row, id: `${other}` }, oldKey: { id: `${id}` } } as const;
        return action === "moveWhole" ? moved : { ...moved, unchanged: ["document"] };
      })();
      if (event !== undefined) (events[name] ??= []).push(event);
    }
    return events;
  });
}

Deno.test("one batch is transformed while the one before it is committed, and not more than one", async () => {
  await withPipelineScene(async (scene) => {
    const run = await scene.start();
    const held = Promise.withResolvers<void>();
    run.sinks.orders[1].before = ({ position }) => position.offset === "1" ? held.promise : undefined;
    const last = appendAll(scene, [1, 2, 3, 4, 5].map((id) => ({ orders: [insert(id)] })));
    // Batch 1, which is held up, and batch 2; before them the initial copies.
    const transformed = () => run.transformed.slice(2);
    await until(() => transformed().length >= 2 && run.sinks.orders[0].committed.length > 0);
    await pause(50);
    assert.deepEqual(transformed(), ["orders", "orders"]);
    assert.deepEqual(sinksOf(run).map(({ committed }) => committed), [["1"], [], [], []]);
    held.resolve();
    await run.reached(last);
    await run.stop();
    for (const sink of run.sinks.orders) assert.deepEqual(sink.committed, ["1", "2", "3", "4", "5"]);
    await assertTables(scene, run);
  });
});

Deno.test("a dataset that waits for its rows of the batch before holds up no other", async () => {
  await withPipelineScene(async (scene) => {
    const run = await scene.start();
    const held = Promise.withResolvers<void>();
    for (const sink of run.sinks.orders) {
      sink.before = ({ position }) => position.offset === "1" ? held.promise : undefined;
    }
    const last = appendAll(scene, [
      { orders: [insert(1)] },
      // Its document comes out of the lake, where it is not yet.
      { orders: [reprice(1, 9)], customers: [insert(1)] },
    ]);
    await until(() => run.transformed.slice(2).includes("customers"));
    assert.deepEqual(run.transformed.slice(2), ["orders", "customers"]);
    held.resolve();
    await run.reached(last);
    await run.stop();
    await assertTables(scene, run);
  });
});

Deno.test("a dataset whose storage is slow holds up no other of its batch", async () => {
  await withPipelineScene(async (scene) => {
    const run = await scene.start();
    const begun = new Set<string>();
    for (const name of ["orders", "customers"] as const) {
      run.sinks[name][0].before = async () => {
        begun.add(name);
        await until(() => begun.size === 2);
      };
    }
    await run.reached(scene.source.append({ orders: [insert(1)], customers: [insert(1)] }));
    await run.stop();
    await assertTables(scene, run);
  });
});

Deno.test("values the source does not send again come from the batch before, however slow the tables", async () => {
  await withPipelineScene(async (scene, { connection }) => {
    const run = await scene.start();
    for (const [index, sink] of sinksOf(run).entries()) {
      sink.before = ({ position }) => pause(10 * ((Number(position.offset) * 7 + index * 3) % 5));
    }
    await run.reached(appendAll(scene, commits(1, 25)));
    await run.stop();
    assert.deepEqual(run.errors, []);
    await assertTables(scene, run);
    assert.deepEqual(await leftOver(connection), []);
  });
});

Deno.test("after thirty batches and after a failure no relation of theirs is left in the engine", async () => {
  await withPipelineScene(async (scene, { connection }) => {
    const run = await scene.start();
    await run.reached(appendAll(scene, Array.from({ length: 30 }, (_, id) => ({ orders: [insert(id)] }))));
    await until(async () => (await leftOver(connection)).length === 0);
    run.sinks.orders[0].before = () => {
      throw new WeirError("storageFull", "No space");
    };
    appendAll(scene, Array.from({ length: 5 }, (_, id) => ({ orders: [reprice(id, 9)] })));
    await assert.rejects(run.running, { kind: "storageFull" });
    assert.deepEqual(await leftOver(connection), []);
  });
});

Deno.test("a commit that fails for a while drops nothing and takes nothing twice", async () => {
  await withPipelineScene(async (scene) => {
    const run = await scene.start();
    const [one, two] = run.sinks.orders;
    const failOnce = (offset: string) => {
      let fails = 1;
      return ({ position }: { readonly position: Position }) => {
        if (position.offset === offset && fails-- > 0) throw new WeirError("storage", "The folder is away");
      };
    };
    one.before = failOnce("2");
    two.after = failOnce("3");
    const last = appendAll(scene, [
      { orders: [insert(1)] },
      { orders: [{ op: "U", row: { id: "1", price: "1", document: "new" } }], customers: [insert(7)] },
      { orders: [reprice(1, 2)] },
      { orders: [reprice(1, 3)], customers: [reprice(7, 1)] },
    ]);
    await run.reached(last);
    await run.stop();
    assert.deepEqual(run.errors, []);
    assert.deepEqual([one.committed, two.committed], [["1", "2", "3", "4"], ["1", "2", "3", "4"]]);
    await assertTables(scene, run);
    assert.deepEqual(scene.source.acknowledged, last);
  });
});

for (const [when, waiting] of [["while more is waiting", 12], ["while the source is silent", 3]] as const) {
  Deno.test(`an error that concerns the whole job stops it at once, ${when}`, async () => {
    await withPipelineScene(async (scene) => {
      const run = await scene.start();
      run.sinks.orders[1].before = async ({ position }) => {
        await pause(20);
        if (position.offset === "3") throw new WeirError("fenced", "Another instance writes");
      };
      appendAll(scene, Array.from({ length: waiting }, (_, id) => ({ orders: [insert(id)], customers: [insert(id)] })));
      await assert.rejects(run.running, { kind: "fenced", message: "Another instance writes" });
      await pause(50);
      // Batch 4 was transformed and batch 5 perhaps read while 3 was committed; nothing after it was touched.
      assert.ok(scene.source.lag().bytes >= waiting - 5);
      for (const sink of sinksOf(run)) assert.ok(!sink.committed.includes("4"));
      assert.equal(scene.source.acknowledged.offset, "2");
      const next = await scene.start();
      await next.reached(appendAll(scene, [{ orders: [reprice(1, 5)] }]));
      await next.stop();
      await assertTables(scene, next);
    });
  });
}

Deno.test("at a verification point in the middle of the overlap every table holds exactly the rows of its position", async () => {
  await withPipelineScene(async (scene) => {
    const run = await scene.start();
    for (const sink of sinksOf(run)) sink.before = () => pause(3);
    const random = commits(9, 60);
    let isWriting = true;
    const writing = (async () => {
      for (let commit = 0; isWriting; commit++) {
        scene.source.append(random[commit] ?? { customers: [insert(1000 + commit)] });
        await pause(40);
      }
    })();
    const found: string[] = [];
    for (let point = 0; point < 3; point++) {
      await pause(40);
      const { position } = await run.pipeline.verificationPoint(async () => {
        const positions = await Promise.all(sinksOf(run).map(async (sink) => (await sink.status()).position?.offset));
        assert.equal(new Set(positions).size, 1);
        await assertTables(scene, run, Number(positions[0]));
        await pause(30);
        await assertTables(scene, run, Number(positions[0]));
        found.push(String(positions[0]));
      });
      assert.equal(found[point], position.offset);
    }
    isWriting = false;
    await writing;
    await run.stop();
    assert.deepEqual(run.errors, []);
    assert.ok(found.every((offset, index) => index === 0 || Number(offset) > Number(found[index - 1])));
  });
});

Deno.test("a dataset that fails is set aside and told of once; the others go on, and nothing of it is lost", async () => {
  await withPipelineScene(async (scene) => {
    const failed = Promise.withResolvers<void>();
    let customers = 0;
    let isTold = () => false;
    // Batch 3 is transformed while batch 2 is committed, and fails; once that is told of, it fails too.
    const run = await scene.start({
      onTransform: async (name) => {
        if (name !== "customers" || ++customers < 4) return;
        await failed.promise;
        await until(isTold);
        throw new Error("the model is gone");
      },
    });
    isTold = () => run.errors.length > 0;
    run.sinks.customers[0].before = ({ position }) => {
      if (position.offset !== "2") return;
      failed.resolve();
      throw new Error("the file is damaged");
    };
    const both = (id: number): ScriptedCommit => ({ orders: [insert(id)], customers: [insert(id)] });
    const last = appendAll(scene, [1, 2, 3, 4, 5, 6].map(both));
    await run.reached(last);
    await run.stop();
    assert.deepEqual(run.errors.map(({ dataset, error }) => [dataset, error.message]), [
      ["shop.customers", "the file is damaged"],
    ]);
    assert.equal(run.pipeline.failures.get("shop.customers")?.message, "the file is damaged");
    for (const sink of run.sinks.orders) assert.deepEqual(await scene.rows(sink), scene.expected("orders"));
    assert.equal(scene.source.acknowledged.offset, "1");

    const next = await scene.start();
    await next.reached(appendAll(scene, [both(7)]));
    await next.stop();
    assert.deepEqual(next.errors, []);
    await assertTables(scene, next);
    for (const sink of next.sinks.orders) assert.deepEqual(sink.committed, ["7"]);
  });
});

for (const step of ["transformed", "committed"] as const) {
  Deno.test(`a dataset whose copy cannot be ${step} is set aside; the others are copied and go on, and the next start copies it`, async () => {
    await withPipelineScene(async (scene, { connection }) => {
      appendAll(scene, [1, 2, 3, 4].map((id) => ({ orders: [insert(id)], customers: [insert(id)] })));
      const broken = new Error("the model is gone");
      const run = await scene.start({
        onTransform: (name) => {
          if (step === "transformed" && name === "orders") throw broken;
        },
        onOpen: ({ orders: [, two] }) => {
          if (step === "committed") two.before = () => Promise.reject(broken);
        },
      });
      await run.reached(appendAll(scene, [{ orders: [reprice(1, 5)], customers: [reprice(1, 5)] }]));
      await run.stop();
      assert.deepEqual(run.errors.map(({ dataset, error }) => [dataset, error.message]), [
        ["shop.orders", "the model is gone"],
      ]);
      for (const sink of run.sinks.customers) assert.deepEqual(await scene.rows(sink), scene.expected("customers"));
      assert.deepEqual(await scene.rows(run.sinks.orders[1]), []);
      assert.deepEqual(await leftOver(connection), []);
      const next = await scene.start();
      await next.reached(appendAll(scene, [{ orders: [reprice(2, 6)] }]));
      await next.stop();
      assert.deepEqual(next.errors, []);
      await assertTables(scene, next);
    });
  });
}

Deno.test("a copy that meets a full disk stops the job, and the next start makes it anew", async () => {
  await withPipelineScene(async (scene, { connection }) => {
    appendAll(scene, [1, 2, 3, 4].map((id) => ({ orders: [insert(id)], customers: [insert(id)] })));
    const full = new WeirError("storageFull", "No space");
    const failing = scene.start({ onOpen: ({ customers: [one] }) => void (one.before = () => Promise.reject(full)) });
    await assert.rejects(failing, full);
    assert.deepEqual(await leftOver(connection), []);
    const next = await scene.start();
    await next.stop();
    await assertTables(scene, next);
  });
});

Deno.test("a dataset that holds back too much of the source's log is let go, and copied again at the next start", async () => {
  await withPipelineScene(async (scene) => {
    const run = await scene.start({ maxRetainedWalBytes: 3 });
    run.sinks.customers[1].before = ({ position }) => {
      if (Number(position.offset) >= 2) throw new Error("the file is damaged");
    };
    const both = (id: number): ScriptedCommit => ({ orders: [insert(id)], customers: [insert(id)] });
    const last = appendAll(scene, [1, 2, 3, 4, 5, 6].map(both));
    await run.reached(last);
    await run.stop();
    assert.deepEqual(run.errors.map(({ error }) => error.kind), ["internal"]);
    assert.deepEqual(run.recopies.map(({ dataset }) => dataset), ["shop.customers"]);
    assert.match(run.recopies[0]!.reason, /^it held back more than 3 bytes/);
    assert.deepEqual(scene.source.acknowledged, last);
    const next = await scene.start();
    await next.reached(appendAll(scene, [{ customers: [reprice(2, 8)] }]));
    await next.stop();
    await assertTables(scene, next);
  });
});

Deno.test("a stop in the middle of the overlap leaves every table at one position, and the next run goes on from there", async () => {
  await withPipelineScene(async (scene) => {
    const run = await scene.start();
    const held = Promise.withResolvers<void>();
    run.sinks.customers[0].before = ({ position }) => position.offset === "2" ? held.promise : undefined;
    appendAll(scene, commits(4, 10));
    await until(() => run.sinks.orders[0].committed.length > 0 || run.transformed.length > 5);
    const stopping = run.stop();
    await pause(30);
    held.resolve();
    await stopping;
    const positions = await Promise.all(sinksOf(run).map(async (sink) => (await sink.status()).position?.offset));
    assert.equal(new Set(positions).size, 1);
    assert.ok(Number(positions[0]) < 10);
    await assertTables(scene, run, Number(positions[0]));
    const next = await scene.start();
    await next.reached(appendAll(scene, [{ orders: [insert(99)] }]));
    await next.stop();
    await assertTables(scene, next);
    for (const sink of sinksOf(next)) {
      assert.ok(sink.committed.every((offset) => Number(offset) > Number(positions[0])));
    }
  });
});

Deno.test("letters of a batch that never reached its tables are not left beside those of its next try", async () => {
  await withPipelineScene(async (scene) => {
    const refuse = (reason: string) => (dataset: string, context: TransformContext) => {
      if (dataset === "orders") context.deadLetter({ ordinal: 0n, reason });
    };
    const first = await scene.start({ onTransform: refuse("first try") });
    await first.reached(scene.source.append({ orders: [insert(1)] }));
    for (const sink of first.sinks.orders) {
      sink.before = () => Promise.reject(new WeirError("storageFull", "no space left"));
    }
    scene.source.append({ orders: [insert(2)] });
    await assert.rejects(first.running, { kind: "storageFull" });
    const reasons = async () => {
      const files = await Array.fromAsync(scene.letters.list("dead_letters/shop.orders"));
      return await Promise.all(files.map(async ({ path }) => {
        return JSON.parse(new TextDecoder().decode(await scene.letters.read(path))).reason;
      }));
    };
    assert.equal((await reasons()).length, 3, "those of the copy, of the first batch and of the second");
    const second = await scene.start();
    await second.reached(scene.source.append({ orders: [insert(3)] }));
    assert.deepEqual(await reasons(), ["first try", "first try"]);
    await second.stop();
  });
});
