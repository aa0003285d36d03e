/** Completion for zsh. */
import { shellWord } from "../permission.ts";
import { type Completable, flagsOf, projectMark } from "./completable.ts";
import { valueArms } from "./values.ts";

/** The script. A colon parts a word from what is said of it. */
export function zshScript({ jobs, tasks }: Completable): string {
  const described = (name: string, text: string) => shellWord(`${name.replaceAll(":", "\\:")}:${text}`);
  const flagArms = jobs.map((job) =>
    `    ${job.name}) flags=(\n${
      flagsOf(job).map(({ flag, help }) => `      ${described(flag, help)}`).join("\n")
    }\n    ) ;;`
  );
  return `# Completes the tasks of Weir. Load it after compinit with: source <(deno task jobs --completion zsh)
_weir_value() {
  case "$1" in
${valueArms(jobs).join("\n")}
  esac
}

_weir_flags() {
  case "$1" in
${flagArms.join("\n")}
  esac
}

_weir() {
  local kind= flag="$words[CURRENT-1]"
  local -a flags tasks choices
  if [[ $words[2] != task || CURRENT -lt 3 || ! -f ${projectMark} ]]; then
    [[ -n $_weir_before ]] && "$_weir_before" "$@" || _default
    return
  fi
  if ((CURRENT == 3)); then
    tasks=(
${tasks.map(({ name, description }) => `      ${described(name, description)}`).join("\n")}
    )
    _describe -t tasks task tasks
    return
  fi
  local job="$words[3]"
  if compset -P 1 '--*='; then flag="\${IPREFIX%=}"; fi
  _weir_value "$job $flag"
  case "$kind" in
    words) compadd -a choices ;;
    list) compset -P '*,'; compadd -S '' -a choices ;;
    path) _files ;;
    text) _message value ;;
    *) _weir_flags "$job"; if (($#flags)); then _describe -t flags flag flags; else _files; fi ;;
  esac
}

[[ \${_comps[deno]-} != _weir ]] && _weir_before="\${_comps[deno]-}"
compdef _weir deno`;
}
