import assert from "node:assert/strict";
import { settings } from "../../settings/declarations.ts";
import type { Completable } from "./completable.ts";
import { completionScript, type shells } from "./script.ts";

const { formats, icebergVersion, lake, rate, follow, upkeep } = settings;
const help = 'Don\'t \\ $HOME `id` "quote": [it]';

const completable: Completable = {
  jobs: [
    { name: "pipeline", summary: "", settings: { formats, icebergVersion, lake, rate, follow } },
    { name: "serve:embeddings", summary: "", settings: { upkeep: { ...upkeep, help } } },
  ],
  tasks: [
    { name: "pipeline", description: "The main job" },
    { name: "serve:embeddings", description: help },
    { name: "serve:other", description: "Another" },
    { name: "test", description: "The tests" },
  ],
};

/** What is typed, and what may come of it; where one thing alone may, a shell writes it. */
const cases: readonly (readonly [line: string, replies: readonly string[]])[] = [
  ["deno task pi", ["pipeline"]],
  ["deno task serve:e", ["serve:embeddings"]],
  ["deno task pipeline --fo", ["--formats", "--follow"]],
  ["deno task pipeline --follow --r", ["--rate"]],
  ["deno task serve:embeddings --h", ["--help"]],
  ["deno task serve:embeddings --upkeep of", ["off"]],
  ["deno task pipeline --iceberg-version=", ["--iceberg-version=2", "--iceberg-version=3"]],
  ["deno task pipeline --formats pa", ["paimon"]],
  ["deno task pipeline --formats iceberg,d", ["iceberg,delta"]],
  ["deno task pipeline --formats=iceberg,d", ["--formats=iceberg,delta"]],
  ["deno task pipeline --lake a\\ fold", ["a folder"]],
  ["deno task pipeline --rate ", []],
  ["deno task serve:embeddings --lak", []],
  ["deno run --form", []],
];

function has(shell: string): boolean {
  try {
    return new Deno.Command(shell, { args: ["-c", "true"] }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs a script of a shell in a project's folder, with the completion lying beside it as `completion`. */
async function inShell(
  [shell, ...options]: readonly [typeof shells[number], ...string[]],
  script: string,
): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/jobs`);
    await Deno.mkdir(`${folder}/a folder`);
    await Deno.writeTextFile(`${folder}/jobs/jobs.ts`, "");
    await Deno.writeTextFile(`${folder}/completion`, completionScript(shell, completable));
    const args = [...options, "-c", script];
    const env = { PATH: Deno.env.get("PATH") ?? "", HOME: folder, TERM: "dumb", LC_ALL: "C.UTF-8" };
    const { stdout, stderr } = await new Deno.Command(shell, { args, cwd: folder, clearEnv: true, env }).output();
    assert.equal(new TextDecoder().decode(stderr), "", shell);
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Bash replaces what follows the last character it parts words at, so the replies lack what comes before. */
function bashReplies(line: string, replies: readonly string[]): readonly string[] {
  const word = line.split(" ").at(-1) ?? "";
  const kept = /^.*[:=]/.exec(word)?.[0] ?? "";
  return replies.map((reply) => reply.slice(kept.length));
}

Deno.test("bash completes tasks, flags, choices, lists of them and folders", { ignore: !has("bash") }, async () => {
  const replies = await inShell(
    ["bash", "--norc"],
    `set -u; COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'; source ./completion
ask() { COMP_LINE="$1" COMP_POINT=\${#1} COMPREPLY=(); _weir deno; echo "\${COMPREPLY[*]}"; }
IFS='|'
${cases.filter(([line]) => !line.includes("\\")).map(([line]) => `ask ${shellQuoted(line)}`).join("\n")}
cd jobs; ask 'deno task pi'`,
  );
  const wanted = cases.filter(([line]) => !line.includes("\\")).map(([line, all]) => bashReplies(line, all).join("|"));
  assert.deepEqual(replies.split("\n"), [...wanted, "", ""], "and nothing outside of the project's folder");
});

Deno.test("what completed deno in bash before goes on doing so, also after the script came twice", {
  ignore: !has("bash"),
}, async () => {
  const said = await inShell(
    ["bash", "--norc"],
    `before() { COMPREPLY=("of $1"); }; complete -o default -F before deno; source ./completion; source ./completion
COMP_LINE="deno run x" COMP_POINT=10; _weir deno; echo "\${COMPREPLY[@]}"; complete -p deno`,
  );
  assert.match(said, /^of deno\n.*-F _weir deno\n$/);
});

Deno.test("fish completes the same", { ignore: !has("fish") }, async () => {
  const asked = cases.filter(([line]) => line.startsWith("deno task"));
  const said = await inShell(
    ["fish", "-N"],
    `source completion\n${
      asked.map(([line]) => `complete -C ${shellQuoted(line.replace("\\ ", "\\\\ "))}; echo ==`).join("\n")
    }`,
  );
  const replies = said.split("==\n").slice(0, -1).map((lines) =>
    lines.split("\n").filter((each) => each !== "").map((each) => each.split("\t")[0]?.replace(/\/$/, "")).sort()
  );
  const wanted = asked.map(([, all]) => all.toSorted());
  assert.deepEqual(replies, wanted);
});

Deno.test("zsh completes the same, typed on a terminal", { ignore: !has("zsh") }, async () => {
  const asked = cases.filter(([, replies]) => replies.length === 1);
  const typed = asked.map(([line]) => `zpty -w weir $'${line.replaceAll("\\", "\\\\")}\\t\\x01print -r -- LINE: \\n'`);
  const said = await inShell(
    ["zsh", "-f"],
    `zmodload zsh/zpty
zpty weir zsh -f -i
zpty -w weir 'PS1= PS2=; autoload -Uz compinit; compinit -u -D; source ./completion; print -r -- READY.'
zpty -r weir out $'*\\nREADY.*'
${typed.map((each) => `${each}; zpty -r weir out $'*\\nLINE: *\\n'; print -r -- "$out"`).join("\n")}`,
  );
  const lines = [...said.matchAll(/^LINE: (.*?) *\r?$/gm)].map(([, line]) => line);
  const wanted = asked.map(([line, [reply = ""]]) => line.replace(/(?:\\ |[^ ])*$/, reply));
  assert.deepEqual(lines.map((line) => line?.replace(/\/$/, "")), wanted);
});
