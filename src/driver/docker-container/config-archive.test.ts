import { extract } from "tar-stream";
import { expect, test } from "vitest";
import { configArchive } from "./config-archive.js";

async function entriesOf(files: Record<string, string>) {
  const archive = configArchive(
    new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])),
  );
  const entries: { name: string; mode: number | undefined; text: string }[] = [];
  for await (const entry of archive.pipe(extract() as never) as unknown as AsyncIterable<
    AsyncIterable<Buffer> & { header: { name: string; mode?: number; uid?: number; mtime?: Date } }
  >) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk);
    expect(entry.header).toMatchObject({ uid: 0, mtime: new Date(0) });
    entries.push({
      name: entry.header.name,
      mode: entry.header.mode,
      text: Buffer.concat(chunks).toString(),
    });
  }
  return entries;
}

test("SEC-11 directories come first, then files, all of root, and nothing is compressed", async () => {
  expect(await entriesOf({ "certs/r/ca.pem": "CA", "buildkitd.toml": "x" })).toEqual([
    { name: "buildkit/", mode: 0o755, text: "" },
    { name: "buildkit/certs/", mode: 0o755, text: "" },
    { name: "buildkit/certs/r/", mode: 0o755, text: "" },
    { name: "buildkit/buildkitd.toml", mode: 0o644, text: "x" },
    { name: "buildkit/certs/r/ca.pem", mode: 0o644, text: "CA" },
  ]);
});

test.each(["../x", "/etc/x", "a//b", "a/./b", "a\\b", "a\0b", ""])("refuses the path %j", (path) => {
  expect(() => configArchive(new Map([[path, Buffer.alloc(0)]]))).toThrow("invalid config file path");
});

test("refuses a file that is also a directory", () => {
  const files = new Map([
    ["a", Buffer.alloc(0)],
    ["a/b", Buffer.alloc(0)],
  ]);
  expect(() => configArchive(files)).toThrow('config file path "buildkit/a" conflicts with directory');
});
