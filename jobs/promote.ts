/** The job that a notebook's cells make, as a file of `jobs/` like any other. */
import { resolve } from "node:path";
import { requirePermissions } from "../lib/cli/permission.ts";
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { WeirError } from "../lib/errors.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { promote, promotionText } from "./wiring/promotion/promotion.ts";

export const job = declareJob({
  name: "promote",
  summary: "Make a job out of the cells of a notebook that carry the tag job, with a task and permissions of its own",
  operand: { placeholder: "NOTEBOOK", help: "The notebook, such as notebooks/05_own_job.ipynb" },
  stops: "at once",
  settings: {
    replace: {
      ...declared.distilReplace,
      help: "Write the job anew where its file differs from what the notebook has now",
    },
  },
  main: async ({ settings, operand, signal, progress, print }) => {
    if (operand === undefined) {
      throw new WeirError("configuration", "nothing says which notebook", {
        advice: "Give its path, such as deno task promote notebooks/05_own_job.ipynb",
      });
    }
    requirePermissions("promote", [{ kind: "file", path: resolve(operand) }]);
    const promotion = await promote(operand, { ...settings, signal, progress });
    print(promotionText(promotion));
    return promotion;
  },
});

if (import.meta.main) await runJob(job);
