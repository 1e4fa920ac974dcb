/** The program as one text, its hash, and the files that it was made of, without the named start-up tricks. */
export function bundleProgram(options?: {
  without?: readonly string[];
}): Promise<{ text: string; hash: string; inputs: string[] }>;

/** The text of what starts the command, by the name of its file in src/cli/startup. */
export function bundleStart(
  name: string,
  format: "esm" | "cjs",
  define?: Readonly<Record<string, string>>,
): Promise<string>;
