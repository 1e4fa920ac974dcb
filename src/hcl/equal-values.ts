import { type Type, boolType, hasDynamic, isCollection, sameType } from "./types.js";
import {
  type Value,
  boolValue,
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
  const unknown = unknownValue(boolType);
  if (!a.isKnown && !b.isKnown) return unknown;
  if (!a.isKnown || !b.isKnown) {
    const [known, other] = a.isKnown ? [a, b] : [b, a];
    if (known.isNull || hasDynamic(other.type)) return unknown;
    return sameType(known.type, other.type) ? unknown : falseValue;
  }
  if (a.isNull || b.isNull) return boolValue(a.isNull && b.isNull);
  if (!sameType(a.type, b.type)) {
    // A part whose type is open may still turn out as the other's.
    const open = hasDynamic(a.type) || hasDynamic(b.type);
    return open && (conforms(a.type, b.type) || conforms(b.type, a.type)) ? unknown : falseValue;
  }
  switch (a.type.kind) {
    case "number":
      return boolValue(numberOf(a).equals(numberOf(b)));
    case "list":
    case "tuple":
      return allEqual(itemsOf(a), itemsOf(b));
    case "set":
      return allEqual(itemsOf(a), itemsOf(b));
    case "map":
      if ([...fieldsOf(a).keys()].join("\0") !== [...fieldsOf(b).keys()].join("\0")) return falseValue;
      return allEqual(itemsOf(a), itemsOf(b));
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
