/** A small static model out of a sentence model, with the words of the user's own records. */
import { resolve } from "node:path";
import { requirePermissions } from "../lib/cli/permission.ts";
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { modelSettings } from "./wiring/capture_settings.ts";
import { distilFolder, requireNoModel, requireOut } from "./wiring/distillation.ts";
import { modelNeeds } from "./wiring/embedding_model.ts";

const own = {
  ...modelSettings,
  model: {
    ...declared.model,
    help: "The sentence model to learn from: a folder such as ./model, or organisation/name of the hub",
    defaultText: "sentence-transformers/all-MiniLM-L6-v2",
  },
  texts: declared.distilTexts,
  out: declared.distilOut,
  replace: declared.distilReplace,
  dimensions: declared.distilDimensions,
  phrases: declared.distilPhrases,
  holders: { ...declared.holders, help: "Account holders to generate texts of", defaultText: "36000" },
  payments: { ...declared.payments, help: "Payments to generate texts of", defaultText: "12000" },
  seed: declared.seed,
};

export const job = declareJob({
  name: "model:distill",
  summary: "Make a small static embedding model out of a sentence model, fitted to record texts",
  stops: "as soon as the running batch has its vectors, which are kept",
  settings: own,
  main: async ({ settings, signal, progress, print, command }) => {
    const out = resolve(requireOut(settings.out));
    const texts = settings.texts === undefined ? [] : [{ kind: "file", path: resolve(settings.texts) } as const];
    requirePermissions("distill", [...await modelNeeds(settings), ...texts, { kind: "folder", path: out }]);
    if (!settings.replace) await requireNoModel(out);
    const again = command("model:distill", { of: own });
    const outcome = await distilFolder({ ...settings, out }, { signal, progress, command: again });
    print(
      `${settings.out} holds ${outcome.tokens} tokens, ${outcome.phrases} of them phrases, at ${outcome.dimensions} dimensions ` +
        `(${outcome.bytes} bytes),\nlearnt from ${outcome.teacher} and ${outcome.texts} texts.`,
    );
    return { ok: true, ...outcome };
  },
});

if (import.meta.main) await runJob(job);
