import { randomFillSync } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** Bytes in a GiB. */
export const GiB = 2 ** 30;

/** Makes a directory once: `fill` is called with its path when it is not there yet. Gives the path. */
export function directory(parent, name, fill) {
  const dir = path.join(parent, name);
  if (!fs.existsSync(dir)) {
    fs.mkdirSync(dir, { recursive: true });
    fill(dir);
  }
  return dir;
}

/** A file of bytes that do not compress. */
export function noise(file, size) {
  const chunk = Buffer.allocUnsafe(4 << 20);
  const handle = fs.openSync(file, "w");
  for (let left = size; left > 0; left -= chunk.length) {
    randomFillSync(chunk);
    fs.writeSync(handle, chunk, 0, Math.min(left, chunk.length));
  }
  fs.closeSync(handle);
}

/** `count` files of 0.1 to 12 kB, 100 to a directory, most of them small, as source code is. */
export function sourceTree(dir, count) {
  const bytes = randomFillSync(Buffer.allocUnsafe(16 << 10)).toString("base64");
  for (let index = 0; index < count; index += 1) {
    const hundred = Math.floor(index / 100);
    const parent = path.join(dir, `d${hundred % 10}`, `e${hundred}`);
    if (index % 100 === 0) fs.mkdirSync(parent, { recursive: true });
    // Between 100 and 12,000 bytes, half of them below 1,200, the same in every run.
    const share = ((index * 2654435761) % 2 ** 32) / 2 ** 32;
    const size = Math.round(100 * 120 ** share);
    fs.writeFileSync(path.join(parent, `file-${index}.txt`), `${index}\n${bytes}`.slice(0, size));
  }
}

/** 100,000 files and an ignore file of 500 lines that ignores all but one in a hundred, by suffix. */
export function ignoredTree(dir) {
  const suffixes = Array.from({ length: 500 }, (_, index) => `.s${String(index).padStart(3, "0")}`);
  for (let index = 0; index < 200; index += 1) {
    const parent = path.join(dir, `package-${index % 20}`, `part-${index}`);
    fs.mkdirSync(parent, { recursive: true });
    for (const suffix of suffixes) fs.writeFileSync(path.join(parent, `file${suffix}`), suffix);
  }
  const lines = suffixes.slice(5).map((suffix) => `**/*${suffix}`);
  lines.push(
    "# and some of other kinds",
    "node_modules",
    "**/.cache/**",
    "package-*/tmp?",
    "!package-1/README.md",
  );
  fs.writeFileSync(path.join(dir, ".dockerignore"), `${lines.join("\n")}\n`);
}
