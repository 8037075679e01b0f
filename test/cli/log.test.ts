// The log as people on a terminal see it; elsewhere it is JSON, one line an entry.

import pc from "picocolors";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createLog, humanLine, type Log } from "../../src/cli/log.js";
import { createOutput } from "../../src/cli/output.js";

const PLAIN = pc.createColors(false);

function human(fields: object): string {
  return humanLine(
    JSON.stringify({ level: 30, time: "2026-01-05T09:00:02.123Z", ...fields }),
    PLAIN,
  );
}

describe("a line of the log", () => {
  it("given an entry, names time, level, message and fields", () => {
    expect(human({ msg: "serving", url: "http://x", port: 8000 })).toBe(
      "09:00:02 info  serving  url=http://x port=8000",
    );
    expect(human({ level: 40, msg: "m" })).toBe("09:00:02 warn  m");
  });

  it("given a long field, puts it below; a terminal obeys none of it", () => {
    expect(human({ msg: "a\u001b[2J", report: "one\ntwo\u0007\n" })).toBe(
      "09:00:02 info  a\\x1b[2J\n  one\n  two\\x07",
    );
  });
});

describe("the log as JSON", () => {
  afterEach(() => void vi.restoreAllMocks());

  async function written(act: (log: Log) => void): Promise<unknown[]> {
    const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    act(await createLog(createOutput(true), "warn"));
    return stderr.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
  }

  it("given a level, leaves out what is less grave", async () => {
    const lines = await written((log) => {
      log.info({}, "no");
      log.warn({ workflow: "w" }, "yes");
    });
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
    expect(lines).toEqual([{ level: 40, time, workflow: "w", msg: "yes" }]);
  });

  it("given an error, keeps its message, its trace and its cause", async () => {
    const err = new TypeError("torn", { cause: new Error("the disk") });
    const [line] = await written((log) => log.error({ err }, "broken"));
    expect(line).toMatchObject({
      level: 50,
      err: { type: "TypeError", message: "torn: the disk" },
    });
    expect((line as { err: { stack: string } }).err.stack).toContain("log.test");
  });
});
