/** What compiling ends with, as people read it. */
import { formatBytes } from "../../../lib/cli/format.ts";
import { renderTable } from "../../../lib/cli/table.ts";
import type { Binary } from "./compiled.ts";

/** A line for each binary: what its own files and its packages take, and, where it was made, the whole and its file. */
export function binariesText(binaries: readonly Binary[]): string {
  const isMade = binaries.some(({ path }) => path !== null);
  const right = (title: string) => ({ title, align: "right" as const });
  const made = isMade ? [right("binary"), { title: "file" }] : [];
  const columns = [{ title: "job" }, right("own files"), right("packages"), ...made];
  const rows = binaries.map(({ job, fileBytes, packageBytes, bytes, path }) => [
    job,
    formatBytes(fileBytes),
    formatBytes(packageBytes),
    ...isMade ? [formatBytes(bytes ?? 0), path ?? ""] : [],
  ]);
  return renderTable(columns, rows);
}
