/** Completion for bash, from version 4.3 on; it needs no package. */
import { type Completable, flagsOf, projectMark } from "./completable.ts";
import { valueArms } from "./values.ts";

/** The script. Tasks and words have no character that the shell reads as anything else. */
export function bashScript({ jobs, tasks }: Completable): string {
  const flagArms = jobs.map((job) => `    ${job.name}) flags="${flagsOf(job).map(({ flag }) => flag).join(" ")}" ;;`);
  return `# Completes the tasks of Weir. Load it with: source <(deno task jobs --completion bash)
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
  # The line is read anew: bash itself parts words at ":" and "=" too.
  local line="\${COMP_LINE:0:COMP_POINT}" typed flag value before kind= flags= reply i
  local IFS=$' \\t\\n'
  local -a parts choices=()
  read -ra parts <<<"$line"
  [[ $line == *[[:space:]] ]] && parts+=("")
  if [[ \${parts[1]-} != task || \${#parts[@]} -lt 3 || ! -f ${projectMark} ]]; then
    [[ -n \${_weir_before-} ]] && "$_weir_before" "$@"
    return
  fi
  typed="\${parts[-1]}" value="\${parts[-1]}" flag="\${parts[-2]}" before=
  [[ $typed == --*=* ]] && flag="\${typed%%=*}" value="\${typed#*=}" before="$flag="
  if ((\${#parts[@]} == 3)); then
    COMPREPLY=($(compgen -W '${tasks.map(({ name }) => name).join(" ")}' -- "$typed"))
  else
    _weir_value "\${parts[2]} $flag"
    case "$kind" in
      words) COMPREPLY=($(compgen -W "\${choices[*]}" -- "$value")) ;;
      list)
        [[ $value == *,* ]] && before+="\${value%,*},"
        COMPREPLY=($(compgen -W "\${choices[*]}" -- "\${value##*,}"))
        compopt -o nospace 2>/dev/null ;;
      path)
        IFS=$'\\n'
        COMPREPLY=($(compgen -f -- "$value"))
        compopt -o filenames 2>/dev/null ;;
      text) compopt +o default +o bashdefault 2>/dev/null ;;
      *)
        _weir_flags "\${parts[2]}"
        COMPREPLY=($(compgen -W "$flags" -- "$typed")) ;;
    esac
  fi
  # Bash puts a reply in place of what follows the last character it parts words at.
  reply="\${typed%"\${typed##*["$COMP_WORDBREAKS"]}"}"
  for i in "\${!COMPREPLY[@]}"; do
    COMPREPLY[i]="$before\${COMPREPLY[i]}"
    COMPREPLY[i]="\${COMPREPLY[i]#"$reply"}"
  done
}

_weir_found="$(complete -p deno 2>/dev/null | sed -n 's/.* -F \\([^ ]*\\) .*/\\1/p')"
[[ $_weir_found != _weir ]] && _weir_before="$_weir_found"
complete -o bashdefault -o default -F _weir deno`;
}
