/** The database that the jobs of this project capture from. */
import { join } from "node:path";
import { EmbeddedPostgres } from "../embedded/postgres.ts";
import { WeirError } from "../errors.ts";
import { projectFolder, projectSettings } from "../notebook/project.ts";
import { settings } from "../settings/declarations.ts";
import { stateFolder } from "../settings/state_folder.ts";

/**
 * Its connection string: `POSTGRES_URL` of the environment or of the project's `.env`, else that of the embedded server, which runs while
 * a job does.
 *
 * Throws `precondition` where there is neither.
 */
export async function jobsServerUrl(): Promise<string> {
  const { postgresUrl } = await projectSettings({ postgresUrl: settings.postgresUrl });
  const url = postgresUrl ?? await EmbeddedPostgres.runningUrl(join(projectFolder(), stateFolder, "postgres"));
  if (url !== undefined) return url;
  throw new WeirError(
    "precondition",
    "There is no source: POSTGRES_URL is not set, and no job has run the embedded server",
    {
      advice: 'Start a job that runs it, such as startJob("pipeline", { follow: true }), or give a url',
    },
  );
}
