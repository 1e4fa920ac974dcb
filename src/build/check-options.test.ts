import { expect, test } from "vitest";
import { build, plan } from "./index.js";

type Options = Parameters<typeof plan>[0];

test.each([
  [{}, 'the option context is missing; "." is the current directory'],
  [{ context: ".", tags: "app:1" }, 'the option tags must be a list, such as ["app:1"]'],
  [
    { context: ".", platforms: "linux/amd64" },
    'the option platforms must be a list, such as ["linux/amd64"]',
  ],
  [{ context: ".", outputs: "out" }, 'the option outputs must be a list, such as [{ type: "cacheonly" }]'],
])("%j is refused by the option's name", async (options, message) => {
  await expect(plan(options as unknown as Options)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message,
  });
  // Before a builder is looked for.
  await expect(build({ ...options, builder: "nosuch" } as unknown as Options)).rejects.toMatchObject({
    message,
  });
});
