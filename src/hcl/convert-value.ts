import { conversionFor } from "./convert.js";
import { CtyError } from "./cty-error.js";
import { goQuote } from "./go-quote.js";
import {
  type CollectionType,
  type ObjectType,
  type Type,
  hasDynamic,
  isCollection,
  isPrimitive,
  sameType,
  typeName,
  withoutOptional,
} from "./types.js";
import type { Value } from "./value.js";

/** A value as one of the wanted type. Throws a CtyError that says why it cannot be. go-cty 1.17 `convert.Convert`. */
export function convert(value: Value, wanted: Type): Value {
  if (sameType(value.type, withoutOptional(wanted))) return value;
  const conversion = conversionFor(value.type, wanted, true);
  if (!conversion) throw new CtyError(mismatch(value.type, wanted));
  return conversion(value);
}

/** Why no value of the one type can become one of the other. go-cty 1.17 convert/mismatch_msg.go. */
export function mismatch(got: Type, wanted: Type): string {
  const anyElement = isCollection(wanted) && wanted.element.kind === "dynamic";
  if (got.kind === "object" && wanted.kind === "object") return objectMismatch(got, wanted);
  if (anyElement && got.kind === "tuple" && wanted.kind !== "map") {
    return `all ${wanted.kind} elements must have the same type`;
  }
  if (anyElement && got.kind === "object" && wanted.kind === "map")
    return "all map elements must have the same type";
  if (isCollection(wanted) && (got.kind === "tuple" || got.kind === "object")) {
    return structuralMismatch(got, wanted);
  }
  if (isCollection(wanted) && isCollection(got)) {
    if ((wanted.kind === "map") !== (got.kind === "map")) return `${typeName(wanted, true)} required`;
    return `incorrect ${wanted.kind} element type: ${mismatch(got.element, wanted.element)}`;
  }
  if (!areConfusing(got, wanted)) return `${typeName(wanted)} required, but have ${typeName(got)}`;
  return `${typeName(wanted, true)} required`;
}

function structuralMismatch(got: Type, wanted: CollectionType): string {
  const parts: [string, Type][] =
    got.kind === "tuple" && wanted.kind !== "map"
      ? got.elements.map((type, at) => [String(at), type])
      : got.kind === "object" && wanted.kind === "map"
        ? [...got.attributes].map(([name, type]) => [goQuote(name), type])
        : [];
  if (parts.length === 0) return `${typeName(wanted, true)} required`;
  for (const [name, type] of parts) {
    if (sameType(type, wanted.element) || conversionFor(type, wanted.element, true)) continue;
    return `element ${name}: ${mismatch(type, wanted.element)}`;
  }
  return `all elements must be ${typeName(wanted.element, true)}`;
}

function objectMismatch(got: ObjectType, wanted: ObjectType): string {
  const missing: string[] = [];
  let impossible: string | undefined;
  let unsafe: string | undefined;
  for (const [name, type] of wanted.attributes) {
    const given = got.attributes.get(name);
    if (!given) {
      if (!wanted.optional?.has(name)) missing.push(goQuote(name));
      continue;
    }
    if (sameType(given, type)) continue;
    const reason = () => `attribute ${goQuote(name)}: ${mismatch(given, type)}`;
    if (!impossible && !conversionFor(given, type, true)) impossible = reason();
    if (!unsafe && !conversionFor(given, type, false)) unsafe = reason();
  }
  if (missing.length === 1) return `attribute ${missing[0]} is required`;
  if (missing.length === 2) return `attributes ${missing[0]} and ${missing[1]} are required`;
  if (missing.length > 2)
    return `attributes ${missing.slice(0, -1).join(", ")}, and ${missing.at(-1)} are required`;
  return impossible ?? unsafe ?? "incorrect object attributes";
}

function areConfusing(got: Type, wanted: Type): boolean {
  if (isPrimitive(got) !== isPrimitive(wanted) || wanted.kind === "string") return false;
  if (
    (wanted.kind === "bool" && got.kind === "number") ||
    (got.kind === "bool" && wanted.kind === "number")
  ) {
    return false;
  }
  if (isCollection(got) && isCollection(wanted) && !hasDynamic(got.element) && hasDynamic(wanted.element))
    return false;
  return !(got.kind === "tuple" && wanted.kind === "object");
}
