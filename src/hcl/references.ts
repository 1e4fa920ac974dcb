import { CallExpression } from "./call-expression.js";
import type { Expression, Step } from "./expression.js";
import { VariableExpression } from "./reference-expressions.js";

/** What an expression needs from outside: variables with the steps behind them, and names of functions. */
export interface References {
  readonly variables: (readonly [Extract<Step, { kind: "root" }>, ...Step[]])[];
  readonly calls: string[];
}

/** All that an expression refers to, in its order; names that a `for` inside of it makes are its own. */
export function referencesOf(expression: Expression): References {
  const found: References = { variables: [], calls: [] };
  collect(expression, new Set(), found);
  return found;
}

function collect(expression: Expression, locals: ReadonlySet<string>, found: References): void {
  if (expression instanceof VariableExpression) {
    const [root] = expression.steps;
    if (root?.kind === "root" && !locals.has(root.name)) {
      found.variables.push(expression.steps as References["variables"][number]);
    }
  }
  if (expression instanceof CallExpression) found.calls.push(expression.name);
  for (const child of expression.children()) {
    const inner = child.locals ? new Set([...locals, ...child.locals]) : locals;
    collect(child.expression, inner, found);
  }
}
