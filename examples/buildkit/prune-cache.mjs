// Says what the build cache of a builder's container holds, and removes what no build uses.
// usage: node prune-cache.mjs CONTAINER      (buildx_buildkit_NAME0 for the builder NAME)
import { BuildkitClient } from "slipway/buildkit";
import { EngineClient, execDial } from "slipway/engine-api";

const host = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
const [container] = process.argv.slice(2);
if (!container) throw new Error("which container?");

const engine = EngineClient.open({ host });
try {
  // Any Dial will do: a socket, TLS, or as here a process in the container that speaks for the daemon.
  const buildkit = await BuildkitClient.connect(execDial(engine, container, ["buildctl", "dial-stdio"]));
  try {
    const { version } = await buildkit.info();
    const { record } = await buildkit.control.diskUsage({});
    console.log(`BuildKit ${version} holds ${record.length} records`);
    let bytes = 0n;
    for await (const { Size } of buildkit.control.prune({ all: true })) bytes += Size;
    console.log(`freed ${bytes} bytes`);
  } finally {
    await buildkit.close();
  }
} finally {
  await engine.close();
}
