// Lists an engine's containers, running or not.
// usage: node list-containers.mjs [HOST]
import { EngineClient } from "slipway/engine-api";

const host = process.argv[2] ?? process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";

const engine = EngineClient.open({ host });
try {
  for (const { Id, Names, Image, State } of await engine.containers.list({ all: true }))
    console.log(`${Id.slice(0, 12)}  ${State.padEnd(10)}  ${Names.join(",")}  ${Image}`);
} finally {
  await engine.close();
}
