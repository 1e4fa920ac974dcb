import { type Windows, localWindows, remoteWindows } from "../../buildkit/index.js";
import { type Dial, InvalidArgumentError } from "../../core/index.js";
import { type DockerConfig, type Environment, resolveDockerEndpoint } from "../../config/index.js";
import { dialProgramBySsh, execDial } from "../../engine-api/index.js";
import { openEngine } from "../open-engine.js";
import { parseDaemonAddress } from "./address.js";
import { type AddressTls, dialDaemonSocket } from "./dial-address.js";

/** A way to a daemon, and what was opened for it. */
export interface OpenedAddress {
  dial: Dial;
  windows: Windows;
  close(): Promise<void>;
}

/** Where addresses that name a container find its engine. */
export interface AddressContext {
  env: Environment;
  dockerConfig: DockerConfig;
  /** Asked for at each connection, so that renewed certificates are taken. */
  readTls?: (() => Promise<AddressTls>) | undefined;
}

/**
 * A way to the daemon at an address. Nothing is dialled yet.
 *
 * @throws InvalidArgumentError for an address that is none; ConfigError for a docker context that is not there.
 */
export async function openAddress(
  address: string,
  { env, dockerConfig, readTls }: AddressContext,
): Promise<OpenedAddress> {
  const parsed = parseDaemonAddress(address);
  const close = () => Promise.resolve();
  if (readTls && parsed.scheme !== "tcp")
    throw new InvalidArgumentError(`tls is for addresses of the form tcp://host:port, not for ${address}`);
  switch (parsed.scheme) {
    case "ssh":
      return {
        dial: dialProgramBySsh(address, {
          command: (socket) => ["buildctl", ...(socket ? ["--addr", `unix://${socket}`] : []), "dial-stdio"],
          what: "buildkitd",
        }),
        windows: remoteWindows,
        close,
      };
    case "container": {
      const { container, context } = parsed;
      const engine = openEngine(
        await resolveDockerEndpoint(env, dockerConfig, context === undefined ? {} : { context }),
        env,
      );
      return {
        dial: execDial(engine, container, ["buildctl", "dial-stdio"]),
        windows: engine.isLocalSocket ? localWindows : remoteWindows,
        close: () => engine.close(),
      };
    }
    case "kube-pod": {
      const { dialKubePod } = await import("../kubernetes/dial-kube-pod.js");
      return { dial: dialKubePod(parsed, env), windows: remoteWindows, close };
    }
    default:
      return {
        dial: dialDaemonSocket(address, parsed, readTls),
        windows: parsed.scheme === "tcp" ? remoteWindows : localWindows,
        close,
      };
  }
}
