// `npm run bench`: each figure beside a floor measured in the same run. `-- --json` prints JSON.

import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { coldStart } from "./cold.mjs";
import { journal } from "./journal.mjs";
import { triggers } from "./triggers.mjs";

const GROUPS = { cold: coldStart, journal, triggers };

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: Object.keys(GROUPS) },
  },
});

const unknown = values.only.find((name) => !(name in GROUPS));
if (unknown !== undefined) {
  console.error(`There is no group ${unknown}; there are ${Object.keys(GROUPS).join(", ")}.`);
  process.exit(2);
}

const rows = [];
for (const name of values.only) {
  if (!values.json) console.error(`measuring: ${name}`);
  rows.push(...(await GROUPS[name]()));
}

if (values.json) {
  const machine = { node: process.version, platform: process.platform, cpus: cpus().length };
  console.log(JSON.stringify({ ...machine, rows }, null, 2));
} else {
  console.log(table(rows));
}

/** A row: `{ name, measured, unit, floor: { name, value }, ratio, wanted? }`. */
function table(all) {
  const head = ["figure", "measured", "", "floor", "measured", "ratio", "wanted"];
  const cells = all.map((row) => [
    row.name,
    number(row.measured),
    row.unit,
    row.floor.name,
    number(row.floor.value),
    row.ratio.toFixed(2),
    row.wanted ?? "",
  ]);
  const width = head.map((_, i) => Math.max(...[head, ...cells].map((line) => line[i].length)));
  const numeric = new Set([1, 4, 5]);
  return [head, ...cells]
    .map((line) =>
      line.map((c, i) => (numeric.has(i) ? c.padStart(width[i]) : c.padEnd(width[i]))).join("  "),
    )
    .map((line) => line.trimEnd())
    .join("\n");
}

function number(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(2);
}
