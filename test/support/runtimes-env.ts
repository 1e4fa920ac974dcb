/** What slipway runs on, and where `testbed/with` has it. */
export interface RuntimesEnv {
  /** Node in each version line that is supported, from the oldest. */
  nodes: string[];
  deno: string;
  bun: string;
}

/** Reads the testbed's environment; throws when a test was started without `testbed/with`. */
export function runtimesEnv(): RuntimesEnv {
  const required = (name: string): string => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set: run integration tests by testbed/with`);
    return value;
  };
  return {
    nodes: required("TESTBED_NODES").split(":"),
    deno: required("TESTBED_DENO"),
    bun: required("TESTBED_BUN"),
  };
}
