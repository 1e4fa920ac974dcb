import { InvalidArgumentError, withoutUndefined } from "../../core/index.js";
import { csv, parseFields } from "./fields.js";

/** A cache to import from or export to: `type` and its attributes, as BuildKit names them. */
export interface CacheOption {
  type: string;
  attrs?: Readonly<Record<string, string | undefined>>;
}

/** The same as it goes to BuildKit. */
export interface Cache extends CacheOption {
  attrs: Readonly<Record<string, string>>;
}

/**
 * Parses a value of `--cache-from` or `--cache-to`. Without any `=` each comma-separated word is a registry reference
 * (buildx util/buildflags/cache.go).
 *
 * @throws InvalidArgumentError for a field without `=` among others, or a missing type.
 */
export function parseCache(text: string): Cache[] {
  const fields = csv(text).filter((field) => field !== "");
  if (fields.every((field) => !field.includes("=")))
    return fields.map((ref) => ({ type: "registry", attrs: { ref } }));
  const attrs = new Map<string, string>();
  let type: string | undefined;
  for (const [key, value, written] of parseFields(text)) {
    if (value === undefined)
      throw new InvalidArgumentError(
        `invalid value ${written} in cache ${JSON.stringify(text)}, expecting key=value`,
      );
    if (key === "type") type = value;
    else attrs.set(key, value);
  }
  if (!type) throw new InvalidArgumentError(`type required for ${JSON.stringify(text)}`);
  return [{ type, attrs: Object.fromEntries(attrs) }];
}

/** Caches as they were given, without what is undefined. */
export function cachesOf(given: readonly CacheOption[]): Cache[] {
  return given.map(({ type, attrs }) => ({ type, attrs: withoutUndefined(attrs ?? {}) }));
}
