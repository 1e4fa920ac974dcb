import type { Environment } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { type ListOptions, listInput } from "./list-input.js";

/** The inputs of the action, as the runner gives them: by variables `INPUT_NAME`. */
export class Inputs {
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Without white space around it; empty when it is not given. */
  text(name: string): string {
    return (this.#env[`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`] ?? "").trim();
  }

  /** Undefined when it is not given. @throws InvalidArgumentError for another value than true and false */
  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === "") return undefined;
    if (/^(?:true|True|TRUE)$/.test(text)) return true;
    if (/^(?:false|False|FALSE)$/.test(text)) return false;
    throw new InvalidArgumentError(`the input ${name} must be true or false, not ${JSON.stringify(text)}`);
  }

  list(name: string, options?: ListOptions): string[] {
    return listInput(this.text(name), options);
  }

  /** Lines as they are, without empty ones. */
  lines(name: string): string[] {
    const lines = this.text(name).split("\n");
    return lines.map((line) => line.trim()).filter((line) => line !== "");
  }

  /**
   * A list of `key=value`; what has no value gets `fallback`.
   *
   * @throws InvalidArgumentError for a value without a key
   */
  pairs<T extends string | undefined>(
    name: string,
    fallback: T,
    options?: ListOptions,
  ): Record<string, string | T> {
    // No plain object: `__proto__` is a key like any other.
    const pairs = new Map<string, string | T>();
    for (const text of this.list(name, options)) {
      const at = text.indexOf("=");
      const key = at < 0 ? text : text.slice(0, at);
      // Of secrets it is not to be printed.
      if (key === "")
        throw new InvalidArgumentError(`the input ${name} has a value without a name before the =`);
      pairs.set(key, at < 0 ? fallback : text.slice(at + 1));
    }
    return Object.fromEntries(pairs);
  }
}
