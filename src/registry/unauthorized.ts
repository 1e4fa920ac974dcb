import { familiarHost } from "./hub.js";
import type { AskedCredentials } from "./registry-http.js";

/** Why a registry or its token server answered 401 or 403, as far as it shows on this side; empty when it does not. */
export function unauthorizedReason(host: string, asked: AskedCredentials | undefined): string {
  if (!asked) return "";
  const name = familiarHost(host);
  if (asked.found) return `the credentials for ${name} were refused, or do not allow this`;
  const where = asked.source === undefined ? "" : ` in ${asked.source}`;
  return `there are no credentials for ${name}${where}`;
}
