import { convert } from "./convert-value.js";
import { CtyError } from "./cty-error.js";
import { type Diagnostic, report } from "./diagnostic.js";
import type { Child, Expression, StaticCall, Step } from "./expression.js";
import { goQuote } from "./go-quote.js";
import { type JsonField, type JsonNode, nodeStart } from "./json-node.js";
import { parseBareTemplate, parseExpression } from "./parse-expression.js";
import { type Range, rangeText } from "./range.js";
import type { Scope } from "./scope.js";
import { dynamicType, stringType } from "./types.js";
import { type Value, boolValue, dynamicValue, nullValue, numberValue, objectValue, textOf, textValue, tupleValue } from "./value.js"; // prettier-ignore

/** A value in JSON's syntax: texts are templates, property names too. hashicorp/hcl 2.24 json/structure.go. */
export class JsonExpression implements Expression {
  readonly #node: JsonNode;

  constructor(node: JsonNode) {
    this.#node = node;
  }

  get range(): Range {
    return this.#node.range;
  }

  get startRange(): Range {
    return nodeStart(this.#node);
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const node = this.#node;
    switch (node.kind) {
      case "string":
        return templateValue(node.text, node.range, scope, diagnostics);
      case "number":
        return numberValue(node.number);
      case "bool":
        return boolValue(node.value);
      case "array":
        return tupleValue(node.items.map((item) => new JsonExpression(item).value(scope, diagnostics)));
      case "object":
        return objectOf(node.fields, scope, diagnostics);
      case "null":
        return nullValue(dynamicType);
      default:
        return dynamicValue;
    }
  }

  children(): Child[] {
    const node = this.#node;
    switch (node.kind) {
      case "string": {
        const own: Diagnostic[] = [];
        const template = parsed(node.text, node.range, own);
        return own.length > 0 ? [] : [{ expression: template }];
      }
      case "array":
        return node.items.map((item) => ({ expression: new JsonExpression(item) }));
      case "object":
        return node.fields.flatMap(({ name, nameRange, value }) => [
          { expression: new JsonExpression({ kind: "string", text: name, range: nameRange }) },
          { expression: new JsonExpression(value) },
        ]);
      default:
        return [];
    }
  }

  reference(): readonly Step[] | undefined {
    return this.#asNative()?.reference?.();
  }

  call(): StaticCall | undefined {
    return this.#asNative()?.call?.();
  }

  list(): readonly Expression[] | undefined {
    return this.#node.kind === "array" ? this.#node.items.map((item) => new JsonExpression(item)) : undefined;
  }

  pairs(): readonly (readonly [Expression, Expression])[] | undefined {
    if (this.#node.kind !== "object") return undefined;
    return this.#node.fields.map(({ name, nameRange, value }) => [
      new JsonExpression({ kind: "string", text: name, range: nameRange }),
      new JsonExpression(value),
    ]);
  }

  /** A text read as native syntax, where words are asked for rather than values. */
  #asNative(): Expression | undefined {
    if (this.#node.kind !== "string") return undefined;
    const own: Diagnostic[] = [];
    const { text, range } = this.#node;
    const expression = parseExpression(text, range.filename, range.start, own);
    return own.length > 0 ? undefined : expression;
  }
}

function parsed(text: string, range: Range, diagnostics: Diagnostic[]): Expression {
  const { line, column } = range.start;
  return parseBareTemplate(text, range.filename, { line, column: column + 1 }, diagnostics);
}

function templateValue(
  text: string,
  range: Range,
  scope: Scope | undefined,
  diagnostics: Diagnostic[],
): Value {
  if (!scope || !/[$%]/.test(text)) return textValue(text);
  const before = diagnostics.length;
  const template = parsed(text, range, diagnostics);
  return diagnostics.length > before ? dynamicValue : template.value(scope, diagnostics);
}

function objectOf(fields: readonly JsonField[], scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
  const values = new Map<string, Value>();
  const ranges = new Map<string, Range>();
  let known = true;
  for (const { name, nameRange, value } of fields) {
    const given = templateValue(name, nameRange, scope, diagnostics);
    const item = new JsonExpression(value).value(scope, diagnostics);
    const refuse = (detail: string) =>
      report(diagnostics, nameRange, "Invalid object key expression", detail);
    let key: Value;
    try {
      key = convert(given, stringType);
    } catch (error) {
      if (!(error instanceof CtyError)) throw error;
      refuse(`Cannot use this expression as an object key: ${error.message}.`);
      continue;
    }
    if (key.isNull) refuse("Cannot use null value as an object key.");
    else if (!key.isKnown) known = false;
    else if (values.has(textOf(key))) {
      const where = rangeText(ranges.get(textOf(key)) as Range);
      const detail = `An attribute named ${goQuote(textOf(key))} was already defined at ${where}.`;
      report(diagnostics, nameRange, "Duplicate object attribute", detail);
    } else {
      values.set(textOf(key), item);
      ranges.set(textOf(key), nameRange);
    }
  }
  return known ? objectValue(values) : dynamicValue;
}
