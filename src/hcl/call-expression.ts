import { type HclFunction, callFunction, parameterAt } from "./call-function.js";
import { convert } from "./convert-value.js";
import { ArgumentError, CtyError } from "./cty-error.js";
import { type Diagnostic, HclError, diagnosticsText, report } from "./diagnostic.js";
import type { Child, Expression, StaticCall } from "./expression.js";
import { goQuote } from "./go-quote.js";
import { decodeArgument } from "./argument-decoders.js";
import { nearHint } from "./near-name.js";
import { type Range, rangeBetween } from "./range.js";
import { LiteralExpression } from "./reference-expressions.js";
import { type Scope, findFunction, functionNames } from "./scope.js";
import { type Value, dynamicValue, itemsOf, unknownValue } from "./value.js";

/** Ranges of a call's parts. */
export interface CallRanges {
  readonly name: Range;
  readonly open: Range;
  readonly close: Range;
}

/** `name(a, b...)`. hclsyntax/expression.go `FunctionCallExpr`. */
export class CallExpression implements Expression {
  readonly name: string;
  readonly args: readonly Expression[];
  /** The last argument is a list of further ones. */
  readonly expandsLast: boolean;
  readonly #ranges: CallRanges;

  constructor(name: string, args: readonly Expression[], expandsLast: boolean, ranges: CallRanges) {
    this.name = name;
    this.args = args;
    this.expandsLast = expandsLast;
    this.#ranges = ranges;
  }

  get range(): Range {
    return rangeBetween(this.#ranges.name, this.#ranges.close);
  }

  get startRange(): Range {
    return rangeBetween(this.#ranges.name, this.#ranges.open);
  }

  children(): Child[] {
    return this.args.map((expression) => ({ expression }));
  }

  call(): StaticCall {
    const { name: nameRange, open, close } = this.#ranges;
    return { name: this.name, nameRange, argsRange: rangeBetween(open, close), args: this.args };
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const called = findFunction(scope, this.name);
    if (!called) return this.#unknown(scope, diagnostics);
    const args = this.expandsLast ? this.#expanded(scope, diagnostics) : this.args;
    if (!args || !this.#countFits(called, args, diagnostics)) return dynamicValue;
    const before = diagnostics.length;
    const values = args.map((arg, index) => this.#argument(called, arg, index, scope, diagnostics));
    if (diagnostics.length > before) return dynamicValue;
    try {
      return callFunction(called, values);
    } catch (error) {
      if (!(error instanceof CtyError) && !(error instanceof HclError)) throw error;
      this.#failed(called, args, error, diagnostics);
      return dynamicValue;
    }
  }

  #unknown(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    if (!scope) {
      report(diagnostics, this.range, "Function calls not allowed", "Functions may not be called here.");
      return dynamicValue;
    }
    const separator = this.name.lastIndexOf("::");
    const summary = "Call to unknown function";
    if (separator >= 0) {
      const namespace = this.name.slice(0, separator + 2);
      report(
        diagnostics,
        this.#ranges.name,
        summary,
        `There are no functions in namespace ${goQuote(namespace)}.`,
      );
    } else {
      const hint = nearHint(this.name, functionNames(scope));
      report(diagnostics, this.#ranges.name, summary, `There is no function named "${this.name}".${hint}`);
    }
    return dynamicValue;
  }

  #expanded(scope: Scope | undefined, diagnostics: Diagnostic[]): Expression[] | undefined {
    const last = this.args.at(-1) as Expression;
    const before = diagnostics.length;
    const value = last.value(scope, diagnostics);
    if (diagnostics.length > before) return undefined;
    const { kind } = value.type;
    const summary = "Invalid expanding argument value";
    if (kind !== "dynamic" && kind !== "tuple" && kind !== "list" && kind !== "set") {
      const detail = "The expanding argument (indicated by ...) must be of a tuple, list, or set type.";
      report(diagnostics, last.range, summary, detail);
      return undefined;
    }
    if (value.isNull) {
      const detail = "The expanding argument (indicated by ...) must not be null.";
      report(diagnostics, last.range, summary, detail);
      return undefined;
    }
    if (!value.isKnown || kind === "dynamic") return undefined;
    return [
      ...this.args.slice(0, -1),
      ...itemsOf(value).map((item) => new LiteralExpression(item, last.range)),
    ];
  }

  #countFits(called: HclFunction, args: readonly Expression[], diagnostics: Diagnostic[]): boolean {
    const { parameters, variadic } = called;
    const missing = parameters[args.length];
    if (missing) {
      const least = variadic ? " at least" : "";
      const detail = `Function "${this.name}" expects${least} ${parameters.length} argument(s). Missing value for "${missing.name}".`;
      report(diagnostics, this.#ranges.close, "Not enough function arguments", detail);
      return false;
    }
    const extra = variadic ? undefined : args[parameters.length];
    if (!extra) return true;
    const detail = `Function "${this.name}" expects only ${parameters.length} argument(s).`;
    report(diagnostics, extra.startRange, "Too many function arguments", detail);
    return false;
  }

  #argument(
    called: HclFunction,
    arg: Expression,
    index: number,
    scope: Scope | undefined,
    diagnostics: Diagnostic[],
  ) {
    const parameter = parameterAt(called, index);
    if (!parameter) return dynamicValue;
    const decoded = decodeArgument(parameter.type, arg, scope, diagnostics);
    if (decoded) return decoded;
    const value = arg.value(scope, diagnostics);
    try {
      return convert(value, parameter.type);
    } catch (error) {
      if (!(error instanceof CtyError)) throw error;
      const detail = `Invalid value for "${parameter.name}" parameter: ${error.message}.`;
      report(diagnostics, arg.startRange, "Invalid function argument", detail);
      return unknownValue(parameter.type);
    }
  }

  #failed(
    called: HclFunction,
    args: readonly Expression[],
    error: CtyError | HclError,
    diagnostics: Diagnostic[],
  ) {
    const message = error instanceof HclError ? diagnosticsText(error.diagnostics) : error.message;
    const parameter = error instanceof ArgumentError ? parameterAt(called, error.index) : undefined;
    if (error instanceof ArgumentError && parameter) {
      const arg = args[error.index];
      const detail = `Invalid value for "${parameter.name}" parameter: ${message}.`;
      report(diagnostics, arg?.startRange ?? this.range, "Invalid function argument", detail);
      return;
    }
    const detail = `Call to function "${this.name}" failed: ${message}.`;
    report(diagnostics, this.startRange, "Error in function call", detail);
  }
}
