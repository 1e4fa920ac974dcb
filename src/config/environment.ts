/** Environment variables, always passed explicitly: the command passes `process.env`, tests pass what they like. */
export type Environment = Readonly<Record<string, string | undefined>>;
