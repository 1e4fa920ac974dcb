import { type Builder } from "../../builder/index.js";
import { build, files } from "../../build/index.js";
import { type DockerConfig, type Environment, readRegistrySettings } from "../../config/index.js";
import { linkSignal, messageOf, throwIfAborted, withDeadline } from "../../core/index.js";
import {
  RegistryClient,
  dockerCredentials,
  familiarReference,
  parseReference,
} from "../../registry/index.js";
import { type Finding, ok, problem } from "./finding.js";

/** What a look at a registry needs. */
export interface RegistryCheck {
  builder: Builder;
  /** An image to look for. */
  image: string;
  env: Environment;
  config: DockerConfig;
  /** ms. */
  timeout: number;
  signal: AbortSignal;
}

/** The registry as slipway itself reaches it, by way of the mirrors that the builder is configured with. */
export async function checkFromHere({
  builder,
  image,
  env,
  config,
  timeout,
  signal,
}: RegistryCheck): Promise<Finding> {
  const [node] = builder.nodes;
  try {
    const settings = await readRegistrySettings(node?.node.files ?? new Map());
    await using client = new RegistryClient({
      env,
      settings,
      credentials: dockerCredentials({ env, config }),
    });
    const { digest } = await withDeadline(signal, timeout, `asking for ${image}`, (within) =>
      client.resolve(parseReference(image), { signal: within }),
    );
    return ok("registry from here", `${familiarReference(parseReference(image))} is ${digest}`);
  } catch (error) {
    throwIfAborted(signal);
    return problem(
      "registry from here",
      messageOf(error),
      "see proxy, authorities and credentials above; a mirror goes into buildkitd.default.toml; another image to look for: --image",
    );
  }
}

/** The registry as BuildKit reaches it. */
export async function checkFromBuilder({
  builder,
  image,
  env,
  timeout,
  signal,
}: RegistryCheck): Promise<Finding> {
  const what = "registry from builder";
  try {
    // What is no image would be another instruction of the Dockerfile.
    parseReference(image);
    // The build is waited for: what it has opened is closed when it ends.
    using limited = linkSignal(signal, {
      milliseconds: timeout,
      what: `the builder's looking for ${image}`,
    });
    await build({
      builder,
      env,
      context: files({ Dockerfile: `FROM ${image}\n` }),
      pull: true,
      provenance: false,
      outputs: [{ type: "cacheonly" }],
      signal: limited.signal,
    });
    return ok(what, `${image} can be pulled`);
  } catch (error) {
    throwIfAborted(signal);
    return problem(
      what,
      messageOf(error),
      "the builder has a network, a proxy and authorities of its own: --driver-opt network=host, --driver-opt env.HTTPS_PROXY=…, create --trust-ca",
    );
  }
}
