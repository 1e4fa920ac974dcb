// Imported before testcontainers: what is too new for this Node fails while it is imported, with a TypeError of its depths.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { InvalidArgumentError } from "../core/index.js";
import { newerNodeOf } from "./newer-node.js";

const found = manifest("testcontainers", import.meta.url);
// A testcontainers that is not there says so by itself.
if (found) {
  // Up to 12.1 it does not say which Node it needs, but its undici does.
  const needed = newerNodeOf([found.content, manifest("undici", found.file)?.content], process.versions.node);
  if (needed !== undefined) {
    throw new InvalidArgumentError(
      `testcontainers ${found.content.version} needs Node ${needed} or later, and this is ${process.versions.node}: take a newer Node, or install testcontainers@12.0.1`,
    );
  }
}

/** The package.json of a package, as a file sees it. */
function manifest(name: string, from: string) {
  try {
    const file = createRequire(from).resolve(`${name}/package.json`);
    return { file, content: JSON.parse(readFileSync(file, "utf8")) as { version?: string } };
  } catch {
    return undefined;
  }
}
