// Expressions: found in texts, checked against types, evaluated over JSON. CEL hides behind this.

export { checkBare, checkText, type Place } from "./check.js";
export {
  type Declarations,
  isReservedName,
  type TypeEnv,
  typeEnv,
  withError,
  withItem,
} from "./env.js";
export {
  evaluateBare,
  evaluateCondition,
  evaluateConfig,
  evaluateValue,
  type FilledConfig,
  type SecretText,
} from "./evaluate.js";
export {
  type Checked,
  ExpressionError,
  type ExpressionErrorKind,
  type Finding,
  type FindingKind,
  type Reference,
} from "./finding.js";
export {
  type ExpressionPart,
  type Found,
  findExpressions,
  type LiteralPart,
  type Part,
  wholeExpression,
} from "./parts.js";
export type { Scope } from "./program.js";
export { typeOf } from "./schema-type.js";
export { accepts, nameOf, type ObjectType, type Type } from "./types.js";
