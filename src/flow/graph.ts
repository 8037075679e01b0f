// A workflow as a picture: its nodes and ways as data, and as Mermaid or Graphviz text.

import type { Json, JsonObject } from "./json.js";
import type { Body, Step, Workflow } from "./workflow.js";

export interface GraphNode {
  /** The step's id; `start` and `end` of the workflow have ids that no step can have. */
  id: string;
  label: string;
  /** The step's type, or `start` or `end`. */
  type: string;
}

export interface GraphEdge {
  from: string;
  to: string;
  kind: "next" | "case" | "otherwise" | "on_error";
  /** The condition of a case; `else`; `error`. */
  label?: string;
}

/** The steps inside a foreach, or in one branch of a parallel. */
export interface GraphGroup {
  id: string;
  label: string;
  nodes: GraphNode[];
  groups: GraphGroup[];
}

export interface Graph {
  nodes: GraphNode[];
  groups: GraphGroup[];
  edges: GraphEdge[];
}

const START = "(start)";
const END = "(end)";

export function graphOf(workflow: Workflow): Graph {
  const edges: GraphEdge[] = [{ from: START, to: workflow.entry_point, kind: "next" }];
  const { nodes, groups } = contents(workflow, END, edges);
  const ends = edges.some(({ to }) => to === END) ? [{ id: END, label: "end", type: "end" }] : [];
  if (workflow.on_error !== undefined) {
    const to = workflow.on_error.next_step_id;
    edges.push({ from: START, to, kind: "on_error", label: "any error" });
  }
  const start: GraphNode = { id: START, label: workflow.name, type: "start" };
  return { nodes: [start, ...nodes, ...ends], groups, edges };
}

export function mermaid(workflow: Workflow): string {
  const graph = graphOf(workflow);
  const name = namer(graph);
  const lines = ["flowchart TD"];
  drawMermaid(graph, "  ", name, lines);
  for (const { from, to, kind, label } of graph.edges) {
    const arrow = kind === "on_error" ? "-.->" : "-->";
    const text = label === undefined ? "" : `|"${mermaidText(label)}"|`;
    lines.push(`  ${name(from)} ${arrow}${text} ${name(to)}`);
  }
  return `${lines.join("\n")}\n`;
}

export function dot(workflow: Workflow): string {
  const graph = graphOf(workflow);
  const lines = [
    `digraph ${dotText(workflow.id)} {`,
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif"];',
    "  compound=true;",
  ];
  drawDot(graph, "  ", lines);
  for (const { from, to, kind, label } of graph.edges) {
    const attributes = [
      ...(label === undefined ? [] : [`label=${dotText(label)}`]),
      ...(kind === "on_error" ? ["style=dashed"] : []),
    ];
    const shown = attributes.length === 0 ? "" : ` [${attributes.join(", ")}]`;
    lines.push(`  ${dotText(from)} -> ${dotText(to)}${shown};`);
  }
  return `${lines.join("\n")}\n}\n`;
}

/** A body's nodes and groups; its ways go to `edges`, and those that end it to `end`. */
function contents(
  body: Body,
  end: string | undefined,
  edges: GraphEdge[],
): { nodes: GraphNode[]; groups: GraphGroup[] } {
  const nodes: GraphNode[] = [];
  const groups: GraphGroup[] = [];
  for (const step of body.steps) {
    nodes.push({ id: step.id, label: labelOf(step), type: step.type });
    for (const edge of waysOf(step)) {
      const to = edge.to ?? end;
      if (to !== undefined) {
        edges.push({ ...edge, to });
      }
    }
    for (const { label, inner } of bodiesOf(step)) {
      const group = contents(inner, undefined, edges);
      groups.push({ id: `${step.id}/${label}`, label: `${step.id}: ${label}`, ...group });
      edges.push({ from: step.id, to: inner.entry_point, kind: "next", label });
    }
  }
  return { nodes, groups };
}

function waysOf(step: Step): (Omit<GraphEdge, "to"> & { to: string | null })[] {
  const from = step.id;
  const ways: (Omit<GraphEdge, "to"> & { to: string | null })[] = [];
  if (step.type === "branch") {
    for (const item of (step.config.cases ?? []) as JsonObject[]) {
      const to = item.next_step_id as string | null;
      ways.push({ from, to, kind: "case", label: shorten(String(item.when)) });
    }
    ways.push({ from, to: step.next_step_id, kind: "otherwise", label: "else" });
  } else if (step.type !== "fail") {
    ways.push({ from, to: step.next_step_id, kind: "next" });
  }
  if (step.on_error !== undefined && "next_step_id" in step.on_error) {
    ways.push({ from, to: step.on_error.next_step_id, kind: "on_error", label: "error" });
  }
  return ways;
}

function bodiesOf(step: Step): { label: string; inner: Body }[] {
  if (step.type === "foreach") {
    return [{ label: `each ${String(step.config.as)}`, inner: step.config as unknown as Body }];
  }
  if (step.type === "parallel") {
    const branches = step.config.branches as { [name: string]: Json };
    return Object.entries(branches).map(([label, inner]) => ({
      label,
      inner: inner as unknown as Body,
    }));
  }
  return [];
}

/** What a reader wants to know of a step besides its id. */
function labelOf(step: Step): string {
  const { config } = step;
  const detail =
    config.seconds ??
    config.for ??
    config.until ??
    config.url ??
    config.signal ??
    config.workflow_id ??
    config.message;
  const unit = typeof config.seconds === "number" ? " s" : "";
  const shown = typeof detail === "string" || typeof detail === "number" ? ` ${detail}${unit}` : "";
  return `${step.id}\n${shorten(`${step.type}${shown}`)}`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  // The end of a condition says as much as its beginning.
  return line.length > 40 ? `${line.slice(0, 22)}…${line.slice(-17)}` : line;
}

/** Step ids can be words of Mermaid (`end`), so nodes are numbered. */
function namer(graph: Graph): (id: string) => string {
  const names = new Map<string, string>();
  const add = ({ nodes, groups }: Pick<Graph, "nodes" | "groups">) => {
    for (const { id } of nodes) {
      names.set(id, `n${names.size}`);
    }
    groups.forEach(add);
  };
  add(graph);
  return (id) => names.get(id) ?? "n";
}

function drawMermaid(
  { nodes, groups }: Pick<Graph, "nodes" | "groups">,
  indent: string,
  name: (id: string) => string,
  lines: string[],
): void {
  for (const { id, label, type } of nodes) {
    const text = `"${mermaidText(label)}"`;
    const shape =
      type === "branch"
        ? `{${text}}`
        : type === "start" || type === "end"
          ? `([${text}])`
          : `[${text}]`;
    lines.push(`${indent}${name(id)}${shape}`);
  }
  for (const group of groups) {
    const [first] = group.nodes;
    lines.push(`${indent}subgraph g_${name(first?.id ?? "")} ["${mermaidText(group.label)}"]`);
    drawMermaid(group, `${indent}  `, name, lines);
    lines.push(`${indent}end`);
  }
}

function drawDot(
  { nodes, groups }: Pick<Graph, "nodes" | "groups">,
  indent: string,
  lines: string[],
): void {
  for (const { id, label, type } of nodes) {
    const shape =
      type === "branch"
        ? ", shape=diamond, style=solid"
        : type === "start" || type === "end"
          ? ", shape=oval"
          : "";
    lines.push(`${indent}${dotText(id)} [label=${dotText(label)}${shape}];`);
  }
  for (const group of groups) {
    lines.push(`${indent}subgraph ${dotText(`cluster_${group.id}`)} {`);
    lines.push(`${indent}  label=${dotText(group.label)};`);
    drawDot(group, `${indent}  `, lines);
    lines.push(`${indent}}`);
  }
}

/** Mermaid reads markup in labels; its entities are written with `#`. */
function mermaidText(text: string): string {
  return text
    .replace(/[#&<>"`\\{}[\]|]/g, (char) => `#${char.charCodeAt(0)};`)
    .replaceAll("\n", "<br/>");
}

function dotText(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
