import type { Document, Node, ScalarTag } from "yaml";
import { BakeError } from "../bake-error.js";
import { type Item, type ItemMap, Marked, isMap } from "./item.js";

/** Values that a file may have, those that aliases repeat among them: few lines can stand for very many. */
const mostValues = 200_000;

/** Levels of a file, at most. */
const deepest = 100;

/** `0755` is octal in Go's YAML. */
const octal: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^0[0-7]+$/,
  resolve: (text) => BigInt(`0o${text.slice(1)}`),
};

/**
 * Reads the documents of a YAML file: 1.2 with merge keys, anchors, `!reset` and `!override`.
 *
 * @throws BakeError that names file and line
 */
export async function parseYaml(name: string, text: string): Promise<ItemMap[]> {
  // Loaded for those who have compose files.
  const yaml = await import("yaml");
  const documents = yaml.parseAllDocuments(text, {
    merge: true,
    intAsBigInt: true,
    customTags: (tags) => [octal, ...tags],
    logLevel: "silent",
  });
  let values = 0;
  const refuse = (problem: string) => new BakeError(`failed to parse ${name}: ${problem}`);

  function itemOf(node: Node | null | undefined, document: Document, depth: number): Item {
    if (++values > mostValues || depth > deepest) throw refuse("it holds too much, or is too deep");
    if (yaml.isAlias(node)) return itemOf(node.resolve(document), document, depth + 1);
    const item = plain(node, document, depth);
    if (yaml.isNode(node) && node.tag === "!reset") return new Marked(undefined);
    return yaml.isNode(node) && node.tag === "!override" ? new Marked(item) : item;
  }

  function plain(node: Node | null | undefined, document: Document, depth: number): Item {
    if (yaml.isSeq(node)) return node.items.map((item) => itemOf(item as Node, document, depth + 1));
    if (yaml.isScalar(node)) return node.value as Item;
    if (!yaml.isMap(node)) return null;
    const map: ItemMap = new Map();
    const merged: ItemMap[] = [];
    for (const { key, value } of node.items) {
      const item = itemOf(value as Node | null, document, depth + 1);
      const text = yaml.isScalar(key) ? keyText(key.value) : undefined;
      if (text === undefined) throw refuse("a key of a mapping is no text");
      if (text === "<<") merged.push(...[item].flat().filter(isMap));
      else map.set(text, item);
    }
    for (const other of merged) for (const [key, item] of other) if (!map.has(key)) map.set(key, item);
    return map;
  }

  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) throw refuse(`yaml: ${error.message}`);
    const item = itemOf(document.contents, document, 0);
    if (item === null) return [];
    if (!isMap(item)) throw refuse("top-level object must be a mapping");
    return [item];
  });
}

/** The merge key has a symbol for its value in some versions of the package. */
function keyText(key: unknown): string | undefined {
  if (typeof key === "symbol") return "<<";
  return typeof key === "string" ||
    typeof key === "number" ||
    typeof key === "bigint" ||
    typeof key === "boolean"
    ? String(key)
    : undefined;
}
