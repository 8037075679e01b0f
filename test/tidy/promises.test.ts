// No promise is left alone: one that nobody waits for hides its error, or ends the process with it.

import ts from "typescript";
import { describe, expect, it } from "vitest";
import { ROOT } from "./tree.js";

/** Statements whose promise is neither awaited, nor handled, nor marked `void` on purpose. */
function leftAlone(program: ts.Program, inside: (path: string) => boolean): string[] {
  const checker = program.getTypeChecker();
  const found: string[] = [];
  for (const file of program.getSourceFiles().filter(({ fileName }) => inside(fileName))) {
    ts.forEachChild(file, function visit(node: ts.Node): void {
      if (ts.isExpressionStatement(node) && isLeftAlone(node.expression, checker)) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${file.fileName.replace(ROOT, "")}:${line + 1}`);
      }
      ts.forEachChild(node, visit);
    });
  }
  return found;
}

function isLeftAlone(expression: ts.Expression, checker: ts.TypeChecker): boolean {
  if (ts.isAwaitExpression(expression) || ts.isVoidExpression(expression)) return false;
  if (handlesRejection(expression)) return false;
  // An assignment keeps the promise where another may wait for it.
  if (ts.isBinaryExpression(expression) && isAssignment(expression)) return false;
  return isPromise(checker.getTypeAtLocation(expression), checker);
}

function isAssignment({ operatorToken: { kind } }: ts.BinaryExpression): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

function handlesRejection(expression: ts.Expression): boolean {
  if (!ts.isCallExpression(expression)) return false;
  if (!ts.isPropertyAccessExpression(expression.expression)) return false;
  const { name } = expression.expression;
  if (name.text === "catch") return true;
  return name.text === "then" && expression.arguments.length === 2;
}

function isPromise(type: ts.Type, checker: ts.TypeChecker): boolean {
  if (type.isUnion()) return type.types.some((part) => isPromise(part, checker));
  if ((type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0) return false;
  return checker.getPropertyOfType(type, "then") !== undefined;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ["lib.es2023.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  skipLibCheck: true,
  noEmit: true,
};

describe("no promise is left alone", () => {
  it("in src or test", () => {
    const config = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile);
    const { fileNames, options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
    const program = ts.createProgram(fileNames, options);
    expect(fileNames).toContain(`${ROOT}src/engine/run.ts`);
    const ours = (path: string) => path.startsWith(ROOT) && !path.includes("/node_modules/");
    expect(leftAlone(program, ours)).toEqual([]);
  }, 180_000);

  it("and a planted one is found", () => {
    const planted = [
      "declare function work(): Promise<void>;",
      "declare function maybe(): Promise<void> | undefined;",
      "declare function idle(): void;",
      "let kept: Promise<void>;",
      "work();",
      "work().then(idle);",
      "maybe();",
      "kept = work();",
      "void work();",
      "await work();",
      "work().catch(idle);",
      "work().then(idle, idle);",
      "idle();",
      "export {};",
    ].join("\n");
    const host = ts.createCompilerHost(OPTIONS);
    const { getSourceFile, fileExists } = host;
    host.getSourceFile = (name, ...rest) =>
      name === "/planted.mts"
        ? ts.createSourceFile(name, planted, ts.ScriptTarget.ES2023, true)
        : getSourceFile.call(host, name, ...rest);
    host.fileExists = (name) => name === "/planted.mts" || fileExists.call(host, name);
    const program = ts.createProgram(["/planted.mts"], OPTIONS, host);
    const found = leftAlone(program, (path) => path === "/planted.mts");
    expect(found).toEqual(["/planted.mts:5", "/planted.mts:6", "/planted.mts:7"]);
  });
});
