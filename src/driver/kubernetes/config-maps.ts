import { posix } from "node:path";
import { isUtf8 } from "node:buffer";
import type { ApiObject } from "./api-objects.js";

/** A directory of config files in a pod. */
export interface MountedConfig {
  object: ApiObject;
  volume: object;
  mount: object;
}

/** Config maps for files by path relative to `/etc/buildkit`, one a directory: `NAME-config`, and `NAME-config-1` and up for those below. */
export function configMaps(
  files: ReadonlyMap<string, Uint8Array>,
  { namespace, name, annotations }: { namespace: string; name: string; annotations: object },
): MountedConfig[] {
  const directories = new Map<string, Map<string, Uint8Array>>();
  for (const [path, data] of files) {
    const directory = posix.dirname(path);
    const entries = directories.get(directory) ?? new Map<string, Uint8Array>();
    directories.set(directory, entries.set(posix.basename(path), data));
  }
  let number = 0;
  return [...directories].map(([directory, entries]) => {
    const suffix = directory === "." ? "config" : `config-${++number}`;
    const texts = [...entries].filter(([, data]) => isUtf8(data));
    const others = [...entries].filter(([, data]) => !isUtf8(data));
    const encoded = (list: typeof texts, encoding: "utf8" | "base64") =>
      Object.fromEntries(list.map(([key, data]) => [key, Buffer.from(data).toString(encoding)]));
    const metadata = { namespace, name: `${name}-${suffix}`, annotations };
    return {
      object: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata,
        data: encoded(texts, "utf8"),
        ...(others.length > 0 && { binaryData: encoded(others, "base64") }),
      },
      volume: { name: suffix, configMap: { name: metadata.name } },
      mount: { name: suffix, mountPath: posix.join("/etc/buildkit", directory) },
    };
  });
}
