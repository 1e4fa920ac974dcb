import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { build as bundle } from "esbuild";
import { type PageBlock, checkout } from "./docs-page.js";

/** How {@link runPage} runs a page. */
export interface PageRunOptions {
  /** Path of the page, for messages. */
  page: string;
  blocks: readonly PageBlock[];
  /** Empty; `page` in it is where the page's commands work, the rest is ours. */
  dir: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Takes the place of `registry.example.com`. */
  registry: string;
}

/** What a shell does before a block, and after it: places and exported variables go from block to block. */
const prologue = `unset BASH_ENV
[ ! -e "$PAGE_STATE/env" ] || . "$PAGE_STATE/env"
cd "$(cat "$PAGE_STATE/cwd")"
trap 'echo "$PAGE:$LINENO: exit code $?: $BASH_COMMAND" >&2' ERR
trap 'export -p >"$PAGE_STATE/env"; pwd >"$PAGE_STATE/cwd"' EXIT
`;

/**
 * Runs the blocks of a page from top to bottom, each beginning where the one before it ended.
 *
 * @throws Error that names page and line of the first block that fails, with what it printed.
 */
export async function runPage({ page, blocks, dir, env, registry }: PageRunOptions): Promise<string[]> {
  const scratch = path.join(dir, "page");
  const state = path.join(dir, "state");
  await mkdir(scratch);
  await mkdir(state);
  await writeFile(path.join(state, "cwd"), scratch);
  await writeFile(path.join(state, "prologue"), prologue);
  await symlink(path.join(checkout, "node_modules"), path.join(state, "node_modules"));
  const outputs: string[] = [];
  for (const block of blocks) {
    if (block.kind === "read" || block.notRun !== undefined) continue;
    const text = block.text.replaceAll("registry.example.com", registry);
    // Lines of the script are the page's, so that messages name them.
    const padded = "\n".repeat(block.line - 1) + text;
    const script = path.join(state, `line-${block.line}${block.kind === "ts" ? ".ts" : ""}`);
    await writeFile(script, padded);
    const variables = {
      ...process.env,
      ...env,
      PAGE: page,
      PAGE_STATE: state,
      BASH_ENV: path.join(state, "prologue"),
      SLIPWAY_CHECKOUT: checkout,
    };
    let command: string[];
    if (block.kind === "file") {
      const cwd = (await readFile(path.join(state, "cwd"), "utf8")).trimEnd();
      const file = path.join(cwd, block.file ?? "");
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
      continue;
    } else if (block.kind === "ts") {
      await compile(script, `${script}.mjs`);
      // By way of the shell, for the place and the variables that blocks before have set.
      await writeFile(`${script}.sh`, `exec "${process.execPath}" --enable-source-maps "${script}.mjs"\n`);
      command = ["-eu", `${script}.sh`];
    } else command = ["-euE", "-o", "pipefail", script];
    const { status, output } = await run("bash", command, variables);
    outputs.push(output);
    if (status !== 0) throw new Error(`${page}:${block.line}: the block ended with ${status}:\n${output}`);
  }
  return outputs;
}

/** Bundles what a block imports of slipway from the source; other packages are the checkout's. */
async function compile(source: string, target: string): Promise<void> {
  const { exports } = JSON.parse(await readFile(path.join(checkout, "package.json"), "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  const alias: Record<string, string> = {};
  for (const [name, entry] of Object.entries(exports)) {
    if (typeof entry === "string") continue;
    const file = entry.default.replace(/^\.\/dist\/lib\//, "").replace(/\.js$/, ".ts");
    alias[path.posix.join("slipway", name)] = path.join(checkout, "src", file);
  }
  await bundle({
    entryPoints: [source],
    outfile: target,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    sourcemap: "inline",
    logLevel: "silent",
    alias,
  });
}

/** Runs a program to its end, with stdout and stderr as one text in the order they came. */
async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { status: signal ?? code, output };
}
