// usage: node scripts/bundle.mjs [FILE] [--without TRICK]…
// Bundles the command into one file, dist/slipway.mjs, that needs nothing but Node beside it: first what starts it
// (src/cli/startup/start.ts), then the program, as a script in a comment that the start runs with V8's code cache. And
// dist/command.cjs and dist/docker.cjs, the installed commands, which start the program of that file in less time.
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import ts from "typescript";
import { bundleProgram, bundleStart, checkout } from "./program.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { without: { type: "string", multiple: true, default: [] } },
});
const target = path.resolve(positionals[0] ?? path.join(checkout, "dist", "slipway.mjs"));

try {
  const { text, hash } = await bundleProgram({ without: values.without });
  const commented = withoutCommentEnds(text);
  const folder = path.dirname(target);
  await mkdir(folder, { recursive: true });
  const start = await bundleStart("start-file", "esm");
  // As start.ts looks for it.
  if (start.length > 16_000) throw new Error("the program begins too far in the file");
  await put(target, `${start}\n/*slipway:program ${hash}${commented}*/`);
  await put(path.join(folder, "command.cjs"), await bundleStart("start-command", "cjs"));
  await put(path.join(folder, "docker.cjs"), await bundleStart("start-docker", "cjs"));
} catch (error) {
  // esbuild has said what is wrong, and where.
  if (!error?.errors) console.error(error);
  process.exit(1);
}

/**
 * The same program without what ends a comment: it stands in strings, templates and regular expressions, which can be written in
 * another way. Put back at the start, a text of its size would have to be copied.
 */
function withoutCommentEnds(text) {
  const source = ts.createSourceFile("program.js", text, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS);
  const edits = [];
  const visit = (node) => {
    const kept = text.slice(node.pos, node.end);
    if (!kept.includes("*/")) return;
    const { kind } = node;
    const { RegularExpressionLiteral, FirstTemplateToken, LastTemplateToken } = ts.SyntaxKind;
    if (kind === RegularExpressionLiteral) {
      const end = kept.lastIndexOf("/");
      const body = kept.slice(0, end).replaceAll("*/", "*\\/");
      edits.push([node, (body.endsWith("*") ? `${body}(?:)` : body) + kept.slice(end)]);
    } else if (ts.isStringLiteral(node) || (kind >= FirstTemplateToken && kind <= LastTemplateToken))
      edits.push([node, kept.replaceAll("*/", "*\\/")]);
    else if (ts.isTaggedTemplateExpression(node))
      throw new Error("a tagged template with the end of a comment");
    else ts.forEachChild(node, visit);
  };
  visit(source);
  let written = text;
  for (const [{ pos, end }, edit] of edits.reverse())
    written = written.slice(0, pos) + edit + written.slice(end);
  if (written.includes("*/")) throw new Error("the program has the end of a comment in its code");
  return written;
}

/** An executable. Renamed into its place, so that a slipway that starts at this moment finds the old file or the new one. */
async function put(file, program) {
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, `#!/usr/bin/env node\n${program}\n`);
  await chmod(unfinished, 0o755);
  await rename(unfinished, file);
}
