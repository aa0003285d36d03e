/**
 * Runs the fast tests, beside the code and in `tests/`, and every example in the documentation.
 *
 * Deno loads everything anew for each module that it is asked to test. For two hundred files of tests that was a third of the
 * whole time: reading the same code, and making it quick. So it is asked for a few modules that import the files.
 */
import { modulesAtOnce, runTests } from "./run_tests.ts";

const folders = ["lib", "jobs", "tests/style", "tests/contract", "tests/golden", "tests/eval"];

/** Each file that Deno would find below a folder, in the order of their names. */
function testFiles(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isDirectory }) => {
    if (isDirectory) return testFiles(`${folder}/${name}`);
    return name.endsWith("_test.ts") ? [`${folder}/${name}`] : [];
  });
}

/** Writes modules that import every file once: neighbours, which are alike, go to different ones, so that all take about as long. */
function writeModules(folder: string, files: readonly string[]): string[] {
  const count = Math.min(files.length, 2 * modulesAtOnce);
  return Array.from({ length: count }, (_, module) => {
    const imported = files.filter((_, place) => place % count === module);
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
  const modules = writeModules(folder, folders.flatMap(testFiles));
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
