// Expressions: found in texts, checked against types, evaluated over JSON. CEL hides behind this.

export { checkBare, checkText } from "./check.js";
export {
  isReservedName,
  NOT_KEPT,
  type TypeEnv,
  triggerEnv,
  typeEnv,
  withError,
  withItem,
} from "./env.js";
export {
  evaluateBare,
  evaluateCondition,
  evaluateConfig,
  evaluateValue,
  isConstant,
  type SecretText,
} from "./evaluate.js";
export {
  type Checked,
  ExpressionError,
  type Finding,
  type Reference,
} from "./finding.js";
export {
  type ExpressionPart,
  findExpressions,
  type Part,
  wholeExpression,
} from "./parts.js";
export { Members, type Scope } from "./program.js";
export { typeOf } from "./schema-type.js";
export { accepts, nameOf, type Type } from "./types.js";
