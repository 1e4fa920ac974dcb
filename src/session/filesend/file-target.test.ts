import { finished } from "node:stream/promises";
import { expect, it } from "vitest";
import { openOutputFile } from "./file-target.js";

it.skipIf(process.platform !== "linux")("an output file's errors are those of exports", async () => {
  await expect(openOutputFile("/")).rejects.toMatchObject({
    code: "SESSION_EXPORT_IO",
    path: "/",
    message: "cannot write /: it is a directory",
  });
  const full = await openOutputFile("/dev/full");
  full.end("x".repeat(100_000));
  await expect(finished(full)).rejects.toMatchObject({
    code: "SESSION_EXPORT_IO",
    path: "/dev/full",
    message: "write /dev/full: no space left on device (ENOSPC)",
  });
});
