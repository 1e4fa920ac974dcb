/** The text of what starts the command, by the name of its file in src/cli. */
export function bundleStart(
  name: string,
  format: "esm" | "cjs",
  define?: Readonly<Record<string, string>>,
): Promise<string>;
