// Rehearsals: what stubs, answers and signals mean in virtual time, and what cannot be played.

import { describe, expect, it } from "vitest";
import { stage } from "./stage.js";

const url = "http://127.0.0.1:9/";
const OK = "{ output: { status: 200, body: null } }";

const send = stage(`id: send
context: { type: object, properties: { to: { type: string, default: all } } }
secrets: [HOOK]
steps:
  - id: send
    type: webhook
    timeout: 10s
    retry:
      max_attempts: 3
      delay: 1s
      jitter: 0.5
      when: error.status >= 500 || error.kind == "timeout"
    config:
      url: ${url}
      headers: { authorization: "Bearer \${{ secrets.HOOK }}" }
      body: { to: "\${{ context.to }}" }
outputs: { code: "\${{ steps.send.output.status }}" }
`);

describe("stubs", () => {
  it("given one answer without a list, it answers every attempt", () => {
    const played = send.play("stubs: { send: { error: { status: 503 } } }");
    expect(played.run).toMatchObject({ status: "failed", error: { status: 503 } });
    expect(played.calls).toHaveLength(3);
  });

  it("given a list, each attempt gets its own, and pauses are without chance", () => {
    const list = `[{ error: { status: 500 } }, { error: { status: 501 } }, ${OK}]`;
    const played = send.play(`stubs: { send: ${list} }`);
    expect(played.said).toEqual([]);
    expect(played.calls.map(({ attempt, after_ms }) => [attempt, after_ms])).toEqual([
      [1, 0],
      [2, 1_000],
      [3, 3_000],
    ]);
  });

  it("given a shorter list than there are calls, says so", () => {
    const played = send.play("stubs: { send: [{ error: { status: 500 } }] }\nexpect: { path: [] }");
    expect(played.said).toEqual([
      '"send" is called once more, and stubs: { send: [ … ] } has 1 entry: ' +
        "add one, or write one without a list for all calls",
    ]);
  });

  it("given no stub for a step that touches the world, says how to write it", () => {
    expect(send.play("context: {}").said).toEqual([
      'step "send" (webhook) would touch the world, and has no stub: ' +
        "write stubs: { send: { output: { status: 200, body: null } } }",
    ]);
  });

  it("given after, time passes; beyond the step's timeout the attempt times out", () => {
    const slow = "{ output: { status: 200 }, after: 11s }";
    const played = send.play(`stubs: { send: [${slow}, { output: { status: 201 }, after: 9s }] }`);
    expect(played.run).toMatchObject({ status: "completed", output: { code: 201 } });
    expect(played.trace.at(-1)?.after_ms).toBe(10_000 + 1_000 + 9_000);
  });

  it("given an error, its kind and message have defaults that expressions can read", () => {
    const failed = (error: string) => send.play(`stubs: { send: { error: ${error} } }`).run?.error;
    expect(failed("{ status: 404 }")).toMatchObject({ kind: "http_status", status: 404 });
    expect(failed("{}")).toMatchObject({ kind: "network" });
    expect(failed("{ kind: x, message: m }")).toMatchObject({ kind: "x", message: "m" });
  });

  it("given retry_after, the next attempt waits for it", () => {
    const list = `[{ error: { status: 503, retry_after: 1m } }, ${OK}]`;
    expect(send.play(`stubs: { send: ${list} }`).calls[1]?.after_ms).toBe(60_000);
  });

  it("shows secrets by their names in what a call was given", () => {
    expect(send.play(`stubs: { send: ${OK} }`).calls[0]?.config).toEqual({
      url,
      headers: { authorization: "Bearer ${{ secrets.HOOK }}" },
      body: { to: "all" },
    });
  });

  it("given a config that its values spoil, the step fails as it would", () => {
    const { play } = stage(`id: w
context: { type: object, properties: { where: { type: string } } }
steps: [{ id: send, type: webhook, config: { url: "\${{ context.where }}" } }]
`);
    const played = play("context: { where: nowhere }\nexpect: { error: { kind: invalid_config } }");
    expect(played.said).toEqual([]);
    expect(played.calls).toEqual([]);
  });

  it("given the key of one instance, it goes before the step's id", () => {
    const { play } = stage(`id: w
steps:
  - id: each
    type: foreach
    config:
      items: [a, b, c]
      steps: [{ id: send, type: webhook, config: { url: "${url}" }, on_error: { continue: true } }]
      collect: \${{ steps.send.status }}
outputs: { all: "\${{ steps.each.output.results }}" }
`);
    const stubs = `stubs: { send: ${OK}, each#0/1/send#0: { error: { status: 400 } } }`;
    const outputs = "{ all: [completed, failed, completed] }";
    expect(play(`${stubs}\nexpect: { outputs: ${outputs} }`).said).toEqual([]);
  });
});

const ask = stage(`id: ask
steps:
  - { id: ask, type: approval, timeout: 7d, config: { message: Sure?, on_timeout: reject } }
  - id: again
    type: branch
    config:
      cases: [{ when: steps.ask.output.approved, next_step_id: null }]
      otherwise: rest
  - { id: rest, type: delay, config: { for: 1d }, next_step_id: ask }
max_steps: 9
`);

describe("answers", () => {
  it("given after, they count from the question, and a list has one for each", () => {
    const played = ask.play(
      "answers: { ask: [{ approved: false, after: 3d }, null, { approved: true, after: 1h }] }",
    );
    expect(played.said).toEqual([]);
    const days = 86_400_000;
    expect(played.trace.at(-1)?.after_ms).toBe((3 + 1 + 7 + 1) * days + 3_600_000);
  });

  it("given none, nobody answers", () => {
    const { play } = stage(
      "id: w\nsteps: [{ id: a, type: approval, config: { message: Sure? } }]\n",
    );
    expect(play("expect: { status: paused }").said).toEqual([]);
    expect(play("context: {}").differences).toEqual([
      {
        at: "status",
        expected: "completed",
        actual: "paused",
        message: "a waits for a person: answers: { a: { approved: true } }",
      },
    ]);
  });

  it("given one that comes too late, says so", () => {
    const played = ask.play(
      "answers: { ask: [{ approved: true, after: 8d }, { approved: true }] }",
    );
    expect(played.said[0]).toMatch(/^the answer to "ask", given after 8d, is not heard: its run /);
  });

  it("given a list that is used up, says so", () => {
    const played = ask.play("answers: { ask: [{ approved: false }] }");
    expect(played.said[0]).toBe('"ask" asks once more, and answers: { ask: [ … ] } has 1 entry');
  });
});

const wait = stage(`id: wait
steps:
  - { id: pause, type: delay, config: { for: 1d } }
  - { id: paid, type: wait, timeout: 7d, config: { signal: paid } }
outputs: { got: "\${{ steps.paid.output }}" }
`);

describe("signals", () => {
  it.each(["0s", "2d"])("given one after %s, the step gets its data", (after) => {
    const signals = `signals: [{ name: paid, data: { by: ada }, after: ${after} }]`;
    expect(wait.play(`${signals}\nexpect: { outputs: { got: { by: ada } } }`).said).toEqual([]);
  });

  it("given one after the run has ended, says so", () => {
    const played = wait.play("signals: [{ name: paid, after: 9d }]\nexpect: { status: failed }");
    expect(played.said).toHaveLength(1);
    expect(played.said[0]).toMatch(/^the signal "paid", sent after 9d, is not heard: its run /);
  });

  it("given none, the run's waiting is said", () => {
    const { play } = stage("id: w\nsteps: [{ id: a, type: wait, config: { signal: go } }]\n");
    expect(play("context: {}").differences[0]?.message).toBe(
      "a waits for a signal: signals: [{ name: go }]",
    );
  });
});

const PARENT = `id: parent
steps: [{ id: child, type: workflow, config: { workflow_id: child, context: { n: 3 } } }]
outputs: { of_child: "\${{ steps.child.output.output }}" }
`;
const CHILD = `id: child
context: { type: object, properties: { n: { type: integer } } }
steps:
  - { id: send, type: webhook, config: { url: "${url}", body: "\${{ context.n }}" } }
  - { id: ask, type: approval, config: { message: Sure? } }
outputs: { yes: "\${{ steps.ask.output.approved }}" }
`;

describe("a workflow that starts another", () => {
  it("given stubs for the steps of the other, plays both", () => {
    const played = stage(PARENT, CHILD).play(`stubs: { child/send: ${OK} }
answers: { child/ask: { approved: true, after: 2h } }
expect:
  path: [child]
  elapsed: 2h
  outputs: { of_child: { yes: true } }
  attempts: { child/send: 1 }
  calls: { child/send: [{ body: 3 }] }
  steps: { child/ask: { status: completed } }`);
    expect(played.said).toEqual([]);
    expect(played.runs.map(({ prefix, run }) => [prefix, run.workflow_id])).toEqual([
      ["", "parent"],
      ["child/", "child"],
    ]);
  });

  it("given a stub for the step itself, the other has no run", () => {
    const played = stage(PARENT, CHILD).play(`stubs: { child: { output: { output: done } } }
expect: { outputs: { of_child: done }, calls: { child: [{ context: { n: 3 } }] } }`);
    expect(played.said).toEqual([]);
    expect(played.runs).toHaveLength(1);
  });

  it.each([
    ["queue", "completed", "3m"],
    ["skip", "failed", "1m"],
  ])("whose runs share a group of %s, plays who has the slot", (on_conflict, status, elapsed) => {
    const many = `id: many
steps:
  - id: each
    type: foreach
    config:
      items: [1, 2, 3]
      as: n
      max_parallel: 3
      steps: [{ id: child, type: workflow, config: { workflow_id: alone } }]
`;
    const alone = `id: alone
concurrency: { group: one, limit: 1, on_conflict: ${on_conflict} }
steps: [{ id: send, type: webhook, config: { url: "${url}" }, timeout: 5m }]
`;
    const played = stage(
      many,
      alone,
    ).play(`stubs: { child/send: { output: { status: 200 }, after: 1m } }
expect: { status: ${status}, elapsed: ${status === "failed" ? "0s" : elapsed} }`);
    expect(played.said).toEqual([]);
  });

  it("that is not awaited, its time and its steps are its own", () => {
    const starts = `id: starts
steps: [{ id: child, type: workflow, config: { workflow_id: slow, await: false } }]
`;
    const slow = `id: slow
steps: [{ id: nap, type: delay, config: { for: 1h } }]
`;
    const played = stage(starts, slow).play("expect: { path: [child], elapsed: 0s }");
    expect(played.said).toEqual([]);
  });

  it("given no stub inside it, says where", () => {
    expect(stage(PARENT, CHILD).play("context: {}").said[0]).toMatch(/^step "child\/send" /);
  });
});

describe("the run's start", () => {
  it("given at and trigger, expressions read them", () => {
    const { play } = stage(`id: w
triggers: [{ type: schedule, cron: "0 12 * * *" }]
steps:
  - { id: until, type: delay, config: { until: "2030-01-02T00:00:00Z" } }
outputs: { at: "\${{ run.created_at }}", by: "\${{ trigger.type }}" }
`);
    const played = play(`at: 2030-01-01T12:00:00Z
trigger: { type: schedule }
expect: { elapsed: 12h, outputs: { at: "2030-01-01T12:00:00.000Z", by: schedule } }`);
    expect(played.said).toEqual([]);
  });

  it("given the same case twice, plays it the same", () => {
    const [one, other] = [1, 2].map(() => send.play(`stubs: { send: ${OK} }`));
    expect(one).toEqual(other);
  });
});
