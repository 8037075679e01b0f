// The log as people on a terminal see it; elsewhere it is JSON, one line an entry.

import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { humanLine } from "../../src/cli/log.js";

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
