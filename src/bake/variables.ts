import {
  type Attribute,
  type Block,
  CtyError,
  type Diagnostic,
  type Expression,
  HclError,
  type Range,
  type Scope,
  type Type,
  type Value,
  boolType,
  convert,
  encodeJson,
  isTrue,
  keywordOf,
  nullValue,
  report,
  stringType,
  textOf,
  textValue,
  typeConstraint,
  typeName,
} from "../hcl/index.js";
import { fromJson, fromOutside, fromText, isPrimitive } from "./variable-override.js";

/** A variable of a definition, as lists show it. */
export interface BakeVariable {
  readonly name: string;
  readonly description?: string;
  /** The declared type, as `list of string`. */
  readonly type?: string;
  /** As text; other than text as JSON. Left out for null. */
  readonly value?: string;
}

type Load = (expression: Expression) => void;

const schema = {
  attributes: [{ name: "type" }, { name: "default" }, { name: "description" }],
  blocks: [{ type: "validation" }],
};
const rules = {
  attributes: [
    { name: "condition", required: true },
    { name: "error_message", required: true },
  ],
};

/** The variables of a definition. A later block replaces earlier ones of the same name. */
export class Variables {
  readonly #blocks: ReadonlyMap<string, Block>;
  readonly #lookup: (name: string) => string | undefined;
  readonly #builtins: ReadonlyMap<string, string>;
  readonly #types = new Map<string, Type>();
  readonly #content = new Map<string, ReturnType<Block["body"]["find"]>>();

  constructor(
    blocks: ReadonlyMap<string, Block>,
    lookup: (name: string) => string | undefined,
    builtins: ReadonlyMap<string, string>,
  ) {
    this.#blocks = blocks;
    this.#lookup = lookup;
    this.#builtins = builtins;
    const diagnostics: Diagnostic[] = [];
    for (const [name, block] of blocks) this.#content.set(name, block.body.find(schema, diagnostics));
    refuse(diagnostics);
  }

  get names(): Iterable<string> {
    return this.#blocks.keys();
  }

  has(name: string): boolean {
    return this.#blocks.has(name);
  }

  rangeOf(name: string): Range {
    return (this.#blocks.get(name) as Block).body.missingRange;
  }

  /** A top-level attribute: a value that other expressions may name, and a variable's block of its name may not set. */
  constant(attribute: Attribute, scope: Scope, load: Load): Value {
    load(attribute.expression);
    const diagnostics: Diagnostic[] = [];
    const value = attribute.expression.value(scope, diagnostics);
    refuse(diagnostics);
    return this.#blocks.has(attribute.name)
      ? this.#overridden(attribute.name, value, undefined, true)
      : value;
  }

  evaluate(name: string, scope: Scope, load: Load): Value {
    const { attributes } = this.#content.get(name) as ReturnType<Block["body"]["find"]>;
    const diagnostics: Diagnostic[] = [];
    const type = this.#typeOf(name, attributes.get("type")?.expression, diagnostics);
    refuse(diagnostics);
    const given = attributes.get("default")?.expression;
    if (!given) return this.#overridden(name, undefined, type, false);
    load(given);
    let value = given.value(scope, diagnostics);
    refuse(diagnostics);
    if (type) {
      try {
        value = convert(value, type);
      } catch (error) {
        if (!(error instanceof CtyError)) throw error;
        throw new CtyError(
          `invalid type ${typeName(type)} for variable ${name} default value: ${error.message}`,
        );
      }
    }
    return this.#overridden(name, value, type, true);
  }

  #typeOf(name: string, expression: Expression | undefined, diagnostics: Diagnostic[]): Type | undefined {
    if (!expression || keywordOf(expression) === "null") return undefined;
    const type = typeConstraint(expression, diagnostics);
    if (type.kind === "dynamic" && keywordOf(expression) !== "any") return undefined;
    this.#types.set(name, type);
    return type;
  }

  #overridden(name: string, value: Value | undefined, type: Type | undefined, hasDefault: boolean): Value {
    const given = this.#given(name, type !== undefined);
    if (!given) return value ?? (type ? nullValue(type) : textValue(""));
    const { text, isJson } = given;
    if (type) return isJson ? fromJson(name, text, type) : fromOutside(name, text, type);
    // Without a type it is of the kind that its default is.
    if (!hasDefault || !value || value.type.kind === "dynamic") return textValue(text);
    if (!isPrimitive(value.type))
      throw new CtyError(`unsupported type ${typeName(value.type)} for variable ${name}`);
    return fromText(name, text, value.type);
  }

  /** What is given from outside: by the variable's name, or as JSON by `NAME_JSON`, which takes precedence for typed ones. */
  #given(name: string, isTyped: boolean): { text: string; isJson: boolean } | undefined {
    const text = this.#lookup(name);
    const other = `${name}_JSON`;
    const isFree = !this.#blocks.has(other) && !this.#builtins.has(other);
    const json = isFree && (isTyped || text === undefined) ? this.#lookup(other) : undefined;
    if (json !== undefined) return { text: json, isJson: true };
    return text === undefined ? undefined : { text, isJson: false };
  }

  describe(name: string, value: Value | undefined): BakeVariable {
    const { attributes } = this.#content.get(name) as ReturnType<Block["body"]["find"]>;
    const type = this.#types.get(name);
    const given = attributes.get("description")?.expression.value(undefined, []);
    const description = given?.type.kind === "string" && given.isKnown && !given.isNull ? textOf(given) : "";
    return {
      name,
      ...(description === "" ? {} : { description }),
      ...(type ? { type: typeName(type, true) } : {}),
      ...(value && !value.isNull && value.isKnown ? { value: shown(value) } : {}),
    };
  }

  /** Errors from the variables' own validation rules. */
  validate(scope: Scope): Diagnostic[] {
    const diagnostics: Diagnostic[] = [];
    for (const { blocks } of this.#content.values()) {
      for (const { body } of blocks) validateRule(body, scope, diagnostics);
    }
    return diagnostics;
  }
}

function validateRule(body: Block["body"], scope: Scope, diagnostics: Diagnostic[]): void {
  const before = diagnostics.length;
  const { attributes } = body.find(rules, diagnostics);
  if (diagnostics.length > before) return;
  const condition = (attributes.get("condition") as Attribute).expression;
  const result = condition.value(scope, diagnostics);
  if (diagnostics.length > before) return;
  const refused = (detail: string) =>
    report(diagnostics, condition.range, "Invalid condition result", detail);
  if (result.isNull) {
    refused("Condition expression must return either true or false, not null.");
    return;
  }
  let holds: Value;
  try {
    holds = convert(result, boolType);
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    refused(`Invalid condition result value: ${error.message}`);
    return;
  }
  if (isTrue(holds)) return;
  const message = (attributes.get("error_message") as Attribute).expression.value(scope, diagnostics);
  if (diagnostics.length > before) return;
  const isText = message.type.kind === "string" && message.isKnown && !message.isNull;
  const detail = isText ? textOf(message) : "This check failed, but has an invalid error message.";
  report(diagnostics, condition.range, "Validation failed", detail);
}

function shown(value: Value): string {
  const { kind } = value.type;
  return kind === "string" || kind === "number" || kind === "bool"
    ? textOf(convert(value, stringType))
    : encodeJson(value);
}

function refuse(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new HclError(diagnostics);
}
