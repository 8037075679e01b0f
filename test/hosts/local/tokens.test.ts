// The tokens of a store: what is kept of one, and who is known by it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import {
  createToken,
  listTokens,
  openTokens,
  revokeToken,
} from "../../../src/hosts/local/tokens.js";

const store = mkdtempSync(join(tmpdir(), "flows-tokens-"));
afterAll(() => rmSync(store, { recursive: true }));

it("a token is known from the turn after it is made until that after it is revoked", async () => {
  const tokens = openTokens(store);
  expect([tokens.count(), tokens.find("x"), listTokens(store)]).toEqual([0, undefined, []]);
  const text = createToken(store, "ci", "trigger") ?? "";
  await nextTurn();
  expect(text).toMatch(/^flows_[\w-]{43}$/);
  expect(tokens.find(text)).toMatchObject({ name: "ci", scope: "trigger" });
  expect([tokens.find(`${text}x`), tokens.find("")]).toEqual([undefined, undefined]);
  expect([revokeToken(store, "ci"), revokeToken(store, "ci")]).toEqual([true, false]);
  await nextTurn();
  expect([tokens.count(), tokens.find(text)]).toEqual([0, undefined]);
});

it("a token's text is not in the store, and its name is taken once", () => {
  const text = createToken(store, "one", "read") ?? "";
  expect(createToken(store, "one", "admin")).toBeUndefined();
  const kept = readFileSync(join(store, "tokens", "one.json"), "utf8");
  expect(kept).not.toContain(text.slice(6));
  expect(openTokens(store).find(text)?.scope).toBe("read");
});

it("a file that is torn, or says what no scope is, lets nobody in", () => {
  const text = createToken(store, "two", "admin") ?? "";
  const file = join(store, "tokens", "two.json");
  const whole = readFileSync(file, "utf8");
  for (const other of [whole.slice(0, 40), "[]", "null", whole.replace("admin", "root")]) {
    writeFileSync(file, other);
    expect(openTokens(store).find(text)).toBeUndefined();
  }
});
