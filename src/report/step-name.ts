/** What a step's name says. */
export interface StepName {
  /** Platform that the step is for; empty when the name tells none. */
  platform: string;
  /** The name without the platform. */
  commonName: string;
}

const osAndArch = /^[a-z0-9]+\/[a-z0-9]+(?:\/[a-z0-9]+)?$/;

/**
 * Takes the platform out of a name such as `[linux/amd64 build 2/5] RUN make`. A step that runs on one platform for
 * another is `[linux/amd64->arm64 …]`; it counts for the other (BuildKit dockerfile2llb prefixCommand).
 */
export function parseStepName(name: string): StepName {
  const [, words = "", rest = ""] = /^\[([^\]]*)\](.*)$/s.exec(name) ?? [];
  const [first = "", ...others] = words.split(" ");
  const [runsOn = "", target = runsOn] = first.split("->");
  // `[2/3]` is not a platform.
  if (!osAndArch.test(runsOn) || /^\d+\//.test(runsOn)) return { platform: "", commonName: name };
  const platform = target.includes("/") ? target : `${runsOn.slice(0, runsOn.indexOf("/"))}/${target}`;
  return { platform, commonName: others.length > 0 ? `[${others.join(" ")}]${rest}` : rest.trimStart() };
}
