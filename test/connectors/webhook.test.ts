// The webhook step against a real server: what is sent, what succeeds, how each failure is told.

import { createServer } from "node:net";
import { Webhook } from "standardwebhooks";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Outcome } from "../../src/engine/command.js";
import type { Call } from "../../src/engine/ports.js";
import type { JsonObject } from "../../src/flow/json.js";
import { MAX_RESPONSE_BYTES, MAX_RETRY_AFTER_MS } from "../../src/limits.js";
import { attempt } from "./attempt.js";
import { startReceiver } from "./receiver.js";

describe("given a subscriber that answers 200, when a webhook step runs", () => {
  test("then it gets a POST of the run's context as JSON, with the step's stable key", async () => {
    const receiver = await startReceiver((response) => response.end());
    await perform({ url: `${receiver.url}/notify?a=b` });
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]).toMatchObject({
      method: "POST",
      path: "/notify?a=b",
      body: '{"invoice":42}',
      headers: {
        "content-type": "application/json",
        "idempotency-key": "run_1/send#0",
        "user-agent": "mini-zaps",
      },
    });
  });

  test("then a body of its own is sent instead, whatever JSON it is", async () => {
    const receiver = await startReceiver((response) => response.end());
    for (const body of [{ a: [1, "ü"] }, [], "text", 0, false, null]) {
      await perform({ url: receiver.url, body });
    }
    expect(receiver.received.map(({ body }) => body)).toEqual([
      '{"a":[1,"ü"]}',
      "[]",
      '"text"',
      "0",
      "false",
      "null",
    ]);
  });

  test("then a text goes out as it is under a content type of its own", async () => {
    const receiver = await startReceiver((response) => response.end());
    await perform({ url: receiver.url, body: "a=b", headers: { "Content-Type": "text/plain" } });
    expect(receiver.received[0]).toMatchObject({
      body: "a=b",
      headers: { "content-type": "text/plain" },
    });
  });

  test("then headers of its own are sent, but none replaces the key", async () => {
    const receiver = await startReceiver((response) => response.end());
    await perform({ url: receiver.url, headers: { "X-Team": "a b", "Idempotency-Key": "mine" } });
    expect(receiver.received[0]?.headers).toMatchObject({
      "x-team": "a b",
      "idempotency-key": "run_1/send#0",
    });
  });
});

describe("given an answer, when its status is", () => {
  const table: [status: number, succeeds: boolean][] = [
    [200, true],
    [201, true],
    [202, true],
    [204, true],
    [299, true],
    [300, false],
    [304, false],
    [400, false],
    [401, false],
    [404, false],
    [429, false],
    [500, false],
    [503, false],
  ];
  test.each(table)("%i, then the step succeeds: %s", async (status, succeeds) => {
    const { url, port } = await startReceiver((response) => response.writeHead(status).end());
    const outcome = await perform({ url: `${url}/secret-path` });
    const host = `127.0.0.1:${port}`;
    expect(outcome).toEqual(
      succeeds
        ? { type: "output", output: { status, body: null } }
        : {
            type: "failure",
            error: { kind: "http_status", status, message: `${host} answered ${status}` },
          },
    );
  });

  test("a redirect, then it is not followed, and the failure names the other address", async () => {
    const other = await startReceiver((response) => response.end());
    const first = await startReceiver((response) =>
      response.writeHead(307, { location: `${other.url}/there` }).end(),
    );
    const error = await failure({ url: first.url });
    expect(error).toMatchObject({ kind: "http_status", status: 307 });
    expect(error.message).toContain(`127.0.0.1:${first.port} answered 307, a redirect to`);
    expect(error.message).toContain(`${other.url}/there`);
    expect(other.received).toEqual([]);
  });
});

describe("given an answer with a body, when the step ends, then its output holds", () => {
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  const table: [name: string, type: string | undefined, body: string | Buffer, output: unknown][] =
    [
      ["parsed JSON", "application/json", '{"a":[1,null]}', { a: [1, null] }],
      ["parsed JSON with a charset", "application/json; charset=utf-8", '"ü"', "ü"],
      ["parsed JSON of a +json type", "application/problem+json", '{"a":1}', { a: 1 }],
      ["text of another type", "text/plain", '{"a":1}', '{"a":1}'],
      ["text without a type", undefined, "yes", "yes"],
      ["text that only claims to be JSON", "application/json", "{oops", "{oops"],
      ["text where JSON is too deep to be kept", "application/json", deep, deep],
      ["text in the charset it names", "text/plain; charset=latin1", Buffer.from([0xfc]), "ü"],
      ["null for an empty body", "application/json", "", null],
    ];
  test.each(table)("%s", async (_name, type, body, output) => {
    const { url } = await startReceiver((response) =>
      response.writeHead(200, type === undefined ? {} : { "content-type": type }).end(body),
    );
    expect(await perform({ url })).toEqual({
      type: "output",
      output: { status: 200, body: output },
    });
  });

  test("a body of the greatest size", async () => {
    const text = "x".repeat(MAX_RESPONSE_BYTES);
    const { url } = await startReceiver((response) => response.end(text));
    expect(await perform({ url })).toMatchObject({ output: { body: text } });
  });
});

describe("given a server in trouble, when it is called, then the step fails and says", () => {
  test("that a body is too large, though it never ends", async () => {
    const { url, port } = await startReceiver((response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more).on("error", () => {});
      more();
    });
    const error = await failure({ url });
    expect(error).toMatchObject({ kind: "too_large", status: 200 });
    expect(error.message).toContain(`127.0.0.1:${port} answered 200 with a body of more than`);
  });

  test("that nothing answered in time", async () => {
    const { url, port } = await startReceiver(() => {});
    const error = await failure({ url }, { timeout_ms: 80 });
    const message = `127.0.0.1:${port} did not answer within 0.08 s`;
    expect(error).toEqual({ kind: "timeout", message });
  });

  test("that the body did not end in time", async () => {
    const { url, port } = await startReceiver((response) => response.writeHead(200).write("a"));
    const error = await failure({ url }, { timeout_ms: 150 });
    const message = `127.0.0.1:${port} answered 200, but its body did not end within 0.15 s`;
    expect(error).toEqual({ kind: "timeout", status: 200, message });
  });

  test("that the connection was closed before the answer", async () => {
    const { url, port } = await startReceiver((response) => response.socket?.resetAndDestroy());
    const error = await failure({ url });
    expect(error.kind).toBe("network");
    expect(error.message).toContain(`127.0.0.1:${port} closed the connection`);
  });

  test("that the connection was closed in the middle of the answer", async () => {
    const { url, port } = await startReceiver((response) => {
      response.writeHead(200, { "content-length": "10" }).write("a");
      setTimeout(() => response.socket?.destroy(), 20);
    });
    const error = await failure({ url });
    expect(error.kind).toBe("network");
    expect(error.message).toContain(`127.0.0.1:${port} closed the connection`);
  });

  test("that the connection is refused", async () => {
    const port = await freePort();
    const error = await failure({ url: `http://127.0.0.1:${port}/` });
    const code = "ECONNREFUSED";
    const message = `127.0.0.1:${port} refused the connection: nothing listens there (${code})`;
    expect(error).toEqual({ kind: "network", message });
  });

  test("that the answer is no HTTP", async () => {
    const port = await startRaw("SSH-2.0-OpenSSH\r\n\r\n");
    const error = await failure({ url: `http://127.0.0.1:${port}/` });
    expect(error.kind).toBe("network");
    expect(error.message).toContain(`127.0.0.1:${port} did not answer in HTTP`);
  });

  test("that https:// leads to a server that only speaks http://", async () => {
    const { port } = await startReceiver((response) => response.end());
    const error = await failure({ url: `https://127.0.0.1:${port}/` });
    expect(error.message).toContain(`127.0.0.1:${port} does not speak TLS`);
  });

  test.each(["http://", "http://:80/", "http://a b/", "http://h:99999/", "ftp://127.0.0.1/"])(
    "that %s is no address",
    async (url) => {
      expect((await failure({ url })).kind).toMatch(/^invalid_(config|request)$/);
    },
  );

  test("that a password in the address is not sent, without repeating it", async () => {
    const error = await failure({ url: "http://me:hunter2@127.0.0.1:9/" });
    expect(error.kind).toBe("invalid_request");
    expect(error.message).not.toContain("hunter2");
  });

  test("that a header which HTTP keeps for itself cannot be sent", async () => {
    const { url } = await startReceiver((response) => response.end());
    const error = await failure({ url, headers: { "Transfer-Encoding": "chunked" } });
    expect(error).toMatchObject({ kind: "invalid_request" });
  });
});

describe("given an answer that asks to wait, when the step fails, then that is passed on", () => {
  const date = "Wed, 21 Oct 2026 07:28:00 GMT";
  const table: [headers: { [name: string]: string }, ms: number | undefined][] = [
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", date }, 30_000],
    [{ "retry-after": "Wed, 21 Oct 2020 07:28:30 GMT", date }, 0],
    [{ "retry-after": "999999999999" }, MAX_RETRY_AFTER_MS],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ];
  test.each(table)("%j: %s ms", async (headers, ms) => {
    const { url } = await startReceiver((response) => response.writeHead(503, headers).end());
    const outcome = await perform({ url });
    expect(outcome).toMatchObject({ type: "failure", error: { status: 503 } });
    expect("retry_after_ms" in outcome ? outcome.retry_after_ms : undefined).toBe(ms);
  });
});

test("given no date in an answer that asks to wait until one, then our clock counts", async () => {
  const date = new Date(Date.now() + 60_000).toUTCString();
  const { url } = await startReceiver((response) => {
    response.sendDate = false;
    response.writeHead(503, { "retry-after": date }).end();
  });
  const outcome = await perform({ url });
  const ms = "retry_after_ms" in outcome ? Number(outcome.retry_after_ms) : Number.NaN;
  expect(ms).toBeGreaterThan(1_000);
  expect(ms).toBeLessThanOrEqual(60_000);
});

function perform(config: JsonObject, change: Partial<Call> = {}): Promise<Outcome> {
  const send = {
    workflow_id: "invoice_reminder",
    step_id: "send",
    idempotency_key: "run_1/send#0",
  };
  return attempt("webhook", config, { ...send, context: { invoice: 42 }, ...change });
}

async function failure(config: JsonObject, change: Partial<Call> = {}) {
  const outcome = await perform(config, change);
  if (outcome.type !== "failure") throw new Error(`no failure: ${JSON.stringify(outcome)}`);
  return outcome.error;
}

async function startRaw(answer: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    socket.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return (server.address() as { port: number }).port;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("given a webhook step with a secret, when it runs", () => {
  test("then what it sends is signed as the Standard Webhooks library wants it", async () => {
    const receiver = await startReceiver((response) => response.end());
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const headers = { "webhook-id": "forged", "Webhook-Signature": "v1,forged" };
    await perform({ url: receiver.url, body: { a: "ü" }, secret, headers });
    const [got] = receiver.received;
    expect(got?.headers["webhook-id"]).toBe("run_1/send#0");
    const sent = got?.headers as { [name: string]: string };
    expect(new Webhook(secret).verify(got?.body ?? "", sent)).toEqual({ a: "ü" });
    expect(JSON.stringify(got)).not.toContain("MfKQ9r8");
  });

  test("then a secret that is no key fails the step, and is not shown", async () => {
    const receiver = await startReceiver((response) => response.end());
    const outcome = await perform({ url: receiver.url, secret: "correct horse battery" });
    expect(outcome).toMatchObject({ type: "failure", error: { kind: "secret" } });
    expect(JSON.stringify(outcome)).not.toContain("horse");
    expect(receiver.received).toHaveLength(0);
  });
});
