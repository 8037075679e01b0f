// The pages tell the truth: commands they name exist, with those options, and links lead somewhere.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { everyText, ROOT } from "../tidy/tree.js";
import { anchors, commandLines, localLinks } from "./markdown.js";

const pages = everyText().filter(({ path }) => path.endsWith(".md"));

const scripts = (
  JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as {
    scripts: { [name: string]: string };
  }
).scripts;

/** npm's own words that a page may name. */
const NPM = /^npm (ci|install|i|link|pack|test|t|exec)\b/;

function helpOf(...command: string[]): string {
  const args = ["dist/cli/main.js", ...command, "--help"];
  const said = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  if (said.status !== 0) throw new Error(`flows ${command.join(" ")} --help: ${said.stderr}`);
  return said.stdout;
}

/** The commands that `flows --help` lists. */
function listedCommands(help: string): string[] {
  const list = help.split(/^Commands:$/m)[1] ?? "";
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((row) => row[1] ?? "");
}

function wrongNpmCommand(command: string): string | null {
  const script = /^npm run (?:--silent )?([\w:-]+)/.exec(command)?.[1];
  if (script !== undefined) return script in scripts ? null : `no script ${script}`;
  return NPM.test(command) ? null : "not a command of npm that we know";
}

function wrongFlowsCommand(line: string, help: (...command: string[]) => string): string | null {
  const words = line.split(/\s+/).slice(1);
  const top = help();
  const name = words.find((word) => /^[a-z]/.test(word));
  const isCommand = words[0] === name && name !== undefined;
  if (isCommand && !listedCommands(top).includes(name)) return `no command ${name}`;
  const known = isCommand ? help(name) + top : top;
  const options = words.flatMap((word) => /^\[?(--[a-z][a-z-]*)/.exec(word)?.[1] ?? []);
  const unknown = options.find((option) => !new RegExp(`${option}(?![a-z-])`).test(known));
  return unknown === undefined ? null : `no option ${unknown}`;
}

function wrongLink(page: string, target: string): string | null {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : posix.join(posix.dirname(page), decodeURI(path));
  if (!existsSync(ROOT + file)) return `no file ${file}`;
  if (anchor === undefined || !file.endsWith(".md")) return null;
  return anchors(readFileSync(ROOT + file, "utf8")).has(anchor) ? null : `no heading #${anchor}`;
}

describe("each page", () => {
  const cache = new Map<string, string>();
  const help = (...command: string[]): string => {
    const key = command.join(" ");
    const said = cache.get(key) ?? helpOf(...command);
    cache.set(key, said);
    return said;
  };

  it.each(pages)("$path names only commands that exist", ({ path, text }) => {
    const wrong = commandLines(text).flatMap(({ line, text: command }) => {
      const why = command.startsWith("npm ")
        ? wrongNpmCommand(command)
        : wrongFlowsCommand(command, help);
      return why === null ? [] : [`${path}:${line}: ${command}: ${why}`];
    });
    expect(wrong).toEqual([]);
  });

  it.each(pages)("$path links only to what is there", ({ path, text }) => {
    const wrong = localLinks(text).flatMap(({ line, text: target }) => {
      const why = wrongLink(path, target);
      return why === null ? [] : [`${path}:${line}: ${target}: ${why}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe("the check of pages", () => {
  const HELP = "Options:\n  --store DIR  x\nCommands:\n  trigger [options] <id>  x\n  list  x\n";
  const help = (name?: string): string => (name === undefined ? HELP : "  --wait  x\n");

  it("finds commands in shell blocks and code spans, and nowhere else", () => {
    const page = [
      "Say `flows list` and `flows/` or flows list.",
      "```sh",
      "$ cd a && npm ci && FOO=1 npm run demo | cat   # flows no",
      "npx flows trigger a --wait",
      "```",
      "```yaml",
      "flows: list",
      "```",
    ].join("\n");
    expect(commandLines(page).map(({ line, text }) => [line, text])).toEqual([
      [1, "flows list"],
      [3, "npm ci"],
      [3, "npm run demo"],
      [4, "flows trigger a --wait"],
    ]);
  });

  it.each([
    ["flows list", null],
    ["flows trigger a --wait --store b", null],
    ["flows --store b", null],
    ["flows lists", "no command lists"],
    ["flows trigger a --wai", "no option --wai"],
    ["flows trigger a --wait-long", "no option --wait-long"],
    ["flows --stor b", "no option --stor"],
  ])("judges `%s`", (command, wrong) => {
    expect(wrongFlowsCommand(command, help)).toBe(wrong);
  });

  it.each([
    ["npm ci", null],
    ["npm test", null],
    ["npm run build", null],
    ["npm run built", "no script built"],
    ["npm start", "not a command of npm that we know"],
  ])("judges `%s`", (command, wrong) => {
    expect(wrongNpmCommand(command)).toBe(wrong);
  });

  it("finds links that lead nowhere", () => {
    const page = "# One Thing\n[a](LICENSE) [b](#one-thing) [c](no.md) [d](#two) [e](https://a.b/)";
    const links = localLinks(page).map(({ text }) => text);
    expect(links).toEqual(["LICENSE", "#one-thing", "no.md", "#two"]);
    expect([...anchors(page)]).toEqual(["one-thing"]);
    expect(wrongLink("docs/page.md", "../LICENSE")).toBeNull();
    expect(wrongLink("docs/page.md", "LICENSE")).toBe("no file docs/LICENSE");
  });
});
