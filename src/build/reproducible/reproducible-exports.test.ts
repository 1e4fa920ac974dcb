import { expect, test } from "vitest";
import { reproducibleAttrs, unsteadyExports } from "./reproducible-exports.js";

test("what an exporter is told, and what is given counts", () => {
  const fixed = { "rewrite-timestamp": "true", compression: "gzip", "force-compression": "true" };
  expect(reproducibleAttrs({ name: "a" }, "image")).toEqual({
    ...fixed,
    "oci-mediatypes": "true",
    name: "a",
  });
  expect(reproducibleAttrs({}, "docker")).toEqual(fixed);
  expect(reproducibleAttrs({ compression: "zstd", "oci-mediatypes": "false" }, "oci")).toMatchObject({
    compression: "zstd",
    "oci-mediatypes": "false",
  });
  expect(reproducibleAttrs({ "rewrite-timestamp": "1" }, "oci")).toMatchObject({ "rewrite-timestamp": "1" });
  for (const value of ["false", "0", "", "no"])
    expect(() => reproducibleAttrs({ "rewrite-timestamp": value }, "oci")).toThrow(
      `rewrite-timestamp=${value} of the output oci contradicts a reproducible build`,
    );
});

test("compressions that may be others elsewhere are told", () => {
  const warned = (compression: string) => unsteadyExports([{ type: "oci", attrs: { compression } }]).length;
  expect(["gzip", "uncompressed", "zstd", "estargz"].map(warned)).toEqual([0, 0, 1, 1]);
  expect(unsteadyExports([{ type: "local", attrs: {} }])).toEqual([]);
});
