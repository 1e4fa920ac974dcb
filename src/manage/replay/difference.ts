/** One thing in which a replayed result differs from the subject. */
export interface ReplayDifference {
  /** What differs: of an image its manifest as such, its configuration, a layer as a whole, or a file in a layer. */
  part: "index" | "manifest" | "config" | "layer" | "file";
  /** Number of the layer, from 0. */
  layer?: number;
  /** The instruction that made the layer, as the image's history has it. */
  createdBy?: string;
  /** Path of the file in the layer; of a configuration the field, with dots between: `config.Env`. */
  path?: string;
  /**
   * What of it: `content`, `size`, `mode`, `time`, `owner`, `type`, `link`, `device`, `xattr`, `missing` from the replay, `extra` in the
   * replay, `order` of equal files, `value` of a field, `compression` of equal content, `count`, `mediaType`, `digest`.
   */
  field: string;
  /** In the subject. */
  expected?: string;
  /** In the replay. */
  actual?: string;
}

/** The difference in one line, for people. */
export function describeDifference(difference: ReplayDifference): string {
  const { part, layer, createdBy, path, field, expected, actual } = difference;
  const where =
    layer === undefined ? part : `layer ${layer}${createdBy === undefined ? "" : ` (${createdBy})`}`;
  const what = path === undefined ? "" : ` ${part === "file" ? `/${path}` : path}`;
  const values =
    expected === undefined && actual === undefined
      ? ""
      : `: ${expected ?? "none"} became ${actual ?? "none"}`;
  return `${where}:${what} ${field}${values}`;
}
