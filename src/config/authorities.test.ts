import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testCertificates } from "../../test/support/certificates.js";
import { readAuthorities, withPublicAuthorities } from "./authorities.js";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-authorities-"))));
afterEach(() => rm(dir, { recursive: true }));

test("reads the certificates of a file, and nothing else of it", async () => {
  const path = join(dir, "ca.pem");
  const { ca, cert, key } = testCertificates;
  await writeFile(path, `a comment \xff\n${ca}${key}\r\n${cert}`, "latin1");
  expect(await readAuthorities(path)).toBe(ca + cert);
  const all = withPublicAuthorities(ca);
  expect(all.startsWith(ca)).toBe(true);
  // With the longest file of a user's it must fit into a secret.
  expect(all.length + (250 << 10)).toBeLessThan(500 * 1024);
});

test.each([
  ["", "no certificate in PEM form"],
  ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "a certificate in it cannot be read"],
  ["x".repeat(300 << 10), "bytes"],
])("refuses what is none", async (content, why) => {
  const path = join(dir, "ca.pem");
  await writeFile(path, content);
  await expect(readAuthorities(path)).rejects.toThrow(`failed to read the authorities ${path}: `);
  await expect(readAuthorities(path)).rejects.toThrow(why);
});

test("names what is not there, or is no file", async () => {
  await expect(readAuthorities(join(dir, "none"))).rejects.toThrow("no such file");
  await expect(readAuthorities(dir)).rejects.toThrow(`failed to read the authorities ${dir}: `);
});
