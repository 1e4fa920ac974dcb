import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { smallSha256 } from "./small-sha256.js";

test("it is SHA-256", () => {
  const lengths = [...Array.from({ length: 200 }, (_, length) => length), 1_000, 4_095, 4_096, 100_000];
  for (const length of lengths) {
    const bytes = randomBytes(length);
    expect(smallSha256(bytes), `of ${length} bytes`).toBe(createHash("sha256").update(bytes).digest("hex"));
  }
});
