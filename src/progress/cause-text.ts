import type { StepCause } from "../core/index.js";

/** Why a step ran again, in words; texts in it are those of the build. */
export function causeText(cause: StepCause): string {
  switch (cause.kind) {
    case "file": {
      const where = cause.context === "context" ? "" : ` of the context ${cause.context}`;
      return `the file ${cause.path}${where} was ${cause.change}`;
    }
    case "base":
      return `the base image changed from ${cause.before} to ${cause.after}`;
    case "argument":
      return `the build argument ${cause.name} changed`;
    case "instruction":
      if (cause.before === "") return `${cause.after} is new`;
      return cause.after === ""
        ? `${cause.before} is gone`
        : `the instruction was ${cause.before}, now ${cause.after}`;
    case "step":
      return `it depends on ${cause.name}, which ran again`;
    case "no-cache":
      return "the cache was not to be used";
    case "evicted":
      return "nothing that it depends on changed: its result was no longer in the cache";
    default:
      return `not known: ${cause.why}`;
  }
}
