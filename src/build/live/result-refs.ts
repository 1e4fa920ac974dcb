import type { gateway } from "../../buildkit/index.js";

/** Ids of references by platform, in whichever form the daemon has them. */
export function refsOf(result: gateway.Result | undefined): Map<string, string> {
  const given = result?.result;
  switch (given?.case) {
    case "ref":
      return new Map([["", given.value.id]]);
    case "refs":
      return new Map(Object.entries(given.value.refs).map(([platform, { id }]) => [platform, id]));
    case "refDeprecated":
      return new Map([["", given.value]]);
    case "refsDeprecated":
      return new Map(Object.entries(given.value.refs));
    default:
      return new Map([["", ""]]);
  }
}
