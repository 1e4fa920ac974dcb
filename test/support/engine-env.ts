/** What `testbed/with` tells the tests about the engine it runs them on. */
export interface EngineEnv {
  /** Where the engine listens: `unix://…` or `tcp://…`. */
  dockerHost: string;
  /** `host:port` of a plain-HTTP registry: the same from here, from the engine and from builders. */
  registry: string;
  /** An empty builder store, but for a `buildkitd.default.toml` that names the registry. */
  buildxConfig: string;
  engine:
    | "docker"
    | "docker-containerd"
    | "docker-29"
    | "rootless-docker"
    | "podman"
    | "rootless-podman"
    | "existing";
  /** The buildx binary that serves as the oracle; absent where the testbed did not build one. */
  buildx: string | undefined;
  /** A buildkitd binary of the supported version; absent where the testbed did not build one. */
  buildkitd: string | undefined;
  /** Docker Compose; absent where `testbed/with --compose` has not built it. */
  compose: string | undefined;
  /** `npm run test:long`: run in full what otherwise runs shortened. */
  long: boolean;
}

/** Reads the testbed's environment; throws when a test was started without `testbed/with`. */
export function engineEnv(): EngineEnv {
  const required = (name: string): string => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set: run integration tests by testbed/with`);
    return value;
  };
  return {
    dockerHost: required("DOCKER_HOST"),
    registry: required("TESTBED_REGISTRY"),
    buildxConfig: required("BUILDX_CONFIG"),
    engine: required("TESTBED_ENGINE") as EngineEnv["engine"],
    buildx: process.env["TESTBED_BUILDX"],
    buildkitd: process.env["TESTBED_BUILDKITD"],
    compose: process.env["TESTBED_COMPOSE"],
    long: process.env["SLIPWAY_TEST_LONG"] === "1",
  };
}
