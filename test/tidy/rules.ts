// The rules of a tidy house: each reads one text file and says what is wrong with it, line by line.

import ts from "typescript";
import { forbiddenWord } from "./words.js";

export interface Text {
  /** From the repository's root, with `/`. */
  path: string;
  text: string;
}

export interface Complaint {
  line: number;
  message: string;
}

export interface Rule {
  name: string;
  /** Which files the rule is about. */
  covers(path: string): boolean;
  check(text: Text): Complaint[];
}

export const MAX_FILE_LINES = 400;
export const MAX_FUNCTION_LINES = 70;
export const MAX_COLUMNS = 100;

export const RULES: readonly Rule[] = [
  { name: "says-what-it-is", covers: isCode, check: saysWhatItIs },
  { name: "file-length", covers: isProse, check: fileLength },
  { name: "line-length", covers: isProse, check: lineLength },
  { name: "function-length", covers: isCode, check: functionLength },
  { name: "no-loose-ends", covers: isOurs, check: noLooseEnds },
  { name: "no-any", covers: isCode, check: noAny },
  { name: "no-enum", covers: isCode, check: noEnum },
  { name: "no-default-export", covers: isNoToolConfig, check: noDefaultExport },
  { name: "every-test-runs", covers: isTestCode, check: everyTestRuns },
  { name: "time-and-chance-come-in", covers: isPure, check: timeAndChanceComeIn },
  { name: "one-word-for-one-thing", covers: isSource, check: oneWordForOneThing },
];

export function complaints(text: Text): string[] {
  return RULES.filter((rule) => rule.covers(text.path)).flatMap((rule) =>
    rule.check(text).map((c) => `${text.path}:${c.line}: ${c.message} [${rule.name}]`),
  );
}

function isOurs(path: string): boolean {
  return path !== "package-lock.json";
}

function isCode(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

/** Written by hand to be read: code, styles, pages, scripts. Fixtures are what they must be. */
function isProse(path: string): boolean {
  return isCode(path) || /\.(css|html|c|sh)$/.test(path) || path === ".ci/run";
}

function isSource(path: string): boolean {
  return isCode(path) && path.startsWith("src/");
}

function isTestCode(path: string): boolean {
  return isCode(path) && path.startsWith("test/");
}

function isPure(path: string): boolean {
  return isCode(path) && /^src\/(flow|engine|triggers|connectors)\/|^src\/limits\.ts$/.test(path);
}

function isNoToolConfig(path: string): boolean {
  return isCode(path) && !/^[^/]+\.config\.[cm]?[jt]s$/.test(path);
}

function saysWhatItIs({ text }: Text): Complaint[] {
  const lines = text.split("\n");
  const line = lines[0]?.startsWith("#!") ? 2 : 1;
  const said = /^\/\/ (.*)$/.exec(lines[line - 1] ?? "")?.[1] ?? "";
  if (said.split(" ").length >= 3 && !/^(biome|@ts|eslint|v8)\b/.test(said)) return [];
  return [{ line, message: "the first line must be a `//` comment that says what the file is" }];
}

function fileLength({ text }: Text): Complaint[] {
  const count = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (count <= MAX_FILE_LINES) return [];
  return [{ line: MAX_FILE_LINES + 1, message: `${count} lines, at most ${MAX_FILE_LINES}` }];
}

function lineLength({ text }: Text): Complaint[] {
  return text.split("\n").flatMap((content, index) => {
    const columns = [...content].length;
    if (columns <= MAX_COLUMNS) return [];
    return [{ line: index + 1, message: `${columns} columns, at most ${MAX_COLUMNS}` }];
  });
}

function functionLength(text: Text): Complaint[] {
  return everyNode(text).flatMap((node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return [];
    const count = isTestCode(text.path) ? lines(node) - linesOfSuites(node) : lines(node);
    if (count <= MAX_FUNCTION_LINES) return [];
    const message = `a function of ${count} lines, at most ${MAX_FUNCTION_LINES}`;
    return [{ line: lineOf(node), message }];
  });
}

function lines(node: ts.Node): number {
  const file = node.getSourceFile();
  return file.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - lineOf(node);
}

/** A suite is a list of tests, not a function: each test in it is measured by itself. */
function linesOfSuites(node: ts.Node): number {
  let sum = 0;
  ts.forEachChild(node, function visit(child: ts.Node): void {
    if (ts.isCallExpression(child) && isSuiteOrTest(child.expression)) sum += lines(child);
    else ts.forEachChild(child, visit);
  });
  return sum;
}

/** `describe`, `it.each(rows)`, `test.for(rows)` … */
function isSuiteOrTest(expression: ts.Expression): boolean {
  if (ts.isIdentifier(expression)) return /^(describe|suite|it|test)$/.test(expression.text);
  if (ts.isPropertyAccessExpression(expression)) return isSuiteOrTest(expression.expression);
  if (ts.isCallExpression(expression)) return isSuiteOrTest(expression.expression);
  return false;
}

function noLooseEnds({ text }: Text): Complaint[] {
  const loose = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b|@ts-[in]`);
  return text.split("\n").flatMap((content, index) => {
    const found = loose.exec(content);
    return found === null ? [] : [{ line: index + 1, message: `a loose end: ${found[0]}` }];
  });
}

function noAny(text: Text): Complaint[] {
  return everyNode(text)
    .filter((node) => node.kind === ts.SyntaxKind.AnyKeyword)
    .map((node) => ({ line: lineOf(node), message: "`any` switches the compiler off" }));
}

function noEnum(text: Text): Complaint[] {
  return everyNode(text)
    .filter(ts.isEnumDeclaration)
    .map((node) => ({ line: lineOf(node), message: "a union of strings says it without `enum`" }));
}

function noDefaultExport(text: Text): Complaint[] {
  return everyNode(text)
    .filter((node) => ts.isExportAssignment(node) || isDefaultDeclaration(node))
    .map((node) => ({ line: lineOf(node), message: "a default export has no name to look for" }));
}

function isDefaultDeclaration(node: ts.Node): boolean {
  if (ts.isExportSpecifier(node)) return node.name.text === "default";
  if (!ts.canHaveModifiers(node)) return false;
  return (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.DefaultKeyword);
}

function everyTestRuns(text: Text): Complaint[] {
  return everyNode(text).flatMap((node) => {
    if (!ts.isPropertyAccessExpression(node)) return [];
    if (!/^(only|skip|todo|fails)$/.test(node.name.text)) return [];
    if (!isSuiteOrTest(node.expression)) return [];
    return [{ line: lineOf(node), message: `\`.${node.name.text}\` hides a test` }];
  });
}

function timeAndChanceComeIn(text: Text): Complaint[] {
  return everyNode(text).flatMap((node) => {
    const what = readsTimeOrChance(node);
    if (what === null) return [];
    return [{ line: lineOf(node), message: `${what}: time and chance come in as arguments` }];
  });
}

function readsTimeOrChance(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const name = `${node.expression.text}.${node.name.text}`;
    return name === "Date.now" || name === "Math.random" ? name : null;
  }
  if (ts.isNewExpression(node) && isNamed(node.expression, "Date")) {
    return (node.arguments ?? []).length === 0 ? "new Date()" : null;
  }
  return ts.isCallExpression(node) && isNamed(node.expression, "Date") ? "Date()" : null;
}

function isNamed(node: ts.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

function oneWordForOneThing(text: Text): Complaint[] {
  return everyNode(text).flatMap((node) => {
    const name = declaredName(node);
    const found = name === null ? null : forbiddenWord(text.path, name);
    if (found === null) return [];
    return [{ line: lineOf(node), message: `\`${name}\`: the word for it is ${found}` }];
  });
}

/** Names we choose. Keys of object literals are not: they may be what a library wants. */
function declaredName(node: ts.Node): string | null {
  const declares =
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isPropertySignature(node) ||
    ts.isMethodSignature(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isMethodDeclaration(node);
  if (!declares || node.name === undefined) return null;
  return ts.isIdentifier(node.name) || ts.isPrivateIdentifier(node.name) ? node.name.text : null;
}

const parsed = new WeakMap<Text, ts.Node[]>();

function everyNode(text: Text): ts.Node[] {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const nodes: ts.Node[] = [];
  const file = ts.createSourceFile(text.path, text.text, ts.ScriptTarget.Latest, true);
  ts.forEachChild(file, function visit(node: ts.Node): void {
    nodes.push(node);
    ts.forEachChild(node, visit);
  });
  parsed.set(text, nodes);
  return nodes;
}

function lineOf(node: ts.Node): number {
  return node.getSourceFile().getLineAndCharacterOfPosition(node.getStart()).line + 1;
}
