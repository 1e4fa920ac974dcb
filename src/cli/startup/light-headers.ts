import { trimBoth } from "../../core/index.js";

/** What headers can be made of. */
type LightHeadersInit = Iterable<readonly [string, string]> | Readonly<Record<string, string>>;

/**
 * Stands for the global `Headers` in the bundled command (tricks.mjs puts it there): the global one loads Node's whole
 * fetch when it is first touched, which takes 20 ms of every build, and connect-es uses it for each call. Behaves as the Fetch
 * standard has it as far as gRPC metadata goes: no guards, and no cookies.
 */
export class LightHeaders {
  readonly #values = new Map<string, string>();

  constructor(init: LightHeadersInit = {}) {
    const entries = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of entries) this.append(name, value);
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${trimmed(value)}`);
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, value: string): void {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new TypeError(`${JSON.stringify(name)} is no header name`);
    this.#values.set(name.toLowerCase(), trimmed(value));
  }

  forEach(callback: (value: string, name: string, headers: LightHeaders) => void, thisArg?: unknown): void {
    for (const [name, value] of this) callback.call(thisArg, value, name, this);
  }

  *[Symbol.iterator](): Generator<[string, string], void> {
    // In order of the names, as the standard has it.
    yield* [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  entries(): Generator<[string, string], void> {
    return this[Symbol.iterator]();
  }

  *keys(): Generator<string, void> {
    for (const [name] of this) yield name;
  }

  *values(): Generator<string, void> {
    for (const [, value] of this) yield value;
  }
}

export { LightHeaders as Headers };

function trimmed(given: unknown): string {
  const value = trimBoth(String(given), "\t\n\r ");
  if (/[\0\n\r\u0100-\uffff]/.test(value))
    throw new TypeError("a header's value has characters that cannot be sent");
  return value;
}
