// Bundles the command into one file, dist/slipway.mjs, that needs nothing but Node beside it: first what starts it
// (src/cli/start.ts), then the program, as a script in a comment that the start runs with V8's code cache. And
// dist/command.cjs, the installed command, which starts the program of that file in less time.
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { bundleProgram, bundleStart, checkout } from "./program.mjs";

const target = path.resolve(process.argv[2] ?? path.join(checkout, "dist", "slipway.mjs"));

try {
  const { text, hash } = await bundleProgram();
  // A comment ends at the first "*/", which stands in strings and at the end of regular expressions; the start puts it back.
  if (text.includes("*\x01/")) throw new Error("the program has what stands for the end of a comment");
  const commented = text.replaceAll("*/", "*\x01/");
  const folder = path.dirname(target);
  await mkdir(folder, { recursive: true });
  const start = await bundleStart("start-file", "esm");
  await put(target, `${start}\n/*slipway:program ${hash}${commented}*/`);
  await put(path.join(folder, "command.cjs"), await bundleStart("start-command", "cjs"));
} catch (error) {
  // esbuild has said what is wrong, and where.
  if (!error?.errors) console.error(error);
  process.exit(1);
}

/** An executable. Renamed into its place, so that a slipway that starts at this moment finds the old file or the new one. */
async function put(file, program) {
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, `#!/usr/bin/env node\n${program}\n`);
  await chmod(unfinished, 0o755);
  await rename(unfinished, file);
}
