// A store whose owner is stopped, or hangs: a command neither takes it nor waits for ever.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Common } from "../../src/cli/options.js";
import { withHost } from "../../src/cli/reach.js";
import { takeLock } from "../../src/hosts/local/lock.js";

/** What is half a minute for people. */
vi.mock("../../src/limits.js", async (original) => ({
  ...(await original<object>()),
  CLIENT_TIMEOUT_MS: 300,
  OWNER_WAIT_MS: 100,
}));

async function stoppedOwner(hasAddress: boolean): Promise<string> {
  const store = mkdtempSync(join(tmpdir(), "flows-reach-"));
  const lock = takeLock(store);
  // As the kernel does for a process that is stopped: it takes connections, and no one answers.
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  if (hasAddress) lock.setAddress(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  onTestFinished(() => {
    silent.close();
    lock.release();
    rmSync(store, { recursive: true });
  });
  return store;
}

it.each([
  ["that has an address", true, /^The server at http:\S+ does not answer/],
  ["that has none yet", false, /is locked by another process that gives no address/],
])(
  "given an owner %s and never answers, then the command ends with code 4",
  async (_n, has, said) => {
    const store = await stoppedOwner(has);
    const common = { flows: store, store, allowHost: [] } as Partial<Common> as Common;
    const asking = withHost(common, { for: "look" }, async () => "taken");
    await expect(asking).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(said),
    });
  },
);
