// usage: node scripts/check.mjs [format] [lint] [types] [generated] [floors] [functions] [writers] [disposables] [api] [notices]
// Checks everything that needs no engine; all parts when none is named. They run beside each other, and what one says
// is printed in one piece.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const tools = path.join(checkout, "node_modules", ".bin");

const parts = {
  format: () => run("prettier", "--check", "--log-level", "warn", "."),
  lint: () => run("oxlint", "--type-aware", "--deny-warnings"),
  types: () => run("tsc", "--project", "."),
  generated: checkGenerated,
  floors: () => run(process.execPath, "scripts/floors.mjs"),
  functions: () => run(process.execPath, "scripts/functions.mjs"),
  writers: () => run(process.execPath, "scripts/writers.mjs"),
  disposables: () => run(process.execPath, "scripts/disposables.mjs"),
  api: () => run(process.execPath, "scripts/api.mjs", "--check"),
  notices: () => run(process.execPath, "scripts/notices.mjs", "--check"),
};

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in parts));
if (unknown.length > 0) throw new Error(`no such check: ${unknown.join(", ")}`);

const checks = Object.entries(parts).filter(([name]) => named.length === 0 || named.includes(name));
const results = await Promise.all(checks.map(([name, check]) => report(name, check)));
process.exitCode = results.every(Boolean) ? 0 : 1;

async function report(name, check) {
  const started = performance.now();
  const { ok, output } = await check();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (!ok) console.log(output.trimEnd());
  return ok;
}

/** The checked-in code is what buf makes of proto/ today. */
async function checkGenerated() {
  const fresh = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-generated-"));
  try {
    const generated = await run("buf", "generate", "--output", fresh);
    if (!generated.ok) return generated;
    const folder = path.join("src", "buildkit", "gen");
    return await run("diff", "--recursive", "--brief", path.join(fresh, folder), folder);
  } finally {
    fs.rmSync(fresh, { recursive: true });
  }
}

function run(command, ...args) {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: `${tools}${path.delimiter}${process.env.PATH}` };
    const child = spawn(command, args, { cwd: checkout, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}
