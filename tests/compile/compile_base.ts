/** Whether `deno compile` can make a binary here: it downloads what all binaries begin with, once. */
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";

/** Why it cannot; undefined where it can. */
export function missingBase(): Promise<string | undefined> {
  return withTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/one.ts`, "console.log(1 + 1);");
    const args = ["compile", "-q", "--no-config", "--output", `${folder}/one`, `${folder}/one.ts`];
    const options = { args, env: { NO_COLOR: "1" }, stdin: "null" } as const;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), options).output();
    // A shell of Deno, or another program, would answer to no script.
    if (success) {
      return await answersTwo(`${folder}/one`) ? undefined : "DENORT_BIN names a program that runs no script";
    }
    const causes = new TextDecoder().decode(stderr).match(/^ +\d+: (?!<).*$/gm)?.map((line) => line.trim().slice(3));
    return `deno compile finds no base for binaries: ${causes?.at(-1) ?? "it did not say why"}`;
  });
}

async function answersTwo(binary: string): Promise<boolean> {
  const { stdout } = await new Deno.Command(binary, { stdin: "null" }).output();
  return new TextDecoder().decode(stdout) === "2\n";
}
