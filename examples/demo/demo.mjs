// Makes a builder, builds the Dockerfile beside this file, loads the image into the engine, and runs it there.
// Start it by `npm run demo`, or by itself where an engine is at hand and slipway is on PATH.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { EngineClient } from "slipway/engine-api";

const context = fileURLToPath(new URL(".", import.meta.url));
const image = "slipway-demo";

function slipway(...args) {
  console.log(`\n$ slipway ${args.join(" ")}`);
  execFileSync("slipway", args, { cwd: context, stdio: "inherit" });
}

async function run() {
  console.log("\nThe image says:");
  const engine = EngineClient.open({ host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
  const { Id } = await engine.containers.create(undefined, { Image: image });
  await engine.containers.start(Id);
  await engine.containers.wait(Id);
  for await (const { data } of engine.containers.logs(Id, { stdout: true, stderr: true }))
    process.stdout.write(data);
  await engine.containers.remove(Id);
  await engine.close();
}

slipway("create", "--name", "demo", "--driver", "docker-container", "--bootstrap");
try {
  slipway("build", "--builder", "demo", "--load", "--tag", image, ".");
  await run();
} finally {
  slipway("rm", "demo");
}
