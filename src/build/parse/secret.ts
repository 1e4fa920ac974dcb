import { type Bytes, InvalidArgumentError } from "../../core/index.js";
import { type Environment, variableOf } from "../../config/index.js";
import { parseFields } from "./fields.js";

/** Where a secret's value comes from. A function is called each time a step asks. */
export type SecretInput =
  string | Bytes | { file: string } | { env: string } | (() => string | Bytes | Promise<string | Bytes>);

/**
 * Parses a value of `--secret`: `id=ID[,src=PATH]` or `id=ID,env=NAME` (`type=file|env`). With neither, an environment
 * variable named like the id is used if it is set, else a file of that name (buildx util/buildflags/secrets.go).
 *
 * @throws InvalidArgumentError for an unknown key or type, or a missing id.
 */
export function parseSecret(
  text: string,
  env: Environment = process.env,
): { id: string; source: SecretInput } {
  let id = "";
  let type = "";
  let file = "";
  let variable = "";
  for (const [key, value] of parseFields(text)) {
    if (value === undefined)
      throw new InvalidArgumentError(`invalid field '${key}' must be a key=value pair`);
    if (key === "type") type = value;
    else if (key === "id") id = value;
    else if (key === "source" || key === "src") file = value;
    else if (key === "env") variable = value;
    else throw new InvalidArgumentError(`unexpected key '${key}' in secret ${JSON.stringify(text)}`);
  }
  if (type !== "" && type !== "file" && type !== "env")
    throw new InvalidArgumentError(`unsupported secret type "${type}"`);
  if (id === "") throw new InvalidArgumentError(`secret missing ID in ${JSON.stringify(text)}`);
  if (type === "env" && variable === "") {
    variable = file;
    file = "";
  }
  if (variable !== "") return { id, source: { env: variable } };
  if (file !== "") return { id, source: { file } };
  return { id, source: variableOf(env, id) !== undefined ? { env: id } : { file: id } };
}
