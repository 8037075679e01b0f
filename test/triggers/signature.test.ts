// Signatures of deliveries: each scheme against another's code or its published example, and each
// way to be wrong.

import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import type { Signature } from "../../src/flow/workflow.js";
import { signer } from "../../src/hosts/local/signer.js";
import { SIGNATURE_TOLERANCE_MS } from "../../src/limits.js";
import { signatureTrouble } from "../../src/triggers/signature.js";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const SECONDS = NOW / 1_000;
const UNFIT = "The signature does not fit the body and the secret.";

function trouble(
  signature: Partial<Signature>,
  secret: string,
  headers: { [name: string]: string },
  body: string,
  now = NOW,
): string | undefined {
  const full = { secret: "KEY", prefix: "", encoding: "hex", algorithm: "sha256", ...signature };
  return signatureTrouble(
    full as Signature,
    secret,
    { headers, body: Buffer.from(body) },
    now,
    signer,
  );
}

const hex = (secret: string, text: string, hash = "sha256") =>
  createHmac(hash, secret).update(text).digest("hex");

describe("standard_webhooks", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const body = '{"test": 2432232314}';
  const sent = (at = NOW, text = body) => ({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": String(Math.floor(at / 1_000)),
    "webhook-signature": new Webhook(secret).sign(
      "msg_p5jXN8AQM9LWM0D4loKWxJek",
      new Date(at),
      text,
    ),
  });
  const check = (headers: { [name: string]: string }, now = NOW, text = body) =>
    trouble({ scheme: "standard_webhooks" }, secret, headers, text, now);

  test("the published example fits", () => {
    const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const published = {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": signature,
    };
    expect(check(published, 1_614_265_330_000)).toBeUndefined();
  });

  test("what the library signs fits, also as one of several signatures", () => {
    expect(check(sent())).toBeUndefined();
    const other = new Webhook("whsec_bm90IHRoaXMgb25l").sign("a", new Date(NOW), body);
    const both = {
      ...sent(),
      "webhook-signature": `${other} v1a,x ${sent()["webhook-signature"]}`,
    };
    expect(check(both)).toBeUndefined();
  });

  test("another body, id or time does not fit", () => {
    expect(check(sent(), NOW, '{"test":2432232314}')).toBe(UNFIT);
    expect(check({ ...sent(), "webhook-id": "msg_other" })).toBe(UNFIT);
    expect(check({ ...sent(), "webhook-timestamp": String(SECONDS + 1) })).toBe(UNFIT);
  });

  test("a time of more than five minutes ago, or ahead, is refused, though it is signed", () => {
    for (const away of [SIGNATURE_TOLERANCE_MS, -SIGNATURE_TOLERANCE_MS]) {
      expect(check(sent(NOW + away))).toBeUndefined();
      expect(check(sent(NOW + away + Math.sign(away) * 1_000))).toContain("more than 5 minutes");
    }
    expect(check({ ...sent(), "webhook-timestamp": "1e9" })).toContain("no whole number");
  });

  test("without its headers it is not signed; with a secret that is none, nothing fits", () => {
    expect(check({})).toContain("not signed: webhook-id, webhook-timestamp");
    expect(trouble({ scheme: "standard_webhooks" }, "plain words", sent(), body)).toContain(
      "no key of Standard Webhooks",
    );
  });
});

test("github: its published example fits, and no other body or secret does", () => {
  const given = {
    "x-hub-signature-256":
      "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
  };
  const check = (secret: string, body: string) =>
    trouble({ scheme: "github" }, secret, given, body);
  expect(check("It's a Secret to Everybody", "Hello, World!")).toBeUndefined();
  expect(check("It's a Secret to Everybody", "Hello, World")).toBe(UNFIT);
  expect(check("It's a secret to Everybody", "Hello, World!")).toBe(UNFIT);
  expect(trouble({ scheme: "github" }, "s", {}, "")).toContain("x-hub-signature-256 must be sent");
});

test("slack: its published example fits, at its time and no later", () => {
  const body =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=" +
    "G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2F" +
    "webhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F" +
    "397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d" +
    "10d2c447fce8b6703c";
  const headers = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
  };
  const check = (now: number) =>
    trouble({ scheme: "slack" }, "8f742231b10e8888abcd99yyyzzz85a5", headers, body, now);
  expect(check(1_531_420_618_000)).toBeUndefined();
  expect(check(1_531_420_919_000)).toContain("more than 5 minutes");
});

test("stripe: time and body are signed; any of its v1 signatures may fit, v0 never counts", () => {
  const secret = "whsec_test_secret";
  const body = '{\n  "id": "evt_test_webhook",\n  "object": "event"\n}';
  const v1 = hex(secret, `${SECONDS}.${body}`);
  const check = (header: string) =>
    trouble({ scheme: "stripe" }, secret, { "stripe-signature": header }, body);
  expect(check(`t=${SECONDS},v1=${v1},v0=abc`)).toBeUndefined();
  expect(check(`t=${SECONDS},v1=${"0".repeat(64)},v1=${v1}`)).toBeUndefined();
  expect(check(`t=${SECONDS},v0=${v1}`)).toBe(UNFIT);
  expect(check(`t=${SECONDS + 1},v1=${v1}`)).toBe(UNFIT);
  expect(check(`v1=${v1}`)).toContain("no whole number");
  expect(check(`t=${SECONDS - 301},v1=${v1}`)).toContain("more than 5 minutes");
});

test("hmac: header, prefix, encoding and algorithm are as the file says", () => {
  const given = (signature: Partial<Signature>, header: string) =>
    trouble({ scheme: "hmac", header: "X-Sig", ...signature }, "s3cret", { "x-sig": header }, "{}");
  const digest = hex("s3cret", "{}");
  expect(given({}, digest)).toBeUndefined();
  expect(given({}, digest.toUpperCase())).toBeUndefined();
  expect(given({ prefix: "sha256=" }, `sha256=${digest}`)).toBeUndefined();
  expect(given({ prefix: "sha256=" }, digest)).toBe(UNFIT);
  const base64 = Buffer.from(digest, "hex").toString("base64");
  expect(given({ encoding: "base64" }, base64)).toBeUndefined();
  expect(given({ encoding: "base64" }, base64.toLowerCase())).toBe(UNFIT);
  expect(given({ algorithm: "sha512" }, hex("s3cret", "{}", "sha512"))).toBeUndefined();
  expect(given({ algorithm: "sha1" }, digest)).toBe(UNFIT);
  expect(given({}, "")).toContain("X-Sig must be sent");
});
