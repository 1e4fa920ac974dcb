import {
  CtyError,
  type Diagnostic,
  type Expression,
  type Scope,
  type Value,
  convert,
  itemsOf,
  listOf,
  listValue,
  objectValue,
  stringType,
  textOf,
  textValue,
} from "../hcl/index.js";
import { unsuitable } from "./target-values.js";

/** A group as definitions have it. */
export interface GroupFields {
  name: string;
  description?: string;
  targets?: string[];
}

/** Evaluates a group's attribute; what is wrong is added. */
export function readGroup(
  group: GroupFields,
  name: string,
  expression: Expression,
  scope: Scope,
  diagnostics: Diagnostic[],
) {
  const given = expression.value(scope, diagnostics);
  try {
    const value = convert(given, name === "targets" ? listOf(stringType) : stringType);
    if (!value.isKnown) throw new CtyError("value must be known");
    if (value.isNull && name === "description") throw new CtyError("null value is not allowed");
    if (name === "description") group.description = textOf(value);
    else if (!value.isNull) group.targets = itemsOf(value).map(itemText);
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    unsuitable(expression, error, diagnostics);
  }
}

function itemText(item: Value): string {
  if (!item.isKnown) throw new CtyError("value must be known");
  if (item.isNull) throw new CtyError("null value is not allowed");
  return textOf(item);
}

/** A group as an expression in another block sees it. */
export function groupValue({ name, description = "", targets = [] }: GroupFields): Value {
  return objectValue([
    ["name", textValue(name)],
    ["description", textValue(description)],
    ["targets", listValue(targets.map(textValue), stringType)],
  ]);
}
