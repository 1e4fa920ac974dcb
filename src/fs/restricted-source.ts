import type { ByteString } from "./bytes.js";
import { posixType } from "./go-mode.js";
import { baseOf, parentOf } from "./paths.js";
import { type TreeSource, directoryMark } from "./tree-source.js";

/**
 * The same tree with nothing in it but the named entries, what their symbolic links lead to, and the directories
 * above those (SEC-46). Directories other than these are never listed. `visible` comes from
 * {@link followLinks}.
 */
export function restrictedSource<T extends TreeSource>(source: T, visible: readonly ByteString[]): T {
  const names = new Map<ByteString, Set<ByteString>>([["", new Set()]]);
  for (let path of visible) {
    while (path !== "" && path !== ".") {
      const parent = parentOf(path);
      const siblings = names.get(parent);
      if (siblings) siblings.add(path);
      else names.set(parent, new Set([path]));
      path = parent;
    }
  }
  const isVisible = (path: ByteString) => path === "" || (names.get(parentOf(path))?.has(path) ?? false);
  const mark = (path: ByteString): ByteString[] => {
    const stat = source.lstat(path);
    if (!stat) return [];
    const directory = (Number(stat.mode) & 0o170000) === posixType.dir;
    return [baseOf(path) + (directory ? directoryMark : "")];
  };
  return {
    ...source,
    batches: undefined,
    list: (path) => [...(names.get(path) ?? [])].flatMap(mark).sort(),
    lstat: (path) => (isVisible(path) ? source.lstat(path) : undefined),
    readlink: (path) => (isVisible(path) ? source.readlink(path) : undefined),
  };
}
