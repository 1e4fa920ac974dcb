import { Builder } from "../builder/index.js";
import { isSlipwayError, messageOf } from "../core/index.js";
import { logoutFromRegistry } from "../manage/index.js";
import type { Workflow } from "./workflow.js";

/** Takes back what the step made: its builder, and what it logged in to. What does not go is a warning: the job is over. */
export async function cleanUp(workflow: Workflow, signal: AbortSignal): Promise<void> {
  const { env } = workflow;
  const name = workflow.state("builder");
  const server = workflow.state("registry");
  if (name !== "")
    await warned(workflow, async () => {
      const builder = await Builder.open({ env, name, signal });
      await builder.remove({ keepState: workflow.state("keepState") === "true", signal });
    });
  if (server !== "") await warned(workflow, () => logoutFromRegistry({ env, server, signal }));
}

async function warned(workflow: Workflow, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // Somebody else has removed it.
    if (isSlipwayError(error, "STORE_NO_BUILDER")) return;
    workflow.annotate("warning", "slipway", messageOf(error));
  }
}
