// `flows completion SHELL`, and what its scripts ask: words that may stand where the cursor is.

import type { Command, Option } from "commander";
import { parseWorkflowId } from "../../engine/ids.js";
import { readOwner } from "../../hosts/local/index.js";
import { EXIT, type ExitCode } from "../exit.js";
import { findFlowFiles } from "../flow-files.js";
import { nearest } from "../ids.js";
import { type Common, quoted, tokenFromEnvironment, usage } from "../options.js";
import { connect } from "../remote.js";

export async function completion({ output }: Common, [shell = ""]: string[]): Promise<ExitCode> {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    const shells = Object.keys(SCRIPTS);
    const near = nearest(shell, shells);
    throw usage(
      `There is a completion for ${shells.join(", ")}, not for ${quoted(shell)}.`,
      near && `did you mean ${near}?`,
    );
  }
  output.result(script.trimEnd());
  return EXIT.done;
}

/** One candidate a line, a tab, its description. Whatever goes wrong: no candidates. */
export async function complete(
  common: Common,
  words: string[],
  program: Command,
): Promise<ExitCode> {
  const found = await candidates(words, program, folders(common, words)).catch(() => []);
  for (const line of found) common.output.result(line);
  return EXIT.done;
}

async function candidates(words: string[], program: Command, common: Common): Promise<string[]> {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const command = commandIn(before, program);
  const options = [...(command?.options ?? []), ...program.options];
  const previous = options.find((option) => option.long === before.at(-1));
  const all =
    previous && takesValue(previous)
      ? await valuesOf(previous, common)
      : current.startsWith("-")
        ? options.map((option) => `${option.long}\t${option.description}`)
        : command === undefined
          ? commandsOf(program)
          : await argumentsOf(command, common);
  return all.filter((line) => line.startsWith(current));
}

/** The first word that is neither an option nor an option's value. */
function commandIn(words: string[], program: Command): Command | undefined {
  const name = words.find((word, at) => {
    if (word.startsWith("-")) return false;
    const option = program.options.find(({ long }) => long === words[at - 1]);
    return option === undefined || !takesValue(option);
  });
  return program.commands.find((command) => command.name() === name);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function commandsOf(program: Command): string[] {
  return program.commands
    .filter((command) => !command.name().startsWith("_"))
    .map((command) => `${command.name()}\t${command.description()}`);
}

/** Nothing: the shell offers files. */
async function valuesOf(option: Option, common: Common): Promise<string[]> {
  if (option.argChoices !== undefined) return [...option.argChoices];
  return option.long === "--workflow" ? workflowIds(common) : [];
}

async function argumentsOf(command: Command, common: Common): Promise<string[]> {
  const name = command.registeredArguments[0]?.name();
  if (name === "id") return workflowIds(common);
  if (name === "run") return runIds(common);
  return name === "shell" ? Object.keys(SCRIPTS) : [];
}

/** As the files say: quick, and right even before the first sync. */
async function workflowIds(common: Common): Promise<string[]> {
  const { files } = await findFlowFiles([common.flows], common);
  return files.flatMap(({ text }) => {
    const id = /^(?:id|\s*\{?\s*"id")\s*:\s*["']?([\w-]+)/m.exec(text)?.[1] ?? "";
    return parseWorkflowId(id) === undefined ? [] : [id];
  });
}

/** Those that a running server has; a completion never takes the store. */
async function runIds({ store }: Common): Promise<string[]> {
  const owner = await readOwner(store);
  if (owner?.url === undefined) return [];
  const { runner } = connect(owner.url, tokenFromEnvironment());
  const { runs } = await runner.list({ limit: 50 });
  return runs.map((run) => `${run.id}\t${run.workflow_id} ${run.status}`);
}

/** `--flows` and `--store` as far as they stand on the line that is being completed. */
function folders(common: Common, words: string[]): Common {
  const value = (option: string, otherwise: string) => {
    const at = words.indexOf(option);
    return at < 0 ? otherwise : (words[at + 1] ?? otherwise);
  };
  const { flows, store } = common;
  return { ...common, flows: value("--flows", flows), store: value("--store", store) };
}

const SCRIPTS: { readonly [shell: string]: string } = {
  bash: `
# Completion of flows for bash. Load it with: source <(flows completion bash)
_flows() {
  local IFS=$'\\n'
  COMPREPLY=($(flows __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _flows flows
`.trimStart(),
  zsh: `
#compdef flows
# Completion of flows for zsh. Load it with: source <(flows completion zsh)
_flows() {
  local -a found
  local line
  for line in "\${(@f)$(flows __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#found} )); then _describe flows found; else _files; fi
}
compdef _flows flows
`.trimStart(),
  fish: `
# Completion of flows for fish. Load it with: flows completion fish | source
function __flows_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (flows __complete -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c flows -f -a '(__flows_complete)'
`.trimStart(),
};
