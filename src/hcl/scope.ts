import type { HclFunction } from "./call-function.js";
import type { Value } from "./value.js";

/** Names that an expression may use, and those of the scope around it. */
export interface Scope {
  readonly variables: Map<string, Value>;
  readonly functions?: Map<string, HclFunction>;
  readonly parent?: Scope;
}

/** A scope inside another, with names of its own. */
export function childScope(parent: Scope | undefined, variables: Iterable<readonly [string, Value]>): Scope {
  const own = new Map(variables);
  return parent ? { parent, variables: own } : { variables: own };
}

/** The value of a name in this scope or one around it. */
export function findVariable(scope: Scope, name: string): Value | undefined {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    const value = at.variables.get(name);
    if (value) return value;
  }
  return undefined;
}

export function findFunction(scope: Scope | undefined, name: string): HclFunction | undefined {
  for (let at = scope; at; at = at.parent) {
    const found = at.functions?.get(name);
    if (found) return found;
  }
  return undefined;
}

/** All variables that an expression may name here. */
export function* variableNames(scope: Scope): Generator<string> {
  for (let at: Scope | undefined = scope; at; at = at.parent) yield* at.variables.keys();
}

export function* functionNames(scope: Scope | undefined): Generator<string> {
  for (let at = scope; at; at = at.parent) yield* at.functions?.keys() ?? [];
}
