export { BakeError } from "./bake-error.js";
export type { BakeJson } from "./definition-json.js";
export { type ListedTarget, listTargets, listVariables, tabbed } from "./listings.js";
export {
  type BakeDefinition,
  type BakePlan,
  type ReadBakeOptions,
  readBake,
  readDefinition,
} from "./read-bake.js";
