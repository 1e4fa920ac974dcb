import type { SourceInfo } from "../../core/index.js";

/** Build steps that trust more authorities than their images do. */
export interface StepTrust {
  /** Secrets that the session serves for it. */
  secrets: Readonly<Record<string, string>>;
  /** What was put into the Dockerfile, to be taken out of what people are shown. */
  mounts: string;
  /** The Dockerfile as it was. */
  dockerfile: Uint8Array;
}

/** Id of the secret that holds the authorities. */
export const fileId = "slipway.ca";

/** What a step or an error is called, without what was put into its line. */
export function withoutMounts(text: string, trust: StepTrust | undefined): string {
  if (!trust || !text.includes(fileId)) return text;
  return text.replaceAll(trust.mounts, "").replaceAll(trust.mounts.trimEnd(), "");
}

/** The Dockerfile as it was, where one is shown. */
export function originalSource(info: SourceInfo, trust: StepTrust | undefined): SourceInfo {
  if (!trust || !Buffer.from(info.data).includes(trust.mounts.trimEnd())) return info;
  return { ...info, data: trust.dockerfile };
}
