// HTTP as connectors get it: what goes out, what comes back, and how it is stopped.

import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConnectorError, type HttpRequest } from "../../../src/engine/ports.js";
import { createIo } from "../../../src/hosts/local/io.js";
import { TimedOut } from "../../../src/hosts/local/timed-out.js";
import { startReceiver } from "../../connectors/receiver.js";
import { SELF_SIGNED } from "./self-signed.js";

describe("given a server, when a request is made", () => {
  test("then header names come back in lower case, and repeated ones as one", async () => {
    const { url } = await startReceiver((response) =>
      response.writeHead(200, { "X-One": "1", "X-Many": ["a", "b"] }).end(),
    );
    const answer = await http({ url });
    expect(answer.headers).toMatchObject({ "x-one": "1", "x-many": "a, b" });
  });

  test("then the answer is asked for uncompressed, so that its size is known", async () => {
    const { url, received } = await startReceiver((response) => response.end());
    await http({ url });
    expect(received[0]?.headers["accept-encoding"]).toBe("identity");
  });

  test("then a body of the greatest size is kept, and one byte more is refused", async () => {
    const { url } = await startReceiver((response) => response.end("12345"));
    expect((await http({ url, max_response_bytes: 5 })).body).toBe("12345");
    const error = await failing({ url, max_response_bytes: 4 });
    expect(error.failure).toMatchObject({ kind: "too_large", status: 200 });
  });

  test("then many at a time are all answered", async () => {
    const { url, received } = await startReceiver((response, { body }) => response.end(body));
    const io = createIo();
    onTestFinished(() => io.close());
    const common = { method: "POST", url, headers: {}, max_response_bytes: 100 };
    const answers = await Promise.all(
      Array.from({ length: 1_200 }, (_, i) =>
        io.http({ ...common, body: `${i}`, signal: new AbortController().signal }),
      ),
    );
    expect(answers.map(({ body }) => Number(body))).toEqual([...Array(1_200).keys()]);
    expect(received).toHaveLength(1_200);
  });
});

describe("given a server whose certificate no one vouches for, when it is called", () => {
  test("then the request fails before anything is sent, and says why", async () => {
    const server = createServer(SELF_SIGNED, (_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const error = await failing({ url: `https://127.0.0.1:${port}/` });
    expect(error.failure.kind).toBe("network");
    expect(error.failure.message).toContain(
      `127.0.0.1:${port} has a certificate that is not trusted`,
    );
  });
});

describe("given a request under way, when its signal", () => {
  test("says that time is up, then it fails with the host and the time", async () => {
    const abort = new AbortController();
    const { url, port } = await startReceiver(() => abort.abort(new TimedOut(1_500)));
    const error = await failing({ url, signal: abort.signal });
    const message = `127.0.0.1:${port} did not answer within 1.5 s`;
    expect(error.failure).toEqual({ kind: "timeout", message });
  });

  test("was aborted before, then nothing is sent", async () => {
    const { url, received } = await startReceiver((response) => response.end());
    await failing({ url, signal: AbortSignal.abort() });
    expect(received).toEqual([]);
  });
});

async function http(request: Partial<HttpRequest> & { url: string }) {
  const io = createIo();
  onTestFinished(() => io.close());
  const signal = new AbortController().signal;
  return io.http({ method: "POST", headers: {}, max_response_bytes: 1_000, signal, ...request });
}

async function failing(request: Partial<HttpRequest> & { url: string }): Promise<ConnectorError> {
  const error = await http(request).catch((caught: unknown) => caught);
  if (error instanceof ConnectorError) return error;
  throw new Error(`no failure: ${JSON.stringify(error)}`);
}
