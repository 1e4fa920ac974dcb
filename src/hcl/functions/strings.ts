import { posix } from "node:path";
import { trimTrailing } from "../../core/index.js";
import { compareText } from "../compare-text.js";
import { ArgumentError, CtyError } from "../cty-error.js";
import { graphemeCount, graphemes } from "../graphemes.js";
import { listOf, numberType, stringType } from "../types.js";
import { type Value, integerValue, itemsOf, listValue, textOf, textValue } from "../value.js";
import { withoutTrailingSpace } from "../white-space.js";
import { at, define, dynamic, list, number, text, variadic, wholeNumber } from "./define.js";

const str = text("str", dynamic);
const strings = listOf(stringType);

export const upper = mapped([str], ([given]) => eachChar(given, (char) => char.toUpperCase()));
export const lower = mapped([str], ([given]) => eachChar(given, (char) => char.toLowerCase()));
export const reverse = mapped([str], ([given]) => graphemes(given).reverse().join(""));
export const chomp = mapped([text("str")], ([given]) => trimTrailing(given, "\r\n"));
export const title = mapped([text("str")], ([given]) => titled(given));
export const trimSpace = mapped([text("str")], ([given]) =>
  withoutTrailingSpace(given.replace(/^\p{White_Space}+/u, "")),
);
export const trim = mapped([text("str"), text("cutset")], ([given, cutset]) =>
  trimmed(given, new Set(cutset)),
);
export const trimPrefix = mapped([text("str"), text("prefix")], ([given, prefix]) =>
  given.startsWith(prefix) ? given.slice(prefix.length) : given,
);
export const trimSuffix = mapped([text("str"), text("suffix")], ([given, suffix]) =>
  given.endsWith(suffix) ? given.slice(0, given.length - suffix.length) : given,
);
export const replace = mapped([text("str"), text("substr"), text("replace")], ([given, part, by]) =>
  part === "" ? by + Array.from(given, (char) => char + by).join("") : given.replaceAll(part, () => by),
);
export const sanitize = mapped([text("name")], ([given]) => given.replace(/[^a-zA-Z0-9_-]/gu, "_"));
export const basename = mapped([text("path")], ([given]) => {
  if (given === "") return ".";
  return posix.basename(given) || "/";
});
export const dirname = mapped([text("path")], ([given]) => {
  const directory = posix.normalize(given.slice(0, given.lastIndexOf("/") + 1));
  return directory.length > 1 ? directory.replace(/\/$/, "") : directory;
});

export const strlen = define([text("str", { allowDynamic: true })], numberType, (args) =>
  integerValue(graphemeCount(textOf(at(args, 0)))),
);

export const substr = define(
  [str, number("offset", dynamic), number("length", dynamic)],
  stringType,
  (args) => {
    const chars = graphemes(textOf(at(args, 0)));
    let offset = wholeNumber(at(args, 1));
    const length = wholeNumber(at(args, 2));
    if (offset < 0) offset += chars.length;
    else if (length === 0) return textValue("");
    const rest = chars.slice(Math.max(offset, 0));
    // A length of 0 behind an offset from the end takes all, as go-cty has it.
    return textValue((length <= 0 ? rest : rest.slice(0, length)).join(""));
  },
);

export const indent = define([number("spaces"), text("str")], stringType, (args) => {
  const pad = " ".repeat(wholeNumber(at(args, 0)));
  return textValue(textOf(at(args, 1)).replaceAll("\n", `\n${pad}`));
});

export const join = variadic(
  [text("separator")],
  list("lists", stringType),
  stringType,
  ([separator, ...lists]) => {
    if (lists.length === 0) throw new CtyError("at least one list is required");
    const items = lists.flatMap((each, index) =>
      itemsOf(each).map((item, position) => {
        if (!item.isNull) return textOf(item);
        const which = lists.length > 1 ? `${position} of list ${index + 1}` : `${position}`;
        throw new ArgumentError(index + 1, `element ${which} is null; cannot concatenate null values`);
      }),
    );
    return textValue(items.join(textOf(separator as Value)));
  },
);

export const sort = define([list("list", stringType)], strings, (args) => {
  const items = itemsOf(at(args, 0));
  const missing = items.findIndex((item) => item.isNull);
  if (missing >= 0)
    throw new CtyError(`given list element ${missing} is null; a null string cannot be sorted`);
  return listValue([...items].sort((a, b) => compareText(textOf(a), textOf(b))), stringType); // prettier-ignore
});

export const split = define([text("separator"), text("str")], strings, (args) => {
  const separator = textOf(at(args, 0));
  const given = textOf(at(args, 1));
  const parts = separator === "" ? Array.from(given) : given.split(separator);
  return listValue(parts.map(textValue), stringType);
});

/** A function from texts to a text. */
export function mapped(
  parameters: Parameters<typeof define>[0],
  run: (texts: [string, string, string]) => string,
): ReturnType<typeof define> {
  return define(parameters, stringType, (args) =>
    textValue(run(args.map(textOf) as [string, string, string])),
  );
}

/** Go maps character by character: none becomes two. */
function eachChar(given: string, map: (char: string) => string): string {
  return Array.from(given, (char) => {
    const other = map(char);
    return Array.from(other).length === 1 ? other : char;
  }).join("");
}

/** Go's `strings.Title`: capitals behind whatever is no letter, digit or underscore. */
function titled(given: string): string {
  let isStart = true;
  return eachChar(given, (char) => {
    const result = isStart ? char.toUpperCase() : char;
    isStart =
      char < "\x80"
        ? !/[A-Za-z0-9_]/.test(char)
        : !/[\p{L}\p{Nd}]/u.test(char) && /\p{White_Space}/u.test(char);
    return result;
  });
}

function trimmed(given: string, cutset: ReadonlySet<string>): string {
  const chars = Array.from(given);
  let start = 0;
  let end = chars.length;
  while (start < end && cutset.has(chars[start] as string)) start++;
  while (end > start && cutset.has(chars[end - 1] as string)) end--;
  return chars.slice(start, end).join("");
}
