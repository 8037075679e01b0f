// `--allow-host`: a host that data chooses is called only where its owner has listed it.

import { expect, it } from "vitest";
import { place, subscriber } from "./harness.js";

const FLOW = `id: one
context: { type: object, properties: { at: { type: string } } }
steps: [{ id: send, type: webhook, config: { url: "http://\${{ context.at }}/x" } }]
`;

it("given a host from the context, refuses it; given --allow-host, calls it", async () => {
  const here = await place({ "flows/one.yaml": FLOW });
  const { url, bodies } = await subscriber(200);
  const { host } = new URL(url);
  const trigger = ["trigger", "one", "--set", `at=${host}`];
  const refused = await here.flows([...trigger, "--allow-host", "127.0.0.1:1"]);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain(`${host} is chosen by data`);
  expect(bodies).toEqual([]);
  const listed = ["--allow-host", "api.example", "--allow-host", host];
  expect((await here.flows([...trigger, ...listed])).code).toBe(0);
  expect(bodies).toEqual([{ at: host }]);
  const wrong = await here.flows([...trigger, "--allow-host", "http://api.example"]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain(
    '--allow-host wants a host, or HOST:PORT, and not "http://api.example"',
  );
});

it("given a host from the context, validate warns of it; given a list, it does not", async () => {
  const here = await place({ "flows/one.yaml": FLOW });
  const warned = await here.flows(["validate", "--deny-warnings"]);
  expect([warned.code, warned.stdout]).toEqual([1, expect.stringContaining("--allow-host HOST")]);
  const listed = ["validate", "--deny-warnings", "--allow-host", "api.example"];
  expect(await here.flows(listed)).toMatchObject({ code: 0, stdout: "" });
  for (const text of ["*.example", "a.example,b.example", "https://api.example", ""]) {
    const { code, stderr } = await here.flows(["validate", "--allow-host", text]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`not ${JSON.stringify(text)}.`)]);
  }
});
