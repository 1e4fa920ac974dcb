import { isJsonObject } from "../../config/index.js";
import { clipText } from "../../core/index.js";

/** A field that differs, by its path: `config.Env.2`. */
export interface FieldDifference {
  path: string;
  expected?: string;
  actual?: string;
}

/** Differences that are told of one document. */
const most = 200;
const longestValue = 200;

/** In which fields two JSON documents differ. */
export function compareJson(expected: unknown, actual: unknown): FieldDifference[] {
  const found: FieldDifference[] = [];
  const visit = (a: unknown, b: unknown, path: string, depth: number): void => {
    if (found.length >= most) return;
    const keys = depth < deepest ? keysOf(a, b) : undefined;
    if (!keys) {
      if (JSON.stringify(a) !== JSON.stringify(b)) found.push(difference(path, a, b));
      return;
    }
    for (const key of keys) {
      const [x, y] = [a, b].map((value) => (value as Record<string, unknown>)[key]);
      visit(x, y, path === "" ? key : `${path}.${key}`, depth + 1);
    }
  };
  visit(expected, actual, "", 0);
  return found;
}

/** Deeper than this documents are compared whole. */
const deepest = 20;

/** The names in two objects or lists; undefined for what is neither, or not the same. */
function keysOf(a: unknown, b: unknown): string[] | undefined {
  const isPair = (isJsonObject(a) && isJsonObject(b)) || (Array.isArray(a) && Array.isArray(b));
  if (!isPair) return undefined;
  return [...new Set([...Object.keys(a as object), ...Object.keys(b as object)])];
}

function difference(path: string, expected: unknown, actual: unknown): FieldDifference {
  return {
    path,
    ...(expected !== undefined && { expected: shown(expected) }),
    ...(actual !== undefined && { actual: shown(actual) }),
  };
}

function shown(value: unknown): string {
  return clipText(typeof value === "string" ? value : JSON.stringify(value), longestValue);
}
