// Two processes that race for one store, again and again: one wins each time, and nothing is lost.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import * as kit from "./store-kit.js";

/** Times as many: `npm run soak` asks for more. */
const SOAK = Number(process.env.SOAK ?? 1);
const ROUNDS = 100 * SOAK;
const SLOW = { timeout: 600_000 * SOAK };
const DIST = new URL("../../../dist/", import.meta.url).href;

/** Tries for the store when it is told to; the winner writes a run, and lets go when told to. */
const RIVAL = `
  import { openStore } from "${DIST}hosts/local/store.js";
  import { fold } from "${DIST}engine/evolve.js";
  const folder = process.argv[1];
  let store;
  process.on("message", async ({ attempt, decision }) => {
    if (attempt) {
      try {
        store = await openStore(folder, { onFailure: (error) => { throw error; } });
        process.send("won");
      } catch (error) {
        process.send(error.kind ?? String(error));
      }
      return;
    }
    await new Promise((resolve) => {
      store.append(decision, (seq) => {
        store.published(fold(null, decision, seq));
        resolve();
      });
    });
    await store.close();
    process.send("released");
  });`;

test("given two processes that race for a store, then one wins, each time", SLOW, async () => {
  const folder = join(kit.makeFolder(), "store");
  const rivals = [rival(folder), rival(folder)];
  const wins = [0, 0];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const answers = rivals.map((one) => heard(one));
    for (const one of rivals) one.send({ attempt: true });
    const said = await Promise.all(answers);
    expect([...said].sort(), `round ${round}`).toEqual(["locked", "won"]);
    const winner = said.indexOf("won");
    wins[winner] = (wins[winner] ?? 0) + 1;
    const released = heard(rivals[winner] as ChildProcess);
    rivals[winner]?.send({ decision: kit.created(round) });
    expect(await released).toBe("released");
  }
  const { store } = await kit.drive(folder);
  expect(store.counts().running).toBe(ROUNDS);
  expect(store.recovered.map(({ id }) => id)).toEqual(
    Array.from({ length: ROUNDS }, (_, i) => kit.runId(i + 1)),
  );
  expect(wins[0]! + wins[1]!).toBe(ROUNDS);
});

function rival(folder: string): ChildProcess {
  const args = ["--input-type=module", "-e", RIVAL, folder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  onTestFinished(async () => {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  });
  return child;
}

async function heard(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, "message");
  return message;
}
