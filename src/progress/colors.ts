import { type Environment, parseCsvFields } from "../config/index.js";

/** SGR codes by what they mark; absent is uncoloured. */
export interface Palette {
  run?: string;
  cancel?: string;
  error?: string;
  warning?: string;
}

const names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const codes = new Map<string, string>([
  ["default", "39"],
  ...names.flatMap((name, index): [string, string][] => [
    [name, String(30 + index)],
    [`light-${name}`, String(90 + index)],
  ]),
]);

/** Whether colours are wanted: not with NO_COLOR, and not where they would be seen as text. */
export function hasColor(env: Environment): boolean {
  return !env.NO_COLOR && env.TERM !== "dumb";
}

/**
 * The colours of the terminal display: none with NO_COLOR or TERM=dumb, else progressui's, changed by
 * `BUILDKIT_COLORS=run=blue:error="255,0,0":…`. What is wrong in there is told by `warn` and otherwise ignored.
 */
export function readPalette(
  env: Environment,
  warn: (text: string) => void,
  platform: string = process.platform,
): Palette {
  if (!hasColor(env)) return {};
  const palette: Palette = {
    run: platform === "win32" ? "36" : "34",
    cancel: "33",
    warning: "33",
    error: "31",
  };
  if (!env.BUILDKIT_COLORS) return palette;
  const fields = splitColons(env.BUILDKIT_COLORS);
  if (!fields) {
    warn("could not parse BUILDKIT_COLORS. Falling back to defaults.");
    return palette;
  }
  for (const field of fields) {
    const [key = "", value, ...rest] = field.split("=");
    if (value === undefined || rest.length > 0) {
      warn(`Could not parse BUILDKIT_COLORS component: ${field}: valid entry must have exactly two fields`);
      continue;
    }
    const code = codes.get(value.toLowerCase()) ?? rgbCode(value, key, warn);
    const name = key.toLowerCase();
    if (code === undefined) continue;
    if (name === "run" || name === "cancel" || name === "error" || name === "warning") palette[name] = code;
    else warn(`Unknown key found in BUILDKIT_COLORS (expected: run, cancel, error, or warning): ${name}`);
  }
  return palette;
}

/** The text in a colour of the palette. */
export function paint(text: string, code: string | undefined): string {
  return code === undefined ? text : `\x1b[${code}m${text}\x1b[0m`;
}

/** Colon-separated fields, each of which may stand in double quotes; undefined when a quote is not closed. */
function splitColons(text: string): string[] | undefined {
  if ((text.match(/"/g) ?? []).length % 2 !== 0) return undefined;
  return text.match(/(?:"[^"]*"|[^":])+/g)?.map((field) => field.replaceAll('"', ""));
}

function rgbCode(value: string, key: string, warn: (text: string) => void): string | undefined {
  if (!value.includes(",")) {
    warn(
      `Unknown color value found in BUILDKIT_COLORS: ${key}=${value}: colors must be a name from the pre-defined list or a valid 3-part RGB value`,
    );
    return undefined;
  }
  const parts = parseCsvFields(value);
  if (parts.length !== 3) {
    warn(
      `Could not parse value ${value} as valid RGB color. Ignoring.: valid RGB color must have three fields`,
    );
    return undefined;
  }
  const [red = 0, green = 0, blue = 0] = parts.map(Number);
  if (![red, green, blue].every((part) => Number.isInteger(part) && part >= 0 && part <= 255)) {
    warn(
      `A field in BUILDKIT_COLORS appears to contain an RGB value that is not within the valid range of 0-255: ${value}`,
    );
    return undefined;
  }
  // The 6×6×6 cube of 256-colour terminals, as the aec package reduces colours to it.
  return `38;5;${16 + 36 * Math.floor(red / 43) + 6 * Math.floor(green / 43) + Math.floor(blue / 43)}`;
}
