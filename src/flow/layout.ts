// Where each step of a workflow's picture stands: boxes that never overlap, and ways between them.

import {
  layout as arrange,
  type EdgeLabel,
  type GraphLabel,
  type NodeLabel,
  Graph as Plane,
} from "@dagrejs/dagre";
import type { Graph, GraphEdge, GraphGroup, GraphNode } from "./graph.js";

export interface Point {
  x: number;
  y: number;
}

/** `x` and `y` are the upper left corner. All in pixels, from the picture's upper left corner. */
export interface Box extends Point {
  width: number;
  height: number;
}

/** Also the dots where the bodies of groups begin, of type `entry`. */
export type PlacedNode = GraphNode & Box & { lines: string[] };
export type PlacedGroup = Pick<GraphGroup, "id" | "label"> & Box;
export type PlacedEdge = GraphEdge & { points: Point[]; label_box?: Box };

/** Groups come before those inside them. */
export interface Layout {
  width: number;
  height: number;
  nodes: PlacedNode[];
  groups: PlacedGroup[];
  edges: PlacedEdge[];
}

/** Pixels. Text is measured, not drawn: in a monospaced font that is the same everywhere. */
export const FONT_SIZE = 12;
const CHARACTER = 7.3;
const LINE = 16;
const PADDING = 12;
const GAP = 28;
/** Between a row of boxes and the ways that bend above or below it; less than half of a gap. */
const AIR = 8;
const DOT = 10;
/** How far a step's way back to itself goes out of its box. */
const LOOP = 22;
const MAX_LINE = 48;

export function layoutOf(graph: Graph): Layout {
  return place(graph, graph.edges, GAP / 2);
}

type Container = Pick<Graph, "nodes" | "groups">;

/**
 * A container by itself: its groups are laid out before it, and are boxes in it like any other. So
 * nothing in a group can overlap with anything outside of it.
 */
function place(container: Container, all: readonly GraphEdge[], margin: number): Layout {
  const inner = new Map(
    container.groups.map((group) => [group.id, groupLayout(group, all)] as const),
  );
  const owner = ownersIn(container);
  const edges = all.filter(({ from, to }) => {
    const [a, b] = [owner.get(from), owner.get(to)];
    // What goes on inside a group has been drawn there.
    return a !== undefined && b !== undefined && (a !== b || a === from);
  });
  const loops = loopsOf(edges);
  const plane = planeOf(margin);
  const nodes = container.nodes.map((node) => ({ ...node, ...sizeOf(node) }));
  for (const { id, width, height } of nodes) {
    plane.setNode(id, { width: width + 2 * (loops.get(id) ?? 0), height });
  }
  for (const [id, { width, height }] of inner) plane.setNode(id, { width, height });
  edges.forEach(({ from, to, label }, index) => {
    const [a, b] = [owner.get(from) as string, owner.get(to) as string];
    if (a !== b) plane.setEdge(a, b, { ...labelSize(label), labelpos: "c" }, String(index));
  });
  arrange(plane);
  return collect({ plane, nodes, container, inner, edges, owner });
}

function planeOf(margin: number) {
  const plane = new Plane<GraphLabel, NodeLabel, EdgeLabel>({ multigraph: true });
  plane.setGraph({ rankdir: "TB", nodesep: GAP, ranksep: GAP, marginx: margin, marginy: margin });
  return plane;
}

interface Placing {
  plane: ReturnType<typeof planeOf>;
  nodes: (GraphNode & { lines: string[]; width: number; height: number })[];
  container: Container;
  inner: ReadonlyMap<string, Layout>;
  edges: readonly GraphEdge[];
  owner: ReadonlyMap<string, string>;
}

function collect({ plane, nodes, container, inner, edges, owner }: Placing): Layout {
  const { width = 0, height = 0 } = plane.graph();
  const layout: Layout = { width: up(width), height: up(height), nodes: [], groups: [], edges: [] };
  const bands = bandsOf(plane);
  for (const node of nodes) {
    const { x, y } = plane.node(node.id);
    layout.nodes.push({ ...node, ...cornerOf(x, y, node) });
  }
  for (const { id, label } of container.groups) {
    const own = inner.get(id) as Layout;
    const { x, y } = plane.node(id);
    const corner = cornerOf(x, y, own);
    layout.groups.push({ id, label, ...corner, width: own.width, height: own.height });
    const moved = movedBy(own, corner);
    layout.nodes.push(...moved.nodes);
    layout.groups.push(...moved.groups);
    layout.edges.push(...moved.edges);
  }
  edges.forEach((edge, index) => {
    const [a, b] = [owner.get(edge.from) as string, owner.get(edge.to) as string];
    if (a === b) {
      layout.edges.push(loopOf(edge, layout.nodes.find(({ id }) => id === a) as PlacedNode));
      return;
    }
    const { points = [], x = 0, y = 0 } = plane.edge(a, b, String(index));
    const label = labelSize(edge.label);
    layout.edges.push({
      ...edge,
      points: routed((points as Point[]).slice(1, -1), boxOf(plane, a), boxOf(plane, b), bands),
      ...(edge.label !== undefined && { label_box: { ...label, ...cornerOf(x, y, label) } }),
    });
  });
  return layout;
}

/** A row of boxes, with some air. */
interface Band {
  top: number;
  bottom: number;
}

function bandsOf(plane: ReturnType<typeof planeOf>): Band[] {
  const bands = new Map<number, Band>();
  for (const id of plane.nodes()) {
    const { y, height } = boxOf(plane, id);
    const { rank = 0 } = plane.node(id);
    const { top, bottom } = bands.get(rank) ?? { top: y - AIR, bottom: y + height + AIR };
    bands.set(rank, {
      top: Math.min(top, y - AIR),
      bottom: Math.max(bottom, y + height + AIR),
    });
  }
  return [...bands.values()];
}

/** Through each row straight up or down, and aslant only between rows: so it crosses no box. */
function routed(bends: readonly Point[], from: Box, to: Box, bands: readonly Band[]): Point[] {
  const isDown = from.y < to.y;
  const through = (x: number, y: number): Point[] => {
    const band = bands.find(({ top, bottom }) => top <= y && y <= bottom);
    if (band === undefined) return [{ x, y }];
    const [near, far] = isDown ? [band.top, band.bottom] : [band.bottom, band.top];
    return [
      { x, y: near },
      { x, y: far },
    ];
  };
  const edgeX = ({ x, width }: Box, near: Point | undefined) => {
    const corner = Math.min(AIR, width / 2);
    return Math.min(Math.max(near?.x ?? 0, x + corner), x + width - corner);
  };
  const startX = edgeX(from, bends[0]);
  const endX = edgeX(to, bends.at(-1));
  const [, out = { x: startX, y: 0 }] = through(startX, from.y + from.height / 2);
  const [into = { x: endX, y: 0 }] = through(endX, to.y + to.height / 2);
  const points = [
    { x: startX, y: isDown ? from.y + from.height : from.y },
    out,
    ...bends.flatMap(({ x, y }) => through(x, y)),
    into,
    { x: endX, y: isDown ? to.y : to.y + to.height },
  ];
  return points.map(({ x, y }) => ({ x: round(x), y: round(y) }));
}

function boxOf(plane: ReturnType<typeof planeOf>, id: string): Box {
  const { x = 0, y = 0, width, height } = plane.node(id);
  return { x: x - width / 2, y: y - height / 2, width, height };
}

/** What is drawn of a group: a title, a dot where it begins, and its contents. */
function groupLayout(group: GraphGroup, all: readonly GraphEdge[]): Layout {
  const members = ownersIn(group);
  const entry = all.find(({ from, to }) => members.has(to) && !members.has(from));
  const dot: GraphNode = { id: `${group.id}/(entry)`, label: "", type: "entry" };
  const begins: GraphEdge[] = entry ? [{ from: dot.id, to: entry.to, kind: "next" }] : [];
  const nodes = entry ? [dot, ...group.nodes] : group.nodes;
  const inside = place({ nodes, groups: group.groups }, [...begins, ...all], 0);
  const { width } = sizeOfText([group.label]);
  const wide = Math.max(inside.width, width);
  const by = { x: PADDING + (wide - inside.width) / 2, y: LINE + PADDING };
  return {
    ...movedBy(inside, by),
    width: up(wide + 2 * PADDING),
    height: up(inside.height + LINE + 2 * PADDING),
  };
}

/** Each node inside, however deep, and the node or group of this container that it is in. */
function ownersIn({ nodes, groups }: Container): Map<string, string> {
  const owners = new Map(nodes.map(({ id }) => [id, id]));
  for (const group of groups) {
    for (const id of ownersIn(group).keys()) owners.set(id, group.id);
  }
  return owners;
}

/** By node: the space that its ways back to itself need beside it. */
function loopsOf(edges: readonly GraphEdge[]): Map<string, number> {
  const loops = new Map<string, number>();
  for (const { from, to, label } of edges) {
    const space = LOOP + labelSize(label).width;
    if (from === to) loops.set(from, Math.max(space, loops.get(from) ?? 0));
  }
  return loops;
}

function loopOf(edge: GraphEdge, { x, y, width, height }: Box): PlacedEdge {
  const right = x + width;
  const [out, back] = [y + height * 0.25, y + height * 0.75];
  const label = labelSize(edge.label);
  return {
    ...edge,
    points: [
      { x: right, y: round(out) },
      { x: right + LOOP, y: round(out) },
      { x: right + LOOP, y: round(back) },
      { x: right, y: round(back) },
    ],
    ...(edge.label !== undefined && {
      label_box: { ...label, x: round(right + LOOP), y: round(y + (height - label.height) / 2) },
    }),
  };
}

function sizeOf(node: GraphNode): { lines: string[]; width: number; height: number } {
  if (node.type === "entry") return { lines: [], width: DOT, height: DOT };
  const lines = node.label.split("\n").map((line) => cut(line));
  const { width, height } = sizeOfText(lines);
  return { lines, width: up(width + 2 * PADDING), height: up(height + PADDING) };
}

function labelSize(label: string | undefined): { width: number; height: number } {
  return label === undefined ? { width: 0, height: 0 } : sizeOfText([cut(label)]);
}

function sizeOfText(lines: readonly string[]): { width: number; height: number } {
  const longest = Math.max(...lines.map((line) => cells(line)));
  return { width: up(longest * CHARACTER), height: lines.length * LINE };
}

export function cut(text: string): string {
  const characters = [...text];
  return characters.length > MAX_LINE ? `${characters.slice(0, MAX_LINE - 1).join("")}…` : text;
}

/** Characters of some scripts, and pictures, take the room of two. */
function cells(text: string): number {
  const wide = /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}/u;
  let count = 0;
  for (const character of text) {
    count += wide.test(character) || /\p{Extended_Pictographic}/u.test(character) ? 2 : 1;
  }
  return count;
}

function movedBy(layout: Layout, { x, y }: Point): Layout {
  const moved = <T extends Point>(at: T): T => ({ ...at, x: round(at.x + x), y: round(at.y + y) });
  return {
    ...layout,
    nodes: layout.nodes.map(moved),
    groups: layout.groups.map(moved),
    edges: layout.edges.map(({ label_box: box, points, ...edge }) => ({
      ...edge,
      points: points.map(moved),
      ...(box && { label_box: moved(box) }),
    })),
  };
}

function cornerOf(x: number, y: number, size: { width: number; height: number }): Point {
  return { x: round(x - size.width / 2), y: round(y - size.height / 2) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function up(value: number): number {
  return Math.ceil(value);
}
