import { expect, it } from "vitest";
import { encodeRegistryAuth } from "./registry-auth.js";

it("is URL-safe base64 with padding", () => {
  const text = encodeRegistryAuth({ username: "ÿÿ>>", password: "???~~" });
  expect(text).toMatch(/^[A-Za-z0-9_-]+={0,2}$/);
  expect(text.length % 4).toBe(0);
  expect(JSON.parse(Buffer.from(text, "base64url").toString())).toEqual({
    username: "ÿÿ>>",
    password: "???~~",
  });
});
