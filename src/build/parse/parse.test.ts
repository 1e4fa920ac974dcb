import { describe, expect, test } from "vitest";
import { parseAttestations } from "./attest.js";
import { parseCache } from "./cache.js";
import { parseCall } from "./call.js";
import { parseOutput } from "./output.js";
import { parseSecret } from "./secret.js";

describe("parseOutput", () => {
  test.each([
    ["out", { type: "local", dest: "out" }],
    ["-", { type: "tar", dest: "-" }],
    ["type=tar,dest=x.tar", { type: "tar", dest: "x.tar", attrs: {} }],
    [
      'type=oci,"dest=a,b.tar",Compression=zstd',
      { type: "oci", dest: "a,b.tar", attrs: { compression: "zstd" } },
    ],
    ["type=registry", { type: "registry", attrs: {} }],
  ])("%s", (text, output) => {
    expect(parseOutput(text)).toEqual(output);
  });

  test.each([
    ["type=tar,dest", "expecting key=value"],
    ["dest=x,name=y", "type is required for output"],
    ["type=bogus", 'unknown output type "bogus"'],
  ])("refuses %s", (text, message) => {
    expect(() => parseOutput(text)).toThrow(message);
  });
});

test("parseCache takes references and typed caches", () => {
  expect(parseCache("a/b:1,c/d")).toEqual([
    { type: "registry", attrs: { ref: "a/b:1" } },
    { type: "registry", attrs: { ref: "c/d" } },
  ]);
  expect(parseCache("type=registry,ref=a/b,Mode=max")).toEqual([
    { type: "registry", attrs: { ref: "a/b", mode: "max" } },
  ]);
  expect(() => parseCache("ref=a/b")).toThrow('type required for "ref=a/b"');
});

describe("parseSecret", () => {
  test("looks for variables among those that were set only", () => {
    for (const id of ["toString", "constructor", "__proto__"])
      expect(parseSecret(`id=${id}`, {})).toEqual({ id, source: { file: id } });
  });

  test.each([
    ["id=a,src=/x", { id: "a", source: { file: "/x" } }],
    ["id=a,env=B", { id: "a", source: { env: "B" } }],
    ["type=env,id=a,src=B", { id: "a", source: { env: "B" } }],
    ["id=SET", { id: "SET", source: { env: "SET" } }],
    ["id=unset", { id: "unset", source: { file: "unset" } }],
  ])("%s", (text, secret) => {
    expect(parseSecret(text, { SET: "1" })).toEqual(secret);
  });

  test.each([
    ["src=/x", "secret missing ID"],
    ["id=a,type=magic", 'unsupported secret type "magic"'],
    ["id=a,bogus=1", "unexpected key 'bogus'"],
  ])("refuses %s", (text, message) => {
    expect(() => parseSecret(text, {})).toThrow(message);
  });
});

test("parseAttestations joins flags and shorthands, the first of a type first", () => {
  const attestations = parseAttestations({
    attests: ["type=sbom,generator=image"],
    provenance: "mode=max,inline-only=true",
    sbom: true,
  });
  expect([...attestations]).toEqual([
    ["sbom", "type=sbom,generator=image"],
    ["provenance", "type=provenance,inline-only=true,mode=max"],
  ]);
  expect([...parseAttestations({ provenance: "false" })]).toEqual([["provenance", null]]);
});

test("parseCall knows check, formats and the plain build", () => {
  expect(parseCall("build")).toBeUndefined();
  expect(parseCall("check,format=json")).toEqual({ name: "lint", format: "json", ignoreStatus: false });
  expect(() => parseCall("outline,bogus=1")).toThrow("invalid print field: bogus=1");
});
