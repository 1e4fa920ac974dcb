/** True for http:// and https:// URLs; says nothing of the rest of the text (buildx util/urlutil). */
export function isHttpUrl(text: string): boolean {
  return text.startsWith("http://") || text.startsWith("https://");
}

/** True for what BuildKit fetches itself: http(s) URLs and git references (BK frontend/dockerfile/dfgitutil). */
export function isRemoteUrl(text: string): boolean {
  return isHttpUrl(text) || isGitUrl(text);
}

/**
 * True for git references: `git://`, `ssh://`, http(s) URLs whose path ends in `.git`, scp style
 * `user@host:path`, and the old shorthand `github.com/…`.
 */
export function isGitUrl(text: string): boolean {
  if (text.startsWith("./") || text.startsWith("../")) return false;
  if (text.startsWith("github.com/") || /^(git|ssh):\/\//.test(text)) return true;
  if (isHttpUrl(text)) {
    const { pathname } = parseUrl(text) ?? { pathname: "" };
    return pathname.endsWith(".git");
  }
  return /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:/.test(text);
}

/** True for a git reference fetched over ssh, which needs an agent. */
export function isGitSshUrl(text: string): boolean {
  return isGitUrl(text) && (text.startsWith("ssh://") || /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:/.test(text));
}

/** True for a git reference with a query (`?ref=…`), which older frontends do not understand. */
export function hasGitQuery(text: string): boolean {
  return isGitUrl(text) && /\?[^#]/.test(text.split("#", 1)[0] ?? "");
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
