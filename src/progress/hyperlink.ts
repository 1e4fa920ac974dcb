import { readOptions } from "../core/index.js";
import { hyperlinkKinds } from "./option-kinds.js";
import { sanitizeName } from "./sanitize.js";

/**
 * A link as terminals show it (OSC 8), or just its text where that is not wanted. Only https and docker-desktop links
 * are made clickable.
 */
export function hyperlink(url: string, text: string, options: { enabled: boolean }): string {
  const { enabled } = readOptions("hyperlink()", options, hyperlinkKinds);
  const shown = sanitizeName(text);
  const target = sanitizeName(url);
  if (!enabled || !/^(?:https|docker-desktop):\/\/[!-~]+$/.test(url)) return shown;
  return `\x1b]8;;${target}\x07${shown}\x1b]8;;\x07`;
}
