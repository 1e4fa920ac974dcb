import { clipText } from "../core/index.js";
import { limitExceeded, protocolError } from "./buildkit-error.js";
import type { WorkerRecord } from "./gen/moby/buildkit/v1/types/worker_pb.js";

/**
 * How the parts of a platform look (OCI image-spec). Longer ones, or ones with other characters, name nothing that could
 * be built for.
 */
const platformPart = /^[\w.-]{0,64}$/;
/** Platforms of a daemon. All there are, with all variants, are below a hundred. */
const mostPlatforms = 1000;
/** Longest text of a worker that is kept, in UTF-16 units. */
const longestText = 4096;

/**
 * What a daemon says of its workers, made fit to be compared, shown and sent on: platforms have their form, texts their
 * bounds, and no limit of garbage collection is below zero. The records themselves are changed.
 *
 * @throws BuildkitError `BUILDKIT_PROTOCOL` for an invalid platform, `BUILDKIT_LIMIT` for too many.
 */
export function soundWorkers(workers: WorkerRecord[]): WorkerRecord[] {
  let count = 0;
  for (const worker of workers) {
    worker.ID = clipText(worker.ID, longestText);
    worker.Labels = soundTexts(worker.Labels);
    for (const { OS, Architecture, Variant } of worker.platforms) {
      if (++count > mostPlatforms)
        throw limitExceeded(`buildkitd names more than ${mostPlatforms} platforms`);
      const isPlatform = [OS, Architecture, Variant].every((part) => platformPart.test(part));
      if (isPlatform) continue;
      const named = clipText(JSON.stringify([OS, Architecture, Variant].join("/")), 100);
      throw protocolError(`a worker of buildkitd names the platform ${named}, which is none`);
    }
    for (const rule of worker.GCPolicy) {
      rule.filters = rule.filters.map((filter) => clipText(filter, longestText));
      for (const limit of ["keepDuration", "reservedSpace", "maxUsedSpace", "minFreeSpace"] as const)
        if (rule[limit] < 0n) rule[limit] = 0n;
    }
    for (const device of worker.CDIDevices) {
      device.Name = clipText(device.Name, longestText);
      device.Annotations = soundTexts(device.Annotations);
    }
  }
  return workers;
}

function soundTexts(texts: Record<string, string>): Record<string, string> {
  const kept = Object.entries(texts).map(([name, text]) => [
    clipText(name, longestText),
    clipText(text, longestText),
  ]);
  return Object.fromEntries(kept) as Record<string, string>;
}
