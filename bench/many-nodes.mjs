// usage: testbed/with node bench/many-nodes.mjs [N…]; default 1 2 4 8. What N builds at once, each on a node of its own, take of the
// client: connections, memory and processor time. The figures of docs/beyond-one-machine.md; the daemons share this machine.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Bytes that each build sends, and gets back. */
const contextBytes = 32 << 20;

const counts = process.argv.slice(2).map(Number);
if (process.env.MANY_NODES) await measure(process.env.MANY_NODES.split(" "));
else compare(counts.length > 0 ? counts : [1, 2, 4, 8]);

/** Makes the builders once, and runs each count in a process of its own: memory is given back slowly. */
function compare(counts) {
  const names = Array.from({ length: Math.max(...counts) }, (_, index) => `many-${process.pid}-${index}`);
  try {
    for (const name of names) slipway("create", "--name", name, "--bootstrap");
    console.log(
      "| builds at once, a node each | connections | RSS, MiB | CPU, s | wall, s |\n| --- | --- | --- | --- | --- |",
    );
    for (const count of [0, ...counts]) {
      const MANY_NODES = count === 0 ? " " : names.slice(0, count).join(" ");
      const env = { ...process.env, MANY_NODES };
      const text = execFileSync(process.execPath, [fileURLToPath(import.meta.url)], {
        env,
        encoding: "utf8",
      });
      console.log(`| ${count} | ${text.trim()} |`);
    }
  } finally {
    for (const name of names) slipway("rm", name);
  }
}

function slipway(...args) {
  execFileSync("slipway", args, { stdio: ["ignore", "ignore", "pipe"] });
}

async function measure(given) {
  const names = given.filter((name) => name !== "");
  const { Builder, build, files } = await import("../dist/lib/index.js");
  const before = sockets();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, sockets() - before)), 20);
  const began = performance.now();
  await Promise.all(
    names.map(async (name) => {
      const builder = await Builder.open({ name });
      const context = files({ Dockerfile: "FROM scratch\nCOPY large /\n", large: randomBytes(contextBytes) });
      await build({ builder, context, outputs: [{ type: "tar", dest: "/dev/null" }] });
    }),
  );
  const wall = performance.now() - began;
  clearInterval(watch);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpu = (userCPUTime + systemCPUTime) / 1e6;
  // What the contexts take in memory is the program's own.
  const rss = maxRSS / 1024 - (names.length * contextBytes) / 2 ** 20;
  console.log([most, rss.toFixed(0), cpu.toFixed(2), (wall / 1000).toFixed(1)].join(" | "));
}

function sockets() {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return targets.filter((target) => target.startsWith("socket:")).length;
}
