import type { Environment } from "../config/index.js";
import { Redactor } from "../core/index.js";
import { parsePlatforms } from "../builder/index.js";
import { loadSshAgents, parseSshSpec } from "../session/index.js";
import type { TargetOptions } from "./build-many.js";
import { frontendAttrs } from "./frontend-attrs.js";
import { planOutputs } from "./outputs.js";
import { isOutputType } from "./parse/output.js";
import { secretSources } from "./secret-sources.js";

/** See `checkTarget()` in check-target.ts. */
export async function lookAtTarget(target: TargetOptions, env: Environment): Promise<void> {
  const { platforms = [], secrets = {}, ssh = [], annotations = [], ulimits = [], resources = [] } = target;
  parsePlatforms(platforms);
  await secretSources(secrets, env, new Redactor());
  await loadSshAgents(ssh.map(parseSshSpec), env);
  // What exporters there are, what they take, and that a push has a tag, is a matter of the build.
  const outputs = (target.outputs ?? []).flatMap((output) => {
    const { mode: _, ...attrs } = output.attrs ?? {};
    return isOutputType(output.type) ? [{ ...output, attrs }] : [];
  });
  const request = { outputs, annotations, push: false, load: false, tags: ["checked"], env };
  await planOutputs({ ...request, allowLocalDelete: false });
  frontendAttrs({ context: "", ulimits, resources }, new Map());
}
