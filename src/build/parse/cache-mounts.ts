import { InvalidArgumentError } from "../../core/index.js";
import type { CacheMountsOption } from "../cache-mounts/plan-cache-mounts.js";
import { parseFields } from "./fields.js";

/**
 * Parses a value of `--cache-mounts`: a directory, or `dir=…,image=…`.
 *
 * @throws InvalidArgumentError for another field, or without a directory.
 */
export function parseCacheMounts(text: string): CacheMountsOption {
  if (!/^\s*(?:dir|image)=/i.test(text)) return { dir: text };
  const given: Partial<CacheMountsOption> = {};
  for (const [key, value, written] of parseFields(text)) {
    if (!value || (key !== "dir" && key !== "image"))
      throw new InvalidArgumentError(
        `invalid field ${JSON.stringify(written)} of cache mounts ${JSON.stringify(text)}, expecting dir=DIRECTORY and image=IMAGE`,
      );
    given[key] = value;
  }
  const { dir, image } = given;
  if (dir === undefined) throw new InvalidArgumentError(`dir required for ${JSON.stringify(text)}`);
  return { dir, ...(image !== undefined && { image }) };
}
