export { formatMessage } from "./after-build.js";
export { type ProgressMode, display } from "./display.js";
export {
  formatAmount,
  formatBinaryBytes,
  formatBytes,
  goDuration,
  goTimestamp,
  humanDuration,
} from "./go-format.js";
export { type Annotation, type CiSystem, ciSystem, guardLog, workflowAnnotation } from "./ci-commands.js";
export { type GroupedOptions, grouped } from "./grouped.js";
export { hyperlink } from "./hyperlink.js";
export type { ProgressSink, ProgressStream, RenderOptions } from "./options.js";
export { plain } from "./plain.js";
export { quiet } from "./quiet.js";
export { formatStatusJson, rawjson, warningJson } from "./rawjson.js";
export { joinSinks, prefixVertices, shareLogs, shiftToLocalClock } from "./relay.js";
export { causeText } from "./cause-text.js";
export { LogSanitizer, sanitizeName, sanitizeText } from "./sanitize.js";
export { formatSource } from "./source-excerpt.js";
export { terminal } from "./terminal.js";
export { cutToWidth, padToWidth, textWidth } from "./text-width.js";
export { type BuildTotals, type TotalsSink, countTotals } from "./totals.js";
export { type WarningOptions, dedupeWarnings, formatWarnings } from "./warnings.js";
export { type LogReader, guardWorkflowCommands } from "./workflow-guard.js";
