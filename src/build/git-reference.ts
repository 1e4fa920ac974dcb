import { posix } from "node:path";
import { parseGoBool } from "../config/index.js";
import { InvalidArgumentError, messageOf, percentDecode } from "../core/index.js";
import { withoutCredentials } from "./git-info.js";
import { isHttpUrl } from "./remote-url.js";

/** A git reference as BuildKit reads it (BK frontend/dockerfile/dfgitutil). */
export interface GitReference {
  /** What git fetches from: without query and fragment. */
  remote: string;
  /** Host and path, by which BuildKit names the source. */
  place: string;
  isSsh: boolean;
  /** Branch, tag or commit; absent for the default branch. */
  ref?: string;
  /** Directory in the repository; absent for all of it. */
  subdir?: string;
  /** The commit that it must be. */
  checksum?: string;
  keepGitDir?: boolean;
  submodules?: boolean;
  /** Which time files have. */
  mtime?: string;
  /** The commit is fetched by its id, and the ref not asked for. */
  fetchByCommit?: boolean;
}

/**
 * Reads a git reference with its query and fragment.
 *
 * @throws InvalidArgumentError in BuildKit's words, that names the reference without user and password.
 */
export function parseGitReference(text: string): GitReference {
  const [beforeFragment, fragment = ""] = cut(text, "#");
  const [address, query = ""] = cut(beforeFragment, "?");
  try {
    const reference = { ...addressOf(address), ...fragmentOf(fragment, !isScp(address)) };
    return withQuery(reference, queryOf(query));
  } catch (cause) {
    const shown = JSON.stringify(withoutCredentials(text));
    throw new InvalidArgumentError(`invalid git reference ${shown}: ${messageOf(cause)}`, { cause });
  }
}

/** The reference in its old form, with the fragment alone and without the directory, as buildx calls a build by it. */
export function formatGitReference(text: string): string {
  try {
    const { remote, ref } = parseGitReference(text);
    return ref === undefined ? remote : `${remote}#${ref}`;
  } catch {
    return text; // another client's, which may know more of them
  }
}

function cut(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function isScp(address: string): boolean {
  return !/^[a-z]+:\/\//.test(address) && !address.startsWith("github.com/");
}

function addressOf(address: string): Pick<GitReference, "remote" | "place" | "isSsh"> {
  const place = (host: string, path: string) => `${host}${posix.join("/", path)}`;
  if (isScp(address)) {
    const [host, path = ""] = cut(address.slice(address.indexOf("@") + 1), ":");
    return { remote: address, place: place(host, path), isSsh: true };
  }
  const remote = address.startsWith("github.com/") ? `https://${address}` : address;
  const [, rest = ""] = remote.split("://", 2);
  const [authority, path = ""] = cut(rest, "/");
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const isSsh = !isHttpUrl(remote) && remote.startsWith("ssh://");
  return { remote, place: place(host, percentDecode(path)), isSsh };
}

/** `ref:directory`. */
function fragmentOf(fragment: string, isEscaped: boolean): Pick<GitReference, "ref" | "subdir"> {
  const [ref, directory = ""] = cut(isEscaped ? percentDecode(fragment) : fragment, ":");
  const subdir = posix.join("/", directory).slice(1);
  return { ...(ref && { ref }), ...(subdir && { subdir }) };
}

function queryOf(query: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    if (pair.includes(";")) throw new InvalidArgumentError("invalid semicolon separator in query");
    const [name = "", value = ""] = cut(pair.replaceAll("+", " "), "=").map((part = "") =>
      percentDecode(part),
    );
    if (values.has(name)) throw new InvalidArgumentError(`query ${JSON.stringify(name)} has multiple values`);
    values.set(name, value);
  }
  return values;
}

function withQuery(reference: GitReference, query: ReadonlyMap<string, string>): GitReference {
  const result = { ...reference };
  const agree = (name: "ref" | "subdir", value: string) => {
    const other = result[name] ?? value;
    if (other !== value)
      throw new InvalidArgumentError(
        `${name} conflicts: ${JSON.stringify(other)} vs ${JSON.stringify(value)}`,
      );
    result[name] = value;
  };
  for (const [name, value] of query) {
    const key = switches.get(name);
    if (key !== undefined) {
      result[key] = readSwitch(name, value);
      continue;
    }
    if (!texts.has(name)) throw new InvalidArgumentError(`unexpected query ${JSON.stringify(name)}`);
    if (value === "") throw new InvalidArgumentError(`query ${JSON.stringify(name)} has no value`);
    if (name === "ref" || name === "subdir") agree(name, value);
    else if (name === "checksum" || name === "commit") result.checksum = value;
    else if (name === "mtime") result.mtime = readMtime(value);
  }
  const tag = query.get("tag");
  const branch = query.get("branch");
  if (tag !== undefined && branch !== undefined) throw new InvalidArgumentError("branch conflicts with tag");
  if (tag !== undefined) agree("ref", below("refs/tags/", tag));
  if (branch !== undefined) agree("ref", below("refs/heads/", branch));
  return result;
}

const switches = new Map<string, "keepGitDir" | "submodules" | "fetchByCommit">([
  ["keep-git-dir", "keepGitDir"],
  ["submodules", "submodules"],
  ["fetch-by-commit", "fetchByCommit"],
]);

const texts = new Set(["ref", "tag", "branch", "subdir", "checksum", "commit", "mtime"]);

/** A switch without a value is on. */
function readSwitch(name: string, value: string): boolean {
  const read = value === "" ? true : parseGoBool(value);
  if (read === undefined) throw new InvalidArgumentError(`invalid ${name} value: ${JSON.stringify(value)}`);
  return read;
}

function readMtime(value: string): string {
  if (value === "checkout" || value === "commit") return value;
  throw new InvalidArgumentError(
    `invalid mtime value: ${JSON.stringify(value)} (must be "checkout" or "commit")`,
  );
}

function below(prefix: string, name: string): string {
  return name.startsWith(prefix) ? name : `${prefix}${name}`;
}
