import { parseCsvFields, parseGoBool } from "../config/index.js";
import { CtyError, goQuote } from "../hcl/index.js";

/** A cache, an output or an attestation: a type, and words with their values. */
export interface TypedEntry {
  readonly type: string;
  readonly attrs: ReadonlyMap<string, string>;
  /** Where an output goes. */
  readonly dest?: string;
  /** An attestation that is not made. */
  readonly disabled?: boolean;
}

/** A secret, and the file or the variable it comes from. */
export interface SecretEntry {
  readonly id: string;
  readonly src: string;
  readonly env: string;
}

/** An ssh agent or keys. */
export interface SshEntry {
  readonly id: string;
  readonly paths: readonly string[];
}

export function parseAttest(text: string): TypedEntry {
  const attrs = new Map<string, string>();
  let type = "";
  let disabled = false;
  for (const field of fieldsOf(text)) {
    const [key, value] = cut(field);
    if (value === undefined) throw new CtyError(`invalid value ${field}`);
    const name = key.toLowerCase().trim();
    if (name === "type") type = value;
    else if (name === "disabled") {
      const parsed = parseGoBool(value);
      if (parsed === undefined) throw new CtyError(`invalid value ${field}: ${boolProblem(value)}`);
      disabled = parsed;
    } else attrs.set(key, value);
  }
  if (type === "") throw new CtyError("attestation type not specified");
  return disabled ? { type, attrs, disabled } : { type, attrs };
}

/** A text without `=` is one image or several. */
export function parseCaches(text: string): TypedEntry[] {
  if (text.includes("=")) return [parseCache(text)];
  return fieldsOf(text).map((ref) => ({ type: "registry", attrs: new Map([["ref", ref]]) }));
}

function parseCache(text: string): TypedEntry {
  const attrs = new Map<string, string>();
  let type = "";
  for (const field of fieldsOf(text)) {
    const [key, value] = cut(field);
    if (value === undefined) throw new CtyError(`invalid value ${field}`);
    if (key.toLowerCase() === "type") type = value;
    else attrs.set(key.toLowerCase(), value);
  }
  if (type === "") throw new CtyError(`type required for ${goQuote(text)}`);
  return { type, attrs };
}

export function parseOutput(text: string): TypedEntry {
  const fields = fieldsOf(text);
  if (fields.length === 1 && fields[0] === text && !text.startsWith("type=")) {
    return { type: text === "-" ? "tar" : "local", attrs: new Map(), dest: text };
  }
  const attrs = new Map<string, string>();
  let type = "";
  let dest = "";
  for (const field of fields) {
    const [key, value] = cut(field);
    if (value === undefined) throw new CtyError(`invalid value ${field}`);
    const name = key.toLowerCase().trim();
    if (name === "type") type = value;
    else if (name === "dest") dest = value;
    else attrs.set(name, value);
  }
  if (type === "") throw new CtyError("type is required for output");
  return { type, attrs, dest };
}

export function parseSecret(text: string): SecretEntry {
  let fields: string[];
  try {
    fields = parseCsvFields(text);
  } catch (error) {
    throw new CtyError(`failed to parse csv secret: ${(error as Error).message}`);
  }
  const secret = { id: "", src: "", env: "" };
  let type = "";
  for (const field of fields) {
    const [given, value] = cut(field);
    const key = given.toLowerCase();
    if (value === undefined) throw new CtyError(`invalid field '${field}' must be a key=value pair`);
    if (key === "type") {
      if (value !== "file" && value !== "env")
        throw new CtyError(`unsupported secret type ${goQuote(value)}`);
      type = value;
    } else if (key === "id" || key === "env" || key === "src") secret[key] = value;
    else if (key === "source") secret.src = value;
    else throw new CtyError(`unexpected key '${key}' in '${field}'`);
  }
  return type === "env" && secret.env === "" ? { id: secret.id, src: "", env: secret.src } : secret;
}

export function parseSsh(text: string): SshEntry {
  const [id, paths] = cut(text);
  return { id, paths: paths === undefined ? [] : paths.split(",") };
}

/** Of entries with one key the later, where the earlier one stood. */
export function lastByKey<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => string): Entry[] {
  return [...new Map(entries.map((entry) => [keyOf(entry), entry])).values()];
}

/** Each entry once. As in buildx, the last entry of the list moves into the place of one that is left out. */
export function withoutTwins(entries: readonly TypedEntry[]): TypedEntry[] {
  const kept = [...entries];
  for (let at = kept.length - 2; at >= 0; at--) {
    const twin = kept.findIndex((entry, other) => other > at && sameEntry(kept[at] as TypedEntry, entry));
    if (twin < 0) continue;
    kept[twin] = kept.at(-1) as TypedEntry;
    kept.pop();
  }
  return kept;
}

function sameEntry(a: TypedEntry, b: TypedEntry): boolean {
  if (a.type !== b.type || (a.dest ?? "") !== (b.dest ?? "") || a.attrs.size !== b.attrs.size) return false;
  return [...a.attrs].every(([key, value]) => b.attrs.get(key) === value);
}

function fieldsOf(text: string): string[] {
  try {
    return parseCsvFields(text);
  } catch (error) {
    throw new CtyError((error as Error).message);
  }
}

function cut(field: string): [string, string | undefined] {
  const equals = field.indexOf("=");
  return equals < 0 ? [field, undefined] : [field.slice(0, equals), field.slice(equals + 1)];
}

/** Go's message for a text that is no bool. */
export function boolProblem(value: string): string {
  return `strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`;
}
