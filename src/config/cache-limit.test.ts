import { expect, test } from "vitest";
import { withCacheLimit } from "./cache-limit.js";

const limited = async (text: string | undefined, bytes = 5 << 20) =>
  (await withCacheLimit(text === undefined ? undefined : Buffer.from(text), bytes)).toString();

test("a config gets a limit beside what it has, or is made of it", async () => {
  expect(await limited(undefined)).toBe("[worker.oci]\ngc = true\nmaxUsedSpace = 5242880\n");
  const given = 'debug = true\n[worker.oci]\nmax-parallelism = 4\n[registry."a:1"]\nhttp = true\n';
  const text = await limited(given);
  for (const line of ["debug = true", "max-parallelism = 4", "maxUsedSpace = 5242880", "http = true"])
    expect(text).toContain(line);
});

test("rules of its own, a wrong size and a broken config are told", async () => {
  for (const own of ["[worker.oci]\ngc = false\n", "[[worker.oci.gcpolicy]]\nall = true\n"])
    await expect(limited(own)).rejects.toThrow("rules for garbage collection of its own (worker.oci)");
  for (const bytes of [0, -1, 1.5, NaN])
    await expect(limited(undefined, bytes)).rejects.toThrow(`invalid cache size ${bytes}`);
  await expect(limited("[worker")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});
