import { expect, test } from "vitest";
import { percentDecode, percentDecodeBytes } from "./percent.js";

test.each([
  ["", ""],
  ["a+b", "a+b"],
  ["%2B%2b%25", "++%"],
  ["gr%C3%B6%C3%9fe", "größe"],
  ["größe%20", "größe "],
  ["%00", "\0"],
])("%j stands for %j", (text, decoded) => {
  expect(percentDecode(text)).toBe(decoded);
});

test.each([
  ["%", "%"],
  ["a%z", "%z"],
  ["a%zzb", "%zz"],
  ["%4", "%4"],
  ["%25%4😀", "%4😀"],
])("%j has an escape that is none", (text, named) => {
  expect(() => percentDecode(text)).toThrow(`invalid URL escape ${JSON.stringify(named)}`);
});

test("bytes need not be text, text must", () => {
  expect(percentDecodeBytes("a%FF")).toEqual(Buffer.from([0x61, 0xff]));
  expect(() => percentDecode("a%FF")).toThrow('the URL escapes of "a%FF" are not UTF-8');
});
