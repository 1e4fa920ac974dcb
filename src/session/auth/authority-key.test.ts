import { expect, test } from "vitest";
import { authorityKey } from "./authority-key.js";

// Made by Go: ed25519.NewKeyFromSeed of the HMAC, nacl/sign of "payload".
test.each([
  [
    undefined,
    "b45ba32d8a10d660befdbe21a23c4060bd782df58506fbf5ac8d83a425a3ffdf",
    "e9ff4b236277cd665a63eb38757a2ec20bdb9a39d6a5f22a9f8ed40e46ca14823c85f40653c5c5fa4acb14ad13918c9c65dbf060fb27eb59d5b46d14e68d73087061796c6f6164",
  ],
  [
    "0123456789abcdef",
    "2371c41e14e958c4f75a58e1ae47b9017e099636db72b7eab4abc7d7ab4257eb",
    "e6d45dbdc64748878bdb48033f918c258f0cbcffeaed05ad497b7d25f44fe6d6bab8f3bedb7de3653cda8eebb9ff453f34e2f4ac7f4db6bd0705fef6ff1adb0a7061796c6f6164",
  ],
])("key and signature for seed %s are Go's", (seed, publicKey, signed) => {
  const key = authorityKey(
    Buffer.from("a salt of the daemon"),
    seed === undefined ? undefined : Buffer.from(seed),
  );
  expect(key.publicKey.toString("hex")).toBe(publicKey);
  expect(key.sign(Buffer.from("payload")).toString("hex")).toBe(signed);
});
