import { parseCsvFields, parseGoBool } from "../../config/index.js";
import { InvalidArgumentError, parseJson } from "../../core/index.js";

/** What `--invoke` says is to be run. */
export interface InvokeSpec {
  /** Undefined for what goes without saying: a shell, or the image's own command. */
  command: readonly string[] | undefined;
  env: Readonly<Record<string, string>>;
  user?: string;
  cwd?: string;
  tty: boolean;
}

const keys = ["args", "entrypoint", "env", "user", "cwd", "tty"];

/**
 * Reads a value of `--invoke` in buildx's words: nothing or `default`, `on-error`, a program, or fields `args=`, `entrypoint=`,
 * `env=`, `user=`, `cwd=` and `tty=`, whose values may be lists in JSON (buildx v0.38 commands/debug.go). A text with blanks is a
 * command line for the shell, for which buildx would look for a program of that name.
 *
 * @throws InvalidArgumentError that names the field
 */
export function parseInvoke(text: string): InvokeSpec {
  const plain = { env: {}, tty: true };
  if (text === "" || text === "default") return { ...plain, command: undefined };
  if (text === "on-error") return { ...plain, command: ["/bin/sh"] };
  if (!keys.some((key) => text.replace(/^"/, "").toLowerCase().startsWith(`${key}=`)))
    return { ...plain, command: /\s/.test(text) ? ["/bin/sh", "-c", text] : [text] };
  const [entrypoint, args]: string[][] = [[], []];
  const spec: InvokeSpec & { env: Record<string, string> } = { command: undefined, env: {}, tty: true };
  for (const field of fieldsOf(text)) {
    const at = field.indexOf("=");
    if (at < 0) throw new InvalidArgumentError(`invalid value ${field} in --invoke, expected key=value`);
    const [key, value] = [field.slice(0, at).toLowerCase(), field.slice(at + 1)];
    switch (key) {
      case "args":
        args?.push(...listOf(value));
        break;
      case "entrypoint":
        entrypoint?.push(...listOf(value));
        break;
      case "env":
        for (const pair of listOf(value)) {
          const [name = "", ...rest] = pair.split("=");
          if (name === "" || rest.length === 0)
            throw new InvalidArgumentError(
              `invalid env ${JSON.stringify(pair)} in --invoke, expected NAME=value`,
            );
          Object.defineProperty(spec.env, name, { value: rest.join("="), enumerable: true });
        }
        break;
      case "user":
      case "cwd":
        spec[key] = value;
        break;
      case "tty": {
        const flag = parseGoBool(value);
        if (flag === undefined)
          throw new InvalidArgumentError(`invalid tty ${JSON.stringify(value)} in --invoke`);
        spec.tty = flag;
        break;
      }
      default:
        throw new InvalidArgumentError(
          `unknown key ${JSON.stringify(key)} in --invoke, expected ${keys.join(", ")}`,
        );
    }
  }
  const command = [...(entrypoint ?? []), ...(args ?? [])];
  return { ...spec, command: command.length > 0 ? command : undefined };
}

/** Fields of one CSV record where they are quoted; else each goes up to the next key, so that a list in JSON needs no quotes. */
function fieldsOf(text: string): string[] {
  return text.startsWith('"') ? parseCsvFields(text) : text.split(/,(?=[a-z]+=)/i);
}

/** A list in JSON, or the text itself. */
function listOf(text: string): string[] {
  try {
    const list = parseJson(text);
    if (Array.isArray(list) && list.every((one) => typeof one === "string")) return list;
  } catch {
    // no JSON
  }
  return [text];
}
