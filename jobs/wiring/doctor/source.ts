/** Checks of the source server: the user's, or the one that comes with us, which is started for it. */
import { join } from "node:path";
import type { Progress } from "../../../lib/cli/progress.ts";
import type { SettingValues } from "../../../lib/settings/setting.ts";
import type { settings as declared } from "../../../lib/settings/declarations.ts";
import { PostgresConnection } from "../../../lib/source/postgres/connection.ts";
import { PostgresSource } from "../../../lib/source/postgres/source.ts";
import { inspectServer } from "../../../lib/source/postgres/start_capture.ts";
import { openServerBeside } from "../server.ts";
import { sourceObjects } from "../source_objects.ts";
import { stateFolder } from "../../../lib/settings/state_folder.ts";
import { type Finding, ok } from "./finding.ts";

/** What the checks go by. */
export type SourceSettings = Pick<
  SettingValues<typeof declared>,
  "postgresUrl" | "postgresPort" | "lake" | "slot" | "tables"
>;

/** Jobs that capture: what one of them made already need not be made again. */
const jobs = ["capture", "pipeline"];

/** Whether the server can be captured from; nothing is made there. */
export async function sourceFindings(
  settings: SourceSettings,
  progress: Pick<Progress, "note">,
): Promise<readonly Finding[]> {
  await using server = await openServerBeside(settings, { progress });
  const connection = await PostgresConnection.open(server.url);
  try {
    const { server: state, problems } = await inspectServer(
      connection,
      jobs.map((job) => sourceObjects({ job, settings })),
    );
    const { host } = new URL(server.url);
    const name = server.isOurs ? "the embedded PostgreSQL" : "PostgreSQL";
    const reached = ok("source", `${name} ${state.versionText} answers on ${host}, database ${state.database}`);
    const lacks = problems.map(({ problem, remedy }): Finding => ({
      verdict: "wrong",
      what: "source",
      says: problem,
      remedy,
    }));
    const tables = problems.length > 0 || settings.tables.length === 0
      ? []
      : [await tablesFinding(server.url, settings)];
    return [reached, ...lacks, ...tables];
  } finally {
    await connection.close();
  }
}

/** Throws `precondition` where a table cannot be captured. */
async function tablesFinding(url: string, settings: SourceSettings): Promise<Finding> {
  const objects = sourceObjects({ job: "capture", settings });
  const folder = join(stateFolder, "doctor");
  const source = new PostgresSource({ ...objects, url, folder, tables: settings.tables });
  try {
    const { datasets } = await source.inspect();
    return ok("tables", `${datasets.length} can be captured`);
  } finally {
    await source.close();
  }
}
