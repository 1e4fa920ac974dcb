import { ArgumentError, CtyError } from "../cty-error.js";
import { type Type, dynamicType, listOf, objectOf, stringType, tupleOf } from "../types.js"; // prettier-ignore
import {
  type Value,
  dynamicValue,
  listValue,
  nullValue,
  objectValue,
  textOf,
  textValue,
  tupleValue,
} from "../value.js";
import { at, define, text } from "./define.js";
import { type GoPattern, PatternError, goPattern } from "./go-pattern.js";
import type { PatternMatch } from "./pattern-machine.js";

const parameters = [text("pattern"), text("string")];

/** What a pattern's groups found in a text: the text itself, a tuple, or an object if they are named. */
export const regex = define(parameters, matchType, (args, type) => {
  if (type.kind === "dynamic") return dynamicValue;
  const { machine, names } = goPattern(textOf(at(args, 0)));
  const [first] = machine.matches(textOf(at(args, 1)));
  if (!first) throw new CtyError("pattern did not match any part of the given string");
  return found(first, names, type);
});

export const regexAll = define(
  parameters,
  (args) => listOf(matchType(args)),
  (args, type) => {
    const { element } = type as { element: Type };
    if (element.kind === "dynamic") return dynamicValue;
    const { machine, names } = goPattern(textOf(at(args, 0)));
    const all = [...machine.matches(textOf(at(args, 1)))];
    return listValue(all.map((match) => found(match, names, element)), element); // prettier-ignore
  },
);

export const regexReplace = define([text("str"), text("pattern"), text("replace")], stringType, (args) => {
  let pattern: GoPattern;
  try {
    pattern = goPattern(textOf(at(args, 1)));
  } catch (error) {
    throw error instanceof PatternError ? new CtyError(error.message) : error;
  }
  const given = textOf(at(args, 0));
  const template = textOf(at(args, 2));
  let result = "";
  let end = 0;
  for (const match of pattern.machine.matches(given)) {
    result += given.slice(end, match.index) + expanded(template, match, pattern.names);
    end = match.index + match.text.length;
  }
  return textValue(result + given.slice(end));
});

function matchType(args: readonly Value[]): Type {
  if (!at(args, 0).isKnown) return dynamicType;
  let names: GoPattern["names"];
  try {
    ({ names } = goPattern(textOf(at(args, 0))));
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new ArgumentError(0, `invalid regexp pattern: ${error.code} in ${error.part}`);
  }
  const named = names.filter((name) => name !== undefined);
  if (names.length === 0) return stringType;
  if (named.length === 0) return tupleOf(names.map(() => stringType));
  if (named.length === names.length) return objectOf(named.map((name) => [name, stringType]));
  throw new ArgumentError(0, "invalid regexp pattern: cannot mix both named and unnamed capture groups");
}

function found(match: PatternMatch, names: GoPattern["names"], type: Type): Value {
  const group = (index: number) => {
    const text = match.groups[index];
    return text === undefined ? nullValue(stringType) : textValue(text);
  };
  if (type.kind === "tuple") return tupleValue(type.elements.map((_, index) => group(index)));
  if (type.kind !== "object") return textValue(match.text);
  return objectValue([...type.attributes.keys()].map((name) => [name, group(names.indexOf(name))]));
}

/** Go's `Regexp.Expand`: `$1`, `${name}`, `$$`; the longest name counts. */
function expanded(template: string, match: PatternMatch, names: GoPattern["names"]): string {
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (all, braced?: string, bare?: string) => {
      if (all === "$$") return "$";
      const name = (braced ?? bare) as string;
      const index = /^[0-9]+$/.test(name) ? Number(name) : names.indexOf(name) + 1;
      if (!/^[0-9]+$/.test(name) && index === 0) return "";
      return (index === 0 ? match.text : match.groups[index - 1]) ?? "";
    },
  );
}
