/** The source server: the user's, or the one that comes with us. */
import { join } from "node:path";
import type { Progress } from "../../lib/cli/progress.ts";
import { WeirError } from "../../lib/errors.ts";
import { EmbeddedPostgres } from "../../lib/embedded/postgres.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";

/** A server to capture from. Disposing stops it only if it is ours. */
export interface SourceServer extends AsyncDisposable {
  readonly url: string;
  /** Whether it is the embedded server, where we may create and generate. */
  readonly isOurs: boolean;
}

/** The user's server where `POSTGRES_URL` is given, otherwise the embedded one, started. */
export async function openServer(
  settings: { readonly postgresUrl?: string | undefined; readonly postgresPort?: number | undefined },
  { progress }: { readonly progress: Pick<Progress, "note"> },
): Promise<SourceServer> {
  const { postgresUrl, postgresPort } = settings;
  if (postgresUrl !== undefined) return { url: postgresUrl, isOurs: false, [Symbol.asyncDispose]: async () => {} };
  progress.note("starting the embedded PostgreSQL");
  const folder = join(stateFolder, "postgres");
  const server = await EmbeddedPostgres.start({
    folder,
    ...(postgresPort === undefined ? {} : { port: postgresPort }),
  });
  return { url: server.url, isOurs: true, [Symbol.asyncDispose]: () => server.stop() };
}

/** As {@linkcode openServer}, also while another job runs the embedded server: that one is used, and left running. */
export async function openServerBeside(
  settings: { readonly postgresUrl?: string | undefined },
  { progress }: { readonly progress: Pick<Progress, "note"> },
): Promise<SourceServer> {
  try {
    return await openServer(settings, { progress });
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || thrown.kind !== "fenced") throw thrown;
    const url = await EmbeddedPostgres.runningUrl(join(stateFolder, "postgres"));
    if (url === undefined) throw thrown;
    progress.note("using the embedded PostgreSQL of the job that runs");
    return { url, isOurs: true, [Symbol.asyncDispose]: async () => {} };
  }
}

/** Runs what looks at the source's tables. A refusal for what stands there also says `hint`: it may be the wrong server. */
export async function hinted<T>(hint: string | undefined, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (thrown) {
    if (hint === undefined || !(thrown instanceof WeirError) || thrown.kind !== "precondition") throw thrown;
    const { message, detail, cause, kind, advice } = thrown;
    throw new WeirError(kind, message, { detail, cause, advice: `${advice}; ${hint}` });
  }
}
