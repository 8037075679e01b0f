// Calls of connectors for the engine's loop: one outcome each, in time, or none once stopped.

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/engine/command.js";
import {
  type Call,
  ConnectorError,
  type RunConnector,
  type Signal,
} from "../../../src/engine/ports.js";
import type { JsonObject } from "../../../src/flow/json.js";
import { Type } from "../../../src/flow/type.js";
import { createCalls } from "../../../src/hosts/local/calls.js";
import { SecretError } from "../../../src/hosts/local/secrets.js";
import { MAX_DURATION_MS } from "../../../src/limits.js";

describe("given a connector, when it is called and", () => {
  test("answers, then its answer is the output, reported after the call has returned", async () => {
    const { reports, first, call } = start(async () => ({ sent: true }));
    call();
    expect(reports).toEqual([]);
    expect(await first).toEqual({ type: "output", output: { sent: true } });
  });

  test("answers with nothing, then the output is null", async () => {
    const { first, call } = start((async () => undefined) as unknown as RunConnector);
    call();
    expect(await first).toEqual({ type: "output", output: null });
  });

  test("fails with a reason, then that is the failure, with the wait it asks for", async () => {
    const error = { kind: "http_status", message: "h answered 503", status: 503 };
    const { first, call } = start(async () => {
      throw new ConnectorError(error, 7_000);
    });
    call();
    expect(await first).toEqual({ type: "failure", error, retry_after_ms: 7_000 });
  });

  test.each([
    ["an error", new Error("broken")],
    ["anything else", "broken"],
  ])(
    "throws %s, at once or later, then that is a failure and not a crash",
    async (_name, thrown) => {
      for (const run of [
        () => {
          throw thrown;
        },
        async () => {
          await sleep(1);
          throw thrown;
        },
      ]) {
        const { first, call } = start(run as RunConnector);
        call();
        const message = "the test connector broke: broken";
        expect(await first).toEqual({ type: "failure", error: { kind: "connector", message } });
      }
    },
  );

  test("takes too long but heeds the signal, then its own reason is the failure", async () => {
    const error = { kind: "timeout", message: "h did not answer" };
    const { first, call } = start(async (_call, _io, signal) => {
      await aborted(signal);
      throw new ConnectorError(error);
    });
    call({ timeout_ms: 5 });
    expect(await first).toEqual({ type: "failure", error });
  });

  test("takes too long and heeds nothing, then it is not waited for, nor heard later", async () => {
    let wake = () => {};
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const { reports, first, call } = start(async () => {
      await asleep;
      return "late";
    });
    call({ timeout_ms: 5 });
    const message = "the test step did not end within 0.005 s";
    expect(await first).toEqual({ type: "failure", error: { kind: "timeout", message } });
    wake();
    await sleep(10);
    expect(reports).toHaveLength(1);
  });

  test("has a time-out of years, then it is not over at once", async () => {
    const { first, call } = start(async () => {
      await sleep(20);
      return "in time";
    });
    call({ timeout_ms: MAX_DURATION_MS });
    expect(await first).toEqual({ type: "output", output: "in time" });
  });

  test("is stopped, then its signal says so, and nothing is reported", async () => {
    let seen: Signal | undefined;
    const { reports, call } = start(async (_call, _io, signal) => {
      seen = signal;
      await aborted(signal);
      throw new Error("stopped");
    });
    const stop = call();
    stop();
    stop();
    await sleep(10);
    expect(seen?.aborted).toBe(true);
    expect(reports).toEqual([]);
  });
});

describe("given a config whose expressions have values by now, when it is called", () => {
  test("and one does not fit, then nothing is called, and the failure says where", async () => {
    const { first, call, called } = start(async () => null);
    call({ config: { count: "many" } });
    expect(await first).toEqual({
      type: "failure",
      error: {
        kind: "invalid_config",
        message:
          "the test step cannot be performed: config.count: must be a whole number, " +
          'not "many"',
      },
    });
    expect(called()).toBe(0);
  });

  test("and it fits, then it is", async () => {
    const { first, call, called } = start(async () => null);
    call({ config: { count: 3 } });
    expect((await first).type).toBe("output");
    expect(called()).toBe(1);
  });
});

describe("given a config that names secrets, when it is called", () => {
  const secrets = [
    { pointer: "/a~1b/0", parts: ["Bearer ", { secret: "KEY" }] },
    { pointer: "/__proto__", parts: [{ secret: "KEY" }] },
  ];
  const blank = () => JSON.parse('{"a/b": [""], "__proto__": "", "count": 1}') as JsonObject;

  test("then the connector gets them filled in, and the call that was given does not", async () => {
    let seen: Call | undefined;
    const { first, call } = start(async (given) => {
      seen = given;
      return null;
    });
    const config = blank();
    call({ config, secrets });
    await first;
    expect(JSON.stringify(seen?.config)).toBe(
      '{"a/b":["Bearer value of KEY"],"__proto__":"value of KEY","count":1}',
    );
    expect(config).toEqual(blank());
  });

  test("and one is missing, then nothing is called, and the failure says so", async () => {
    const { first, call, called } = start(async () => null);
    call({ secrets: [{ pointer: "/a", parts: [{ secret: "NONE" }] }] });
    const error = { kind: "secret", message: "there is no NONE" };
    expect(await first).toEqual({ type: "failure", error });
    expect(called()).toBe(0);
  });
});

describe("given a step type without a connector to call, when it is called", () => {
  test.each(["unknown", "constructor", "__proto__", "control"])(
    "%s: then that is a failure",
    async (type) => {
      const { first, call } = start(async () => null);
      call({ type });
      expect(await first).toMatchObject({ type: "failure", error: { kind: "unknown_type" } });
    },
  );
});

describe("given a step whose host was chosen by data, when it calls", () => {
  const calling = (url: string): RunConnector => {
    return async (_call, io, signal) => {
      const { body } = await io.http({
        method: "GET",
        url,
        headers: {},
        max_response_bytes: 9,
        signal,
      });
      return body;
    };
  };

  test("a host that is not listed, then nothing is sent, and the failure says so", async () => {
    const { first, call } = start(calling("https://evil.example:8/x?secret"));
    call({ open_host: true });
    expect(await first).toEqual({
      type: "failure",
      error: {
        kind: "egress",
        message:
          "evil.example:8 is chosen by data, and not by the flow file: write the host down in " +
          "url, bound the value by an enum in context, or start flows with --allow-host HOST",
      },
    });
  });

  test.each([
    ["a listed host", "https://listed.example/x", true],
    ["what is no url, which has a failure of its own", "https://%/", true],
    ["any host that the flow file fixes", "https://evil.example/x", false],
  ])("%s, then the request goes out", async (_what, url, open) => {
    const { first, call } = start(calling(url));
    call(open ? { open_host: true } : {});
    const message = "the test connector broke: there is no network here";
    expect(await first).toEqual({ type: "failure", error: { kind: "connector", message } });
  });
});

function start(run: RunConnector) {
  const reports: Outcome[] = [];
  let heard = (_outcome: Outcome) => {};
  const first = new Promise<Outcome>((resolve) => {
    heard = resolve;
  });
  let count = 0;
  const counted: RunConnector = (...args) => {
    count += 1;
    return run(...args);
  };
  const config = Type.Object({ count: Type.Optional(Type.Integer()) });
  const io = { http: () => Promise.reject(new Error("there is no network here")) };
  const connectors = Object.assign(Object.create(null), {
    test: { type: "test", description: "", config, run: counted },
    control: { type: "control", description: "", config },
  });
  const allowed_hosts = [{ host: "listed.example" }];
  const secretOf = (name: string) => {
    if (name === "NONE") throw new SecretError("there is no NONE");
    return `value of ${name}`;
  };
  const calls = createCalls(connectors, { ...io, secretOf, allowed_hosts });
  const call = (change: Partial<Call> = {}) =>
    calls({ ...CALL, ...change }, (outcome) => {
      reports.push(outcome);
      heard(outcome);
    });
  return { reports, first, call, called: () => count };
}

const CALL: Call = {
  run_id: "run_1",
  workflow_id: "flow",
  step_id: "step",
  type: "test",
  idempotency_key: "run_1/step#0",
  attempt: 1,
  config: {},
  secrets: [],
  context: {},
  timeout_ms: 30_000,
};

function aborted(signal: Signal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}
