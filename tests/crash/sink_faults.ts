/**
 * Exactly once under failures: every step of a sink fails once, at every fail point and at every write to its storage,
 * before and after the write happened; then the change is tried again as the pipeline does, unless the sink has it.
 */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import { evolveColumns, type SchemaChange } from "../../lib/dataset/schema_change.ts";
import { armFailPoints } from "../../lib/fail_point.ts";
import { type Fault, FaultyStorage } from "../../lib/testing/faulty_storage.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { holders, position, type SinkFormat, SinkUnderTest, withSink } from "../contract/sink_fixture.ts";

/** One thing a sink does. */
interface Step {
  readonly name: string;
  /** Position that the step ends at. */
  readonly ends: number;
  readonly prepare: (context: SinkUnderTest) => Promise<void>;
  readonly run: (context: SinkUnderTest) => Promise<void>;
  /** What the table holds afterwards: names by id. */
  readonly gives: Readonly<Record<string, string | null>>;
}

const ann = { id: "1", name: "'Ann'" };
const ben = { id: "2", name: "'Ben'" };
const added: readonly SchemaChange[] = [
  { kind: "addColumn", column: { name: "extra", type: types.int32, nullable: true } },
];
const evolved = { schemaChanges: added, definition: { ...holders, columns: evolveColumns(holders.columns, added) } };

const base = async (context: SinkUnderTest) => void await context.commit(1, { inserts: [ann, ben] });

const steps: readonly Step[] = [
  {
    name: "the first commit",
    ends: 1,
    prepare: () => Promise.resolve(),
    run: base,
    gives: { 1: "Ann", 2: "Ben" },
  },
  {
    name: "a commit of schema change, removal and upsert",
    ends: 2,
    prepare: base,
    run: async (context) => {
      const upserts = [{ ...ben, name: "'Bob'", extra: "1" }, { id: "3", name: "'Cid'" }];
      await context.commit(2, { ...evolved, removals: [{ id: "1" }], upserts });
    },
    gives: { 2: "Bob", 3: "Cid" },
  },
  {
    name: "a truncating load of two parts",
    ends: 2,
    prepare: base,
    run: async (context) => {
      const load = await context.sink.load(await context.change(2, { truncate: true }));
      try {
        await load.add(await context.relation([{ ...ann, name: "'Copied'" }]));
        await load.add(await context.relation([{ id: "4", name: "'Dan'" }]));
        await load.commit();
      } catch (thrown) {
        await load.abandon().catch(() => {});
        throw thrown;
      }
    },
    gives: { 1: "Copied", 4: "Dan" },
  },
  {
    name: "recorded progress",
    ends: 2,
    prepare: base,
    run: (context) => context.sink.recordPosition(position(2)),
    gives: { 1: "Ann", 2: "Ben" },
  },
];

/** Registers the suite for one format. */
export function sinkFaults(format: SinkFormat): void {
  for (const process of ["new", "same"] as const) registerFailPoints(format, process);
  if (format.hasStorage) { for (const fault of ["before", "after"] as const) registerStorageFaults(format, fault); }
}

/** Whether the process that failed goes on, or another one takes over. */
type NextProcess = "new" | "same";

function registerFailPoints(format: SinkFormat, process: NextProcess): void {
  const title = `sink ${format.name}: fails once at every fail point, the ${process} process goes on: exactly once`;
  Deno.test(title, async (test) => {
    const failed = new Set<string>();
    for (const point of format.failPoints) {
      // Whether the process is new matters to what it remembers, and that is the same in the plainer steps.
      for (const step of process === "new" ? steps : steps.slice(1, 3)) {
        await test.step(`${point} in ${step.name}`, () =>
          withSink(format, async (context) => {
            await step.prepare(context);
            if (await failsAt(point, () => step.run(context))) failed.add(point);
            await goOn(context, { step, process });
          }));
      }
    }
    const never = format.failPoints.filter((point) => !failed.has(point));
    assert.deepEqual(never, [], "every fail point is met by some step");
  });
}

/** Runs with a point armed to throw once; whether it did. Any other error is the caller's. */
async function failsAt(point: string, run: () => Promise<void>): Promise<boolean> {
  let failed = false;
  armFailPoints((name) => {
    if (name !== point || failed) return;
    failed = true;
    throw new Error(`Planned failure at ${point}`);
  });
  try {
    await run();
  } catch (thrown) {
    if (!failed) throw thrown;
  } finally {
    armFailPoints(undefined);
  }
  return failed;
}

/** What the pipeline does after a failure: it asks the sink, and tries again what the sink does not have. */
async function goOn(
  context: SinkUnderTest,
  next: { readonly step: Step; readonly process: NextProcess },
): Promise<void> {
  const { step, process } = next;
  if (process === "new") context.reopen();
  const status = await context.sink.status();
  if (status.position?.offset !== position(step.ends).offset) await step.run(context);
  await context.holds(step.gives, position(step.ends));
  await context.commit(step.ends + 1, { upserts: [{ id: "9", name: "'next'" }] });
  await context.holds({ ...step.gives, 9: "next" }, position(step.ends + 1));
}

/** Most writes to the storage that one step may make. */
const maxWrites = 30;

function registerStorageFaults(format: SinkFormat, fault: Fault): void {
  const title = `sink ${format.name}: every write to the storage fails once ${fault} it happened: exactly once`;
  Deno.test(title, async (test) => {
    for (const step of steps) {
      let met = true;
      for (let write = 1; met && write <= maxWrites; write++) {
        await test.step(`write ${write} of ${step.name}`, async () => {
          met = await faultyStep(format, { step, write, fault });
        });
      }
      assert.equal(met, false, `${step.name} makes at most ${maxWrites} writes`);
    }
  });
}

async function faultyStep(
  format: SinkFormat,
  plan: { readonly step: Step; readonly write: number; readonly fault: Fault },
): Promise<boolean> {
  let met = false;
  await withDatabase(async (fixture) => {
    let storage: FaultyStorage | undefined;
    const lake = format.lake(fixture, (inner) => storage = new FaultyStorage(inner));
    const context = new SinkUnderTest(fixture, { format, lake, definition: holders });
    await plan.step.prepare(context);
    assert.ok(storage, "the format uses the storage it is given");
    let writes = 0;
    storage.plan = () => {
      if (++writes !== plan.write) return undefined;
      met = true;
      return plan.fault;
    };
    await plan.step.run(context).catch((thrown) => {
      if (!met) throw thrown;
    });
    storage.plan = () => undefined;
    await goOn(context, { step: plan.step, process: "new" });
  });
  return met;
}
