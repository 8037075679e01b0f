// The http step against a real server: methods, query, headers, bodies, and what it expects.

import { describe, expect, test } from "vitest";
import { withQuery } from "../../src/connectors/request.js";
import type { Outcome } from "../../src/engine/command.js";
import type { JsonObject } from "../../src/flow/json.js";
import { attempt } from "./attempt.js";
import { startReceiver } from "./receiver.js";

describe("given a server, when a step of type: http runs", () => {
  test("with a url alone, then it is asked by GET, without a body or a key", async () => {
    const { url, received } = await startReceiver((response) => response.end());
    await perform({ url: `${url}/invoices` });
    expect(received[0]).toMatchObject({ method: "GET", path: "/invoices", body: "" });
    expect(received[0]?.headers).not.toHaveProperty("idempotency-key");
    expect(received[0]?.headers).not.toHaveProperty("content-type");
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])(
    "by %s, then its body goes out as JSON, with the step's stable key",
    async (method) => {
      const { url, received } = await startReceiver((response) => response.end());
      await perform({ url, method, body: { a: [1] } });
      expect(received[0]).toMatchObject({
        method,
        body: '{"a":[1]}',
        headers: { "content-type": "application/json", "idempotency-key": "run_1/ask#0" },
      });
    },
  );

  test("by HEAD, then there is no body to wait for", async () => {
    const { url } = await startReceiver((response) =>
      response.writeHead(200, { "content-length": "5" }).end(),
    );
    expect(await perform({ url, method: "HEAD" })).toMatchObject({
      output: { status: 200, body: null, headers: { "content-length": "5" } },
    });
  });

  test("with a query, then it is encoded behind what the url asks already", async () => {
    const { url, received } = await startReceiver((response) => response.end());
    const query = { status: "over due&x", page: 2, all: true, none: null, tag: ["a", "b"] };
    await perform({ url: `${url}/x?first=1#part`, query });
    expect(received[0]?.path).toBe("/x?first=1&status=over%20due%26x&page=2&all=true&tag=a&tag=b");
  });

  test("then status, headers and body of the answer are its output", async () => {
    const { url } = await startReceiver((response) =>
      response.writeHead(201, { "content-type": "application/json", "X-A": "b" }).end('{"id":7}'),
    );
    expect(await perform({ url })).toMatchObject({
      type: "output",
      output: { status: 201, headers: { "x-a": "b" }, body: { id: 7 } },
    });
  });
});

describe("given what a step expects, when the answer has the status", () => {
  const table: [status: number, expected: number[] | undefined, succeeds: boolean][] = [
    [200, undefined, true],
    [299, undefined, true],
    [304, undefined, false],
    [404, undefined, false],
    [404, [200, 404], true],
    [200, [200, 404], true],
    [201, [200, 404], false],
    [302, [302], true],
  ];
  test.each(table)("%i and it expects %j, then it succeeds: %s", async (status, expected, ok) => {
    const { url, port } = await startReceiver((response) => response.writeHead(status).end());
    const outcome = await perform({ url, ...(expected && { expect: expected }) });
    if (ok) expect(outcome).toMatchObject({ type: "output", output: { status } });
    else {
      const message = `127.0.0.1:${port} answered ${status}`;
      expect(outcome).toMatchObject({ error: { kind: "http_status", status, message } });
    }
  });
});

describe("given a url and a query, when they are put together", () => {
  test.each([
    ["http://h/", {}, "http://h/"],
    ["http://h", { a: 1 }, "http://h?a=1"],
    ["http://h/?", { a: 1 }, "http://h/?a=1"],
    ["http://h/?b=2&", { a: 1 }, "http://h/?b=2&a=1"],
    ["http://h/#f?g", { a: "ü #" }, "http://h/?a=%C3%BC%20%23#f?g"],
    ["http://h/", { a: "\ud800" }, "http://h/?a=%EF%BF%BD"],
    ["http://h/", { a: [] }, "http://h/"],
  ])("%s and %j, then they are %s", (url, query, whole) => {
    expect(withQuery(url, query)).toBe(whole);
  });
});

function perform(config: JsonObject): Promise<Outcome> {
  return attempt("http", config);
}
