// The report of `flows test` for build servers: JUnit's XML, one suite a test file.

import type { Diagnostic } from "../../flow/diagnostic.js";
import { createColors } from "../output.js";
import { differenceLines } from "./human.js";
import type { PlayedCase, Report } from "./report.js";
import { traceLines } from "./trace.js";

export function junit({ played, diagnostics }: Report): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const files = [...played.map(({ test }) => test.file), ...errors.map(({ file }) => file)];
  const suites = [...new Set(files)].sort().map((file) =>
    suite(
      file,
      played.filter(({ test }) => test.file === file),
      errors.filter((error) => error.file === file),
    ),
  );
  const root = { name: "flows test", ...counts(played, errors) };
  const lines = [`<testsuites${attributes(root)}>`, ...suites.flat(), "</testsuites>"];
  return `<?xml version="1.0" encoding="UTF-8"?>\n${lines.join("\n")}\n`;
}

function counts(played: readonly PlayedCase[], errors: readonly Diagnostic[]) {
  return {
    tests: played.length + errors.length,
    failures: played.filter(({ differences }) => differences.length > 0).length,
    errors: errors.length,
    time: inSeconds(played.reduce((sum, { took_ms }) => sum + took_ms, 0)),
  };
}

function suite(file: string, played: PlayedCase[], errors: Diagnostic[]): string[] {
  return [
    `  <testsuite${attributes({ name: file, ...counts(played, errors) })}>`,
    ...errors.map((error) => mistake(file, error)),
    ...played.map((one) => testcase(file, one)),
    "  </testsuite>",
  ];
}

/** A file that cannot be played is no success. */
function mistake(file: string, { line, column, kind, message, suggestion }: Diagnostic): string {
  const name = `${line}:${column} ${kind}`;
  const text = suggestion === undefined ? message : `${message}\n${suggestion}`;
  const error = `<error${attributes({ message, type: kind })}>${xml(text)}</error>`;
  return `    <testcase${attributes({ name, classname: file, time: "0.000" })}>${error}</testcase>`;
}

function testcase(file: string, { test, case: played, ...one }: PlayedCase): string {
  const { name, line } = played;
  const time = inSeconds(one.took_ms);
  const head = attributes({ name, classname: test.workflow_id, file, line, time });
  const [first] = one.differences;
  if (first === undefined) return `    <testcase${head}/>`;
  const lines = one.differences.flatMap((each) => differenceLines(each, PLAIN));
  const text = [...lines, "what happened:", ...traceLines(one.rehearsal, played)].join("\n");
  const message = first.at === "" ? first.message : `${first.at} is not as expected`;
  const why = attributes({ message: message ?? "", type: "expectation" });
  return `    <testcase${head}><failure${why}>${xml(text)}</failure></testcase>`;
}

const PLAIN = createColors(false);

function inSeconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}

function attributes(values: { [name: string]: string | number }): string {
  const pairs = Object.entries(values).map(
    ([name, value]) => ` ${name}="${xml(String(value)).replace(/\s/g, " ")}"`,
  );
  return pairs.join("");
}

/** What XML 1.0 cannot hold, however it is written, becomes the replacement character. */
const NOT_XML = new RegExp(
  [
    "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ufffe\\uffff]",
    "[\\ud800-\\udbff](?![\\udc00-\\udfff])",
    "(?<![\\ud800-\\udbff])[\\udc00-\\udfff]",
  ].join("|"),
  "g",
);

function xml(text: string): string {
  return text
    .replace(NOT_XML, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
