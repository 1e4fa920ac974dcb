import { chown } from "node:fs/promises";

/** `nobody` of most systems: may do nothing that is not everybody's. */
const nobody = 65_534;

/**
 * Runs a test's work as a user who is not root, for what root is never refused. As root the process takes on the rights of
 * another meanwhile, and `own` are given to that user; as anybody else it runs as it is.
 */
export async function asOtherUser<T>(own: readonly string[], work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  for (const path of own) await chown(path, nobody, nobody);
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
