// Hooks of every scheme at the built server: what is forged, torn or late is a 401 that says why,
// what is told twice starts nothing new, and what was acknowledged survives a kill.

import { describe, expect, it } from "vitest";
import { ended, type Place, place, serve } from "../cli/harness.js";
import { sendBytes } from "./hostile-bytes.js";
import {
  delivery,
  HOOK_FLOWS,
  HOOK_SECRET,
  now,
  SCHEMES,
  type Scheme,
  SIGNATURE_HEADER,
  TIMED,
} from "./hostile-deliveries.js";

const GOOD = '{"amount":1}';

type Sent = ReturnType<typeof delivery>;

/** How a signature may be wrong, whatever its scheme. */
const SIGNATURES: { readonly [name: string]: (signature: string) => string } = {
  empty: () => "",
  "cut short": (signature) => signature.slice(0, -1),
  "too long": (signature) => `${signature}0`,
  "wrong in its last character": (signature) => signature.replace(/.$/, "g"),
  "the scheme's name alone": (signature) => signature.slice(0, -Math.min(signature.length, 43)),
  "without the scheme's name": (signature) => signature.replace(/v\d|sha256/, ""),
  "of another version": (signature) => signature.replace(/v\d|sha256/, "v9"),
  "of no algorithm": (signature) => signature.replace(/v\d|sha256/, "none"),
  "a prototype's name": () => "__proto__",
  "8 000 characters": () => "a".repeat(8_000),
  "many wrong ones": (signature) => `${signature.slice(0, -2)}, `.repeat(90),
  quoted: (signature) => `"${signature}"`,
};

const TIMES: { readonly [name: string]: () => string } = {
  "five minutes ago": () => String(Number(now()) - 301),
  "in an hour": () => String(Number(now()) + 3_600),
  "at the beginning": () => "0",
  "before it": () => "-1",
  "at NaN": () => "NaN",
  "at Infinity": () => "Infinity",
  "in ms": () => `${now()}000`,
  "with a fraction": () => `${now()}.5`,
  "in hex": () => `0x${Number(now()).toString(16)}`,
  "by a power": () => "1e9",
  "beyond all numbers": () => "9".repeat(400),
  "with a sign": () => `+${now()}`,
  "by a date": () => new Date().toISOString(),
};

describe("hooks of every scheme", () => {
  it("let no delivery in that is wrong in any way, and say why", async () => {
    const { url } = await served();
    const rows = wrongDeliveries();
    expect(rows.length).toBeGreaterThan(100);
    const wrong: unknown[] = [];
    for (const [name, sent] of rows) {
      const { status, body } = await deliver(url, sent);
      const isRefused = status === 401 && body.kind === "bad_signature" && body.detail !== "";
      if (!isRefused) wrong.push([name, sent.headers, status, body]);
    }
    expect(wrong).toEqual([]);
    expect(await runsOf(url)).toBe(0);
  });

  it("start one run of what is told again and again", async () => {
    const { url } = await served();
    for (const [n, scheme] of SCHEMES.entries()) {
      const sent = delivery(scheme, GOOD);
      const first = await deliver(url, sent);
      expect([scheme, first.status]).toEqual([scheme, 202]);
      for (let again = 0; again < 3; again++) {
        const { status, body } = await deliver(url, sent);
        expect([scheme, status, body.run_id]).toEqual([scheme, 200, first.body.run_id]);
      }
      expect(await runsOf(url)).toBe(n + 1);
    }
  });

  it("read headers that come twice as one, so that none hides behind another", async () => {
    const { url } = await served();
    const port = Number(new URL(url).port);
    const wrong: string[] = [];
    for (const scheme of SCHEMES) {
      const sent = delivery(scheme, GOOD);
      const name = SIGNATURE_HEADER[scheme];
      const forged = sent.headers[name]?.replace(/[^=,]{40,}$/, "f".repeat(64)) ?? "";
      const genuine = sent.headers[name] ?? "";
      const late = `t=${Number(now()) - 999},v1=${"f".repeat(64)}`;
      const twice = scheme === "stripe" ? [late, genuine] : [forged, `${genuine}0`];
      const wire = await sendBytes(port, raw(port, sent, [name, ...twice]));
      if (!/^HTTP\/1\.1 401 /.test(wire)) wrong.push(`${scheme}: ${wire}`);
    }
    expect(wrong).toEqual([]);
  });

  it("lose nothing that they acknowledged when the server is killed", async () => {
    const here = await hookPlace();
    const first = await start(here);
    const told = SCHEMES.map((scheme) =>
      delivery(scheme, '{"amount":7}', { id: `kill_${scheme}` }),
    );
    const acknowledged = await Promise.all(told.map((sent) => deliver(first.url, sent)));
    first.child.kill("SIGKILL");
    await first.done;
    expect(acknowledged.map(({ status }) => status)).toEqual(told.map(() => 202));
    const second = await start(here);
    for (const [n, sent] of told.entries()) {
      const id = String(acknowledged[n]?.body.run_id);
      const run = await ended(second.url, id);
      expect(run).toMatchObject({ status: "completed", context: { amount: 7 } });
      // The sender, who may have seen no answer, tells it once more.
      expect(await deliver(second.url, sent)).toMatchObject({ status: 200, body: { run_id: id } });
    }
    expect(await runsOf(second.url)).toBe(told.length);
  });
});

function wrongDeliveries(): [name: string, sent: Sent][] {
  return [
    ...SCHEMES.flatMap((scheme): [string, Sent][] => [
      ...Object.entries(SIGNATURES).map(([name, alter]): [string, Sent] => [
        `${scheme}: ${name}`,
        altered(scheme, alter),
      ]),
      ...["sha1", "sha512", "md5"].map((hash): [string, Sent] => [
        `${scheme}: ${hash}`,
        delivery(scheme, GOOD, { hash }),
      ]),
      [`${scheme}: of another body`, { ...delivery(scheme, GOOD), body: '{"amount":2}' }],
      [`${scheme}: of a body without a blank`, { ...delivery(scheme, GOOD), body: `${GOOD} ` }],
      ...SCHEMES.filter((foreign) => foreign !== scheme).map((foreign): [string, Sent] => [
        `${scheme}: of ${foreign}`,
        { ...delivery(foreign, GOOD), path: `/hooks/${scheme}` },
      ]),
    ]),
    ...TIMED.flatMap((scheme) =>
      Object.entries(TIMES).map(([name, at]): [string, Sent] => [
        `${scheme}: signed ${name}`,
        delivery(scheme, GOOD, { at: at() }),
      ]),
    ),
  ];
}

function altered(scheme: Scheme, alter: (signature: string) => string): Sent {
  const sent = delivery(scheme, GOOD);
  const name = SIGNATURE_HEADER[scheme];
  return { ...sent, headers: { ...sent.headers, [name]: alter(sent.headers[name] ?? "") } };
}

function hookPlace(): Promise<Place> {
  const files = Object.entries(HOOK_FLOWS).map(([file, text]) => [`flows/${file}`, text]);
  return place(Object.fromEntries(files));
}

function start(here: Place) {
  return serve(here, [], { FLOWS_SECRET_HOOK_KEY: HOOK_SECRET });
}

async function served() {
  return start(await hookPlace());
}

async function deliver(url: string, { path, headers, body }: Sent) {
  const answer = await fetch(url + path, { method: "POST", headers, body: body ?? null });
  return { status: answer.status, body: (await answer.json()) as { [name: string]: unknown } };
}

async function runsOf(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/runs?limit=200`);
  return ((await answer.json()) as { runs: unknown[] }).runs.length;
}

/** The request as bytes, with one of its headers as many times as there are values. */
function raw(
  port: number,
  { path, headers, body = "" }: Sent,
  [name, ...values]: string[],
): string {
  const others = Object.entries(headers).filter(([other]) => other !== name);
  const lines = [...others, ...values.map((value) => [name, value])].map((pair) => pair.join(": "));
  const ours = ["connection: close", `host: 127.0.0.1:${port}`, `content-length: ${body.length}`];
  return [`POST ${path} HTTP/1.1`, ...ours, ...lines, "", body].join("\r\n");
}
