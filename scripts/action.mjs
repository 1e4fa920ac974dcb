// usage: node scripts/action.mjs [DIRECTORY]
// Makes the GitHub action, build/action: its description, its program in one file, and the licences of what that is made of.
// A release publishes this directory; it is not checked in, since it changes with every change of src.
import fs from "node:fs";
import path from "node:path";
import { bundleAction, checkout } from "./program.mjs";

const target = path.resolve(process.argv[2] ?? path.join(checkout, "build", "action"));

try {
  const text = await bundleAction();
  fs.mkdirSync(target, { recursive: true });
  const unfinished = path.join(target, `index.cjs.${process.pid}.tmp`);
  fs.writeFileSync(unfinished, text);
  fs.renameSync(unfinished, path.join(target, "index.cjs"));
  fs.copyFileSync(path.join(checkout, "action", "action.yml"), path.join(target, "action.yml"));
  for (const name of ["LICENSE", "THIRD-PARTY-NOTICES"])
    fs.copyFileSync(path.join(checkout, name), path.join(target, name));
} catch (error) {
  // esbuild has said what is wrong, and where.
  if (!error?.errors) console.error(error);
  process.exitCode = 1;
}
