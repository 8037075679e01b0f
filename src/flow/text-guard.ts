// What is wrong with a text before it is YAML at all: its size and its characters.

import { MAX_FLOW_FILE_BYTES } from "../limits.js";
import type { Findings } from "./findings.js";

/** False: the text must not be parsed. */
export function guardText(text: string, findings: Findings): boolean {
  const bytes = utf8Length(text);
  if (bytes > MAX_FLOW_FILE_BYTES) {
    const most = `${MAX_FLOW_FILE_BYTES / 1024} KiB`;
    const message = `the file has ${bytes} bytes; at most ${most} are read`;
    findings.add("size", { start: 0, end: 1 }, message, "split it into sub-workflows");
    return false;
  }
  const bad = BAD_CHARACTER.exec(text);
  if (bad !== null) {
    const code = (bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const what = /^[\ud800-\udfff]/.test(bad[0]) ? "half a character" : "a control character";
    const message = `U+${code} is ${what}, which YAML does not allow`;
    findings.add("syntax", { start: bad.index, end: bad.index + 1 }, message);
    return false;
  }
  return true;
}

/** What YAML 1.2 does not count as printable, and surrogates without their other half. */
const BAD_CHARACTER = new RegExp(
  [
    "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u0084\\u0086-\\u009f\\ufffe\\uffff]",
    "[\\ud800-\\udbff](?![\\udc00-\\udfff])",
    "(?<![\\ud800-\\udbff])[\\udc00-\\udfff]",
  ].join("|"),
);

/** A lone surrogate counts as the replacement character that an encoder writes. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) {
      bytes += 1;
    }
    if (code >= 0x800) {
      bytes += 1;
    }
    if (code >= 0xd800 && code <= 0xdbff && isLow(text.charCodeAt(at + 1))) {
      bytes -= 1;
      at += 1;
    }
  }
  return bytes;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
