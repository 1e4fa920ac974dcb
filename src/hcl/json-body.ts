import { type Attribute, type Block, type Body, type Content, type Schema, missingArgument } from "./body.js";
import { type Diagnostic, report } from "./diagnostic.js";
import { JsonExpression } from "./json-expression.js";
import { type JsonField, type JsonNode, nodeStart, parseJsonNode } from "./json-node.js";
import { type Range, rangeBetween, rangeText } from "./range.js";

/** Parses a file in JSON's syntax. What is wrong with it is added. */
export function parseJsonBody(source: string, filename: string, diagnostics: Diagnostic[]): Body {
  const node = parseJsonNode(source, filename, { line: 1, column: 1 }, diagnostics);
  if (node.kind !== "object" && node.kind !== "array" && diagnostics.length === 0) {
    const detail =
      "The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects.";
    report(diagnostics, nodeStart(node), "Root value must be object", detail);
  }
  return new JsonBody(node);
}

/** A body in JSON: objects, and arrays of them. hashicorp/hcl 2.24 json/structure.go. */
class JsonBody implements Body {
  readonly #node: JsonNode;
  readonly #hidden: ReadonlySet<string>;

  constructor(node: JsonNode, hidden: ReadonlySet<string> = new Set()) {
    this.#node = node;
    this.#hidden = hidden;
  }

  get missingRange(): Range {
    return this.#node.kind === "object" ? this.#node.close : nodeStart(this.#node);
  }

  find(schema: Schema, diagnostics: Diagnostic[]): Content {
    const attributes = new Map<string, Attribute>();
    const blocks: Block[] = [];
    const names = new Set((schema.attributes ?? []).map(({ name }) => name));
    const types = new Map((schema.blocks ?? []).map(({ type, labels = [] }) => [type, labels]));
    const used = new Set(this.#hidden);
    for (const field of fieldsOf(this.#node, undefined, diagnostics)) {
      if (this.#hidden.has(field.name)) continue;
      const labels = types.get(field.name);
      if (names.has(field.name)) {
        const existing = attributes.get(field.name);
        if (existing) {
          const detail = `The argument "${field.name}" was already set at ${rangeText(existing.range)}.`;
          report(diagnostics, field.nameRange, "Duplicate argument", detail);
          continue;
        }
        attributes.set(field.name, attributeOf(field));
      } else if (labels) {
        const head = { type: field.name, typeRange: field.nameRange, labels: [] };
        blocks.push(...blocksIn(field.value, head, labels, diagnostics));
      } else continue;
      used.add(field.name);
    }
    for (const { name, required } of schema.attributes ?? []) {
      if (required && !attributes.has(name)) missingArgument(name, this.missingRange, diagnostics);
    }
    return { attributes, blocks, rest: new JsonBody(this.#node, used) };
  }

  attributes(diagnostics: Diagnostic[]): ReadonlyMap<string, Attribute> {
    const attributes = new Map<string, Attribute>();
    if (this.#node.kind !== "object") {
      const detail = "A JSON object is required here, setting the arguments for this block.";
      report(diagnostics, nodeStart(this.#node), "Incorrect JSON value type", detail);
      return attributes;
    }
    for (const field of this.#node.fields) {
      if (field.name === "//" || this.#hidden.has(field.name)) continue;
      const existing = attributes.get(field.name);
      if (existing) {
        const detail = `The argument "${field.name}" was already set at ${rangeText(existing.range)}.`;
        report(diagnostics, field.nameRange, "Duplicate attribute definition", detail);
        continue;
      }
      attributes.set(field.name, attributeOf(field));
    }
    return attributes;
  }
}

function attributeOf({ name, nameRange, value }: JsonField): Attribute {
  return {
    name,
    expression: new JsonExpression(value),
    range: rangeBetween(nameRange, value.range),
    nameRange,
  };
}

/** Properties of an object, or of all objects in an array. */
function fieldsOf(node: JsonNode, label: string | undefined, diagnostics: Diagnostic[]): JsonField[] {
  const what =
    label === undefined
      ? "to define arguments and child blocks"
      : `to specify ${label} labels for this block`;
  if (node.kind === "null") return [];
  if (node.kind === "object") return [...node.fields];
  if (node.kind !== "array") {
    const kinds =
      label === undefined
        ? "a JSON object or JSON array of objects"
        : "a JSON object or JSON array of objects";
    report(
      diagnostics,
      nodeStart(node),
      "Incorrect JSON value type",
      `Either ${kinds} is required here, ${what}.`,
    );
    return [];
  }
  return node.items.flatMap((item) => {
    if (item.kind === "object") return [...item.fields];
    report(
      diagnostics,
      nodeStart(item),
      "Incorrect JSON value type",
      `A JSON object is required here, ${what}.`,
    );
    return [];
  });
}

/** What stands before a block's body: its type, and the labels that have been read. */
interface BlockHead {
  readonly type: string;
  readonly typeRange: Range;
  readonly labels: readonly JsonField[];
}

/** The blocks in a node. Each label that is still to be read is the name of a property, one inside the other. */
function blocksIn(
  node: JsonNode,
  head: BlockHead,
  labels: readonly string[],
  diagnostics: Diagnostic[],
): Block[] {
  const [label, ...others] = labels;
  if (label === undefined) return bodiesIn(node, head, diagnostics);
  const fields = fieldsOf(node, label, diagnostics);
  if (fields.length === 0) {
    const detail = `At least one object property is required, whose name represents the ${head.type} block's ${label}.`;
    report(diagnostics, nodeStart(node), "Missing block label", detail);
  }
  return fields.flatMap((field) =>
    blocksIn(field.value, { ...head, labels: [...head.labels, field] }, others, diagnostics),
  );
}

/** One block, or one for each item of an array. */
function bodiesIn(
  node: JsonNode,
  { type, typeRange, labels }: BlockHead,
  diagnostics: Diagnostic[],
): Block[] {
  const block = (body: JsonNode, headRange: Range): Block => ({
    type,
    typeRange,
    labels: labels.map(({ name }) => name),
    labelRanges: labels.map(({ nameRange }) => nameRange),
    body: new JsonBody(body),
    headRange,
  });
  if (node.kind === "object") return [block(node, node.open)];
  if (node.kind === "array") return node.items.map((item) => block(item, node.open));
  if (node.kind !== "null") {
    const detail = `Either a JSON object or a JSON array is required, representing the contents of one or more "${type}" blocks.`;
    report(diagnostics, nodeStart(node), "Incorrect JSON value type", detail);
  }
  return [];
}
