// How long checking a thousand flow files takes, beside parsing the same texts with `yaml` alone.

import { readdirSync, readFileSync } from "node:fs";
import { parse, parseDocument } from "yaml";
import { catalog, checkFolder } from "../../dist/index.js";
import { row } from "./measure.mjs";

const FILES = 1_000;
const ROUNDS = 5;

/** Interleaved, after a round that is not counted. No round sees a text or an expression again. */
export async function validate() {
  const parsing = [];
  const checking = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const files = folder(round);
    const parsed = timeOf(() => files.map(({ text }) => parseDocument(text)));
    const checked = timeOf(() => {
      const wrong = checkFolder(files, catalog).find(({ workflow }) => workflow === null);
      if (wrong !== undefined) throw new Error(JSON.stringify(wrong.diagnostics[0]));
    });
    if (round > 0) {
      parsing.push(parsed);
      checking.push(checked);
    }
  }
  const name = `check ${FILES.toLocaleString("en-US")} flow files`;
  return [row(name, checking, "ms", "parse them with `yaml`", parsing, "<= 3")];
}

/** The repository's own flows again and again, each copy with names of its own all over. */
function folder(round) {
  const names = readdirSync("flows").filter((name) => /(?<!\.test)\.yaml$/.test(name));
  const texts = names.map((name) => readFileSync(`flows/${name}`, "utf8"));
  const known = new RegExp(
    `(?<!output\\.)\\b(${texts.flatMap((text) => namesIn(parse(text))).join("|")})\\b`,
    "g",
  );
  return Array.from({ length: FILES }, (_, index) => {
    const copy = Math.floor(index / texts.length);
    const text = texts[index % texts.length].replace(known, `$1_${round}_${copy}`);
    return { file: `${index}.yaml`, text };
  });
}

/** What a flow file calls its own: its id, its hooks, its steps, the keys of its context. */
function namesIn({ id, context, triggers = [], steps }) {
  const hooks = triggers.flatMap(({ path }) => path ?? []);
  const all = [id, ...hooks, ...Object.keys(context?.properties ?? {}), ...steps.flatMap(idsOf)];
  // Words of the language stay.
  return all.filter((name) => !LANGUAGE.includes(`"${name}"`));
}

const LANGUAGE = readFileSync("schemas/workflow.schema.json", "utf8");

function idsOf({ id, config }) {
  const bodies = [config, ...Object.values(config?.branches ?? {})];
  return [id, ...bodies.flatMap((body) => body?.steps ?? []).flatMap(idsOf)];
}

function timeOf(act) {
  const from = performance.now();
  act();
  return performance.now() - from;
}
