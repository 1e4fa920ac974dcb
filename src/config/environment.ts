/** Environment variables. They are always passed explicitly; the command passes `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable by a name from outside, which may be one that every object has (`toString`); undefined when it is not set. */
export function variableOf(env: Environment, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}
