import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testCertificates } from "../../../test/support/certificates.js";
import { checkAuthorities } from "./here.js";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-doctor-"));
  await writeFile(join(dir, "good.pem"), testCertificates.ca);
  await writeFile(join(dir, "junk.pem"), "junk");
});
afterAll(() => rm(dir, { recursive: true }));

const check = async (env: Record<string, string>) => {
  const paths = Object.entries(env).map(([name, file]) => [name, join(dir, file)]);
  const { status, text } = await checkAuthorities(Object.fromEntries(paths) as typeof env);
  return `${status}: ${text.replaceAll(`${dir}/`, "")}`;
};

test("files of authorities that the environment names are looked into", async () => {
  expect(await check({})).toBe("ok: the public ones that Node knows");
  expect(await check({ SSL_CERT_FILE: "good.pem" })).toBe("ok: 1 of good.pem");
  expect(await check({ NODE_EXTRA_CA_CERTS: "good.pem" })).toBe("ok: the public ones, and 1 of good.pem");
  expect(await check({ SSL_CERT_FILE: "good.pem", NODE_EXTRA_CA_CERTS: "good.pem" })).toBe(
    "ok: 1 of good.pem, and 1 of good.pem",
  );
});

test.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])(
  "%s is named when its file is of no use, which nobody else says",
  async (name) => {
    for (const file of ["junk.pem", "missing.pem", "."])
      expect(await check({ [name]: file })).toMatch(
        new RegExp(`^problem: ${name}: failed to read the authorities `),
      );
  },
);
