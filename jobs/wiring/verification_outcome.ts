/** What the verification job ends with: one object for machines, one short text for people. */
import { formatCount } from "../../lib/cli/format.ts";
import type { JobResult } from "../../lib/cli/run_job.ts";
import { renderTable } from "../../lib/cli/table.ts";
import type { ComparedResult } from "./lake_verification.ts";

/** The object that `--json` prints. */
export interface VerificationOutcome extends JobResult {
  /** Share of the keys that were compared. */
  readonly sample: number;
  readonly tables: readonly ComparedResult[];
}

/** `ok` only where every table was compared and no row of it differs. */
export function verificationOutcome(
  tables: readonly ComparedResult[],
  { sample }: { readonly sample: number },
): VerificationOutcome {
  const isRight = ({ missing, extra, different, notCompared }: ComparedResult) =>
    missing + extra + different === 0 && notCompared === null;
  return { ok: tables.every(isRight), sample, tables };
}

/** The outcome as people read it. */
export function verificationText({ tables, sample }: VerificationOutcome): string {
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = [
    { title: "table" },
    { title: "format" },
    ...["rows", "missing", "extra", "different", "set aside"].map(right),
  ];
  const rows = tables.map((found) => {
    const { table, format, rows, missing, extra, different, setAside, notCompared } = found;
    const counts = notCompared === null
      ? [rows, missing, extra, different, setAside].map((count) => formatCount(count))
      : ["not compared", "", "", "", ""];
    return [table, format, ...counts];
  });
  return [
    renderTable(columns, rows),
    "",
    ...positionLines(tables),
    ...(sample < 1 ? [`compared: ${sample * 100} % of the keys, chosen by hash`] : []),
    ...tables.flatMap(({ table, format, comparedAfter }) =>
      comparedAfter === null ? [] : [comparedAfterText(`${format} ${table}`, comparedAfter)]
    ),
    ...tables.flatMap(({ table, format, notCompared }) =>
      notCompared === null ? [] : [`not compared: ${format} ${table}, because ${notCompared}`]
    ),
    ...(tables.some(({ setAside }) => setAside > 0) ? [setAsideText] : []),
    ...tables.flatMap(mismatchLines),
  ].join("\n");
}

/** Of a table whose partitions leave it with their time. */
export function comparedAfterText(table: string, last: string): string {
  return `compared of ${table}: rows of partitions after ${last}; older ones leave it`;
}

const setAsideText =
  "set aside: keys that changed between the source's point and the table's position, so that nothing is said of their rows; " +
  "where no job runs, they are compared once one has carried the changes on";

function positionLines(tables: readonly ComparedResult[]): readonly string[] {
  const byPosition = Map.groupBy(tables.filter(({ position }) => position !== null), ({ position }) => position!);
  return [...byPosition].map(([position, at]) =>
    byPosition.size === 1
      ? `at ${position}`
      : `at ${position}: ${at.map(({ format, table }) => `${format} ${table}`).join(", ")}`
  );
}

function mismatchLines({ table, format, mismatches }: ComparedResult): readonly string[] {
  return mismatches.map(({ kind, key }) => {
    const named = Object.entries(key).map(([name, text]) => `${name}=${text ?? "NULL"}`).join(", ");
    return `${kind} in ${format} ${table}: ${named}`;
  });
}
