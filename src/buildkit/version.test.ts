import { describe, expect, test } from "vitest";
import { isSlipwayError } from "../core/index.js";
import {
  type BuildkitVersionNumber,
  compareVersions,
  parseVersion,
  requireSupportedVersion,
} from "./version.js";

describe("parseVersion", () => {
  test.each([
    ["v0.32.2", { major: 0, minor: 32, patch: 2, prerelease: "" }],
    ["0.12.0-rc1", { major: 0, minor: 12, patch: 0, prerelease: "rc1" }],
    ["v0.11.7+d3e6c1360f6e", { major: 0, minor: 11, patch: 7, prerelease: "" }],
    ["v1.2", { major: 1, minor: 2, patch: 0, prerelease: "" }],
    ["d3e6c1360f6e", undefined],
    ["", undefined],
    ["v0.12", { major: 0, minor: 12, patch: 0, prerelease: "" }],
    ["v1.2.3.4", undefined],
  ])("%s", (text, expected) => {
    expect(parseVersion(text)).toEqual(expected);
  });
});

test("compareVersions orders numbers as numbers, prereleases before releases", () => {
  const sorted = ["v0.9.9", "v0.12.4", "v0.12.5-rc1", "v0.12.5-rc2", "v0.12.5", "v0.13.0", "v1.0.0"];
  const parsed = sorted.map((text) => parseVersion(text) as BuildkitVersionNumber);
  expect([...parsed].reverse().sort(compareVersions)).toEqual(parsed);
  expect(compareVersions(parsed[0] as BuildkitVersionNumber, parsed[0] as BuildkitVersionNumber)).toBe(0);
});

describe("requireSupportedVersion", () => {
  test.each(["v0.12.5", "v0.12.6-rc1", "v0.32.2", "v1.0.0", "v0.0.0-20260101", "0.0.0+unknown", "abc", ""])(
    "takes %s",
    (version) => expect(() => requireSupportedVersion(version)).not.toThrow(),
  );

  test.each(["v0.12.4", "v0.12.5-rc1", "v0.11.6", "0.8.0"])("refuses %s by name", (version) => {
    expect(() => requireSupportedVersion(version)).toThrow(
      `the builder runs BuildKit ${version}, slipway needs v0.12.5 or newer`,
    );
  });

  test("refuses a daemon that cannot be asked", () => {
    try {
      requireSupportedVersion(undefined);
      expect.unreachable();
    } catch (error) {
      expect(isSlipwayError(error, "BUILDKIT_TOO_OLD")).toBe(true);
    }
  });
});
