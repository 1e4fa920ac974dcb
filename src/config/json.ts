import { messageOf, parseJson } from "../core/index.js";
import { invalidConfig } from "./config-error.js";

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of a file without a byte order mark at its head, as editors on Windows put it. */
export function textOf(content: Uint8Array): string {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
}

/**
 * Parses a JSON object from a file's content; an empty file is an empty object. Errors name `path`. `onRest` is told when something
 * stands behind the object, which Go's decoder does not look at; without it that is an error.
 */
export function parseJsonObject(path: string, content: Buffer, onRest?: () => void): JsonObject {
  const text = textOf(content);
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    const end = onRest ? endOfObject(text) : 0;
    if (end > 0 && end < text.length) {
      onRest?.();
      return parseJsonObject(path, Buffer.from(text.slice(0, end)));
    }
    // V8 quotes the text around the mistake, which may be a password: only the position is passed on.
    const position = /at position \d+/.exec(messageOf(error))?.[0];
    throw invalidConfig(path, position ? `invalid JSON ${position}` : "invalid JSON");
  }
  if (!isJsonObject(value)) throw invalidConfig(path, "must be a JSON object");
  return value;
}

/** Where the object ends that the text begins with; 0 when it does not end, or there is none. */
function endOfObject(text: string): number {
  let depth = 0;
  let inString = false;
  for (let at = text.search(/\S/); at < text.length; at++) {
    const letter = text[at];
    if (inString) {
      if (letter === "\\") at++;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === "{" || letter === "[") depth++;
    else if ((letter === "}" || letter === "]") && --depth === 0) return at + 1;
    if (depth === 0) return 0;
  }
  return 0;
}

/**
 * Narrow reader of a JSON object from a file: typed fields or an error that names file and field. Null counts as
 * absent. Names match as in Go's encoding/json: the exact one first, then any that differs in case only.
 */
export class JsonReader {
  readonly #path: string;
  readonly #value: JsonObject;
  readonly #at: string;

  constructor(path: string, value: JsonObject, at = "") {
    this.#path = path;
    this.#value = value;
    this.#at = at;
  }

  /** The string, or undefined when absent or empty. */
  text(name: string): string | undefined {
    const value = this.#get(name);
    if (value === undefined || value === "") return undefined;
    if (typeof value !== "string") throw this.#wrong(name, "a string");
    return value;
  }

  /** The string, also an empty one; undefined when absent. */
  rawText(name: string): string | undefined {
    return this.#get(name) === "" ? "" : this.text(name);
  }

  boolean(name: string): boolean | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (typeof value !== "boolean") throw this.#wrong(name, "true or false");
    return value;
  }

  texts(name: string): string[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
      throw this.#wrong(name, "a list of strings");
    return value;
  }

  /** The named object; absent is empty. */
  object(name: string): JsonReader {
    const value = this.#get(name) ?? {};
    if (!isJsonObject(value)) throw this.#wrong(name, "an object");
    return new JsonReader(this.#path, value, this.#label(name));
  }

  /** Names of the fields whose value is not null. */
  names(): string[] {
    return Object.keys(this.#value).filter((name) => this.#value[name] !== null);
  }

  /** The error that says what is wrong with the field `name`. */
  problem(name: string, problem: string): Error {
    return invalidConfig(this.#path, `${this.#label(name)} ${problem}`);
  }

  #get(name: string): unknown {
    if (Object.hasOwn(this.#value, name)) return this.#value[name] ?? undefined;
    const lower = name.toLowerCase();
    const key = Object.keys(this.#value).find((key) => key.toLowerCase() === lower);
    return key === undefined ? undefined : (this.#value[key] ?? undefined);
  }

  #label(name: string): string {
    return this.#at === "" ? name : `${this.#at}[${JSON.stringify(name)}]`;
  }

  #wrong(name: string, expected: string): Error {
    return this.problem(name, `must be ${expected}`);
  }
}
