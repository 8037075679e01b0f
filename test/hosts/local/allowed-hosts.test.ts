// The hosts of --allow-host: how they are written, and what they let through.

import { describe, expect, test } from "vitest";
import {
  type AllowedHost,
  isAllowed,
  parseAllowedHost,
} from "../../../src/hosts/local/allowed-hosts.js";

describe("given the text of --allow-host, when it is read, then it is", () => {
  const table: [text: string, host: AllowedHost | undefined][] = [
    ["api.example", { host: "api.example" }],
    ["API.example.", { host: "api.example" }],
    ["api.example:8443", { host: "api.example", port: 8443 }],
    ["api.example:80", { host: "api.example", port: 80 }],
    ["127.1:9", { host: "127.0.0.1", port: 9 }],
    ["[::1]", { host: "[::1]" }],
    ["[::1]:80", { host: "[::1]", port: 80 }],
    ["b\u00fccher.example", { host: "xn--bcher-kva.example" }],
    ["", undefined],
    [":80", undefined],
    ["https://api.example", undefined],
    ["api.example/path", undefined],
    ["me@api.example", undefined],
    ["api.example:99999", undefined],
    ["api.example:", undefined],
    ["*.example:x", undefined],
    ["a b", undefined],
    ["*", undefined],
    ["*.example", undefined],
    ["a.example,b.example", undefined],
    ["a..example", undefined],
    [".", undefined],
    ["api.example:0", undefined],
    ["300.1.1.1", undefined],
    ["$(id)", undefined],
    ["::1", undefined],
  ];
  test.each(table)("%j: %j", (text, host) => {
    expect(parseAllowedHost(text)).toEqual(host);
  });
});

describe("given api.example and other.example:8443 are listed, when data chooses", () => {
  const listed = [{ host: "api.example" }, { host: "other.example", port: 8443 }];
  const table: [url: string, allowed: boolean][] = [
    ["https://api.example/x", true],
    ["http://api.example:9/", true],
    ["https://API.EXAMPLE./", true],
    ["https://api\uff0eexample/", true],
    ["https://other.example:8443/", true],
    ["https://other.example/", false],
    ["https://api.example.evil.example/", false],
    ["https://api.example@evil.example/", false],
    ["https://evil.example/?api.example", false],
    ["https://sub.api.example/", false],
    ["https://169.254.169.254/", false],
  ];
  test.each(table)("%s, then it may be called: %s", (url, allowed) => {
    expect(isAllowed(url, listed)).toBe(allowed);
  });
});
