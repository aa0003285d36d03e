/**
 * Runs `deno test` with the permissions of tests and gives its exit code, or 1 where it ran nothing: a suite that was asked for
 * and skipped everything has shown nothing. What it says goes on to standard output.
 *
 * Modules run side by side, one more than there are cores: much of their time is waiting for servers and processes. Types are
 * not looked at here, but by `deno task ok`.
 */
export async function runTests(suite: string, args: readonly string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-q", "--no-prompt", "--no-check", "-P=test", "--parallel", ...args],
    env: { DENO_JOBS: String(modulesAtOnce) },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    await Deno.stdout.write(bytes);
    text += decoder.decode(bytes, { stream: true });
  }
  const { code } = await child.status;
  if (code !== 0 || ranSome(text)) return code;
  console.error(`The suite ${suite} was asked for and ran nothing`);
  return 1;
}

/** How many modules run side by side. */
export const modulesAtOnce = navigator.hardwareConcurrency + 1;

function ranSome(text: string): boolean {
  const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
  return /^(?:ok|FAILED) \| ([1-9]\d*) passed/m.test(text.replace(escapes, ""));
}
