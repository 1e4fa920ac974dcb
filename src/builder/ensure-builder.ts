import type { Environment } from "../config/index.js";
import { StoreError } from "./store-error.js";
import type { BuilderContext } from "./builder-context.js";
import type { NodeGroup } from "./node-group.js";
import { type CreateBuilderOptions, createBuilder } from "./create-builder.js";
import { removeBuilder } from "./remove-builder.js";

/** A builder as it is to be. */
export interface EnsureBuilderOptions extends Pick<
  CreateBuilderOptions,
  "driverOpts" | "buildkitdFlags" | "buildkitdConfig" | "endpoint" | "platforms" | "connect" | "signal"
> {
  name: string;
  /**
   * What to do when a builder of that name has other driver options: `error` (default), `use` it as it is, or `recreate` it, with
   * its cache kept.
   */
  onMismatch?: "error" | "use" | "recreate";
  /** Default `process.env`. */
  env?: Environment;
}

/**
 * Finds the builder of a name, or makes it. Nothing is booted; the first build does that.
 *
 * @throws StoreError `STORE_REFUSED` when there is one that differs and `onMismatch` is `error`.
 */
export async function ensureBuilder(
  context: BuilderContext,
  options: EnsureBuilderOptions,
): Promise<NodeGroup> {
  const { name, onMismatch = "error", signal } = options;
  const group = await context.store.get(name);
  if (group) {
    const wanted = options.driverOpts ?? {};
    const differs = group.nodes.some(({ driverOpts }) => !sameRecord(driverOpts, wanted));
    if (!differs || onMismatch === "use") return group;
    if (onMismatch === "error")
      throw new StoreError(
        "STORE_REFUSED",
        `builder ${JSON.stringify(name)} exists with other driver options; use onMismatch "use" or "recreate", or another name`,
      );
    await removeBuilder(context, name, { keepState: true, signal });
  }
  try {
    return (await createBuilder(context, options)).group;
  } catch (error) {
    // Another process made it in between: then it is there.
    const made = await context.store.get(name).catch(() => undefined);
    if (!made || group) throw error;
    return ensureBuilder(context, options);
  }
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
