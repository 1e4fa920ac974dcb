import type { ContainerSummary, EngineClient } from "../../engine-api/index.js";
import type { NodeStatus } from "../driver.js";
import { containerName, stateVolumeName } from "./container-spec.js";
import { foreignContainer, isBuilderContainer } from "./container-context.js";

/** What of all builder nodes there is on an engine. */
export interface EngineSurvey {
  /**
   * As `Driver.status` has it.
   *
   * @throws DriverError `DRIVER_FOREIGN_CONTAINER`
   */
  status(nodeName: string): NodeStatus;
  /** Neither a container nor a state volume is there. */
  isAbsent(nodeName: string): boolean;
}

/** Asks an engine once for all builder containers, and for their state volumes if these matter. */
export async function surveyEngine(
  engine: EngineClient,
  { volumes, signal }: { volumes: boolean; signal?: AbortSignal | undefined },
): Promise<EngineSurvey> {
  const filters = { name: [containerName("")] };
  const [listed, states] = await Promise.all([
    engine.containers.list({ all: true, filters, signal }),
    volumes ? engine.volumes.list({ filters, signal }) : [],
  ]);
  const containers = new Map<string, ContainerSummary>();
  for (const container of listed)
    for (const name of container.Names) containers.set(name.replace(/^\//, ""), container);
  const volumeNames = new Set(states.map(({ Name }) => Name));
  return {
    status: (nodeName) => {
      const name = containerName(nodeName);
      const container = containers.get(name);
      if (!container) return "inactive";
      if (!isBuilderContainer(nodeName, container.Labels, container.Mounts)) throw foreignContainer(nodeName);
      return runningStates.has(container.State.toLowerCase()) ? "running" : "stopped";
    },
    isAbsent: (nodeName) =>
      !containers.has(containerName(nodeName)) && !volumeNames.has(stateVolumeName(nodeName)),
  };
}

/** States in which `State.Running` of an inspected container is true. */
const runningStates = new Set(["running", "paused", "restarting"]);
