import {
  CtyError,
  type Diagnostic,
  type Expression,
  type Scope,
  type Type,
  type Value,
  boolType,
  convert,
  fieldsOf,
  isTrue,
  itemsOf,
  listOf,
  listValue,
  mapOf,
  mapValue,
  nullValue,
  numberOf,
  numberType,
  objectOf,
  objectValue,
  report,
  stringType,
  textOf,
  textValue,
  typeName,
  boolValue,
  goQuote,
} from "../hcl/index.js";
import {
  boolProblem,
  parseAttest,
  parseCaches,
  parseOutput,
  parseSecret,
  parseSsh,
  type TypedEntry,
} from "./entries.js";
import { parseGoBool } from "../config/index.js";
import { type PolicyEntry, parsePolicy, policyFields, policyOfFields } from "./policy-entry.js";
import type { TargetFields } from "./target.js";

const texts = listOf(stringType);
const textMap = mapOf(stringType);
const secretType = objectOf([["id", stringType], ["src", stringType], ["env", stringType]], ["id", "src", "env"]); // prettier-ignore
const sshType = objectOf([["id", stringType], ["paths", texts]], ["id", "paths"]); // prettier-ignore
const limits: [string, Type][] = [
  ["memory", stringType], ["memory-swap", stringType], ["cpu-shares", numberType], ["cpu-period", numberType],
  ["cpu-quota", numberType], ["cpuset-cpus", stringType], ["cpuset-mems", stringType],
]; // prettier-ignore
const resourcesType = objectOf(limits, limits.map(([name]) => name)); // prettier-ignore

interface Field {
  /** Its type as another block sees it. */
  readonly type: Type;
  /** The field of a value; throws a CtyError. */
  readonly read: (value: Value) => unknown;
}

const plainText: Field = { type: stringType, read: (value) => optional(value, stringType, textOf) };
const plainBool: Field = { type: boolType, read: (value) => optional(value, boolType, isTrue) };
const textList: Field = { type: texts, read: (value) => optional(value, texts, textItems) };
const nullableMap: Field = {
  type: textMap,
  read: (value) => optional(value, textMap, (map) => textFields(map, true)),
};

const fields: Record<string, Field> = {
  description: plainText,
  inherits: textList,
  annotations: textList,
  attest: entryList(textMap, (value) => [
    value.type.kind === "string" ? parseAttest(textOf(value)) : attestOf(value),
  ]),
  context: plainText,
  contexts: { type: textMap, read: (value) => optional(value, textMap, (map) => textFields(map, false)) },
  dockerfile: plainText,
  "dockerfile-inline": plainText,
  args: nullableMap,
  labels: nullableMap,
  tags: textList,
  "cache-from": entryList(textMap, cachesOf),
  "cache-to": entryList(textMap, cachesOf),
  target: plainText,
  secret: entryList(secretType, (value) => {
    if (value.type.kind === "string") return [parseSecret(textOf(value))];
    const given = fieldsOf(convert(value, secretType));
    return [{ id: textAt(given, "id"), src: textAt(given, "src"), env: textAt(given, "env") }];
  }),
  ssh: entryList(sshType, (value) => {
    if (value.type.kind === "string") return [parseSsh(textOf(value))];
    const given = fieldsOf(convert(value, sshType));
    const paths = given.get("paths") as Value;
    return [{ id: textAt(given, "id"), paths: paths.isNull || !paths.isKnown ? [] : textItems(paths) }];
  }),
  platforms: textList,
  output: entryList(textMap, (value) => [
    value.type.kind === "string" ? parseOutput(textOf(value)) : outputOf(value),
  ]),
  pull: plainBool,
  "no-cache": plainBool,
  network: plainText,
  "no-cache-filter": textList,
  "shm-size": plainText,
  ulimits: textList,
  resources: { type: resourcesType, read: (value) => optional(value, resourcesType, resourcesOf) },
  call: plainText,
  entitlements: textList,
  "extra-hosts": nullableMap,
  policy: entryList(textMap, policyOf),
};

/** Names of all fields that a target has. */
export const targetFieldNames = Object.keys(fields);

/** Evaluates a field and puts it into a target; what is wrong is added. */
export function readField(
  target: TargetFields,
  name: string,
  expression: Expression,
  scope: Scope,
  diagnostics: Diagnostic[],
) {
  const value = expression.value(scope, diagnostics);
  try {
    const read = (fields[name] as Field).read(value);
    if (read !== undefined) (target as unknown as Record<string, unknown>)[name] = read;
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    unsuitable(expression, error, diagnostics);
  }
}

/** Tells that a value does not fit where it is used. */
export function unsuitable(expression: Expression, error: CtyError, diagnostics: Diagnostic[]): void {
  report(diagnostics, expression.startRange, "Unsuitable value type", `Unsuitable value: ${error.message}`);
}

/** A target as an expression in another block sees it. */
export function targetValue(target: TargetFields): Value {
  const own = target as unknown as Record<string, unknown>;
  const values = Object.entries(fields).map(([name, { type }]): [string, Value] => [
    name,
    valueOf(own[name], name, type),
  ]);
  return objectValue([["name", textValue(target.name)], ...values]);
}

function policyValue(entries: readonly PolicyEntry[]): Value {
  const maps = entries.map((entry) =>
    mapValue(
      policyFields(entry).map(([name, text]) => [name, textValue(text)]),
      stringType,
    ),
  );
  return listValue(maps, textMap);
}

function valueOf(content: unknown, name: string, type: Type): Value {
  if (name === "description") return textValue((content as string | undefined) ?? "");
  if (name === "policy") return policyValue((content as PolicyEntry[] | undefined) ?? []);
  const isEntries = type.kind === "list" && type.element.kind !== "string";
  if (content === undefined) return isEntries ? listValue([], type.element) : nullValue(type);
  if (typeof content === "string") return textValue(content);
  if (typeof content === "boolean") return boolValue(content);
  if (content instanceof Map) {
    return mapValue([...(content as Map<string, string | null>)].map(([key, text]) => [key, text === null ? nullValue(stringType) : textValue(text)]), stringType); // prettier-ignore
  }
  if (!Array.isArray(content))
    return convert(plainObject(content as Record<string, unknown>), withoutOptionals);
  if (!isEntries) return listValue((content as string[]).map(textValue), stringType); // prettier-ignore
  return listValue((content as object[]).map((entry) => entryValue(entry, name)), type.element); // prettier-ignore
}

const withoutOptionals = objectOf(limits, limits.map(([name]) => name)); // prettier-ignore

function plainObject(content: Record<string, unknown>): Value {
  return objectValue(Object.entries(content).map(([name, value]) => [name, textValue(String(value))]));
}

function entryValue(entry: object, name: string): Value {
  if (!("attrs" in entry)) {
    return objectValue(
      Object.entries(entry).map(([key, value]) => [
        key,
        Array.isArray(value)
          ? listValue((value as string[]).map(textValue), stringType)
          : textValue(String(value)),
      ]),
    );
  }
  const { type, attrs, dest, disabled } = entry as TypedEntry;
  const all = new Map([...attrs, ["type", type]]);
  if (name === "output") all.set("dest", dest ?? "");
  if (disabled) all.set("disabled", "true");
  return mapValue([...all].map(([key, value]) => [key, textValue(value)]));
}

function optional<Content>(value: Value, type: Type, read: (value: Value) => Content): Content | undefined {
  const converted = convert(value, type);
  if (!converted.isKnown) throw new CtyError("value must be known");
  return converted.isNull ? undefined : read(converted);
}

function known(value: Value): Value {
  if (!value.isKnown) throw new CtyError("value must be known");
  if (value.isNull) throw new CtyError("null value is not allowed");
  return value;
}

function textItems(value: Value): string[] {
  return itemsOf(value).map((item) => textOf(known(item)));
}

function textFields(value: Value, allowNull: boolean): Map<string, string | null> {
  return new Map(
    [...fieldsOf(value)].map(([name, item]) => {
      if (allowNull && item.isNull && item.isKnown) return [name, null];
      return [name, textOf(known(item))];
    }),
  );
}

function textAt(given: ReadonlyMap<string, Value>, name: string): string {
  const value = given.get(name);
  return value && value.isKnown && !value.isNull ? textOf(value) : "";
}

/** A list of entries, each a text or an object; empty texts and unknown entries are passed over. */
function entryList<Entry>(element: Type, read: (value: Value) => Entry[]): Field {
  return {
    type: listOf(element),
    read: (value) => {
      if (!value.isKnown) throw new CtyError("value must be known");
      if (value.isNull) return undefined;
      const { kind } = value.type;
      if (kind !== "tuple" && kind !== "list") {
        convert(value, listOf(element));
        throw new CtyError(`list required`);
      }
      return itemsOf(value)
        .filter((item) => item.isKnown && !(item.type.kind === "string" && item.data === ""))
        .flatMap((item) => read(known(item)));
    },
  };
}

function entryMap(value: Value): Map<string, string> {
  const known = [...fieldsOf(convert(value, textMap))].filter(([, item]) => item.isKnown);
  return new Map(
    known.map(([name, item]) => {
      if (item.isNull) throw new CtyError("null value is not allowed");
      return [name, textOf(item)];
    }),
  );
}

function attestOf(value: Value): TypedEntry {
  const { type = "", disabled, attrs } = taken(entryMap(value), "disabled");
  if (disabled === undefined) return { type, attrs };
  const isOff = parseGoBool(disabled);
  if (isOff === undefined) throw new CtyError(boolProblem(disabled));
  return isOff ? { type, attrs, disabled: true } : { type, attrs };
}

function cachesOf(value: Value): TypedEntry[] {
  if (value.type.kind === "string") return parseCaches(textOf(value));
  const { type = "", attrs } = taken(entryMap(value));
  if (type === "")
    throw new CtyError(`type required for ${goQuote(JSON.stringify(Object.fromEntries(attrs)))}`);
  return [{ type, attrs }];
}

function outputOf(value: Value): TypedEntry {
  const { type = "", dest = "", attrs } = taken(entryMap(value), "dest");
  if (type === "") throw new CtyError("type is required for output");
  return { type, attrs, dest };
}

function taken(attrs: Map<string, string>, ...names: ("dest" | "disabled")[]) {
  const result: { type?: string; dest?: string; disabled?: string; attrs: Map<string, string> } = { attrs };
  for (const name of ["type", ...names] as const) {
    const value = attrs.get(name);
    if (value !== undefined) result[name] = value;
    attrs.delete(name);
  }
  return result;
}

function resourcesOf(value: Value): Record<string, string | number> {
  const result: Record<string, string | number> = {};
  for (const [name, type] of limits) {
    const given = fieldsOf(value).get(name);
    if (!given || given.isNull || !given.isKnown) continue;
    if (type.kind === "string") result[name] = textOf(given);
    else if (numberOf(given).isInteger) result[name] = Number(numberOf(given).truncate());
    else
      throw new CtyError(
        "value must be a whole number, between -9223372036854775808 and 9223372036854775807",
      );
  }
  return result;
}

function policyOf(value: Value): PolicyEntry[] {
  if (value.type.kind === "string") return [parsePolicy(textOf(value))];
  if (value.type.kind !== "object" && value.type.kind !== "map")
    throw new CtyError(`map of string required, but have ${typeName(value.type)}`);
  const known = [...fieldsOf(value)].filter(([, item]) => !item.isNull && item.isKnown);
  const fields = known.map(([name, item]) => [name, textOf(convert(item, stringType))] as const);
  return [policyOfFields(fields.filter(([, text]) => text !== "").map(([name, text]) => `${name}=${text}`))];
}
