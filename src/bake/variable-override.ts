import { parseCsvFields, parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import {
  BigFloat,
  CtyError,
  type Type,
  type Value,
  boolValue,
  convert,
  decodeJson,
  goQuote,
  listValue,
  mapValue,
  numberValue,
  setValue,
  textValue,
  tupleValue,
  typeName,
} from "../hcl/index.js";
import { boolProblem } from "./entries.js";

/** Whether a type is that of a single text, number or bool. */
export const isPrimitive = ({ kind }: Type) => kind === "string" || kind === "number" || kind === "bool";

/** A typed variable's value from text: comma-separated for collections. Throws a CtyError. */
export function fromOutside(name: string, text: string, type: Type): Value {
  if (isCsvType(type)) return fromCsv(name, text, type);
  if (isPrimitive(type)) return fromText(name, text, type);
  throw new CtyError(`unsupported type ${typeName(type)} for variable ${name}`);
}

/** A typed variable's value from JSON. Throws a CtyError. */
export function fromJson(name: string, text: string, type: Type): Value {
  try {
    return convert(decodeJson(text), type);
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    throw new CtyError(`failed to convert variable ${name} from JSON: ${error.message}`);
  }
}

/** A text, a number by Go's ParseFloat or a bool by its ParseBool. Throws a CtyError. */
export function fromText(name: string, text: string, type: Type): Value {
  if (type.kind === "string") return textValue(text);
  if (type.kind === "bool") {
    const parsed = parseGoBool(text);
    if (parsed === undefined) throw new CtyError(`failed to parse ${name} as bool: ${boolProblem(text)}`);
    return boolValue(parsed);
  }
  if (type.kind !== "number") throw new CtyError(`${name} of type ${typeName(type)} is not a primitive`);
  const refuse = (problem: string) => new CtyError(`failed to parse ${name} as number: ${problem}`);
  if (/^[+-]?(?:inf|infinity|nan)$/i.test(text)) throw refuse("invalid number value");
  if (!/^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) {
    throw refuse(`strconv.ParseFloat: parsing ${goQuote(text)}: invalid syntax`);
  }
  const number = Number(text);
  if (!Number.isFinite(number))
    throw refuse(`strconv.ParseFloat: parsing ${goQuote(text)}: value out of range`);
  return numberValue(BigFloat.double(number));
}

/** Whether a type can be given as comma-separated values. */
function isCsvType({ kind }: Type): boolean {
  return kind === "list" || kind === "set" || kind === "tuple" || kind === "map";
}

/** A collection of primitives from comma-separated values, `key:value` for maps. Throws a CtyError. */
function fromCsv(name: string, text: string, type: Type): Value {
  const fail = (problem: string) => new CtyError(`failed to convert variable ${name} from CSV: ${problem}`);
  const fields = csv(text, (problem) => fail(`failed to parse ${text} as CSV: ${problem}`));
  const item = (value: string, element: Type): Value => {
    if (!isPrimitive(element)) throw fail(`unsupported type ${typeName(type)} for CSV specification`);
    try {
      return fromText(name, value, element);
    } catch (error) {
      if (!(error instanceof CtyError)) throw error;
      throw fail(`failed to parse element of type ${typeName(type)}: ${error.message}`);
    }
  };
  switch (type.kind) {
    case "list":
      return listValue(fields.map((field) => item(field, type.element)), type.element); // prettier-ignore
    case "set":
      return setValue(fields.map((field) => item(field, type.element)), type.element); // prettier-ignore
    case "tuple":
      if (fields.length !== type.elements.length) {
        throw fail(`tuple expects ${type.elements.length} elements but only ${fields.length} provided`);
      }
      return tupleValue(fields.map((field, at) => item(field, type.elements[at] as Type)));
    case "map":
      return mapValue(
        fields.map((field) => {
          const [key, value, more] = field.split(":");
          if (key === undefined || value === undefined || more !== undefined) {
            throw fail(`expected one k/v pair but got ${field.split(":").length} pieces from ${field}`);
          }
          return [key, item(value, type.element)];
        }),
        type.element,
      );
    default:
      throw fail(`unsupported type ${typeName(type)} for CSV specification`);
  }
}

function csv(text: string, refuse: (problem: string) => CtyError): string[] {
  try {
    return parseCsvFields(text);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw refuse(error.message);
    throw error;
  }
}
