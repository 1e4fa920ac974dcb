import { getContainerRuntimeClient } from "testcontainers";
import { namedPipePath } from "../config/index.js";
import { messageOf } from "../core/index.js";
import { EngineClient, EngineError } from "../engine-api/index.js";

/** The engine that testcontainers has found, spoken to by slipway's own client. Close it when done. */
export async function openRuntimeEngine(): Promise<EngineClient> {
  const { container } = await getContainerRuntimeClient().catch((error: unknown) => {
    throw new EngineError(
      "ENGINE_CONNECT",
      `testcontainers finds no container engine: is it running, and does DOCKER_HOST lead to it? (${messageOf(error)})`,
      { cause: error },
    );
  });
  // What testcontainers found out (environment, properties file, docker context, rootless socket), as dockerode keeps it.
  const modem = container.dockerode.modem as {
    socketPath?: string;
    protocol?: string;
    host?: string;
    port?: number | string;
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
  };
  if (modem.socketPath) {
    const { socketPath: path } = modem;
    return EngineClient.open({
      host: namedPipePath(path) === undefined ? `unix://${path}` : `npipe://${path}`,
    });
  }
  const [ca, cert, key] = [modem.ca, modem.cert, modem.key].map((pem) => pem?.toString());
  return EngineClient.open({
    host: `tcp://${modem.host}:${modem.port}`,
    ...(modem.protocol === "https" && {
      tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    }),
  });
}

/** The environment in which builds load into that engine, whatever the process's own says. */
export function engineEnvironment({ host }: { host: string }): NodeJS.ProcessEnv {
  return { ...process.env, DOCKER_HOST: host, DOCKER_CONTEXT: undefined };
}
