import { expect, test } from "vitest";
import { parseCall } from "./call.js";

const call = { name: "lint", format: "", ignoreStatus: false };

test.each([
  [undefined, undefined],
  ["", undefined],
  ["build", undefined],
  ["format=json", undefined],
  ["check", call],
  ["lint,format=json", { ...call, format: "json" }],
  ["format=json,check,ignorestatus=1", { ...call, format: "json", ignoreStatus: true }],
  ["outline,ignorestatus=false", { ...call, name: "outline" }],
  ["subrequests.describe", { ...call, name: "subrequests.describe" }],
  ["__proto__", { ...call, name: "__proto__" }],
  ['"check"', call],
])("the call %j", (text, expected) => expect(parseCall(text)).toEqual(expected));

test.each([
  ["check,outline", "invalid print value: check,outline"],
  ["check,ignorestatus=maybe", 'invalid ignorestatus print value: maybe: "maybe" is not a boolean'],
  ["check,colour=red", "invalid print field: colour=red"],
  ["check,=", "invalid print field: ="],
  ['"check', "check"],
])("the call %j is refused", (text, message) => expect(() => parseCall(text)).toThrow(message));
