/** The rows of a lake table most similar to one of them, or to a text. */
import { requirePermissions } from "../lib/cli/permission.ts";
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { WeirError } from "../lib/errors.ts";
import type { TextQuery } from "../lib/query/similar/query_vector.ts";
import { similar } from "../lib/query/similar/similar.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { text } from "../lib/settings/kinds.ts";
import { catalogSettings } from "../lib/settings/catalog_settings.ts";
import { modelSettings, placeSettings } from "./wiring/capture_settings.ts";
import { modelNeeds, startModel } from "./wiring/embedding_model.ts";
import { requireReach } from "./wiring/reach.ts";
import { SearchedTable } from "./wiring/searched_table.ts";
import { similarOutcome, similarText } from "./wiring/similar_outcome.ts";
import { similarQuery } from "./wiring/similar_query.ts";

const cores = String(Math.min(navigator.hardwareConcurrency, 8));

export const job = declareJob({
  name: "similar",
  summary: "Find the rows of a lake table whose vectors are nearest to that of one of them, or of a text",
  stops: "after what is under way",
  settings: {
    table: declared.table,
    format: declared.format,
    id: declared.id,
    nearText: declared.nearText,
    top: declared.top,
    filter: declared.filter,
    columns: declared.columns,
    index: declared.index,
    follow: { ...declared.follow, help: "With --index: keep the index up to the table until Ctrl-C" },
    exact: declared.exact,
    ...modelSettings,
    model: text({
      flag: "model",
      help: "Model of the vectors to compare, where a table has several or does not say how its model is called here",
      placeholder: "MODEL",
    }),
    ...placeSettings,
    ...catalogSettings,
    memoryLimitBytes: declared.memoryLimitBytes,
    threads: { ...declared.threads, help: "Threads that compare rows or build an index", defaultText: cores },
  },
  main: async ({ settings, signal, progress, print }) => {
    const formats = settings.format === "any" ? (["iceberg", "paimon", "delta"] as const) : [settings.format];
    await requireReach("similar", settings, { catalog: { ...settings, formats } });
    await using table = await SearchedTable.open(settings, formats);
    const start: TextQuery["start"] = async (model, modelDtype = settings.modelDtype) => {
      const chosen = { ...settings, model, modelDtype };
      requirePermissions("similar", await modelNeeds(chosen));
      return await startModel(chosen, { signal, progress });
    };
    const query = similarQuery(settings, { key: table.key, start });
    if (settings.follow && (query !== undefined || !settings.index)) {
      throw new WeirError("configuration", "--follow keeps an index up to its table, and nothing else", {
        advice: "Give it with --index alone, and search from another terminal",
      });
    }
    if (query === undefined && !settings.index) {
      throw new WeirError("configuration", "Nothing says what rows are to be similar to", {
        advice: "Give --id or --text; or --index alone to bring the index up to date",
      });
    }
    const { index, follow } = settings;
    const refreshed = index ? await table.refreshIndex({ signal, progress, follow }) : undefined;
    if (query === undefined) return { ok: true, ...refreshed };
    const { columns, exact } = settings;
    const found = await similar(table.lake, {
      ...query,
      table: table.place,
      ...(columns.length === 0 ? {} : { columns: [...new Set([...table.key, ...columns])] }),
      ...(exact ? {} : { index: table.index }),
    });
    const outcome = similarOutcome(found, { place: table.place, key: table.key, columns });
    print(similarText(outcome));
    return outcome;
  },
});

if (import.meta.main) await runJob(job);
