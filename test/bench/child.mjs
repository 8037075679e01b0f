// A server as a child process: its address is the first line it prints, as JSON with a `url`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const START_MS = 60_000;

export async function startChild(args) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  // A bench that dies takes its servers along, before it deletes the folders they are in.
  const kill = () => child.kill("SIGKILL");
  process.prependOnceListener("exit", kill);
  const said = [];
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said.push(text);
    if (said.length > 100) said.shift();
  });
  const stop = async () => {
    process.off("exit", kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  try {
    return { url: await firstUrl(child), pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw new Error(`${args.join(" ")}: ${error.message}\n${said.join("")}`);
  }
}

async function firstUrl(child) {
  const lines = createInterface({ input: child.stdout });
  const signal = AbortSignal.timeout(START_MS);
  const ended = once(child, "exit", { signal }).then(([code]) => {
    throw new Error(`ended with exit code ${code} before it served`);
  });
  const [line] = await Promise.race([once(lines, "line", { signal }), ended]);
  return JSON.parse(line).url;
}
