import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { measurer } from "./measure.mjs";

/**
 * What workloads work with: the builders, and the clients run and measured.
 *
 * One builder is emptied again and again for builds that must find nothing there; another one keeps what was prepared; a
 * third one is sent what it has never seen, and keeps it. Both clients use the same builders, so that the daemon, its image
 * and its cache are the same for both.
 */
export function benchContext({ scratch, env = process.env }) {
  const measure = measurer(scratch);
  const builders = { empty: "bench-empty", filled: "bench-filled", growing: "bench-growing" };
  const flags = { growing: ["--buildkitd-flags", "--oci-worker-gc=false"] };
  const clients = {
    buildx: { command: [env.TESTBED_BUILDX], env: {} },
    exec: { command: ["slipway"], env: { SLIPWAY_CONNECT: "exec" } },
    socket: { command: ["slipway"], env: { SLIPWAY_CONNECT: "socket" } },
    slipway: { command: ["slipway"], env: {} },
  };
  const started = new Set();
  const buildx = (...args) => execFileSync(env.TESTBED_BUILDX, args, { stdio: ["ignore", "ignore", "pipe"] });

  /** A daemon that somebody else runs: that of a builder, by its socket as root sees it. */
  function remoteAddress() {
    const container = `buildx_buildkit_${builder("growing")}0`;
    const socket = env.DOCKER_HOST.replace(/^unix:\/\//, "");
    const shown = execFileSync("curl", [
      "-s",
      "--unix-socket",
      socket,
      `http://engine/containers/${container}/json`,
    ]);
    return `unix:///proc/${JSON.parse(shown).State.Pid}/root/run/buildkit/buildkitd.sock`;
  }

  /** Makes a builder and boots it, the first time it is asked for; the engine's own is there by itself. */
  function builder(kind) {
    if (kind === "docker") return "default";
    if (kind === "remote" && !started.has("bench-remote")) {
      execFileSync("slipway", ["create", "--name", "bench-remote", "--driver", "remote", remoteAddress()]);
      started.add("bench-remote");
    }
    if (kind === "remote") return "bench-remote";
    const name = builders[kind];
    if (!started.has(name)) {
      const options = ["--name", name, "--driver-opt", "network=host", ...(flags[kind] ?? [])];
      execFileSync("slipway", ["create", ...options, "--bootstrap"], { stdio: ["ignore", "ignore", "pipe"] });
      started.add(name);
    }
    return name;
  }

  return {
    scratch,
    measure,
    /** Runs `build ARGS…` with a client; `way` is `buildx`, `exec` or `socket`. */
    build(way, kind, args, options = {}) {
      const client = clients[way];
      const all = [...client.command, "build", "--builder", builder(kind), "--progress", "plain", ...args];
      return measure(all, { ...options, env: { ...client.env, ...options.env } });
    },
    /** Runs `bake ARGS…` with a client, in a directory that has a definition; it may read beside its contexts. */
    bake(way, dir, args = []) {
      const client = clients[way];
      const flags = ["--builder", builder("filled"), "--progress", "plain", "--allow", "fs=*"];
      return measure([...client.command, "bake", ...flags, ...args], { cwd: dir, env: client.env });
    },
    /** Runs `replay ARGS…` with a client. */
    replay(way, kind, args) {
      const client = clients[way];
      const [command, ...rest] = args;
      const all = [
        ...client.command,
        "replay",
        command,
        "--builder",
        builder(kind),
        "--progress",
        "plain",
        ...rest,
      ];
      return measure(all, { env: client.env });
    },
    /** Name of a builder. */
    builder,
    /** Takes everything out of the builder that is to be empty. */
    empty() {
      buildx("prune", "--builder", builder("empty"), "--all", "--force");
    },
    /** Writes to disk what is on its way there, so that no run pays for the one before. */
    settle() {
      execFileSync("sync");
    },
    /** Removes an image from the engine, if it is there. */
    removeImage(name) {
      const socket = env.DOCKER_HOST.replace(/^unix:\/\//, "");
      const args = ["-s", "-o", "/dev/null", "--unix-socket", socket, "-X", "DELETE"];
      execFileSync("curl", [...args, `http://engine/images/${name}?force=1`]);
    },
    /** A path for an output, with nothing there. */
    output(name) {
      const target = path.join(scratch, name);
      fs.rmSync(target, { recursive: true, force: true });
      return target;
    },
    /** Ends the builders. */
    close() {
      for (const name of started) execFileSync("slipway", ["rm", "--force", name], { stdio: "ignore" });
    },
  };
}
