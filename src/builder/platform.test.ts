import { describe, expect, it } from "vitest";
import { formatInGroups, truncatePlatforms } from "./platform-groups.js";
import { only, onlyStrict } from "./platform-match.js";
import {
  dedupePlatforms,
  formatPlatform,
  formatPlatformFully,
  localPlatform,
  normalizePlatform,
  parsePlatform,
  parsePlatforms,
} from "./platform.js";

const normal = (text: string) => formatPlatform(normalizePlatform(parsePlatform(text)));

describe("parsePlatform", () => {
  it.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["Linux/AMD64/v1", "linux/amd64"],
    ["linux/amd64/v2", "linux/amd64/v2"],
    ["linux/arm", "linux/arm"],
    ["linux/arm/7", "linux/arm/v7"],
    ["linux/armhf", "linux/arm"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64/v8"],
    ["linux/arm64/v9.0", "linux/arm64/v9"],
    ["linux/i386", "linux/386"],
    ["macos/arm64", "darwin/arm64"],
    ["windows(10.0.17763+win32k)/amd64", "windows/amd64"],
  ])("reads %s as %s", (text, expected) => {
    expect(formatPlatform(parsePlatform(text))).toBe(expected);
  });

  it("fills in what is missing from this machine", () => {
    const { os, architecture } = localPlatform();
    expect(parsePlatform("arm64")).toEqual({ os, architecture: "arm64" });
    expect(parsePlatform("freebsd")).toMatchObject({ os: "freebsd", architecture });
    expect(parsePlatforms(["LOCAL"]).map(formatPlatform)).toEqual([
      formatPlatform(normalizePlatform(localPlatform())),
    ]);
  });

  it.each(["", "linux/", "linux/*", "a/b/c/d", "linux/am d", "nonsense", "linux/amd64/"])(
    "refuses %j",
    (text) => {
      expect(() => parsePlatform(text)).toThrow(/invalid argument/);
    },
  );

  // Version and features are told in one way, containerd's.
  it.each([
    ["windows(%zz)/amd64", 'has an invalid OS version "%zz": invalid URL escape "%zz"'],
    ["windows(10%)", 'has an invalid OS version "10%": invalid URL escape "%"'],
    ["windows(1+a+b%2)/amd64", 'has invalid OS features: invalid os feature "b%2": invalid URL escape "%2"'],
    ["linux(%FF)/amd64", 'has an invalid OS version "%FF": the URL escapes of "%FF" are not UTF-8'],
    ["linux(+%C3)/amd64", 'invalid os feature "%C3": the URL escapes of "%C3" are not UTF-8'],
  ])("refuses the escape in %s", (text, why) => {
    expect(() => parsePlatform(text)).toThrow(why);
    expect(() => parsePlatform(text)).toThrow(JSON.stringify(text));
  });

  it("keeps version and features of the system", () => {
    const platform = parsePlatform("windows(10.0.17763+b+a%2Bc)/amd64");
    expect(platform).toMatchObject({ osVersion: "10.0.17763", osFeatures: ["b", "a+c"] });
    expect(formatPlatformFully(platform)).toBe("windows(10.0.17763+a%2Bc+b)/amd64");
  });

  it("tells releases of a system apart", () => {
    const two = ["windows(10.0.17763)/amd64", "windows(10.0.20348)/amd64", "Windows(10.0.17763)/x86_64"];
    const kept = dedupePlatforms(two.map(parsePlatform)).map(formatPlatformFully);
    expect(kept).toEqual(two.slice(0, 2));
    expect(formatInGroups([parsePlatform(two[0] ?? "")], two.map(parsePlatform))).toEqual([
      `${two[0]}*`,
      two[1],
    ]);
  });

  it("normalises and removes doubles", () => {
    expect(["linux/arm", "linux/arm64/v8", "linux/arm64/v9.0"].map(normal)).toEqual([
      "linux/arm/v7",
      "linux/arm64",
      "linux/arm64/v9",
    ]);
    const list = parsePlatforms(["linux/amd64,linux/x86_64", "linux/arm"]);
    expect(dedupePlatforms(list).map(formatPlatform)).toEqual(["linux/amd64", "linux/arm/v7"]);
  });
});

describe("platform matching", () => {
  const matches = (kind: typeof only, wanted: string) => (given: string) =>
    kind(parsePlatform(wanted)).matches(parsePlatform(given));

  it("onlyStrict takes other spellings and nothing else", () => {
    const strict = matches(onlyStrict, "linux/arm64");
    expect(["linux/arm64", "linux/aarch64", "linux/arm64/v8"].map(strict)).toEqual([true, true, true]);
    expect(["linux/arm/v7", "linux/arm64/v9", "darwin/arm64"].map(strict)).toEqual([false, false, false]);
    expect(matches(onlyStrict, "linux/amd64")("linux/386")).toBe(false);
  });

  it("only takes what the machine can run too", () => {
    expect(["linux/386", "linux/amd64/v3"].map(matches(only, "linux/amd64"))).toEqual([true, false]);
    expect(["linux/amd64/v2", "linux/amd64"].map(matches(only, "linux/amd64/v3"))).toEqual([true, true]);
    expect(["linux/arm/v8", "linux/arm/v6", "linux/arm64"].map(matches(only, "linux/arm64"))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["linux/arm64/v8.6", "linux/arm64/v8.7"].map(matches(only, "linux/arm64/v9.1"))).toEqual([
      true,
      false,
    ]);
    expect(["linux/arm/v8", "linux/arm/v5"].map(matches(only, "linux/arm/v7"))).toEqual([false, true]);
  });

  it("ranks the nearest first", () => {
    const list = ["linux/arm/v6", "linux/s390x", "linux/arm64", "linux/arm/v7"].map(parsePlatform);
    const sorted = list.sort((a, b) => only(parsePlatform("linux/arm64")).compare(a, b));
    expect(sorted.map(formatPlatform)).toEqual([
      "linux/arm64",
      "linux/arm/v7",
      "linux/arm/v6",
      "linux/s390x",
    ]);
  });
});

describe("platforms in tables", () => {
  it("puts the configured ones first with a star", () => {
    const configured = parsePlatforms(["linux/arm64"]);
    const offered = parsePlatforms(["linux/amd64", "linux/arm64", "linux/386"]);
    expect(formatInGroups(configured, offered)).toEqual(["linux/arm64*", "linux/amd64", "linux/386"]);
  });

  // Expected values from buildx v0.38.2 commands/ls.go.
  it.each([
    [["linux/amd64", "linux/386"], "linux/amd64, linux/386"],
    [
      [
        "linux/amd64*",
        "linux/amd64/v2",
        "linux/amd64/v3",
        "linux/arm64",
        "linux/386",
        "linux/arm/v7",
        "linux/arm/v6",
      ],
      "linux/amd64* (+3), linux/arm64, linux/arm (+2), linux/386",
    ],
    [
      ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/s390x", "linux/riscv64"],
      "linux/amd64, linux/arm64, linux/arm/v7, linux/ppc64le, (2 more)",
    ],
    [
      ["linux/s390x", "linux/ppc64le", "linux/arm/v7", "linux/arm/v6", "linux/amd64", "linux/amd64/v2"],
      "linux/amd64 (+2), linux/arm (+2), linux/ppc64le, linux/s390x",
    ],
    [
      ["linux/amd64", "linux/arm64", "linux/ppc64le", "linux/arm/v7", "linux/arm/v6"],
      "linux/amd64, linux/arm64, linux/arm (+2), linux/ppc64le",
    ],
  ])("shortens %j", (platforms, expected) => {
    expect(truncatePlatforms(platforms)).toBe(expected);
  });
});
