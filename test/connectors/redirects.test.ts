// The `http` step and redirects: followed a few times, and what is meant for one is not sent on.

import { describe, expect, test } from "vitest";
import type { Outcome } from "../../src/engine/command.js";
import type { Call } from "../../src/engine/ports.js";
import { attempt } from "./attempt.js";
import { startReceiver } from "./receiver.js";

const HEADERS = { authorization: "Bearer 1", cookie: "a=b", "x-key": "", "x-plain": "2" };
const SECRETS: Call["secrets"] = [{ pointer: "/headers/x-key", parts: [{ secret: "KEY" }] }];

describe("given an http step, when it is answered with a redirect", () => {
  test("inside one origin, then it is followed with all its headers", async () => {
    const one = await startReceiver((response, { path }) => {
      if (path === "/b?c=1") response.writeHead(200).end("here");
      else response.writeHead(302, { location: "/b?c=1" }).end();
    });
    const outcome = await ask({ url: `${one.url}/a`, headers: HEADERS }, SECRETS);
    expect(outcome).toMatchObject({ type: "output", output: { status: 200, body: "here" } });
    expect(one.received[1]?.headers).toMatchObject({ ...HEADERS, "x-key": "hidden" });
  });

  test("to another origin, then credentials and headers with secrets stay behind", async () => {
    const other = await startReceiver((response) => response.writeHead(200).end());
    const location = `${other.url}/there`;
    const one = await startReceiver((response) => response.writeHead(307, { location }).end());
    await ask({ url: one.url, headers: HEADERS, method: "PUT", body: { n: 1 } }, SECRETS);
    const [request] = other.received;
    expect([request?.method, request?.path, request?.body]).toEqual(["PUT", "/there", '{"n":1}']);
    expect(Object.keys(request?.headers ?? {})).not.toEqual(
      expect.arrayContaining(["authorization"]),
    );
    for (const name of ["authorization", "cookie", "x-key"]) {
      expect(request?.headers[name]).toBeUndefined();
    }
    expect(request?.headers["x-plain"]).toBe("2");
  });

  test("to another origin with a secret in the body, then it is not followed", async () => {
    const other = await startReceiver((response) => response.writeHead(200).end());
    const location = other.url;
    const one = await startReceiver((response) => response.writeHead(308, { location }).end());
    const config = { url: one.url, method: "POST", body: { key: "" } };
    const outcome = await ask(config, [{ pointer: "/body/key", parts: [{ secret: "KEY" }] }]);
    expect(outcome).toMatchObject({ error: { kind: "redirect", status: 308 } });
    expect(other.received).toEqual([]);
  });

  test.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [301, "PUT", "PUT", '"x"'],
    [307, "POST", "POST", '"x"'],
    [308, "POST", "POST", '"x"'],
  ])("%i after %s, then it is followed by %s", async (status, method, next, body) => {
    const one = await startReceiver((response, { path }) => {
      if (path === "/b") response.writeHead(200).end();
      else response.writeHead(status, { location: "b" }).end();
    });
    await ask({ url: `${one.url}/a`, method, body: "x" });
    expect(one.received[1]).toMatchObject({ method: next, path: "/b", body });
    expect("content-type" in (one.received[1]?.headers ?? {})).toBe(body !== "");
  });

  test("that never ends, then it is given up after a few", async () => {
    const one = await startReceiver((response) => response.writeHead(302, { location: "/" }).end());
    const outcome = await ask({ url: one.url });
    expect(outcome).toMatchObject({ error: { kind: "redirect", status: 302 } });
    expect(one.received).toHaveLength(6);
  });

  test.each([
    ["http://localhost:1/", /localhost:1, a loopback or private address/],
    ["http://10.0.0.1/", /10.0.0.1, a loopback or private/],
    ["http://0x0a000001/", /10.0.0.1, a loopback or private/],
    ["http://[::ffff:169.254.169.254]/", /a loopback or private/],
    ["ftp://a.example/", /no http:\/\/ or https:\/\/ address/],
  ])("to %s, which no flow file names, then it is not followed", async (location, said) => {
    const one = await startReceiver((response) => response.writeHead(302, { location }).end());
    const outcome = await ask({ url: one.url });
    expect(outcome).toMatchObject({
      error: { kind: "redirect", message: expect.stringMatching(said) },
    });
  });

  test("that it expects, then that is its output", async () => {
    const one = await startReceiver((response) => response.writeHead(302, { location: "/" }).end());
    const outcome = await ask({ url: one.url, expect: [302] });
    expect(outcome).toMatchObject({ output: { status: 302, headers: { location: "/" } } });
  });
});

test("given a body under the content type of forms, then it is sent as one", async () => {
  const one = await startReceiver((response) => response.writeHead(200).end());
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  await ask({ url: one.url, method: "POST", headers, body: { a: "ü &", b: [1, true], c: null } });
  expect(one.received[0]?.body).toBe("a=%C3%BC%20%26&b=1&b=true");
});

function ask(config: object, secrets: Call["secrets"] = []): Promise<Outcome> {
  return attempt("http", config as Call["config"], { secrets });
}
