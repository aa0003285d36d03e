/** Every lake table of a pipeline held against the source at one position, while the pipeline goes on. */
import type { Scan, Sink } from "../../lib/change/sink.ts";
import type { ComparableDataset, VerificationPoint } from "../../lib/change/source.ts";
import type { Dataset, TableDefinition } from "../../lib/dataset/dataset.ts";
import { oldRows } from "../../lib/dataset/row_retention.ts";
import type { Pipeline } from "../../lib/pipeline/pipeline.ts";
import { type DatasetPlan, declaredDefinition } from "../../lib/pipeline/plan.ts";
import { type TableVerification, verifyTable } from "../../lib/verify/verify.ts";
import type { Lake } from "./lake.ts";
import { comparedAfterText } from "./verification_outcome.ts";

/** What was found in one table of one format. */
export interface VerifiedTable extends TableVerification {
  readonly format: string;
  /** `namespace.name` in the lake. */
  readonly table: string;
}

/** What {@linkcode verifyLake} needs. */
export interface VerifyLakeOptions {
  readonly pipeline: Pipeline;
  readonly plans: readonly DatasetPlan[];
  readonly lake: Lake;
  readonly maxValueBytes: number;
  /** Ends the verification after the table in hand; the others are left out. */
  readonly signal: AbortSignal;
  readonly onTable: (table: string, done: { readonly index: number; readonly of: number }) => void;
  /** What cannot be compared because the source has it no more and the lake still has. */
  readonly onLeftOut: (text: string) => void;
}

/**
 * Opens a point at the source, waits until every table stands there, and compares each with the source's snapshot. Tables of
 * datasets that were set aside are left out: their error says more.
 */
export async function verifyLake(options: VerifyLakeOptions): Promise<readonly VerifiedTable[]> {
  using open = new DisposableStack();
  const scans = new Map<Sink, Scan | undefined>();
  const point = await options.pipeline.verificationPoint(async () => {
    for (const { sink } of tablesOf(options)) scans.set(sink, open.use(await sink.scan()));
  });
  try {
    const connection = await options.lake.connect();
    try {
      const verified: VerifiedTable[] = [];
      const tables = tablesOf(options);
      const leftOut = new Set<string>();
      for (const [index, table] of tables.entries()) {
        if (options.signal.aborted) break;
        const { format, namespace, name } = table.sink.table;
        options.onTable(`${format} ${namespace}.${name}`, { index, of: tables.length });
        const { compared, text } = await comparedTable(table, point);
        if (text !== undefined) leftOut.add(text);
        if (compared === undefined) continue;
        const { retention } = await table.sink.status();
        const without = retention && oldRows(retention, Date.now());
        if (without !== undefined) leftOut.add(comparedAfterText(`${format} ${namespace}.${name}`, without.texts.last));
        const result = await verifyTable({
          ...compared,
          compared: { without },
          point,
          scan: scans.get(table.sink)?.sql,
          connection,
          folder: options.lake.stateFolder,
          maxValueBytes: options.maxValueBytes,
        });
        verified.push({ format, table: `${namespace}.${name}`, ...result });
      }
      for (const text of leftOut) options.onLeftOut(text);
      return verified;
    } finally {
      connection.close();
    }
  } finally {
    await point.close();
  }
}

interface TableToVerify {
  readonly dataset: Dataset;
  readonly plan: DatasetPlan["tables"][number];
  readonly sink: Sink;
}

/** Every table of every dataset that was not set aside. */
function tablesOf({ plans, pipeline }: VerifyLakeOptions): readonly TableToVerify[] {
  return plans.flatMap(({ dataset, tables }) => {
    if (pipeline.failures.has(`${dataset.namespace}.${dataset.name}`)) return [];
    return tables.flatMap((plan) => plan.sinks.map((sink) => ({ dataset, plan, sink })));
  });
}

interface ComparedTable {
  readonly dataset: Dataset;
  readonly definition: TableDefinition;
}

/** What of a lake table the source can still be asked for, and what of it not. */
async function comparedTable(
  { dataset, plan, sink }: TableToVerify,
  point: VerificationPoint,
): Promise<{ readonly compared?: ComparedTable; readonly text?: string }> {
  const { atSource, inLake, gone } = await point.comparable(dataset);
  const table = `${sink.table.namespace}.${sink.table.name}`;
  const from = dataset.children?.find(({ name }) => name === sink.table.name)?.from;
  if (from !== undefined && gone.includes(from)) {
    return { text: `not compared: ${table}, because the source no longer has ${from}, which its rows come out of` };
  }
  const definition = declaredDefinition(plan, inLake);
  const compared = {
    dataset: atSource,
    definition: { ...definition, key: comparedKey(definition, { atSource, inLake }) },
  };
  const held = definition.columns.filter(({ name }) => gone.includes(name)).map(({ name }) => name);
  if (held.length === 0) return { compared };
  const text = `not compared: ${held.join(", ")} of ${table}, which the source no longer has and the lake has ` +
    "until a row of the table changes";
  return { compared, text };
}

/** Without a part of the key that left the source, rows are counted instead of told apart. */
function comparedKey(
  { key }: TableDefinition,
  { atSource, inLake }: Pick<ComparableDataset, "atSource" | "inLake">,
): readonly string[] {
  return atSource.key.length < inLake.key.length ? [] : key;
}
