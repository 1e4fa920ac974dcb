import { join } from "node:path";
import { type Environment, homeDir, textOf } from "../config/index.js";
import { readBounded } from "../fs/index.js";

/** Keys to AWS; empty where there are none. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

/**
 * The keys that AWS's tools would use: those of the environment, else those of the profile in the credentials file (AWS SDKs
 * and Tools Reference Guide, "Standardized credential providers"). Roles, SSO and instance metadata are not asked.
 */
export async function awsCredentials(env: Environment): Promise<AwsCredentials> {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"] || env["AWS_ACCESS_KEY"] || "";
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"] || env["AWS_SECRET_KEY"] || "";
  if (accessKeyId !== "" && secretAccessKey !== "")
    return { accessKeyId, secretAccessKey, sessionToken: env["AWS_SESSION_TOKEN"] ?? "" };
  const file = env["AWS_SHARED_CREDENTIALS_FILE"] || join(homeDir(env), ".aws", "credentials");
  const content = await readBounded(file, { limit: 1 << 20 }).catch(() => Buffer.alloc(0));
  const text = textOf(content);
  const profile = readProfile(text, env["AWS_PROFILE"] || "default");
  return {
    accessKeyId: profile.get("aws_access_key_id") ?? "",
    secretAccessKey: profile.get("aws_secret_access_key") ?? "",
    sessionToken: profile.get("aws_session_token") ?? "",
  };
}

/** The settings of one section of an INI file. */
function readProfile(text: string, name: string): Map<string, string> {
  const settings = new Map<string, string>();
  let isInside = false;
  for (const line of text.split(/\r?\n/)) {
    const text = line.trim();
    const end = text.indexOf("]");
    if (text.startsWith("[") && end > 1)
      isInside = text.slice(1, end).replace(/^profile\s+/, "").trim() === name; // prettier-ignore
    const equals = text.indexOf("=");
    if (!isInside || equals < 1 || text.startsWith("#") || text.startsWith(";")) continue;
    settings.set(text.slice(0, equals).trimEnd().toLowerCase(), text.slice(equals + 1).trimStart());
  }
  return settings;
}
