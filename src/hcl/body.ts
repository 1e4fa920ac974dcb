import { type Diagnostic, report } from "./diagnostic.js";
import type { Expression } from "./expression.js";
import { type Range, rangeBetween, startOf } from "./range.js";

/** `name = expression`. */
export interface Attribute {
  readonly name: string;
  readonly expression: Expression;
  readonly range: Range;
  readonly nameRange: Range;
}

/** `type label… { body }`. */
export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  readonly body: Body;
  readonly typeRange: Range;
  readonly labelRanges: readonly Range[];
  /** The block's head. */
  readonly headRange: Range;
}

/** What is looked for in a body: attributes by name, blocks by type with the names of their labels. */
export interface Schema {
  readonly attributes?: readonly { readonly name: string; readonly required?: boolean }[];
  readonly blocks?: readonly { readonly type: string; readonly labels?: readonly string[] }[];
}

/** What was found of a schema. */
export interface Content {
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly Block[];
  /** The body without it. */
  readonly rest: Body;
}

/** The content of a file or a block, in native syntax or JSON's. */
export interface Body {
  /** Where something is missing that the body should have. */
  readonly missingRange: Range;
  find(schema: Schema, diagnostics: Diagnostic[]): Content;
  /** All attributes; blocks are refused, once. */
  attributes(diagnostics: Diagnostic[]): ReadonlyMap<string, Attribute>;
}

/** A block with the places of its braces. */
export type NativeBlock = Omit<Block, "headRange"> & { readonly openRange: Range };

/** A body in native syntax. hashicorp/hcl 2.24 hclsyntax/structure.go. */
export class NativeBody implements Body {
  readonly range: Range;
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #blocks: readonly NativeBlock[];
  readonly #hidden: ReadonlySet<string>;

  constructor(
    attributes: ReadonlyMap<string, Attribute>,
    blocks: readonly NativeBlock[],
    range: Range,
    hidden: ReadonlySet<string> = new Set(),
  ) {
    this.#attributes = attributes;
    this.#blocks = blocks;
    this.range = range;
    this.#hidden = hidden;
  }

  get missingRange(): Range {
    return startOf(this.range);
  }

  find(schema: Schema, diagnostics: Diagnostic[]): Content {
    const hidden = new Set(this.#hidden);
    const found = new Map<string, Attribute>();
    for (const { name, required } of schema.attributes ?? []) {
      const attribute = this.#hidden.has(`${name} =`) ? undefined : this.#attributes.get(name);
      if (attribute) found.set(name, attribute);
      else if (required) missingArgument(name, this.missingRange, diagnostics);
      hidden.add(`${name} =`);
    }
    const blocks: Block[] = [];
    const wanted = new Map((schema.blocks ?? []).map(({ type, labels = [] }) => [type, labels]));
    for (const block of this.#blocks) {
      const labels = this.#hidden.has(block.type) ? undefined : wanted.get(block.type);
      if (labels && labelsFit(block, labels, diagnostics)) {
        const last = block.labelRanges.at(-1) ?? block.typeRange;
        blocks.push({ ...block, headRange: rangeBetween(block.typeRange, last) });
      }
    }
    for (const type of wanted.keys()) hidden.add(type);
    const rest = new NativeBody(this.#attributes, this.#blocks, this.range, hidden);
    return { attributes: found, blocks, rest };
  }

  attributes(diagnostics: Diagnostic[]): ReadonlyMap<string, Attribute> {
    const [block] = this.#blocks;
    if (block) {
      report(
        diagnostics,
        block.typeRange,
        `Unexpected "${block.type}" block`,
        "Blocks are not allowed here.",
      );
    }
    return new Map([...this.#attributes].filter(([name]) => !this.#hidden.has(`${name} =`)));
  }
}

/** Tells of an attribute that must be there. */
export function missingArgument(name: string, range: Range, diagnostics: Diagnostic[]): void {
  const detail = `The argument "${name}" is required, but no definition was found.`;
  report(diagnostics, range, "Missing required argument", detail);
}

function labelsFit(block: NativeBlock, names: readonly string[], diagnostics: Diagnostic[]): boolean {
  const { type, labels, labelRanges } = block;
  if (labels.length > names.length) {
    const detail =
      names.length === 0
        ? `No labels are expected for ${type} blocks.`
        : `Only ${names.length} labels (${names.join(", ")}) are expected for ${type} blocks.`;
    report(diagnostics, labelRanges[names.length], `Extraneous label for ${type}`, detail);
    return false;
  }
  if (labels.length < names.length) {
    const detail = `All ${type} blocks must have ${names.length} labels (${names.join(", ")}).`;
    report(diagnostics, block.openRange, `Missing ${names[labels.length]} for ${type}`, detail);
    return false;
  }
  return true;
}
