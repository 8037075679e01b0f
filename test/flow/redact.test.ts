// Redaction: by the key, by the looks, and wherever else the same secret stands.

import { describe, expect, it } from "vitest";
import { isSensitive, redact } from "../../src/flow/redact.js";

describe("a key is sensitive", () => {
  it.each([
    ...["authorization", "Authorization", "X-Auth-Token", "set-cookie", "password", "db_password"],
    ...["apiKey", "api_key", "clientSecret", "access-key", "private key", "stripe-signature"],
  ])("%s", (key) => {
    expect(isSensitive(key)).toBe(true);
  });

  it.each(["id", "status", "keyboard", "tokenizer", "secretary", "monkey", "key", "author"])(
    "and %s is not",
    (key) => {
      expect(isSensitive(key)).toBe(false);
    },
  );
});

describe("redact", () => {
  it("takes out every text and number under a sensitive key, and keeps the shape", () => {
    const given = { a: 1, token: "abc", credentials: { user: "ada", pins: [1234, "x"], ok: true } };
    expect(redact(given)).toEqual({
      a: 1,
      token: "REDACTED",
      credentials: { user: "REDACTED", pins: [0, "REDACTED"], ok: true },
    });
    expect(given.token).toBe("abc");
  });

  it("takes the same secret out of every other place", () => {
    const given = {
      headers: { authorization: "Bearer k3y-k3y-k3y" },
      body: { said: "you sent k3y-k3y-k3y" },
      "k3y-k3y-k3y": 1,
    };
    expect(JSON.stringify(redact(given))).not.toContain("k3y");
  });

  it.each([
    ["a token in a sentence", "sent Bearer abcdefgh12345", "sent Bearer REDACTED"],
    ["a JWT", "got eyJhbGciOiJI.eyJzdWIiOiIx.sig", "got REDACTED"],
    ["a password in an address", "at http://ada:pw@host/x", "at http://ada:REDACTED@host/x"],
    ["a token in a query", "http://h/?a=1&token=abc&b=2", "http://h/?a=1&token=REDACTED&b=2"],
    ["a known form of token", "ghp_0123456789abcdefghij0123456789ABCDEF", "REDACTED"],
    ["nothing", "an ordinary text: 3 of 4", "an ordinary text: 3 of 4"],
  ])("finds %s", (_, given, wanted) => {
    expect(redact({ said: given })).toEqual({ said: wanted });
  });
});
