/** The notebooks in JupyterLab, with this Deno as their kernel. */
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { WeirError } from "../lib/errors.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { findJupyter, installCommands } from "./wiring/jupyter/jupyter_program.ts";
import { runLab } from "./wiring/jupyter/lab.ts";

export const job = declareJob({
  name: "notebook",
  summary: "Open the notebooks in JupyterLab with this Deno as their kernel, until Ctrl-C",
  stops: "once JupyterLab and its kernels have ended",
  settings: { notebookPort: declared.notebookPort, noBrowser: declared.noBrowser },
  main: async ({ settings, signal, progress }) => {
    const jupyter = await findJupyter();
    if (jupyter === undefined) {
      throw new WeirError("precondition", "JupyterLab is not on this machine", { advice: `Run: ${installCommands}` });
    }
    progress.note(`JupyterLab ${jupyter.version} opens notebooks/; Ctrl-C ends it and its kernels`);
    const code = await runLab(jupyter, { port: settings.notebookPort, browser: !settings.noBrowser, signal });
    if (code !== 0 && !signal.aborted) {
      throw new WeirError("precondition", `JupyterLab ended with exit code ${code}`, {
        advice: "Put right what it says above, then start again",
      });
    }
    return { ok: true };
  },
});

if (import.meta.main) await runJob(job);
