// The command line: every command with its options; each command's module is loaded when it runs.

import { Command, CommanderError, Option } from "commander";
import type { Wish } from "./commands/control.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { Common, Options } from "./options.js";
import { createOutput, tolerateClosedPipes } from "./output.js";
import { sayTrouble } from "./trouble.js";
import { packageVersion } from "./version.js";

/** The exit code; everything that goes wrong has been said. */
export async function main(args: string[]): Promise<ExitCode> {
  tolerateClosedPipes();
  // A mistake of ours in a callback: said like any other, for its text may hold a secret.
  process.once("uncaughtException", (error) => {
    process.exit(sayTrouble(error, createOutput(false)));
  });
  let exit: ExitCode = EXIT.done;
  const program = createProgram((code) => {
    exit = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exit;
  } catch (error) {
    // Commander has said it already: help and version end with 0, everything else is wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return sayTrouble(error, createOutput(false));
  }
}

interface Globals {
  flows: string;
  store: string;
  secrets?: string;
  json?: true;
  allowShell?: true;
  allowHost: string[];
}

/** In their language, 1 means that files have problems. */
const CHECKS: ReadonlySet<string> = new Set(["validate", "test", "fmt"]);

type Run = (common: Common, args: string[], options: Options) => Promise<ExitCode>;

function createProgram(ended: (code: ExitCode) => void): Command {
  const program = new Command("flows")
    .description("Workflow automation for people who would rather write a file than click.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print what there is")
    .option("--flows <dir>", "the folder of flow files", "flows")
    .option("--store <dir>", "the folder of runs", ".workflows")
    .option("--allow-shell", "let shell steps of runs that this process drives run programs")
    .option(
      "--allow-host <host>",
      "HOST[:PORT] that data may choose to call; again for each",
      and,
      [],
    )
    .option("--secrets <dir>", "a folder with a file for each secret (or: FLOWS_SECRET_<NAME>)")
    .option("--json", "results as JSON; one value a line where they come one by one")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "flows: ")) })
    .showHelpAfterError("(flows --help names the commands, flows COMMAND --help their options)")
    .exitOverride();

  const command = (usage: string, description: string, load: () => Promise<Run>): Command => {
    const added = program.command(usage, { hidden: usage.startsWith("_") });
    added.description(description);
    return added.action(async () => {
      const { json, allowShell, ...folders } = program.opts<Globals>();
      const output = createOutput(json === true);
      const common = { ...folders, allowShell: allowShell === true, output };
      const broken = CHECKS.has(added.name()) ? EXIT.broken : EXIT.failed;
      const trouble = (error: unknown) => sayTrouble(error, output, broken);
      const run = load().then((run) => run(common, added.processedArgs.flat(), added.opts()));
      ended(await run.catch(trouble));
    });
  };

  addServing(command);
  addFlowFiles(command);
  addRuns(command);
  addRest(command, program);
  return program;
}

function and(text: string, before: string[]): string[] {
  return [...before, text];
}

type Add = (usage: string, description: string, load: () => Promise<Run>) => Command;

function addServing(add: Add): void {
  add("serve", "serve the flows folder: the API, and every run that is not finished", async () => {
    return (await import("./commands/serve.js")).serve;
  })
    .option("--host <host>", "the address to listen on", "127.0.0.1")
    .option("--port <port>", "the port to listen on; 0 takes a free one", "8000")
    .option("--keep-days <days>", "delete finished runs this many days after their end")
    .option("--keep-runs <count>", "keep only so many finished runs: the newest")
    .option("--shutdown-timeout <duration>", "how long steps may take to end at SIGTERM", "10s")
    .option("--token <token>", "let in only who has it (better: FLOWS_TOKEN in the environment)");
  add("token <action>", "create, list or revoke the tokens of the store's server", async () => {
    return (await import("./commands/token.js")).token;
  })
    .option("--name <name>", "of the token: to create it, or to revoke it")
    .option("--scope <scope>", "what it grants: read, trigger or admin; each includes the former");
}

function addFlowFiles(add: Add): void {
  add("validate [path...]", "check flow files, or all files of the flows folder", async () => {
    return (await import("./commands/validate.js")).validate;
  })
    .option("--format <format>", "how to report; flows validate --format help names them", "human")
    .option("--deny-warnings", "warnings count as errors")
    .option("--stdin-filename <name>", "check the text on stdin as if it were this file");
  add("fmt [path...]", "lay out flow files and their tests in one way; - is stdin", async () => {
    return (await import("./commands/fmt.js")).fmt;
  })
    .option("--check", "write nothing; list the files that would change")
    .option("--stdin-filename <name>", "lay out the text on stdin as if it were this file");
  add("graph <id>", "draw a workflow: its steps, and every way between them", async () => {
    return (await import("./commands/graph.js")).graph;
  }).addOption(
    new Option("--format <format>", "mermaid, dot or svg")
      .choices(["mermaid", "dot", "svg"])
      .default("mermaid"),
  );
  add("schema", "print the JSON Schema of flow files, for editors", async () => {
    return (await import("./commands/schema.js")).schema;
  }).option("-o, --output <file>", "write it to this file instead");
  add("test [path...]", "play the tests of flow files: virtual time, no network", async () => {
    return (await import("./commands/test.js")).test;
  })
    .option("--format <format>", "how to report: human, json or junit", "human")
    .option("--filter <text>", "only cases with this in their name or their workflow's id")
    .option("--coverage", "say which steps and arms no case reaches");
  add("sync", "read the flows folder again, and serve what is in it", async () => {
    return (await import("./commands/sync.js")).sync;
  });
  add("schedule", "list when schedules fire: from now on, for a day", async () => {
    return (await import("./commands/schedule.js")).schedule;
  })
    .option("--from <time>", "from when: 2026-03-29, 2026-03-29T09:00Z, or a duration from now")
    .option("--to <time>", "until when: a time, or a duration after --from (7d)");
  add("list", "list the workflows", async () => (await import("./commands/list.js")).list);
}

function addRuns(add: Add): void {
  add("trigger <id>", "start a run of a workflow", async () => {
    return (await import("./commands/trigger.js")).trigger;
  })
    .option("--context <json>", "what the run starts with: JSON, @file, or - for stdin")
    .option("--set <key=value>", "set one value in it; may be repeated", collect)
    .option("--wait", "wait for the run's end; its result decides the exit code")
    .option("--timeout <duration>", "with --wait: how long, as in 30s")
    .option("--idempotency-key <key>", "the same key starts the same run only once");
  add("runs", "list runs, newest first", async () => (await import("./commands/runs.js")).runs)
    .option("--workflow <id>", "only of this workflow")
    .addOption(new Option("--status <status>", "only with this status").choices(STATUSES))
    .option("--limit <count>", "how many, 1 to 200", "50");
  add("show <run>", "show a run and its steps", async () => {
    return (await import("./commands/show.js")).show;
  });
  add("watch <run>", "follow a run to its end", async () => {
    return (await import("./commands/watch.js")).watch;
  });
  add("logs <run>", "show what the steps of a run wrote", async () => {
    return (await import("./commands/logs.js")).logs;
  })
    .option("-f, --follow", "go on with what they write, to the run's end")
    .option("--step <step>", "only of this step: its id, or its key in the run");
  add("record <run>", "print a test that is like a run which has ended", async () => {
    return (await import("./commands/record.js")).record;
  }).option("-o, --output <file>", "write it to a new file instead");
  add("cancel <run>", "end a run now", control("cancel")).option("--reason <text>", "why");
  add("pause <run>", "let a run start no further step", control("pause"));
  add("resume <run>", "let a paused run go on", control("resume"));
  add(
    "retry <run>",
    "let a failed or cancelled run go on from where it failed",
    control("retry"),
  ).option("--from <step>", "go on from this step instead: its id, or its key in the run");
  add(
    "approve <run> [step]",
    "answer a step that waits for a person: yes",
    control("approve"),
  ).option("--comment <text>", "kept with the answer");
  add("reject <run> [step]", "answer a step that waits for a person: no", control("reject")).option(
    "--comment <text>",
    "kept with the answer",
  );
  add(
    "signal <run> <name>",
    "send a run the signal that a wait step waits for",
    control("signal"),
  ).option("--data <json>", "what the step gets: JSON, @file, or - for stdin");
}

function addRest(add: Add, program: Command): void {
  add("demo", "see the invoice reminder run, from trigger to result", async () => {
    return (await import("./demo.js")).demo;
  })
    .option("--delay <seconds>", "how long its delay takes", "2")
    .option("--url <url>", "where its webhook goes, instead of to the demo's own subscriber");
  add("completion <shell>", "print the completion of bash, zsh or fish", async () => {
    return (await import("./commands/completion.js")).completion;
  });
  add("doctor", "say what is wrong with the store, and what can be done", async () => {
    return (await import("./commands/doctor.js")).doctor;
  }).option("--repair", "repair what loses nothing");
  // What the completion scripts ask, after `--`: the words so far, the last one unfinished.
  add("__complete [words...]", "", async () => {
    const { complete } = await import("./commands/completion.js");
    return (common, words) => complete(common, words, program);
  });
}

const STATUSES = ["pending", "running", "paused", "completed", "failed", "cancelled"];

function control(what: Wish): () => Promise<Run> {
  return async () => {
    const { control: run } = await import("./commands/control.js");
    return (common, args, options) => run(what, common, args, options);
  };
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
