export { type BakeOptions, type BakeResult, bake } from "./bake.js";
export {
  type Connection,
  type ConnectionBakeOptions,
  type ConnectionReadBakeOptions,
  connect,
  readDefinitionOn,
} from "./connection.js";
export type { Diagnostic, Position, Range } from "../hcl/index.js";
export { BakeError, type BakeErrorOptions } from "./bake-error.js";
export { checkPlan } from "./check-plan.js";
export type { BakeJson } from "./definition-json.js";
export type { SecretEntry, SshEntry, TypedEntry } from "./entries.js";
export type { GroupFields } from "./group.js";
export { type ListedTarget, listTargets, listVariables, tabbed } from "./listings.js";
export { PrivilegesError } from "./privileges-error.js";
export { type PolicyEntry, policyOverrides } from "./policy-entry.js";
export { type Privilege, privilegeText } from "./privilege.js";
export {
  type BakeDefinition,
  type BakePlan,
  type BakeSource,
  type ReadBakeOptions,
  type RemoteBake,
  readBake,
  readDefinition,
} from "./read-bake.js";
export { longestSource } from "./read-source.js";
export type { BakeResources, RemoteContexts, TargetFields } from "./target.js";
export type { BakeVariable } from "./variables.js";
