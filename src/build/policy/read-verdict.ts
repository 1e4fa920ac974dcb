import { messageOf, nameOf } from "../../core/index.js";
import { formatReference, parseReference, withDefaultTag } from "../../registry/index.js";

/** A source's name and attributes, as the builder has them. */
export interface SourceName {
  identifier: string;
  attrs: Readonly<Record<string, string>>;
}

/** A verdict that was checked. */
export type Verdict =
  | { verdict: "allow" }
  | { verdict: "deny"; reason?: string }
  | { verdict: "convert"; to: SourceName; reason?: string };

const expected = '"allow", "deny", { deny: true, reason } or { convert }';

/**
 * What a policy said of a source.
 *
 * @throws Error that says what is wrong with it
 */
export function readVerdict(given: unknown, source: SourceName): Verdict {
  if (given === "allow" || given === "deny") return { verdict: given };
  const fields = fieldsOf(given, expected, ["deny", "convert", "reason"]);
  const { deny, convert, reason } = fields;
  if (reason !== undefined && typeof reason !== "string")
    throw new Error(`gave a reason that is ${nameOf(reason)}, where a text is expected`);
  const why = reason === undefined || reason === "" ? {} : { reason };
  if (deny === true && convert === undefined) return { verdict: "deny", ...why };
  if (convert === undefined || deny !== undefined)
    throw new Error(`gave an object that is no verdict, where ${expected} is expected`);
  const to = converted(convert, source);
  return isSame(to, source) ? { verdict: "allow" } : { verdict: "convert", to, ...why };
}

function converted(convert: unknown, source: SourceName): SourceName {
  const { identifier = source.identifier, attrs = {} } =
    typeof convert === "string"
      ? { identifier: convert }
      : fieldsOf(convert, "an identifier or { identifier, attrs }", ["identifier", "attrs"]);
  if (typeof identifier !== "string" || !/^[a-z][a-z0-9+.-]*:\/\/[^\s]+$/.test(identifier))
    throw new Error(
      `converts to ${typeof identifier === "string" ? JSON.stringify(identifier) : nameOf(identifier)}, where an identifier such as docker-image://alpine is expected`,
    );
  const more = fieldsOf(attrs, 'attributes such as { "http.checksum": "sha256:…" }');
  for (const [name, value] of Object.entries(more))
    if (typeof value !== "string")
      throw new Error(
        `gave ${nameOf(value)} as the attribute ${JSON.stringify(name)}, where a text is expected`,
      );
  const full = normalized(identifier);
  return { identifier: full, attrs: { ...keptAttrs(full, source), ...(more as Record<string, string>) } };
}

/** Attributes of one kind of source mean nothing to another; and the address to clone from is that of the old name. */
function keptAttrs(identifier: string, source: SourceName): Record<string, string> {
  const kind = (text: string) => /^[^:]*/.exec(text)?.[0].replace("https", "http");
  if (kind(identifier) !== kind(source.identifier)) return {};
  if (identifier === source.identifier) return { ...source.attrs };
  const { "git.fullurl": _, ...rest } = source.attrs;
  return rest;
}

/** As the builder writes it. @throws Error that says what is wrong with a reference */
function normalized(identifier: string): string {
  const name = /^docker-image:\/\/(.+)$/.exec(identifier)?.[1];
  if (name === undefined) return identifier;
  try {
    return `docker-image://${formatReference(withDefaultTag(parseReference(name)))}`;
  } catch (error) {
    throw new Error(`converts to ${JSON.stringify(identifier)}, which is none: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function isSame(a: SourceName, b: SourceName): boolean {
  const names = Object.keys(a.attrs);
  return (
    a.identifier === b.identifier &&
    names.length === Object.keys(b.attrs).length &&
    names.every((name) => a.attrs[name] === b.attrs[name])
  );
}

function fieldsOf(given: unknown, wanted: string, known?: readonly string[]): Record<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new Error(
      `gave ${typeof given === "string" ? JSON.stringify(given) : nameOf(given)}, where ${wanted} is expected`,
    );
  for (const name of Object.keys(given))
    if (known && !known.includes(name))
      throw new Error(`gave an object with ${JSON.stringify(name)}, where ${wanted} is expected`);
  return given as Record<string, unknown>;
}
