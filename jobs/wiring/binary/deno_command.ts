/** Deno, started by itself. */

/** A command of Deno: the very one that runs this where that may be started, otherwise the one that the system finds. */
export function denoCommand(args: readonly string[], { cwd = "." } = {}): Deno.Command {
  const itself = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command: itself });
  return new Deno.Command(state === "granted" ? itself : "deno", { args: [...args], cwd, stdin: "null" });
}
