import { expect, it } from "vitest";
import { parsePolicy, policyText } from "./policy-entry.js";

it.each([
  ["disabled=1", "disabled=true"],
  ["Disabled=false", "disabled=false"],
  ["reset=0", "disabled=false"],
  ["filename=a,filename=b,strict=f,log-level=WARN", "filename=a,strict=false,log-level=warning,filename=b"],
])("%s is told to the build as %s", (given, text) => {
  expect(policyText(parsePolicy(given))).toBe(text);
});
