// Secrets: where they come from, and that no text keeps one, however it is written there.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openSecrets } from "../../../src/hosts/local/secrets.js";
import { MAX_SECRET_BYTES } from "../../../src/limits.js";

const folder = mkdtempSync(join(tmpdir(), "flows-secrets-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text);

describe("a secret's value", () => {
  it("is that of its variable, or else that of its file without a final line break", () => {
    file("FROM_FILE", "in-the-file\n");
    file("BOTH", "in-the-file-too");
    const environment = { FLOWS_SECRET_BOTH: "in-a-variable", FLOWS_SECRETS: "x", PATH: "y" };
    const secrets = openSecrets({ environment, folder });
    expect(secrets.secretOf("FROM_FILE")).toBe("in-the-file");
    expect(secrets.secretOf("BOTH")).toBe("in-a-variable");
    expect(secrets.missing("BOTH")).toBeUndefined();
  });

  it("is read again each time: a new key needs no restart, and the old one stays a secret", () => {
    file("ROTATED", "the-first-key");
    const secrets = openSecrets({ environment: {}, folder });
    file("ROTATED", "the-second-key");
    expect(secrets.secretOf("ROTATED")).toBe("the-second-key");
    expect(secrets.redact(["the-first-key", "the-second-key"])).toEqual(["REDACTED", "REDACTED"]);
  });

  it("may be reached by a link, as where a volume of files is mounted", () => {
    mkdirSync(join(folder, "..data"), { recursive: true });
    file("..data/LINKED", "behind-a-link");
    symlinkSync("..data/LINKED", join(folder, "LINKED"));
    expect(openSecrets({ environment: {}, folder }).secretOf("LINKED")).toBe("behind-a-link");
  });

  it("that is missing has two ways to be given, and both are named", () => {
    const at = "the secret API_KEY has no value here: give it in the environment, as";
    expect(openSecrets({ environment: {} }).missing("API_KEY")).toBe(
      `${at} FLOWS_SECRET_API_KEY, or in a file API_KEY in the folder of --secrets DIR`,
    );
    expect(
      openSecrets({ environment: { FLOWS_SECRET_API_KEY: "" }, folder }).missing("API_KEY"),
    ).toBe(`${at} FLOWS_SECRET_API_KEY, or in the file ${join(folder, "API_KEY")}`);
  });

  it.each([
    ["../../etc/passwd", /has no value here/],
    ["TOO_SHORT", /has 5 characters, and needs at least 6/],
    ["TOO_LARGE", /has 65537 bytes: a secret has at most 65536/],
    ["NOT_TEXT", /is not UTF-8/],
    ["A_FOLDER", /is no file/],
    ["A_PIPE", /is no file/],
  ])("that is no good is refused, and not waited for: %s", (name, why) => {
    file("TOO_SHORT", "12345");
    file("TOO_LARGE", "x".repeat(MAX_SECRET_BYTES + 1));
    file("NOT_TEXT", Buffer.from([0xff, 0xfe, 0, 1, 2, 3, 4, 5]));
    mkdirSync(join(folder, "A_FOLDER"), { recursive: true });
    rmSync(join(folder, "A_PIPE"), { force: true });
    execFileSync("mkfifo", [join(folder, "A_PIPE")]);
    const secrets = openSecrets({ environment: {}, folder });
    expect(secrets.missing(name)).toMatch(why);
    expect(() => secrets.secretOf(name)).toThrow(why);
  });

  it("cannot come from a folder that is not there, and that is said at once", () => {
    const open = () => openSecrets({ environment: {}, folder: join(folder, "none") });
    expect(open).toThrow(/none cannot be read \(ENOENT\): give one that can, with --secrets DIR/);
  });
});

const VALUE = 'Pä$$ "w/rd" <&\'> +=\n(second line, long enough)';

const COPIES: [string, (value: string) => string][] = [
  ["as it is", (value) => value],
  ["amid other text", (value) => `it is ${value}, they say`],
  ["as JSON", (value) => JSON.stringify({ value })],
  ["as JSON inside JSON", (value) => JSON.stringify(JSON.stringify({ value }))],
  ["as JSON in ASCII", (value) => JSON.stringify(value).replaceAll("ä", "\\u00e4")],
  ["as JSON with escaped slashes", (value) => JSON.stringify(value).replaceAll("/", "\\/")],
  ["as a part of an address", (value) => `?q=${encodeURIComponent(value)}`],
  ["as a form's field", (value) => new URLSearchParams({ value }).toString()],
  ["in hex", (value) => Buffer.from(value).toString("hex")],
  ["in capital hex", (value) => Buffer.from(value).toString("hex").toUpperCase()],
  ["in base64", (value) => Buffer.from(value).toString("base64")],
  ["in the base64 of addresses", (value) => Buffer.from(value).toString("base64url")],
  ["as a password", (value) => Buffer.from(`u:${value}`).toString("base64")],
  ["as a user's password", (value) => Buffer.from(`me:${value}:x`).toString("base64")],
  ["as another user's", (value) => Buffer.from(`you:${value}`).toString("base64")],
  ["in markup", (value) => `<b>${value.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)}</b>`],
];

describe("the text of a secret is taken out where it stands", () => {
  const secrets = openSecrets({ environment: { FLOWS_SECRET_A: VALUE } });
  const tells = [VALUE, "second line, long", ...COPIES.map(([, copy]) => copy(VALUE))];

  it.each(COPIES)("%s", (_, copy) => {
    const text = copy(VALUE);
    for (const cleaned of [secrets.redactText(text), secrets.redact(text)]) {
      expect(cleaned).toContain("REDACTED");
      for (const tell of tells) expect(cleaned).not.toContain(tell);
      expect(Buffer.from(cleaned, "base64").toString("latin1")).not.toMatch(/w\/rd/);
    }
  });

  it("as a key, as a value at any depth, and as a number", () => {
    const pin = openSecrets({ environment: { FLOWS_SECRET_PIN: "123456" } });
    expect(pin.redact({ a: [{ "x-123456": 123456, b: "123456" }], c: 1234567 })).toEqual({
      a: [{ "x-REDACTED": "REDACTED", b: "REDACTED" }],
      c: 1234567,
    });
  });

  it("in a line of JSON, which stays JSON", () => {
    const pin = openSecrets({ environment: { FLOWS_SECRET_PIN: "123456" } });
    const line = `${JSON.stringify({ at: 123456, text: "123456" })}\n`;
    expect(pin.redactText(line)).toBe('{"at":"REDACTED","text":"REDACTED"}\n');
  });

  it("as the path of an address that is secret, but not as its host", () => {
    const url = "https://hooks.example/services/T0001/B0001/xyzxyzxyzxyzxyzxyz";
    const hook = openSecrets({ environment: { FLOWS_SECRET_HOOK: url } });
    expect(hook.redactText("POST /services/T0001/B0001/xyzxyzxyzxyzxyzxyz: 404")).toBe(
      "POST /services/T0001/B0001/REDACTED: 404",
    );
    expect(hook.redactText("hooks.example answered 404")).toBe("hooks.example answered 404");
  });
});

it("what holds no secret is the same value as before", () => {
  const secrets = openSecrets({ environment: { FLOWS_SECRET_A: VALUE } });
  const value = { a: [1, "two", { three: null }] };
  expect(secrets.redact(value)).toBe(value);
  expect(openSecrets({ environment: {} }).redact(value)).toBe(value);
});
