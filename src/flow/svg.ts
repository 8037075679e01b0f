// A workflow as a picture in SVG: no scripts, no outside fonts, the same bytes each time.

import { graphOf } from "./graph.js";
import {
  cut,
  FONT_SIZE,
  type Layout,
  layoutOf,
  type PlacedEdge,
  type PlacedGroup,
  type PlacedNode,
  type Point,
} from "./layout.js";
import type { Workflow } from "./workflow.js";

export function svg(workflow: Workflow): string {
  return drawn(layoutOf(graphOf(workflow)), workflow.name);
}

const FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const INK = "#1f2933";
const PALE = "#6b7785";
const ALARM = "#b42318";

/** What a box is filled with, by step type; others are the steps that touch the world. */
const FILLS: { readonly [type: string]: string } = {
  start: "#e6f4ea",
  end: "#eceff3",
  branch: "#fff4d6",
  foreach: "#eceff3",
  parallel: "#eceff3",
  set: "#eceff3",
  delay: "#f3ecfb",
  wait: "#f3ecfb",
  approval: "#f3ecfb",
  fail: "#fde8e6",
};
const FILL = "#e4f0fd";

function drawn({ width, height, nodes, groups, edges }: Layout, title: string): string {
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="${FONT_SIZE}">`,
    `<title>${xml(title)}</title>`,
    "<defs>",
    ...[arrowHead("next", PALE), arrowHead("error", ALARM)],
    "</defs>",
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...groups.map(drawnGroup),
    ...edges.map(drawnEdge),
    ...nodes.map(drawnNode),
    ...edges.flatMap(drawnLabel),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

function arrowHead(name: string, color: string): string {
  const attributes = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"';
  const path = `<path d="M0 0 L8 4 L0 8 z" fill="${color}"/>`;
  return `<marker id="arrow-${name}" orient="auto" ${attributes}>${path}</marker>`;
}

function drawnGroup({ x, y, width, height, label }: PlacedGroup): string {
  const box = `x="${x}" y="${y}" width="${width}" height="${height}" rx="8"`;
  const stroke = `stroke="${PALE}" stroke-dasharray="4 3"`;
  const title = `<text x="${x + 10}" y="${y + 18}" fill="${PALE}">${xml(cut(label))}</text>`;
  return `<rect ${box} fill="#f8f9fb" ${stroke}/>${title}`;
}

function drawnEdge({ points, kind }: PlacedEdge): string {
  const isError = kind === "on_error";
  const stroke = isError ? `stroke="${ALARM}" stroke-dasharray="5 3"` : `stroke="${PALE}"`;
  const head = isError ? "error" : "next";
  return `<path d="${curve(points)}" fill="none" ${stroke} marker-end="url(#arrow-${head})"/>`;
}

/** With its corners rounded, by less than the air around the boxes. */
function curve(points: readonly Point[]): string {
  const parts = points.map((point, index) => {
    const [before, next] = [points[index - 1], points[index + 1]];
    if (before === undefined) return `M${point.x} ${point.y}`;
    if (next === undefined) return `L${point.x} ${point.y}`;
    const [from, to] = [towards(point, before), towards(point, next)];
    return `L${from.x} ${from.y} Q${point.x} ${point.y} ${to.x} ${to.y}`;
  });
  return parts.join(" ");
}

function towards(from: Point, to: Point): Point {
  const far = Math.hypot(to.x - from.x, to.y - from.y);
  const share = far === 0 ? 0 : Math.min(RADIUS, far / 2) / far;
  const tenth = (value: number) => Math.round(value * 10) / 10;
  return {
    x: tenth(from.x + (to.x - from.x) * share),
    y: tenth(from.y + (to.y - from.y) * share),
  };
}

const RADIUS = 7;

function drawnNode({ x, y, width, height, type, lines }: PlacedNode): string {
  const [head = "", ...rest] = lines;
  if (type === "entry") {
    return `<circle cx="${x + width / 2}" cy="${y + height / 2}" r="4" fill="${PALE}"/>`;
  }
  const isTerminal = type === "start" || type === "end";
  const box = `x="${x}" y="${y}" width="${width}" height="${height}" rx="${isTerminal ? 14 : 5}"`;
  const fill = Object.hasOwn(FILLS, type) ? FILLS[type] : FILL;
  const middle = x + width / 2;
  const words = (text: string, row: number, style: string) =>
    `<text x="${middle}" y="${y + 18 + row * 16}" text-anchor="middle" ${style}>` +
    `${xml(text)}</text>`;
  return [
    `<rect ${box} fill="${fill}" stroke="${PALE}"/>`,
    words(head, 0, `fill="${INK}"${isTerminal ? "" : ' font-weight="bold"'}`),
    ...rest.map((line, row) => words(line, row + 1, `fill="${PALE}"`)),
  ].join("");
}

/** On a ground of its own, above all lines. */
function drawnLabel({ label, label_box: box, kind }: PlacedEdge): string[] {
  if (label === undefined || box === undefined) return [];
  const { x, y, width, height } = box;
  const ground = `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="#ffffff"/>`;
  const at = `x="${x + width / 2}" y="${y + 12}" text-anchor="middle"`;
  const color = kind === "on_error" ? ALARM : INK;
  return [`${ground}<text ${at} font-size="11" fill="${color}">${xml(cut(label))}</text>`];
}

/** XML has no way to write some characters at all. */
function xml(text: string): string {
  return text
    .replace(UNWRITABLE, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const UNWRITABLE = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
