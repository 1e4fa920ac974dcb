import { expect, test } from "vitest";
import { parseSize } from "./size.js";

test.each([
  ["32", 32],
  ["32b", 32],
  ["32B", 32],
  ["32k", 32768],
  ["32KB", 32768],
  ["32kib", 32768],
  ["1.5 GiB", 1.5 * 1024 ** 3],
  [".5m", 524288],
  ["2t", 2 * 1024 ** 4],
  ["1P", 1024 ** 5],
  ["1.9", 1],
  ["1e3k", 1024000],
  ["1 ", 1],
])("%j", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ["", "invalid size: ''"],
  ["hello", "invalid size: 'hello'"],
  ["-32", "invalid size: '-32'"],
  ["1  k", "invalid size: '1  k'"],
  [" 32", "invalid size"],
  ["32x", "invalid suffix: 'x'"],
  ["32bb", "invalid suffix: 'bb'"],
  ["32mx", "invalid suffix: 'mx'"],
  ["32mibs", "invalid suffix: 'mibs'"],
  ["9999p", "invalid size"],
])("refuses %j", (text, message) => {
  expect(() => parseSize(text)).toThrow(message);
});
