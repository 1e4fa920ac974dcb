import { expect, test } from "vitest";
import { parseCsvFields } from "./csv-fields.js";

test.each([
  ["a", ["a"]],
  ["type=local,dest=out", ["type=local", "dest=out"]],
  ["a,,b,", ["a", "", "b", ""]],
  ['"a,b",c', ["a,b", "c"]],
  ['"say ""hi""",x', ['say "hi"', "x"]],
  ['""', [""]],
  ['"a",', ["a", ""]],
  [" a , b", [" a ", " b"]],
  ["a,b\r\n", ["a", "b"]],
  ['"line\nbreak"', ["line\nbreak"]],
])("splits %j", (text, fields) => {
  expect(parseCsvFields(text)).toEqual(fields);
});

test.each([
  ['a"b', 'parse error on line 1, column 2: bare " in non-quoted field'],
  ['é,b"', 'parse error on line 1, column 5: bare " in non-quoted field'],
  ['"a"b', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
  ['"a', 'parse error on line 1, column 2: extraneous or missing " in quoted-field'],
  ["", "empty value, expecting at least one field"],
  ["\n", "empty value, expecting at least one field"],
])("refuses %j", (text, message) => {
  expect(() => parseCsvFields(text)).toThrow(message);
});
