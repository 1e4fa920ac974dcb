import { expect, test } from "vitest";
import { type Diagnostic, diagnosticsText } from "./diagnostic.js";
import { standardFunctions } from "./functions/standard-functions.js";
import { parseJsonBody } from "./json-body.js";
import { parseNative } from "./parse-body.js";
import type { Scope } from "./scope.js";

/** Definitions that cannot be read or evaluated, and what is said of them. */
const native: [source: string, error: string][] = [
  ["a = 1\na = 2\n", 'x:2,1-2: Attribute redefined; The argument "a" was already set at x:1,1-2. Each argument may be set only once.'],
  ["a = [1 2]\n", "x:1,8-9: Missing item separator; Expected a comma to mark the beginning of the next item."],
  ["a = NOPE\n", 'x:1,5-9: Unknown variable; There is no variable named "NOPE".'],
  ["a = foo(1)\n", 'x:1,5-8: Call to unknown function; There is no function named "foo". Did you mean "floor"?'],
  ["a = upper()\n", 'x:1,11-12: Not enough function arguments; Function "upper" expects 1 argument(s). Missing value for "str".'],
  ['a = "${null}"\nb = "x${null}"\n', "x:2,9-13: Invalid template interpolation value; The expression result is null. Cannot include a null value in a string template."],
  ["a = 'x'\n", 'x:1,5-6: Invalid character; Single quotes are not valid. Use double quotes (") to enclose strings., and 1 other diagnostic(s)'],
  ["a {\n  b = 1\n", "x:1,3-4: Unclosed configuration block; There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file."],
  ['a = true ? {x = 1} : ["y"]\n', "x:1,12-27: Inconsistent conditional result types; The true and false result expressions must have consistent types. The 'true' value is object, but the 'false' value is tuple."],
  ["a = 1 +\n", "x:1,8-2,1: Invalid expression; Expected the start of an expression, but found an invalid expression token."],
  ['a = "é${b}"\n', 'x:1,9-10: Unknown variable; There is no variable named "b".'],
]; // prettier-ignore

test.each(native)("native syntax: %j", (source, expected) => {
  const diagnostics: Diagnostic[] = [];
  const body = parseNative(source, "x", diagnostics);
  const scope: Scope = { variables: new Map(), functions: standardFunctions() };
  if (diagnostics.length === 0)
    for (const { expression } of body.attributes([]).values()) expression.value(scope, diagnostics);
  expect(diagnosticsText(diagnostics)).toBe(expected);
});

test.each([
  [
    '{"a": 1,}',
    "x:1,8-9: Trailing comma in object; JSON does not permit a trailing comma after the final property in an object.",
  ],
  ["{a: 1}", 'x:1,2-3: Invalid JSON keyword; "a" is not a valid JSON keyword., and 1 other diagnostic(s)'],
  [
    '{"a": [1 2]}',
    "x:1,12-13: Missing attribute seperator comma; A comma must appear between each value in an array.",
  ],
])("JSON: %j", (source, expected) => {
  const diagnostics: Diagnostic[] = [];
  parseJsonBody(source, "x", diagnostics);
  expect(diagnosticsText(diagnostics)).toBe(expected);
});

test("what nests without end is refused, not followed", () => {
  const diagnostics: Diagnostic[] = [];
  parseNative(`a = ${"[".repeat(100_000)}`, "x", diagnostics);
  parseJsonBody(`{"a": ${"[".repeat(100_000)}`, "x", diagnostics);
  expect(diagnostics.map(({ summary }) => summary)).toContain("Expression too complex");
  expect(diagnostics.map(({ summary }) => summary)).toContain("Value too complex");
});
