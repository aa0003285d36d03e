/**
 * Runs one suite of `tests/` by name and fails when it ran nothing: a suite that was asked for and skipped everything has
 * shown nothing. Files run side by side, one more than there are cores: much of their time is waiting for servers and processes.
 * Types are not looked at here, but by `deno task ok`.
 */

/** Files that take minutes begin first, so that none is left alone at the end. */
const longest: Readonly<Record<string, readonly string[]>> = {
  property: ["soak", "stream", "tables", "quiet_change", "upkeep", "large_rows"],
  interop: ["spark", "main_job_inferred", "object_store_tables", "spark_iceberg", "schema_changes"],
  crash: ["crash", "object_store", "ending", "upkeep_crash", "fewer_tables"],
};

const [suite = "", ...rest] = Deno.args;
const files = [...(longest[suite] ?? []).map((name) => `tests/${suite}/${name}_test.ts`), `tests/${suite}`];
const args = ["test", "-q", "--no-prompt", "--no-check", "-P=test", "--parallel", ...files, ...rest];
const env = { DENO_JOBS: String(navigator.hardwareConcurrency + 1) };
const child = new Deno.Command(Deno.execPath(), { args, env, stdin: "null", stdout: "piped" }).spawn();

let text = "";
const decoder = new TextDecoder();
for await (const bytes of child.stdout) {
  await Deno.stdout.write(bytes);
  text += decoder.decode(bytes, { stream: true });
}
const { code } = await child.status;
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const ran = /^(?:ok|FAILED) \| ([1-9]\d*) passed/m.test(text.replace(escapes, ""));
if (code === 0 && !ran) console.error(`The suite ${suite} was asked for and ran nothing`);
Deno.exit(code === 0 && !ran ? 1 : code);
