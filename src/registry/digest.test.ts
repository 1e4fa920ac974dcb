import { expect, test } from "vitest";
import { DigestVerifier, digestOf, isDigest } from "./digest.js";

test("digests are made, recognised and verified", () => {
  const digest = digestOf("hello");
  expect(digest).toBe("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  expect(isDigest(digest)).toBe(true);
  expect(isDigest(digest.toUpperCase())).toBe(false);
  expect(isDigest(`${digest}0`)).toBe(false);
  expect(isDigest(`sha512:${"0".repeat(128)}`)).toBe(true);
  const good = new DigestVerifier(digest);
  good.update(Buffer.from("hel"));
  good.update(Buffer.from("lo"));
  expect(good.matches()).toBe(true);
  expect(new DigestVerifier(digest).matches()).toBe(false);
  expect(() => new DigestVerifier("sha256:x")).toThrow(RangeError);
});
