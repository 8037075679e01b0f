#!/usr/bin/env node
// The `flows` command. `--version` is answered before anything else is loaded, so that it is cheap.

import { packageVersion } from "./version.js";

const [first, ...rest] = process.argv.slice(2);
if ((first === "--version" || first === "-V") && rest.length === 0) {
  process.stdout.write(`${packageVersion()}\n`);
} else {
  const { main } = await import("./program.js");
  process.exitCode = await main(process.argv.slice(2));
}
