import { compareText } from "./compare-text.js";
import { equalValues } from "./equal-values.js";
import { formatFloat } from "./format-number.js";
import { goQuote } from "./go-quote.js";
import { type Type, dynamicType, setOf } from "./types.js";
import { Value, commonElement, fieldsOf, isTrue, itemsOf, numberOf, textOf } from "./value.js";

/** A set of items of one type; `element` is that of an empty one. */
export function setValue(items: readonly Value[], element: Type = dynamicType): Value {
  const type = commonElement(items) ?? element;
  return new Value(setOf(type), orderedSet(items, type));
}

/** A set's elements, each once, in go-cty's order: text and numbers by value, all else by a form of their content. */
function orderedSet(items: readonly Value[], element: Type): Value[] {
  const byForm = new Map<string, Value[]>();
  for (const item of items) {
    const form = formOf(item);
    const same = byForm.get(form);
    if (!same) byForm.set(form, [item]);
    else if (!same.some((other) => isTrue(equalValues(other, item)) || (other.isNull && item.isNull)))
      same.push(item);
  }
  return [...byForm.values()].flat().sort((a, b) => compareItems(a, b, element));
}

function compareItems(a: Value, b: Value, element: Type): number {
  if (a.isNull || b.isNull) return Number(a.isNull) - Number(b.isNull);
  if (!a.isKnown || !b.isKnown) return Number(!a.isKnown) - Number(!b.isKnown);
  switch (element.kind) {
    case "string":
      return compareText(textOf(a), textOf(b));
    case "bool":
      return Number(isTrue(a)) - Number(isTrue(b));
    case "number":
      return numberOf(a).compare(numberOf(b));
    default:
      return compareText(formOf(a), formOf(b));
  }
}

/** go-cty 1.17 set_internals.go `makeSetHashBytes`. */
function formOf(value: Value): string {
  if (!value.isKnown) return "?";
  if (value.isNull) return "~";
  const each = (items: readonly Value[]) => items.map((item) => `${formOf(item)};`).join("");
  switch (value.type.kind) {
    case "number":
      return formOfNumber(value);
    case "bool":
      return isTrue(value) ? "T" : "F";
    case "string":
      return goQuote(textOf(value));
    case "list":
    case "set":
      return `[${each(itemsOf(value))}]`;
    case "map":
      return `{${[...fieldsOf(value)].map(([key, item]) => `${goQuote(key)}:${formOf(item)};`).join("")}}`;
    case "capsule":
      return "«?»";
    default:
      return `<${each(itemsOf(value))}>`;
  }
}

function formOfNumber(value: Value): string {
  const number = numberOf(value);
  const sign = number.negative ? "-" : "";
  return number.infinite ? `${sign}Inf` : sign + formatFloat(number, "g", 10);
}
