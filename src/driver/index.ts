export { bootNode } from "./boot-node.js";
export { type AddressTls, dialAddress } from "./dial-address.js";
export { type ConnectMode } from "./docker-container/node-context.js";
export { containerName, stateVolumeName } from "./docker-container/container-spec.js";
export { type DockerContainerOptions, defaultImage, parseDriverOptions } from "./docker-container/options.js";
export type {
  ConnectOptions,
  Driver,
  DriverCallOptions,
  DriverFeatures,
  NodeStatus,
  RemoveOptions,
} from "./driver.js";
export {
  type DaemonClient,
  type DaemonDescription,
  type Device,
  type GcRule,
  describeDaemon,
} from "./daemon-info.js";
export { DriverError, type DriverErrorCode } from "./driver-error.js";
export type { EngineSurvey } from "./docker-container/engine-survey.js";
export { loadDriver, reapEngine, surveyEndpoint } from "./load-driver.js";
export { type DriverSpec, connectMode } from "./open-driver.js";
export { openEngine } from "./open-engine.js";
