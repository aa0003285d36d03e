/** The source server for statements that name its tables: found, or started, when the first of them does. */
import type { Progress } from "../../../lib/cli/progress.ts";
import { requirePermissions } from "../../../lib/cli/permission.ts";
import { openServerBeside, type SourceServer } from "../server.ts";
import type { StatementSettings } from "./statement_settings.ts";

/** Disposing stops it only if it was started for this. */
export class AskedServer implements AsyncDisposable {
  readonly #settings: Pick<StatementSettings, "postgresUrl">;
  readonly #progress: Progress;
  #server: Promise<SourceServer> | undefined;

  constructor(settings: Pick<StatementSettings, "postgresUrl">, { progress }: { readonly progress: Progress }) {
    this.#settings = settings;
    this.#progress = progress;
  }

  /** Its connection string. Throws what `openServerBeside` throws, and `configuration` where the permissions do not reach it. */
  async url(): Promise<string> {
    const { postgresUrl } = this.#settings;
    if (postgresUrl !== undefined) {
      const { hostname, port } = new URL(postgresUrl);
      requirePermissions("sql", [{ kind: "host", host: `${hostname}:${port || "5432"}` }]);
    }
    this.#server ??= openServerBeside(this.#settings, { progress: this.#progress });
    try {
      return (await this.#server).url;
    } catch (thrown) {
      this.#server = undefined;
      throw thrown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#server)?.[Symbol.asyncDispose]();
  }
}
