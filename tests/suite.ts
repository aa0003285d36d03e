/** Runs one suite of `tests/` by name. */
import { runTests } from "./run_tests.ts";

/** Files that take minutes begin first, so that none is left alone at the end. */
const longest: Readonly<Record<string, readonly string[]>> = {
  property: ["soak", "stream", "tables", "quiet_change", "upkeep", "large_rows"],
  interop: ["spark", "main_job_inferred", "object_store_tables", "spark_iceberg", "schema_changes"],
  crash: ["crash", "object_store", "ending", "upkeep_crash", "fewer_tables"],
};

const [suite = "", ...rest] = Deno.args;
const files = [...(longest[suite] ?? []).map((name) => `tests/${suite}/${name}_test.ts`), `tests/${suite}`];
Deno.exit(await runTests(suite, [...files, ...rest]));
