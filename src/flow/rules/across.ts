// What is wrong only between the files of a folder: ids, and workflows that start each other.

import type { Place } from "../findings.js";
import { didYouMean } from "../mistakes.js";
import { get, stepsOf } from "../model.js";
import { checkContextGiven } from "./fit.js";
import type { Subject } from "./rule.js";

export interface Member extends Subject {
  file: string;
}

/** `complete`: every file could be read, so what is not here is nowhere. */
export function checkAcross(members: readonly Member[], complete: boolean): void {
  const claims = claimsOf(members);
  checkIds(claims);
  checkCapitals(claims);
  const byId = new Map<string, Member>();
  for (const [id, [first]] of claims) {
    if (first !== undefined) {
      byId.set(id, first.member);
    }
  }
  const references = members.flatMap((member) => referencesOf(member));
  for (const reference of references) {
    const { to, place, from } = reference;
    const target = byId.get(to);
    if (target !== undefined) {
      checkGiven(reference, target);
    } else if (complete) {
      const message = `there is no workflow "${to}" in this folder`;
      from.findings.add("workflow-ref", place, message, didYouMean(to, byId.keys()));
    }
  }
  checkCircles(references, byId);
  checkHooks(members);
}

type Claims = ReadonlyMap<string, { member: Member; place: Place }[]>;

function claimsOf(members: readonly Member[]): Claims {
  const claims = new Map<string, { member: Member; place: Place }[]>();
  for (const member of members) {
    const id = get(member.root, "id");
    if (typeof id?.json === "string") {
      claims.set(id.json, [...(claims.get(id.json) ?? []), { member, place: id }]);
    }
  }
  return claims;
}

/** Ids are the names under which workflows are served: no two files may claim one. */
function checkIds(claims: Claims): void {
  for (const [id, claimants] of claims) {
    for (const { member, place } of claimants.length > 1 ? claimants : []) {
      const others = claimants.filter((other) => other.member !== member);
      const files = others.slice(0, 3).map((other) => other.member.file);
      const shown = [...files, ...(others.length > 3 ? ["…"] : [])].join(", ");
      const message = `the id "${id}" is also used in ${shown}`;
      member.findings.add("workflow-id", place, message, "give each workflow its own id");
    }
  }
}

/** The store has a file for each id, and not every disk tells `Orders` from `orders`. */
function checkCapitals(claims: Claims): void {
  const byName = new Map<string, string[]>();
  for (const id of claims.keys()) {
    const name = id.toLowerCase();
    byName.set(name, [...(byName.get(name) ?? []), id]);
  }
  for (const [id, claimants] of claims) {
    const other = byName.get(id.toLowerCase())?.find((each) => each !== id);
    if (other === undefined) continue;
    const file = claims.get(other)?.[0]?.member.file;
    const message = `the id "${id}" is "${other}" of ${file}, but for its capitals`;
    for (const { member, place } of claimants) {
      member.findings.add("workflow-id", place, message, "give each workflow its own id");
    }
  }
}

interface Reference {
  from: Member;
  /** The workflow that is named, and where. */
  to: string;
  place: Place;
  /** A step starts the other one; by a trigger, the other one starts this. */
  kind: "step" | "trigger";
  pointer: string;
}

function referencesOf(from: Member): Reference[] {
  const found: Reference[] = [];
  for (const step of stepsOf(from.body)) {
    const id = step.type === "workflow" ? get(get(step.node, "config"), "workflow_id") : undefined;
    if (typeof id?.json === "string" && !id.json.includes("${{")) {
      found.push({ from, to: id.json, place: id, kind: "step", pointer: step.pointer });
    }
  }
  for (const trigger of get(from.root, "triggers")?.items ?? []) {
    const id = get(trigger, "type")?.json === "workflow" ? get(trigger, "workflow_id") : undefined;
    if (typeof id?.json === "string") {
      found.push({ from, to: id.json, place: id, kind: "trigger", pointer: "" });
    }
  }
  return found;
}

function checkGiven({ from, to, place, kind, pointer }: Reference, target: Member): void {
  if (kind === "step" && !target.findings.has("type", "value", "regex", "unknown-key")) {
    const step = [...stepsOf(from.body)].find((each) => each.pointer === pointer);
    const given = get(get(step?.node, "config"), "context");
    const declared = get(target.root, "context")?.json;
    const at = `${pointer}/config/context`;
    checkContextGiven(from, given, at, place, declared, `the workflow "${to}"`);
  }
}

/** Runs that start each other without end. */
function checkCircles(references: readonly Reference[], byId: ReadonlyMap<string, Member>): void {
  const starts = new Map<string, Set<string>>();
  const edges = references
    .filter(({ to }) => byId.has(to))
    .map((reference) => {
      const own = String(get(reference.from.root, "id")?.json);
      const [starter, started] =
        reference.kind === "step" ? [own, reference.to] : [reference.to, own];
      starts.set(starter, (starts.get(starter) ?? new Set()).add(started));
      return { reference, starter, started };
    });
  const circling = withoutEnds(starts);
  for (const { reference, starter, started } of edges) {
    if (!circling.has(starter) || !circling.has(started)) {
      continue;
    }
    const back = wayBetween(started, starter, starts);
    if (back !== undefined) {
      const circle = [starter, ...back].map((id) => `"${id}"`).join(" → ");
      const message = `workflows start each other without end: ${circle}`;
      reference.from.findings.add("workflow-ref", reference.place, message);
    }
  }
}

/** Takes away, again and again, who starts no one that is left: who remains leads to a circle. */
function withoutEnds(starts: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const startedBy = new Map<string, string[]>();
  const left = new Map<string, number>();
  for (const [starter, started] of starts) {
    left.set(starter, started.size);
    for (const id of started) {
      startedBy.set(id, [...(startedBy.get(id) ?? []), starter]);
      left.set(id, left.get(id) ?? starts.get(id)?.size ?? 0);
    }
  }
  const ends = [...left].filter(([, count]) => count === 0).map(([id]) => id);
  for (const end of ends) {
    for (const starter of startedBy.get(end) ?? []) {
      const count = (left.get(starter) ?? 0) - 1;
      left.set(starter, count);
      if (count === 0) {
        ends.push(starter);
      }
    }
  }
  return new Set([...left].filter(([, count]) => count > 0).map(([id]) => id));
}

/** The shortest, both ends included. */
function wayBetween(
  from: string,
  to: string,
  starts: ReadonlyMap<string, ReadonlySet<string>>,
): string[] | undefined {
  const came = new Map<string, string | undefined>([[from, undefined]]);
  const open = [from];
  for (const id of open) {
    if (id === to) {
      const way: string[] = [];
      for (let at: string | undefined = id; at !== undefined; at = came.get(at)) {
        way.unshift(at);
      }
      return way;
    }
    for (const next of starts.get(id) ?? []) {
      if (!came.has(next)) {
        came.set(next, id);
        open.push(next);
      }
    }
  }
  return undefined;
}

/** Whoever posts to a path starts one workflow: no two triggers may claim one. */
function checkHooks(members: readonly Member[]): void {
  const claims = new Map<string, { member: Member; place: Place }[]>();
  for (const member of members) {
    for (const trigger of get(member.root, "triggers")?.items ?? []) {
      const path = get(trigger, "type")?.json === "webhook" ? get(trigger, "path") : undefined;
      if (typeof path?.json === "string") {
        claims.set(path.json, [...(claims.get(path.json) ?? []), { member, place: path }]);
      }
    }
  }
  for (const [path, claimants] of claims) {
    for (const claim of claimants.length > 1 ? claimants : []) {
      const other = claimants.find((each) => each !== claim) ?? claim;
      const { member, place } = claim;
      const here = other.member === member;
      const where = here ? "by another trigger of this file" : `in ${other.member.file}`;
      const message = `the path "${path}" is also used ${where}`;
      member.findings.add("hook-path", place, message, "give each webhook trigger its own path");
    }
  }
}
