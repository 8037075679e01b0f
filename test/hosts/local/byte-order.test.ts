// A machine with the other byte order: its store would be read as something else.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { openStore } from "../../../src/hosts/local/store.js";
import * as kit from "./store-kit.js";

vi.mock("node:os", async (original) => ({ ...(await original()), endianness: () => "BE" }));

test("given a big-endian machine, then a store is refused, and nothing is made", async () => {
  const folder = join(kit.makeFolder(), "store");
  await expect(openStore(folder, { onFailure() {} })).rejects.toMatchObject({
    kind: "unsupported",
    message: expect.stringContaining("big-endian"),
  });
  expect(existsSync(join(folder, "store.json"))).toBe(false);
});
