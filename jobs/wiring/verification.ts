/** Every lake table of a pipeline held against the source at one position, while the pipeline goes on. */
import type { Sink } from "../../lib/change/sink.ts";
import type { Source } from "../../lib/change/source.ts";
import type { Dataset } from "../../lib/dataset/dataset.ts";
import type { Pipeline } from "../../lib/pipeline/pipeline.ts";
import { type DatasetPlan, declaredDefinition } from "../../lib/pipeline/plan.ts";
import { type TableVerification, verifyTable } from "../../lib/verify/verify.ts";
import type { Lake } from "./lake.ts";

/** What was found in one table of one format. */
export interface VerifiedTable extends TableVerification {
  readonly format: string;
  /** `namespace.name` in the lake. */
  readonly table: string;
}

/** What {@linkcode verifyLake} needs. */
export interface VerifyLakeOptions {
  readonly source: Source;
  readonly pipeline: Pipeline;
  readonly plans: readonly DatasetPlan[];
  readonly lake: Lake;
  readonly maxValueBytes: number;
  readonly onTable: (table: string, done: { readonly index: number; readonly of: number }) => void;
}

/**
 * Opens a point at the source, waits until every table stands there, and compares each with the source's snapshot. Tables of
 * datasets that were set aside are left out: their error says more.
 */
export async function verifyLake(options: VerifyLakeOptions): Promise<readonly VerifiedTable[]> {
  const scans = new Map<Sink, string | undefined>();
  const point = await options.pipeline.verificationPoint(async () => {
    for (const { sink } of tablesOf(options)) scans.set(sink, await sink.scan());
  });
  try {
    const connection = await options.lake.connect();
    try {
      const verified: VerifiedTable[] = [];
      const tables = tablesOf(options);
      for (const [index, { dataset, plan, sink }] of tables.entries()) {
        const { format, namespace, name } = sink.table;
        options.onTable(`${format} ${namespace}.${name}`, { index, of: tables.length });
        const result = await verifyTable({
          point,
          dataset,
          definition: declaredDefinition(plan, dataset),
          scan: scans.get(sink),
          connection,
          folder: options.lake.stateFolder,
          maxValueBytes: options.maxValueBytes,
        });
        verified.push({ format, table: `${namespace}.${name}`, ...result });
      }
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

/** Every table of every dataset that was not set aside, with the dataset's columns as the source has them now. */
function tablesOf(options: VerifyLakeOptions): readonly TableToVerify[] {
  return options.plans.flatMap(({ dataset: declared, tables }) => {
    if (options.pipeline.failures.has(`${declared.namespace}.${declared.name}`)) return [];
    const now = options.source.datasets.find(({ source }) =>
      source.namespace === declared.source.namespace && source.table === declared.source.table
    );
    const dataset = now ?? declared;
    return tables.flatMap((plan) => plan.sinks.map((sink) => ({ dataset, plan, sink })));
  });
}
