import { type Item, Marked, isMap } from "./item.js";

/** Where variables come from, and what is called for those that are not set. */
export interface Variables {
  lookup: (name: string) => string | undefined;
  onUnset: (name: string) => void;
}

/** Why a text cannot be filled in. */
export class InterpolationError extends Error {}

/** Variables within each other, at most. */
const deepest = 32;

/**
 * Puts values into `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, `${NAME?message}`, `${NAME:+value}`,
 * `${NAME+value}`, also within each other; `$$` is a dollar sign, and so is one in front of anything else (Compose specification,
 * Interpolation; compose-go template/template.go).
 *
 * @throws InterpolationError
 */
export function interpolate(text: string, variables: Variables, depth = 0): string {
  if (depth > deepest) throw new InterpolationError("variables are nested too deeply");
  let result = "";
  for (let from = 0; ;) {
    const dollar = text.indexOf("$", from);
    if (dollar < 0) return result + text.slice(from);
    result += text.slice(from, dollar);
    const next = text[dollar + 1];
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(dollar + 1, dollar + 256))?.[0];
    if (next === "$") {
      result += "$";
      from = dollar + 2;
    } else if (name !== undefined) {
      result += valueOf(name, variables);
      from = dollar + 1 + name.length;
    } else if (next !== "{") {
      result += "$";
      from = dollar + 1;
    } else {
      const end = closingBrace(text, dollar + 2);
      if (end < 0) throw invalid(text);
      result += inBraces(text.slice(dollar + 2, end), variables, depth, text);
      from = end + 1;
    }
  }
}

function invalid(text: string): InterpolationError {
  return new InterpolationError(`You may need to escape any $ with another $.\n${text}`);
}

function valueOf(name: string, { lookup, onUnset }: Variables): string {
  const value = lookup(name);
  if (value === undefined) onUnset(name);
  return value ?? "";
}

function inBraces(inner: string, variables: Variables, depth: number, whole: string): string {
  const [, name, operator = "", word = ""] =
    /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])(.*))?$/s.exec(inner) ?? [];
  if (name === undefined) throw invalid(whole);
  if (operator === "") return valueOf(name, variables);
  const value = variables.lookup(name);
  const isThere = operator.startsWith(":") ? Boolean(value) : value !== undefined;
  const other = () => interpolate(word, variables, depth + 1);
  if (operator.endsWith("+")) return isThere ? other() : "";
  if (isThere) return value as string;
  if (operator.endsWith("-")) return other();
  throw new InterpolationError(`required variable ${name} is missing a value: ${other()}`);
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let place = from; place < text.length; place++) {
    if (text.startsWith("${", place)) depth += 1;
    else if (text[place] === "}" && --depth === 0) return place;
  }
  return -1;
}

/** A text that cannot be filled in, and where it is. */
export interface InterpolationProblem {
  path: string;
  text: string;
}

/** Fills in all texts of a value; what cannot be is added to the problems. Keys stay as they are. */
export function interpolateItem(
  item: Item,
  variables: Variables,
  problems: InterpolationProblem[],
  path = "",
): Item {
  const below = (key: string, value: Item) =>
    interpolateItem(value, variables, problems, path === "" ? key : `${path}.${key}`);
  if (isMap(item)) return new Map([...item].map(([key, value]) => [key, below(key, value)]));
  if (Array.isArray(item)) return item.map((value) => below("[]", value));
  if (item instanceof Marked)
    return item.value === undefined
      ? item
      : new Marked(interpolateItem(item.value, variables, problems, path));
  if (typeof item !== "string" || !item.includes("$")) return item;
  try {
    return interpolate(item, variables);
  } catch (error) {
    if (!(error instanceof InterpolationError)) throw error;
    const isFormat = error.message.startsWith("You may need");
    const text = isFormat
      ? `invalid interpolation format for ${path}.\n${error.message}`
      : `error while interpolating ${path}: ${error.message}`;
    problems.push({ path, text });
    return item;
  }
}
