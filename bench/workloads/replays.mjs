import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import path from "node:path";
import { GiB } from "../inputs.mjs";
import { generated } from "./exports.mjs";

let url;

/** Serves the context of 1 GiB by http: buildx verifies nothing that came from a directory. */
async function served(bench) {
  if (url) return url;
  const dir = generated(bench, "verified", "/dev/urandom", GiB);
  const archive = execFileSync("tar", ["-C", dir, "-cf", "-", "Dockerfile"]);
  const server = createServer((_request, response) => response.end(archive));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return (url = `http://127.0.0.1:${server.address().port}/context.tar`);
}

const image = ({ scratch }) =>
  `${process.env.TESTBED_REGISTRY}/${path.basename(scratch).toLowerCase()}-verified:1`;

/** Verification of what was built. @type {Partial<import("../workloads.mjs").Workload>[]} */
export const replays = [
  {
    id: "replay-verify",
    title: "`replay verify` of an image of 1 GiB",
    seconds: [60, 20],
    targets: { exec: { wall: 0.8, rss: 150e6 }, socket: { wall: 0.8, rss: 150e6 } },
    async prepare(bench) {
      const context = await served(bench);
      const push = ["--provenance", "mode=max", "--output", `type=registry,name=${image(bench)}`];
      await bench.build("socket", "filled", [...push, context]);
    },
    run: (bench, way) => bench.replay(way, "filled", ["verify", image(bench)]),
  },
];
