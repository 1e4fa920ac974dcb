import { type Type, boolType, hasDynamic, isCollection, sameType } from "./types.js";
import {
  type Value,
  boolValue,
  canIterate,
  falseValue,
  fieldsOf,
  isTrue,
  itemsOf,
  numberOf,
  trueValue,
  unknownValue,
} from "./value.js";

/**
 * Whether two values are equal, as HCL's `==` has it: of the same type and content. Unknown where a part is not known
 * that could decide it. go-cty 1.17 `Value.Equals`.
 */
export function equalValues(a: Value, b: Value): Value {
  if (!a.isKnown) return b.isKnown ? equalToUnknown(b, a.type) : unknownValue(boolType);
  if (!b.isKnown) return equalToUnknown(a, b.type);
  if (a.isNull || b.isNull) return boolValue(a.isNull && b.isNull);
  if (!isOfKnownType(a) || !isOfKnownType(b)) return equalTypes(a.type, b.type);
  return sameType(a.type, b.type) ? equalContents(a, b) : falseValue;
}

/** Whether a value can be equal to one of which only the type is known. */
function equalToUnknown(known: Value, other: Type): Value {
  const mayBe = known.isNull || hasDynamic(other) || sameType(known.type, other);
  return mayBe ? unknownValue(boolType) : falseValue;
}

/** Whether values of two types can be equal: a part whose type is open may still turn out as the other's. */
function equalTypes(a: Type, b: Type): Value {
  return conforms(a, b) || conforms(b, a) ? unknownValue(boolType) : falseValue;
}

/** Whether no part of a value may still turn out as of any type; an empty list has no such part. go-cty `HasWhollyKnownType`. */
function isOfKnownType(value: Value): boolean {
  if (value.isKnown && value.isNull) return true;
  if (!value.isKnown) return !hasDynamic(value.type);
  return !canIterate(value) || itemsOf(value).every(isOfKnownType);
}

/** Whether two values of one type have the same content. */
function equalContents(a: Value, b: Value): Value {
  switch (a.type.kind) {
    case "number":
      return boolValue(numberOf(a).equals(numberOf(b)));
    case "map":
      if ([...fieldsOf(a).keys()].join("\0") !== [...fieldsOf(b).keys()].join("\0")) return falseValue;
      return allEqual(itemsOf(a), itemsOf(b));
    case "list":
    case "tuple":
    case "set":
    case "object":
      return allEqual(itemsOf(a), itemsOf(b));
    default:
      return boolValue(a.data === b.data);
  }
}

function allEqual(a: readonly Value[], b: readonly Value[]): Value {
  if (a.length !== b.length) return falseValue;
  for (const [at, item] of a.entries()) {
    const equal = equalValues(item, b[at] as Value);
    if (!equal.isKnown || !isTrue(equal)) return equal;
  }
  return trueValue;
}

/** Whether a type is the wanted one where that is not open. go-cty 1.17 type_conform.go. */
function conforms(given: Type, wanted: Type): boolean {
  if (wanted.kind === "dynamic") return true;
  if (given.kind !== wanted.kind) return false;
  if (isCollection(wanted)) return conforms((given as typeof wanted).element, wanted.element);
  if (wanted.kind === "tuple") {
    const { elements } = given as typeof wanted;
    if (elements.length !== wanted.elements.length) return false;
    return elements.every((type, at) => conforms(type, wanted.elements[at] as Type));
  }
  if (wanted.kind !== "object") return sameType(given, wanted);
  const { attributes } = given as typeof wanted;
  if (attributes.size !== wanted.attributes.size) return false;
  return [...wanted.attributes].every(([name, type]) => {
    const own = attributes.get(name);
    return own !== undefined && conforms(own, type);
  });
}
