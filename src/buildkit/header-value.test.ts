import { expect, test } from "vitest";
import { toHeaderValue } from "./header-value.js";

test.each(["", "context:abc", "a b:%2B+plain", "!'()*~"])("%j goes as it is", (text) => {
  expect(toHeaderValue(text)).toEqual({ value: text, encoded: false });
});

// Values of Go's url.QueryEscape.
test.each([
  ["größe:n1", "gr%C3%B6%C3%9Fe%3An1"],
  ["早:%2B+plain", "%E6%97%A9%3A%252B%2Bplain"],
  ["ta\tb !'()*~", "ta%09b+%21%27%28%29%2A~"],
  [" a:n", "+a%3An"],
  ["a\u{7f}", "a%7F"],
  ["🚢", "%F0%9F%9A%A2"],
  ["\u{d800}", "%EF%BF%BD"],
])("%j is escaped", (text, value) => {
  expect(toHeaderValue(text)).toEqual({ value, encoded: true });
});
