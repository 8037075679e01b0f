// Requests that two programs may read in two ways: none hides another request in itself.

import { afterAll, beforeAll, expect, it } from "vitest";
import { startTest, type TestServer } from "./test-server.js";

const TRIGGER = "POST /api/workflows/invoice_reminder/trigger HTTP/1.1\r\nhost: HOST\r\n";
const JSON_TYPE = "content-type: application/json\r\n";
/** What would be answered with a 404 of its own, if anything took it for a request. */
const CHUNKED = "transfer-encoding: chunked\r\n";
const LENGTH = "content-length: 4\r\n\r\n";
const HIDDEN = "GET /hidden HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n";

interface Row {
  name: string;
  bytes: string;
  /** Of every answer, in order. */
  statuses: number[];
}

/** Refused as a whole: the connection ends, and what follows is not read. */
const REFUSED: Row[] = [
  ["a length, then chunks", "content-length: 4\r\ntransfer-encoding: chunked\r\n"],
  ["chunks, then a length", "transfer-encoding: chunked\r\ncontent-length: 4\r\n"],
  ["chunks with a blank before the colon", "transfer-encoding : chunked\r\n"],
  ["a length with a blank before the colon", "content-length : 0\r\n"],
  ["chunks on a folded line", "transfer-encoding:\r\n chunked\r\n"],
  ["chunks of another kind", "transfer-encoding: xchunked\r\n"],
  ["chunks before something else", "transfer-encoding: chunked, identity\r\n"],
  ["something else, and no chunks", "transfer-encoding: identity\r\n"],
  ["chunks after a vertical tab", "transfer-encoding: \x0bchunked\r\n"],
  ["chunks after a NUL", "transfer-encoding: \0chunked\r\n"],
  ["chunks and other chunks", "transfer-encoding: chunked\r\ntransfer-encoding: x\r\n"],
  ["two lengths", "content-length: 0\r\ncontent-length: 9\r\n"],
  ["two lengths in one", "content-length: 0, 9\r\n"],
  ["two equal lengths", "content-length: 0\r\ncontent-length: 0\r\n"],
  ["a length with a sign", "content-length: +0\r\n"],
  ["a length below nothing", "content-length: -1\r\n"],
  ["a length in hex", "content-length: 0x0\r\n"],
  ["a length beyond all numbers", `content-length: ${"9".repeat(30)}\r\n`],
  ["a header that is no name", "content-length: 0\r\n: x\r\n"],
  ["a header without a colon", "content-length: 0\r\nx\r\n"],
  ["a name with a blank", "content length: 0\r\n"],
  ["a carriage return alone", "x: y\rcontent-length: 0\r\n"],
  ["a NUL in a value", "x: \0\r\n"],
  ["a folded header", "x: y\r\n z\r\n"],
].map(([name, headers]) => ({
  name: name as string,
  bytes: `${TRIGGER}${JSON_TYPE}${headers}\r\n0\r\n\r\n${HIDDEN}`,
  statuses: [400],
}));

/** Chunks that are none, after headers that are as they must be. */
const CHUNKS: Row[] = [
  ["a size below nothing", "-2\r\n{}\r\n0\r\n\r\n"],
  ["a size with a prefix", "0x2\r\n{}\r\n0\r\n\r\n"],
  ["a size with a blank before it", " 2\r\n{}\r\n0\r\n\r\n"],
  ["a size beyond all numbers", `${"f".repeat(17)}\r\n{}\r\n0\r\n\r\n`],
  ["a size that is too small", "1\r\n{}\r\n0\r\n\r\n"],
  ["a size without a line", "2{}0"],
  ["no size", "\r\n{}\r\n0\r\n\r\n"],
  ["a size after a plus", "+2\r\n{}\r\n0\r\n\r\n"],
  ["a size with a carriage return alone", "2\r{}\r\n0\r\n\r\n"],
].map(([name, body]) => ({
  name: `chunks with ${name}`,
  bytes: `${TRIGGER}${JSON_TYPE}transfer-encoding: chunked\r\n\r\n${body}${HIDDEN}`,
  statuses: [400],
}));

const CLOSE = "host: HOST\r\nconnection: close\r\n";

/** Read in one way, and then the connection ends or goes on as it must. */
const OTHERS: Row[] = [
  row("no host", "GET /x HTTP/1.1\r\nconnection: close\r\n\r\n", 400),
  row("two hosts", `GET /x HTTP/1.1\r\n${CLOSE}host: x\r\n\r\n`, 400),
  row("one host twice", `GET /x HTTP/1.1\r\n${CLOSE}Host: HOST\r\n\r\n`, 400),
  row("an empty host", "GET /x HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n", 400),
  row("a host in the target", `GET http://HOST/x HTTP/1.1\r\n${CLOSE}\r\n`, 400),
  row("lines that end by a line feed", `GET /x HTTP/1.1\n${CLOSE.replaceAll("\r", "")}\n`, 400),
  row("an upgrade", `GET /x HTTP/1.1\r\n${CLOSE}upgrade: h2c\r\n\r\n`, 404),
  row("2 000 headers", `GET /x HTTP/1.1\r\n${CLOSE}${"a: b\r\n".repeat(2_000)}\r\n`, 404),
  row(
    "a host after 2 000 headers",
    `GET /x HTTP/1.1\r\n${"a: b\r\n".repeat(2_000)}${CLOSE}\r\n`,
    400,
  ),
  row("a body of a GET", `GET /x HTTP/1.1\r\n${CLOSE}content-length: 20\r\n\r\n${HIDDEN}`, 404),
  row("chunks in HTTP/1.0", `POST /x HTTP/1.0\r\n${CLOSE}${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`, 404),
  row("a request after the last", `GET /x HTTP/1.1\r\n${CLOSE}\r\n${HIDDEN}`, 404),
  row(
    "a body, then a request",
    `POST /x HTTP/1.1\r\nhost: HOST\r\n${LENGTH}GET GET /y HTTP/1.1\r\n${CLOSE}\r\n`,
    404,
    404,
  ),
  row(
    "a request, then none",
    `GET /x HTTP/1.1\r\nhost: HOST\r\n\r\nnonsense\r\n\r\n${HIDDEN}`,
    404,
    400,
  ),
  row(
    "two requests, then none",
    `${"GET /x HTTP/1.1\r\nhost: HOST\r\n\r\n".repeat(2)}\0${HIDDEN}`,
    404,
    404,
    400,
  ),
];

const ROWS: Row[] = [...REFUSED, ...CHUNKS, ...OTHERS];

function row(name: string, bytes: string, ...statuses: number[]): Row {
  return { name, bytes, statuses };
}

let server: TestServer;
beforeAll(async () => {
  server = await startTest();
});
afterAll(() => server.close());

it.each(ROWS)(
  "given $name, then nothing that it hides is answered",
  async ({ bytes, statuses }) => {
    const { wire = "" } = await server.raw(bytes.replaceAll("HOST", `127.0.0.1:${server.port}`));
    const seen = [...wire.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, code]) => Number(code));
    expect([seen, wire.includes("/hidden")]).toEqual([statuses, false]);
    expect(server.host.kept.size).toBe(0);
  },
);
