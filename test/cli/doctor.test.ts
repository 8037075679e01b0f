// flows doctor, on stores that are really damaged.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import type { Examined } from "../../src/hosts/local/index.js";
import { place, serve } from "./harness.js";

const FLOW = `id: quick
name: Ends at once, or waits for an hour
steps:
  - { id: a, type: set, config: { values: { a: 1 } } }
  - { id: b, type: delay, config: { for: 1h }, if: "'wait' in context" }
`;

/** The stores that are damaged, each in a copy: of a server that was killed, of one that closed. */
let bases = "";

beforeAll(async () => {
  bases = mkdtempSync(join(tmpdir(), "flows-doctor-"));
  const here = await place({ "flows/quick.yaml": FLOW });
  const first = await serve(here);
  for (const context of [{}, {}, { wait: true }]) await trigger(first.url, context);
  const store = join(here.dir, ".workflows");
  await documented(store, 3);
  first.child.kill("SIGKILL");
  await first.done;
  cpSync(store, join(bases, "killed"), { recursive: true });
  const second = await serve(here);
  second.child.kill("SIGTERM");
  await second.done;
  cpSync(store, join(bases, "closed"), { recursive: true });
});

afterAll(() => rmSync(bases, { recursive: true, force: true }));

describe("flows doctor", () => {
  it.each(["killed", "closed"] as const)(
    "finds nothing wrong with a store that was %s",
    async (base) => {
      const { examine } = await patient(base);
      const { code, examined } = await examine();
      expect(examined.findings).toEqual([]);
      expect(examined).toMatchObject({ healthy: true, runs: { completed: 2, running: 1 } });
      expect(code).toBe(0);
    },
  );

  it("says that there is no store, and makes none", async () => {
    const here = await place();
    const { code, stderr } = await here.flows(["doctor"]);
    expect(code).toBe(3);
    expect(stderr).toContain("There is no store");
    expect(existsSync(join(here.dir, ".workflows"))).toBe(false);
  });

  it("leaves a store alone that a server has, and says who", async () => {
    const here = await place({ "flows/quick.yaml": FLOW });
    const server = await serve(here);
    const { code, stderr } = await here.flows(["doctor", "--repair"]);
    expect(code).toBe(4);
    expect(stderr).toContain(`process ${server.child.pid} at ${server.url}`);
  });

  it("repairs documents that are missing, torn or old, from the journal", async () => {
    const { store, examine } = await patient("killed");
    const [missing = "", torn = "", old = ""] = documents(store);
    const before = [missing, torn, old].map((name) => readJson(store, name));
    rmSync(join(store, "runs", missing));
    writeFileSync(join(store, "runs", torn), '{"id": "run_');
    writeFileSync(join(store, "runs", old), JSON.stringify({ ...before[2], seq: 1 }));
    const first = await examine();
    expect(first.code).toBe(1);
    expect(kinds(first.examined)).toEqual(["document", "document", "document"]);
    const said = first.examined.findings.map(({ message }) => message).join("\n");
    for (const what of ["is missing", "is torn", "is older than"]) expect(said).toContain(what);
    expect(existsSync(join(store, "runs", missing))).toBe(false);
    const second = await examine("--repair");
    expect(second).toMatchObject({ code: 0, examined: { healthy: true } });
    expect(second.examined.findings.every(({ repaired }) => repaired)).toBe(true);
    expect([missing, torn, old].map((name) => readJson(store, name))).toEqual(before);
    expect((await examine()).examined.findings).toEqual([]);
  });

  it("says which documents cannot come back, and which files are not of this store", async () => {
    const { store, examine } = await patient("closed");
    const ended = documents(store).find((name) => readJson(store, name)?.status === "completed");
    rmSync(join(store, "runs", ended ?? ""));
    writeFileSync(join(store, "runs", "notes.txt"), "mine");
    const { code, examined } = await examine("--repair");
    expect(code).toBe(1);
    expect(kinds(examined)).toEqual(["document_lost", "foreign"]);
    expect(existsSync(join(store, "runs", "notes.txt"))).toBe(true);
  });

  it("cuts a last write that was torn, and keeps a copy of it", async () => {
    const { store, examine } = await patient("killed");
    const journal = join(store, "journal", "00000001.jsonl");
    const text = readFileSync(journal, "latin1").trimEnd();
    const torn = text.slice(0, -20);
    writeFileSync(journal, torn.padEnd(statSync(journal).size, "\n"));
    // What was never whole on disk has no document either: they are written afterwards.
    const known = torn.slice(0, torn.lastIndexOf("\n"));
    for (const name of readdirSync(join(store, "runs"))) {
      if (!known.includes(name.replace(".json", ""))) rmSync(join(store, "runs", name));
    }
    const first = await examine();
    expect(first.code).toBe(1);
    expect(kinds(first.examined)).toContain("torn");
    const finding = first.examined.findings.find(({ kind }) => kind === "torn");
    expect(finding).toMatchObject({ file: journal, offset: torn.lastIndexOf("\n") });
    expect(readdirSync(join(store, "journal")).filter((name) => name.includes("torn"))).toEqual([]);
    expect((await examine("--repair")).code).toBe(0);
    const [copy = ""] = readdirSync(join(store, "journal")).filter((name) => name.includes("torn"));
    expect(torn).toContain(readFileSync(join(store, "journal", copy), "latin1"));
    expect((await examine()).examined.healthy).toBe(true);
  });

  it("names the file and the byte where the journal is rotten, and changes nothing", async () => {
    const { store, examine, here } = await patient("killed");
    const journal = join(store, "journal", "00000001.jsonl");
    const bytes = readFileSync(journal);
    const at = bytes.indexOf("run_created");
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(journal, bytes);
    const { code, examined } = await examine("--repair");
    expect(code).toBe(1);
    const offset = bytes.lastIndexOf("\n", at);
    expect(examined).toMatchObject({
      healthy: false,
      findings: [{ kind: "rot", file: journal, offset, repaired: false }],
    });
    expect(readFileSync(journal).equals(bytes)).toBe(true);
    const forPeople = await here.flows(["doctor"]);
    expect(forPeople.stdout).toContain("backup");
    expect(forPeople.stdout).toContain(`byte ${offset}`);
  });

  it.each([
    [
      "rot in the checkpoint",
      "rot",
      (store: string) => {
        const file = join(store, "checkpoint.bin");
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        writeFileSync(file, bytes);
      },
    ],
    [
      "a segment that is missing",
      "missing",
      (store: string) => {
        rmSync(join(store, "journal", "00000001.jsonl"));
      },
    ],
    [
      "a store of another version",
      "format",
      (store: string) => {
        writeFileSync(join(store, "store.json"), '{"format":99}\n');
      },
    ],
    [
      "a store that does not say its version",
      "missing",
      (store: string) => {
        rmSync(join(store, "store.json"));
      },
    ],
  ] as const)("refuses to touch %s", async (_, kind, damage) => {
    const { store, examine } = await patient("closed");
    damage(store);
    const { code, examined } = await examine("--repair");
    expect(code).toBe(1);
    expect(kinds(examined)).toEqual([kind]);
    expect(examined.findings[0]?.advice).not.toBe("");
  });

  it("writes a version again that is served as it was, and says which run needs it", async () => {
    const { store, examine } = await patient("closed");
    const versions = join(store, "versions");
    const [name = ""] = readdirSync(versions);
    const whole = readFileSync(join(versions, name), "utf8");
    writeFileSync(join(versions, name), whole.slice(0, 30));
    const first = await examine();
    expect(kinds(first.examined)).toEqual(["version"]);
    expect(first.examined.findings[0]?.message).toMatch(/is damaged\. Run run_\w+ cannot go on/);
    expect((await examine("--repair")).code).toBe(0);
    expect(readFileSync(join(versions, name), "utf8")).toBe(whole);
    rmSync(join(versions, name));
    rmSync(join(store, "workflows"), { recursive: true });
    const lost = await examine("--repair");
    expect(lost.code).toBe(1);
    expect(lost.examined.findings[0]).toMatchObject({ kind: "version", repaired: false });
  });

  it("removes what unfinished writes left, and closes a store that others could read", async () => {
    const { store, examine } = await patient("closed");
    for (const folder of [".", "journal", "runs", "versions"]) {
      writeFileSync(join(store, folder, "half.json.tmp"), "{");
    }
    chmodSync(store, 0o755);
    expect(kinds((await examine()).examined)).toEqual([
      "permission",
      ...Array(4).fill("left_over"),
    ]);
    expect((await examine("--repair")).code).toBe(0);
    expect(statSync(store).mode & 0o777).toBe(0o700);
    expect((await examine()).examined.findings).toEqual([]);
  });

  it("says that a folder may not be written", async () => {
    const { store, examine } = await patient("closed");
    chmodSync(join(store, "journal"), 0o500);
    const { code, examined } = await examine("--repair");
    expect(code).toBe(1);
    expect(examined.findings).toMatchObject([{ kind: "permission", repaired: false }]);
    chmodSync(join(store, "journal"), 0o700);
  });
});

async function patient(base: "killed" | "closed") {
  const here = await place();
  const store = join(here.dir, ".workflows");
  cpSync(join(bases, base), store, { recursive: true });
  const examine = async (...args: string[]) => {
    const { code, stdout, stderr } = await here.flows(["doctor", "--json", ...args]);
    if (stdout === "") throw new Error(stderr);
    return { code, examined: JSON.parse(stdout) as Examined };
  };
  return { here, store, examine };
}

function kinds({ findings }: Examined): string[] {
  return findings.map(({ kind }) => kind);
}

function documents(store: string): string[] {
  return readdirSync(join(store, "runs")).sort();
}

function readJson(store: string, name: string): Run | undefined {
  const text = readFileSync(join(store, "runs", name), "utf8");
  return JSON.parse(text) as Run;
}

async function trigger(url: string, context: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ context });
  const asked = { method: "POST", headers, body };
  const answer = await fetch(`${url}/api/workflows/quick/trigger`, asked);
  expect(answer.status).toBe(202);
}

/** Waits until so many runs have documents that say all of it. */
async function documented(store: string, count: number): Promise<void> {
  for (;;) {
    const whole = documents(store).filter((name) => {
      const { status, steps } = (name.endsWith(".json") && readJson(store, name)) || {};
      return status === "completed" || steps?.b?.status === "waiting";
    });
    if (whole.length === count) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
