/** What compiling ends with, as people read it. */
import { formatBytes } from "../../../lib/cli/format.ts";
import { renderTable } from "../../../lib/cli/table.ts";
import type { Binary } from "./compiled.ts";

/** A line for each binary: what its own files and its packages take, and the whole. */
export function binariesText(binaries: readonly Binary[]): string {
  const right = (title: string) => ({ title, align: "right" as const });
  const rows = binaries.map(({ job, fileBytes, packageBytes, bytes, path }) => [
    job,
    formatBytes(fileBytes),
    formatBytes(packageBytes),
    bytes === null ? "" : formatBytes(bytes),
    path ?? "not made",
  ]);
  const columns = [{ title: "job" }, right("own files"), right("packages"), right("binary"), { title: "file" }];
  return renderTable(columns, rows);
}
