// usage: node scripts/executable.mjs [FILE]
// Makes slipway a single executable, build/slipway: the Node that runs this, the program, and what V8 has compiled of it.
// Beside it go the licences of what it is made of.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { bundleProgram, bundleStart, checkout } from "./program.mjs";

const target = path.resolve(process.argv[2] ?? path.join(checkout, "build", "slipway"));
/** What V8 compiles for these comes with the executable: what works without an engine. */
const trainings = ["--help", "build --help", "ls", "completion bash"];
/** Where Node's builds keep its licence: beside bin in its own archives, and where Debian's packages have theirs. */
const nodeLicences = [
  path.join(path.dirname(process.execPath), "..", "LICENSE"),
  "/usr/share/doc/nodejs/LICENSE",
  "/usr/share/doc/nodejs/copyright",
];

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-executable-"));
try {
  if (process.platform !== "linux") throw new Error("single executables are made on Linux only");
  const { text, hash } = await bundleProgram();
  const assets = { program: keep("program", text), compiled: path.join(scratch, "compiled") };
  train(assets);
  const key = { SLIPWAY_CODE_KEY: JSON.stringify(hash) };
  const config = {
    main: keep("start.cjs", await bundleStart("start-executable", "cjs", key)),
    output: path.join(scratch, "blob"),
    disableExperimentalSEAWarning: true,
    // For the versions of Node that know it: NODE_OPTIONS are meant for programs that are seen to be Node's.
    execArgvExtension: "none",
    assets,
  };
  node("--experimental-sea-config", keep("sea.json", JSON.stringify(config)));

  const unfinished = `${target}.${process.pid}.tmp`;
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(process.execPath, unfinished);
  fs.chmodSync(unfinished, 0o755);
  const postject = path.join(checkout, "node_modules", "postject", "dist", "cli.js");
  const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
  node(postject, unfinished, "NODE_SEA_BLOB", config.output, "--sentinel-fuse", fuse);
  fs.renameSync(unfinished, target);
  const megabytes = (fs.statSync(target).size / 1e6).toFixed(1);
  console.log(`${megabytes} MB  ${target}`);
  copyLicences();
} catch (error) {
  // esbuild has said what is wrong, and where.
  if (!error?.errors) console.error(error?.stderr || error);
  process.exitCode = 1;
} finally {
  fs.rmSync(scratch, { recursive: true });
}

function keep(name, content) {
  const file = path.join(scratch, name);
  fs.writeFileSync(file, content);
  return file;
}

/** Runs the program a few times, each time adding what V8 has compiled. */
function train({ program, compiled }) {
  const trainer = path.join(checkout, "scripts", "train.cjs");
  for (const training of trainings) node(trainer, program, compiled, ...training.split(" "));
}

/** Runs Node as the executable will find itself: nothing in the environment that changes what V8 compiles. */
function node(...args) {
  const env = {
    PATH: process.env.PATH,
    BUILDX_CONFIG: path.join(scratch, "builders"),
    DOCKER_HOST: `unix://${scratch}/none`,
  };
  execFileSync(process.execPath, args, { encoding: "utf8", stdio: "pipe", env });
}

function copyLicences() {
  const beside = (name) => path.join(path.dirname(target), name);
  for (const name of ["LICENSE", "THIRD-PARTY-NOTICES"])
    fs.copyFileSync(path.join(checkout, name), beside(name));
  const licence = nodeLicences.find((file) => fs.existsSync(file));
  if (licence) fs.copyFileSync(licence, beside("LICENSE.node"));
  else
    console.log(
      `Node's licence is not installed with it; who passes the executable on needs it: https://github.com/nodejs/node/blob/${process.version}/LICENSE`,
    );
}
