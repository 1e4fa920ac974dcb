import type { EngineClient } from "../../engine-api/index.js";

/** True when the engine keeps images in containerd, and so loads OCI archives with several platforms. */
export async function usesContainerdStore(engine: EngineClient): Promise<boolean> {
  // An engine takes 10 ms for its description.
  if (!(await engine.mayUseContainerdStore())) return false;
  const { DriverStatus } = await engine.info();
  return (DriverStatus ?? []).some(
    ([name, value]) => name === "driver-type" && value === "io.containerd.snapshotter.v1",
  );
}
