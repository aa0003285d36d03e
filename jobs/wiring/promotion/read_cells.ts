/** The module that a notebook's cells make, read for the job that it declares. */
import { pathToFileURL } from "node:url";
import type { DeclaredJob } from "../../../lib/cli/help.ts";
import { WeirError } from "../../../lib/errors.ts";
import type { JobModule } from "../../../lib/promote/job_module.ts";

const advice = "Move what it does at once into the job's main: a job is read for its help without being run";

/**
 * What it exports. Throws `configuration` where a cell fails, or ends the process, as soon as it is read.
 *
 * @param path Where the module stands.
 * @param options.notebook names it in errors.
 */
export async function readCells(
  path: string,
  { module, notebook }: { readonly module: JobModule; readonly notebook: string },
): Promise<{ readonly job: DeclaredJob }> {
  const { href } = pathToFileURL(path);
  const exit = Deno.exit;
  let ending: WeirError | undefined;
  Deno.exit = (code) => {
    const where = placeIn(new Error().stack, { href, module, notebook });
    if (where === undefined) exit(code);
    ending = new WeirError("configuration", `${where} ends the process as soon as it is read`, { advice });
    throw ending;
  };
  try {
    const read = await import(href) as { readonly job: DeclaredJob };
    // The cell itself may have caught what was thrown in place of the end.
    if (ending !== undefined) throw ending;
    return read;
  } catch (thrown) {
    if (ending !== undefined) throw ending;
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    const where = placeIn(stack, { href, module, notebook }) ?? `a tagged cell of ${notebook}`;
    throw new WeirError("configuration", `${where} fails as soon as it is read`, { cause: thrown, advice });
  } finally {
    Deno.exit = exit;
  }
}

/** The outermost of the cells' lines in a stack: the one that is at the top level. */
function placeIn(
  stack: string | undefined,
  { href, module, notebook }: { readonly href: string; readonly module: JobModule; readonly notebook: string },
): string | undefined {
  const line = stack?.split(`${href}:`).slice(1).map((text) => Number.parseInt(text)).at(-1);
  if (line === undefined) return undefined;
  const from = module.originOf(line);
  return from === undefined ? notebook : `code cell ${from.cell} of ${notebook}, line ${from.line},`;
}
