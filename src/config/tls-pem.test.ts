import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { testCertificates } from "../../test/support/certificates.js";
import { type TlsPem, checkTlsPem } from "./tls-pem.js";

const { ca, cert, key } = testCertificates;
const check = (pem: TlsPem) => checkTlsPem(pem, (name, why) => new Error(`${name}: ${why}`));
const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const other = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
const encrypted = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

test("what is sound comes back, and nothing for nothing", () => {
  expect(check({})).toEqual({});
  expect(check({ ca, cert, key })).toEqual({ ca, cert, key });
  // A chain, with words around.
  expect(check({ cert: `about\n${cert}${ca}`, key }).cert).toBe(`about\n${cert}${ca}`);
});

test("authorities that cannot be read do not hide those behind them", () => {
  expect(check({ ca: `# first\n${broken}${ca}` })).toEqual({ ca });
});

test.each<[TlsPem, string]>([
  [{ ca: "" }, "ca: no certificate in PEM form is in it"],
  [{ ca: key }, "ca: no certificate in PEM form is in it"],
  [{ ca: broken }, "ca: no certificate in it can be read: "],
  [{ cert }, "key: it is missing, but there is a certificate"],
  [{ key }, "cert: it is missing, but there is a key for it"],
  [{ cert: "junk", key }, "cert: no certificate in PEM form is in it"],
  [{ cert: `${cert}${broken}`, key }, "cert: a certificate in it cannot be read: "],
  [{ cert, key: "junk" }, "key: the private key in it cannot be read: "],
  [{ cert, key: cert }, "key: the private key in it cannot be read: "],
  [{ cert, key: encrypted }, "key: the private key in it cannot be read: "],
  [{ cert, key: other }, "key: it is not the key of the certificate"],
])("what is wrong is told of its file: %#", (pem, why) => {
  expect(() => check(pem)).toThrow(why);
});
