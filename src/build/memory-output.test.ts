import { once } from "node:events";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { memory } from "./memory-output.js";

test("gives the bytes as they come, and whole at the end", async () => {
  const output = memory();
  const early = (async () => {
    const parts: string[] = [];
    for await (const chunk of output) parts.push(Buffer.from(chunk).toString());
    return parts;
  })();
  expect(() => output.bytes()).toThrow("the output is not whole");
  output.write("one ");
  await new Promise((resolve) => setImmediate(resolve));
  output.write("two");
  output.end();
  expect(await early).toEqual(["one ", "two"]);
  expect([output.bytes().toString(), output.size()]).toEqual(["one two", 7]);
  const late: Uint8Array[] = [];
  for await (const chunk of output) late.push(chunk);
  expect(Buffer.concat(late).toString()).toBe("one two");
});

test("an output that breaks off ends who reads it, and is never whole", async () => {
  const output = memory();
  output.on("error", () => {});
  const reading = output[Symbol.asyncIterator]().next();
  output.destroy(new Error("lost"));
  await expect(reading).rejects.toThrow("lost");
  expect(() => output.bytes()).toThrow("not whole");
  const silent = memory();
  silent.destroy();
  await expect(silent[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: "SESSION_EXPORT_INCOMPLETE",
  });
});

test("keeps no more than it may", async () => {
  const output = memory({ maxBytes: 4 });
  const failed = once(output, "error");
  output.write("12345");
  await expect(failed).resolves.toMatchObject([{ code: "CONTENT_TOO_LARGE" }]);
});

test("reads the files of an archive", async () => {
  const output = memory();
  const archive = pack();
  archive.entry({ name: "./a/", type: "directory", mode: 0o755 });
  archive.entry({ name: "a/__proto__", mode: 0o100644, uid: 5 }, "x");
  archive.entry({ name: "/l", type: "symlink", linkname: "a/b" });
  archive.finalize();
  archive.pipe(output);
  await once(output, "finish");
  const files = await output.files();
  expect([...files.keys()]).toEqual(["a", "a/__proto__", "l"]);
  expect(files.get("a/__proto__")).toMatchObject({ type: "file", mode: 0o644, uid: 5 });
  expect(files.get("a/__proto__")?.content.toString()).toBe("x");
  expect(files.get("l")).toMatchObject({ type: "symlink", target: "a/b" });
});

test("what is no archive is told", async () => {
  const output = memory();
  output.end(Buffer.alloc(700, 7));
  await once(output, "finish");
  await expect(output.files()).rejects.toMatchObject({ code: "CONTENT_GAP" });
});
