import type { BigFloat } from "./big-float.js";
import { type Diagnostic, report } from "./diagnostic.js";
import { type JsonToken, scanJson } from "./json-scan.js";
import { nearHint } from "./near-name.js";
import { parseNumber } from "./parse-number.js";
import { type Position, type Range, rangeBetween } from "./range.js";

/** A property, as it stands in the file. */
export interface JsonField {
  readonly name: string;
  readonly nameRange: Range;
  readonly value: JsonNode;
}

/** A piece of JSON with its place; `open` and `close` are the ranges of its brackets. */
export type JsonNode =
  | { readonly kind: "string"; readonly text: string; readonly range: Range }
  | { readonly kind: "number"; readonly number: BigFloat; readonly range: Range }
  | { readonly kind: "bool"; readonly value: boolean; readonly range: Range }
  | { readonly kind: "null" | "invalid"; readonly range: Range }
  | {
      readonly kind: "array";
      readonly items: readonly JsonNode[];
      readonly range: Range;
      readonly open: Range;
    }
  | {
      readonly kind: "object";
      readonly fields: readonly JsonField[];
      readonly range: Range;
      readonly open: Range;
      readonly close: Range;
    };

/** Where an error is shown that is about a piece as a whole. */
export function nodeStart(node: JsonNode): Range {
  return node.kind === "array" || node.kind === "object" ? node.open : node.range;
}

const valueRule = "A JSON value must start with a brace, a bracket, a number, a string, or a keyword.";
/** Levels of arrays and objects that a file may have. */
const deepest = 1000;

/** Parses a JSON text. hashicorp/hcl 2.24 json/parser.go, whose refusals these are. */
export function parseJsonNode(
  source: string,
  filename: string,
  start: Position,
  diagnostics: Diagnostic[],
): JsonNode {
  const parser = new JsonParser(scanJson(source, filename, start), diagnostics);
  const node = parser.value();
  if (diagnostics.length === 0) parser.expectEnd();
  return node;
}

class JsonParser {
  readonly #tokens: readonly JsonToken[];
  readonly #diagnostics: Diagnostic[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly JsonToken[], diagnostics: Diagnostic[]) {
    this.#tokens = tokens;
    this.#diagnostics = diagnostics;
  }

  expectEnd(): void {
    if (this.#peek().kind === "eof") return;
    this.#error(
      this.#peek().range,
      "Extraneous data after value",
      "Extra characters appear after the JSON value.",
    );
  }

  value(): JsonNode {
    const token = this.#peek();
    const before = this.#diagnostics.length;
    const node = this.#value(token);
    return node ?? (this.#diagnostics.length > before ? { kind: "invalid", range: token.range } : { kind: "null", range: token.range }); // prettier-ignore
  }

  #value(token: JsonToken): JsonNode | undefined {
    const refuse = (summary: string, detail = valueRule) => this.#error(token.range, summary, detail);
    switch (token.kind) {
      case "{":
      case "[": {
        if (this.#depth >= deepest)
          return refuse("Value too complex", `Values may be nested ${deepest} levels deep.`);
        this.#depth++;
        const node = token.kind === "{" ? this.#object() : this.#array();
        this.#depth--;
        return node;
      }
      case "number":
        return this.#number(this.#read());
      case "string":
        return this.#string(this.#read());
      case "keyword":
        return this.#keyword(this.#read());
      case "}":
        return refuse("Missing JSON value");
      case "]":
        return refuse("Missing array element value");
      case "eof":
        return refuse("Missing value", "The JSON data ends prematurely.");
      default:
        return refuse("Invalid start of value");
    }
  }

  #object(): JsonNode | undefined {
    const open = this.#read();
    const fields: JsonField[] = [];
    while (this.#peek().kind !== "}") {
      const key = this.value();
      if (key.kind !== "string") {
        const detail = "A JSON object property name must be a string";
        return this.#error(nodeStart(key), "Invalid object property name", detail);
      }
      const colon = this.#read();
      if (colon.kind !== ":") return this.#missingColon(colon);
      fields.push({ name: key.text, nameRange: key.range, value: this.value() });
      const next = this.#peek();
      if (next.kind === "}") break;
      if (next.kind === ",") {
        const comma = this.#read();
        if (this.#peek().kind !== "}") continue;
        const detail = "JSON does not permit a trailing comma after the final property in an object.";
        return this.#error(comma.range, "Trailing comma in object", detail);
      }
      if (next.kind === "eof") {
        return this.#error(open.range, "Unclosed object", "No closing brace was found for this JSON object.");
      }
      if (next.kind === "]") {
        this.#read();
        const detail = "A JSON object must be closed with a brace, not a bracket.";
        return this.#error(this.#peek().range, "Mismatched braces", detail);
      }
      this.#recover(this.#read(), "{", "}");
      const detail = "A comma must appear between each property definition in an object.";
      return this.#error(this.#peek().range, "Missing attribute seperator comma", detail);
    }
    const close = this.#read();
    const range = rangeBetween(open.range, close.range);
    return { kind: "object", fields, range, open: open.range, close: close.range };
  }

  #missingColon(found: JsonToken): undefined {
    this.#recover(found, "{", "}");
    if (found.kind === "}" || found.kind === ",") {
      const detail = "A JSON object attribute must have a value, introduced by a colon.";
      return this.#error(found.range, "Missing object value", detail);
    }
    const detail =
      found.kind === "="
        ? "JSON uses a colon as its name/value delimiter, not an equals sign."
        : "A colon must appear between an object property's name and its value.";
    return this.#error(found.range, "Missing property value colon", detail);
  }

  #array(): JsonNode | undefined {
    const open = this.#read();
    const items: JsonNode[] = [];
    while (this.#peek().kind !== "]") {
      items.push(this.value());
      const next = this.#peek();
      if (next.kind === "]") break;
      if (next.kind === ",") {
        const comma = this.#read();
        if (this.#peek().kind !== "]") continue;
        const detail = "JSON does not permit a trailing comma after the final value in an array.";
        return this.#error(comma.range, "Trailing comma in array", detail);
      }
      this.#recover(this.#read(), "[", "]");
      const here = this.#peek().range;
      switch (next.kind) {
        case ":":
          return this.#error(
            here,
            "Invalid array value",
            "A colon is not used to introduce values in a JSON array.",
          );
        case "eof":
          return this.#error(
            open.range,
            "Unclosed object",
            "No closing bracket was found for this JSON array.",
          );
        case "}":
          return this.#error(
            here,
            "Mismatched brackets",
            "A JSON array must be closed with a bracket, not a brace.",
          );
        default: {
          const detail = "A comma must appear between each value in an array.";
          return this.#error(here, "Missing attribute seperator comma", detail);
        }
      }
    }
    const close = this.#read();
    return { kind: "array", items, range: rangeBetween(open.range, close.range), open: open.range };
  }

  #number({ text, range }: JsonToken): JsonNode | undefined {
    const number = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text)
      ? parseNumber(text)
      : undefined;
    if (number) return { kind: "number", number, range };
    return this.#error(range, "Invalid JSON number", "There is a syntax error in the given JSON number.");
  }

  #string({ text, range }: JsonToken): JsonNode | undefined {
    try {
      return { kind: "string", text: JSON.parse(text) as string, range };
    } catch {
      return this.#error(range, "Invalid JSON string", "There is a syntax error in the given JSON string.");
    }
  }

  #keyword({ text, range }: JsonToken): JsonNode | undefined {
    if (text === "true" || text === "false") return { kind: "bool", value: text === "true", range };
    if (text === "null") return { kind: "null", range };
    const foreign = text === "undefined" || text === "NaN" || text === "Infinity";
    const detail = foreign
      ? `The JavaScript identifier "${text}" cannot be used in JSON.`
      : `"${text}" is not a valid JSON keyword.${nearHint(text, ["true", "false", "null"])}`;
    return this.#error(range, "Invalid JSON keyword", detail);
  }

  /** Goes on behind what closes the brackets that are open. */
  #recover(from: JsonToken, opening: string, closing: string): void {
    let open = 1;
    for (let token = from; ; token = this.#read()) {
      if (token.kind === opening) open++;
      else if (token.kind === closing && --open <= 1) return;
      else if (token.kind === "eof") return;
    }
  }

  #error(subject: Range, summary: string, detail: string): undefined {
    report(this.#diagnostics, subject, summary, detail);
  }

  #peek(): JsonToken {
    return this.#tokens[this.#at] as JsonToken;
  }

  #read(): JsonToken {
    const token = this.#peek();
    if (token.kind !== "eof") this.#at++;
    return token;
  }
}
