import { formatCsv } from "../build/index.js";
import { parseCsvFields, parseGoBool } from "../config/index.js";
import { CtyError } from "../hcl/index.js";
import { BakeError } from "./bake-error.js";

/** What a definition says of policies, as `--print` shows it (buildx v0.38 util/buildflags/policy.go PolicyConfig). */
export interface PolicyEntry {
  Files: { Filename: string; Data: null }[] | null;
  Reset: boolean;
  Disabled: boolean;
  Strict: boolean | null;
  LogLevel: string | null;
}

/** Levels of what a policy logs, by the words for them (sirupsen/logrus ParseLevel). */
const levels = new Map([
  ...["panic", "fatal", "error", "warning", "info", "debug", "trace"].map((word) => [word, word] as const),
  ["warn", "warning"] as const,
]);

/** Reads `filename=…`, `reset=…`, `disabled=…`, `strict=…` and `log-level=…`. @throws CtyError in buildx's words */
export function parsePolicy(text: string): PolicyEntry {
  // What Go's reader of fields has for nothing at all.
  if (text === "") throw new CtyError("EOF");
  return policyOfFields(parseCsvFields(text));
}

/** The same of single fields. */
export function policyOfFields(fields: readonly string[]): PolicyEntry {
  const entry: PolicyEntry = { Files: null, Reset: false, Disabled: false, Strict: null, LogLevel: null };
  for (const field of fields) {
    const at = field.indexOf("=");
    const value = field.slice(at + 1);
    const flag = () => flagOf(value, field);
    switch (at < 0 ? "" : field.slice(0, at).trim().toLowerCase()) {
      case "filename":
        if (value === "") throw new CtyError(`invalid value ${field}`);
        entry.Files = [...(entry.Files ?? []), { Filename: value, Data: null }];
        break;
      case "reset":
        entry.Reset = flag();
        break;
      case "disabled":
        entry.Disabled = flag();
        break;
      case "strict":
        entry.Strict = flag();
        break;
      case "log-level":
        entry.LogLevel = levelOf(value, field);
        break;
      default:
        throw new CtyError(`invalid value ${field}`);
    }
  }
  return entry;
}

function flagOf(value: string, field: string): boolean {
  const flag = parseGoBool(value);
  if (flag !== undefined) return flag;
  throw new CtyError(
    `invalid value ${field}: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}

function levelOf(value: string, field: string): string {
  const level = levels.get(value.toLowerCase());
  if (level !== undefined) return level;
  throw new CtyError(`invalid value ${field}: not a valid logrus Level: ${JSON.stringify(value)}`);
}

/** What an entry says, by the names that definitions have for it. */
export function policyFields({ Files, Reset, Disabled, Strict, LogLevel }: PolicyEntry): [string, string][] {
  const fields: [string, string][] = [];
  if (Files?.[0]) fields.push(["filename", Files[0].Filename]);
  if (Reset) fields.push(["reset", "true"]);
  if (Disabled) fields.push(["disabled", "true"]);
  if (Strict !== null) fields.push(["strict", String(Strict)]);
  if (LogLevel !== null) fields.push(["log-level", LogLevel]);
  return fields;
}

/** An entry as `build --policy` takes it. */
export function policyText(entry: PolicyEntry): string {
  const fields = policyFields(entry);
  const more = (entry.Files ?? []).slice(1).map(({ Filename }): [string, string] => ["filename", Filename]);
  if (fields.length === 0) fields.push(["disabled", "false"]);
  return formatCsv([...fields, ...more].map(([name, value]) => `${name}=${value}`));
}

/** Changes of `--set` that `--policy` stands for (buildx v0.38 commands/bake.go bakePolicyOverrides). @throws BakeError */
export function policyOverrides(texts: readonly string[]): string[] {
  const entries = texts.map(parsed);
  for (const { Files, Reset, Disabled, Strict, LogLevel } of entries) {
    if (Files)
      throw new BakeError("--policy does not accept filename; define policy files in the bake definition");
    if (Reset)
      throw new BakeError("--policy does not accept reset; define policy composition in the bake definition");
    if (!Disabled) continue;
    if (Strict !== null || LogLevel !== null || entries.length > 1)
      throw new BakeError("disabled policy cannot be combined with other policy flags");
    return ["*.policy=disabled=true"];
  }
  return texts.map((text) => `*.policy+=${text}`);
}

function parsed(text: string): PolicyEntry {
  try {
    return parsePolicy(text);
  } catch (cause) {
    throw cause instanceof CtyError ? new BakeError(cause.message, { cause }) : cause;
  }
}
