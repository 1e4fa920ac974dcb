import { type Kind, callback, environment, flag, oneOf, text } from "../core/index.js";
import type { GroupedOptions } from "./grouped.js";
import type { RenderOptions } from "./options.js";
import type { WarningOptions } from "./warnings.js";

type KindsOf<T> = Record<keyof Required<T>, Kind>;

/** What renderers take. */
export const renderKinds = {
  env: environment,
  now: callback,
  debug: flag,
  phase: text('"Building"'),
  sanitize: oneOf("auto", "always"),
} satisfies KindsOf<RenderOptions>;
/** What `grouped()` takes. */
export const groupedKinds = {
  ...renderKinds,
  system: oneOf("github", "gitlab"),
} satisfies KindsOf<GroupedOptions>;
/** What a `LogSanitizer` takes. */
export const sanitizerKinds = { returns: oneOf("drop", "break") };
/** What `formatWarnings()` takes. */
export const warningKinds = { debug: flag, color: flag } satisfies KindsOf<WarningOptions>;
/** What `hyperlink()` takes. */
export const hyperlinkKinds = { enabled: flag };
