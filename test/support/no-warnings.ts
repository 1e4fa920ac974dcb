import { afterEach, expect } from "vitest";
import { perProcess } from "./per-process.js";

/** What Node warns of in every run, and not because of us. */
const usual = new Set(["ExperimentalWarning"]);

const warnings = perProcess("warnings", () => {
  const found: string[] = [];
  process.on("warning", ({ name, message }) => {
    if (!usual.has(name)) found.push(`${name}: ${message}`);
  });
  return found;
});

// A warning of Node, such as of a leak of listeners, fails the test that it came in.
afterEach(() => expect(warnings.splice(0).join("\n"), "warnings of Node").toBe(""));
