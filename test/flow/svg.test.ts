// The picture in SVG: nothing overlaps, no way crosses a step it does not lead to, all is text.

import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../../src/flow/check.js";
import { graphOf } from "../../src/flow/graph.js";
import { type Box, type Layout, layoutOf, type Point } from "../../src/flow/layout.js";
import { svg } from "../../src/flow/svg.js";
import type { Workflow } from "../../src/flow/workflow.js";
import { whole } from "./whole.js";

const workflow = (text: string): Workflow => {
  const checked = check(text, "w.yaml", whole);
  expect(checked.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return checked.workflow!;
};

const chase = workflow(readFileSync(new URL("ok/invoice_chase.yaml", import.meta.url), "utf8"));

test("given the invoice chase, then its svg is the golden one", () => {
  const golden = new URL("graph/invoice_chase.svg", import.meta.url);
  if (process.env.UPDATE === "1") {
    writeFileSync(golden, svg(chase));
  }
  expect(svg(chase)).toBe(readFileSync(golden, "utf8"));
  expect(svg(structuredClone(chase))).toBe(svg(chase));
});

test("given a name with markup and what XML cannot write, then it is text", () => {
  const drawn = svg({ ...chase, name: '</title><script>"&\u0001\ud800' });
  expect(drawn).toContain("<title>&#60;/title&#62;&#60;script&#62;&#34;&#38;\ufffd\ufffd</title>");
  expect(drawn).not.toContain("<script");
});

/** Bodies of any shape: ways ahead and back, to itself, to the end, and bodies in bodies. */
const { body } = fc.letrec<{ body: Shape[] }>((tie) => ({
  body: fc.array(
    fc.record({
      cases: fc.array(fc.nat({ max: 9 }), { maxLength: 3 }),
      next: fc.nat({ max: 9 }),
      on_error: fc.option(fc.nat({ max: 9 })),
      words: fc.string({ maxLength: 60 }),
      inner: fc.oneof(
        { maxDepth: 2, depthIdentifier: "inner" },
        fc.constant([]),
        fc.array(tie("body"), { maxLength: 3 }),
      ),
    }),
    { minLength: 1, maxLength: 5, depthIdentifier: "inner" },
  ) as fc.Arbitrary<Shape[]>,
}));

interface Shape {
  cases: number[];
  next: number;
  on_error: number | null;
  words: string;
  inner: Shape[][];
}

let count = 0;
const bodyOf = (shapes: Shape[]): Pick<Workflow, "entry_point" | "steps"> => {
  const ids = shapes.map(() => `s${count++}`);
  const to = (at: number) => ids[at] ?? null;
  const steps = shapes.map(({ cases, next, on_error, words, inner }, index) => {
    const step = { id: ids[index]!, next_step_id: to(next) };
    const handler = on_error === null ? undefined : ids[on_error];
    if (inner.length > 0) {
      const branches = Object.fromEntries(inner.map((each, at) => [`b${at}`, bodyOf(each)]));
      return { ...step, type: "parallel", config: { branches } };
    }
    if (cases.length > 0) {
      const config = { cases: cases.map((at) => ({ when: words, next_step_id: to(at) })) };
      return { ...step, type: "branch", config };
    }
    const config = { url: words };
    return {
      ...step,
      type: "http",
      config,
      ...(handler && { on_error: { next_step_id: handler } }),
    };
  });
  return { entry_point: ids[0]!, steps: steps as unknown as Workflow["steps"] };
};

const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const within = (a: Box, b: Box) =>
  a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;

/** Does the stretch run through the inside of the box? Cut off by each of its four sides. */
const crosses = (a: Point, b: Point, { x, y, width, height }: Box) => {
  let [from, to] = [0, 1];
  for (const [start, delta, low, high] of [
    [a.x, b.x - a.x, x + 1, x + width - 1],
    [a.y, b.y - a.y, y + 1, y + height - 1],
  ] as const) {
    if (delta === 0 && (start <= low || start >= high)) return false;
    if (delta === 0) continue;
    const [enter, leave] = [(low - start) / delta, (high - start) / delta].sort((p, q) => p - q);
    from = Math.max(from, enter!);
    to = Math.min(to, leave!);
  }
  return from < to;
};

const faultsOf = ({ width, height, nodes, groups, edges }: Layout): string[] => {
  const boxes = [...nodes, ...groups];
  const faults: string[] = [];
  for (const [index, box] of boxes.entries()) {
    if (!within(box, { x: 0, y: 0, width, height })) faults.push(`${box.id} is outside`);
    for (const other of boxes.slice(index + 1)) {
      if (overlap(box, other) && !within(box, other) && !within(other, box)) {
        faults.push(`${box.id} and ${other.id} overlap`);
      }
    }
  }
  for (const { from, to, points } of edges) {
    const ends = nodes.filter(({ id }) => id === from || id === to);
    const foreign = boxes.filter((box) => !ends.some((end) => within(end, box)));
    points.slice(1).forEach((point, index) => {
      const crossed = foreign.find((box) => crosses(points[index]!, point, box));
      if (crossed) faults.push(`${from} → ${to} crosses ${crossed.id}`);
    });
  }
  return faults;
};

test("given workflows of any shape, then no box overlaps, and no way crosses another's box", () => {
  let groups = 0;
  fc.assert(
    fc.property(body, (shapes) => {
      count = 0;
      const graph = graphOf({ id: "w", name: "w", max_steps: 1, ...bodyOf(shapes) });
      const layout = layoutOf(graph);
      expect(faultsOf(layout)).toEqual([]);
      expect(layout.edges.length).toBeGreaterThanOrEqual(graph.edges.length);
      groups += layout.groups.length;
    }),
    { numRuns: 150 },
  );
  expect(groups).toBeGreaterThan(50);
});

test("given boxes that overlap or a way through one, then the check above sees it", () => {
  const box = { label: "", type: "set", lines: [], width: 20, height: 20 };
  const layout: Layout = {
    width: 100,
    height: 100,
    nodes: [
      { ...box, id: "a", x: 0, y: 0 },
      { ...box, id: "b", x: 10, y: 10 },
      { ...box, id: "c", x: 0, y: 40 },
    ],
    groups: [],
    edges: [
      {
        from: "a",
        to: "c",
        kind: "next",
        points: [
          { x: 15, y: 20 },
          { x: 15, y: 40 },
        ],
      },
    ],
  };
  expect(faultsOf(layout)).toEqual(["a and b overlap", "a → c crosses b"]);
});

test("given a thousand steps in a row, then they are laid out", () => {
  const steps = Array.from({ length: 1_000 }, (_, index) => ({
    id: `s${index}`,
    type: "delay",
    config: { seconds: 1 },
    next_step_id: index === 999 ? null : `s${index + 1}`,
  }));
  const long = { id: "w", name: "w", max_steps: 1, entry_point: "s0", steps };
  expect(layoutOf(graphOf(long)).nodes).toHaveLength(1_002);
});
