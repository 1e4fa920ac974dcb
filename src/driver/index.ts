export { bootNode, connectForBuild, connectToAll, connectToAllRunning } from "./connect-running.js";
export { makeEndpoint as kubernetesEndpoint } from "./kubernetes/endpoint.js";
export { connectMode } from "./docker-container/connect-mode.js";
export {
  type DriverKind,
  type DriverSpec,
  type NodeSettings,
  creatableDrivers,
  defaultDriver,
  driverKind,
  findDriverKind,
} from "./driver-kind.js";
export type { DockerContainerOpts, DriverOpts, KubernetesOpts, RemoteOpts } from "./driver-opts.js";
export { engineEndpoint } from "./engine-endpoint.js";
export type { AddressTls } from "./remote/dial-address.js";
export { parseDaemonAddress } from "./remote/address.js";
export { type ConnectMode } from "./docker-container/container-context.js";
export { containerName, stateVolumeName } from "./docker-container/container-spec.js";
export { type DockerContainerOptions, defaultImage, parseDriverOptions } from "./docker-container/options.js";
export type {
  ConnectOptions,
  DiagnoseOptions,
  Driver,
  DriverCallOptions,
  DriverFeatures,
  DriverInstance,
  NodeFeatures,
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
export { DriverError, type DriverErrorCode, type DriverErrorOptions } from "./driver-error.js";
export type { EngineSurvey } from "./docker-container/engine-survey.js";
export { type RemoteTarget, loadDriver, loadRemote, reapEngine, surveyEndpoint } from "./load-driver.js";
export { openEngine } from "./open-engine.js";
