/**
 * Runs the fast tests, beside the code and in `tests/`, and every example in the documentation.
 *
 * Deno loads everything anew for each module that it is asked to test. For two hundred files of tests that was a quarter of the
 * whole time: reading the same code, and making it quick. So it is asked for as many modules as run at once, which import the
 * files. What a test changes of all the program, other files meet.
 */
import { modulesAtOnce, runTests } from "./run_tests.ts";

const folders = ["lib", "jobs", "tests/style", "tests/contract", "tests/golden", "tests/eval"];

/** Files that take longest are dealt out first, so that no module has several more of them than another. */
const longest = [
  ...["iceberg_sink", "paimon_sink", "sql_job", "doctor", "table", "delta_sink"].map((name) =>
    `tests/contract/${name}`
  ),
  ...["embedded/postgres", "table/paimon/compaction", "pipeline/pipeline", "table/paimon/expiry", "pull/open_source"]
    .map((name) => `lib/${name}`),
].map((name) => `${name}_test.ts`);

/** Each file that Deno would find below a folder, in the order of their names. */
function testFiles(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isDirectory }) => {
    if (isDirectory) return testFiles(`${folder}/${name}`);
    return name.endsWith("_test.ts") ? [`${folder}/${name}`] : [];
  });
}

/** Writes as many modules as run at once, which together import every file. */
function writeModules(folder: string, files: readonly string[]): string[] {
  return Array.from({ length: modulesAtOnce }, (_, module) => {
    const imported = files.filter((_, place) => place % modulesAtOnce === module);
    const lines = imported.map((file) => `import ${JSON.stringify(String(new URL(`../${file}`, import.meta.url)))};\n`);
    const path = `${folder}/tests_${module + 1}.js`;
    Deno.writeTextFileSync(path, lines.join(""));
    return path;
  });
}

// Ctrl-C reaches the tests by itself; when they have ended, the folder is removed.
Deno.addSignalListener("SIGINT", () => {});
const folder = await Deno.makeTempDir({ prefix: "weir-" });
try {
  const modules = writeModules(folder, [...new Set([...longest, ...folders.flatMap(testFiles)])]);
  const tests = await runTests("fast", [...modules, ...Deno.args]);
  const examples = await runTests("examples", [
    "--doc",
    "--ignore=**/*_test.ts",
    ...folders,
    "README.md",
    ...Deno.args,
  ]);
  Deno.exitCode = tests || examples;
} finally {
  await Deno.remove(folder, { recursive: true });
}
