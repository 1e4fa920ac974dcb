import { access, constants } from "node:fs/promises";
import { resolve } from "node:path";
import { InvalidArgumentError } from "../../core/index.js";
import { statOutput, systemReason } from "../../fs/index.js";
import { parseReference } from "../../registry/index.js";

/** Where the content of cache mounts is kept between builders. */
export interface CacheMountsOption {
  /** A directory, which is made when it is not there; a tar archive a cache mount. */
  dir: string;
  /** An image with `tar` and `ls`; by default those that the Dockerfile's steps are made from, and `busybox` where they have none. */
  image?: string;
}

/** @throws InvalidArgumentError for what is no directory, or cannot be written to, and for what names no image */
export async function planCacheMounts({ dir, image }: CacheMountsOption): Promise<CacheMountsOption> {
  if (dir === "") throw new InvalidArgumentError("cacheMounts needs a directory");
  if (image !== undefined) parseReference(image);
  const absolute = resolve(dir);
  const refuse = (reason: string) =>
    new InvalidArgumentError(`the directory for cache mounts ${dir} cannot be used: ${reason}`);
  try {
    const found = await statOutput(absolute);
    if (found && !found.isDirectory()) throw refuse("it is no directory");
    if (found) await access(absolute, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    throw refuse(systemReason(error));
  }
  return { dir: absolute, ...(image !== undefined && { image }) };
}
