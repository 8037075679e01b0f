// `npm run bench`: each figure beside a floor measured in the same process, and its target.
// `-- --json` prints JSON, `-- -o FILE` keeps it too, `-- --only NAME` measures one bench.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { table } from "./table.mjs";

/** A bench is a file that answers rows; each loads only what it measures. */
const BENCHES = {
  cold: async () => (await import("./cold.mjs")).coldStart(),
  rates: async () => (await import("./rates.mjs")).rates(),
  latency: async () => (await import("./latency.mjs")).latency(),
  start: async () => (await import("./million.mjs")).startUp(),
  sleeping: async () => (await import("./million.mjs")).sleeping(),
  listing: async () => (await import("./million.mjs")).listing(),
  journal: async () => (await import("./journal.mjs")).journal(),
  validate: async () => (await import("./validate.mjs")).validate(),
  linear: async () => (await import("./linear.mjs")).linear(),
  triggers: async () => (await import("./triggers.mjs")).triggers(),
  load: async () => (await import("./load.mjs")).load(),
};

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    output: { type: "string", short: "o" },
    only: { type: "string", multiple: true, default: Object.keys(BENCHES) },
  },
});

const unknown = values.only.find((name) => !Object.hasOwn(BENCHES, name));
if (unknown !== undefined) {
  console.error(`There is no bench ${unknown}; there are ${Object.keys(BENCHES).join(", ")}.`);
  process.exit(2);
}

const rows = [];
for (const name of values.only) {
  console.error(`measuring: ${name}`);
  rows.push(...(await BENCHES[name]()));
}

const machine = { node: process.version, platform: process.platform, cpus: cpus().length };
const json = JSON.stringify({ ...machine, rows }, null, 2);
if (values.output !== undefined) writeFileSync(values.output, `${json}\n`);
console.log(values.json ? json : table(rows));
