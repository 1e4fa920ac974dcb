import { spawn } from "node:child_process";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { type Readable, finished } from "node:stream";
import { type Environment, desktopUrl, homeDir } from "../../config/index.js";
import { messageOf, parseJson, throwIfAborted } from "../../core/index.js";
import { findProgram, programEnvironment } from "../../fs/index.js";
import { HistoryError } from "./history-error.js";

const socketName = "docker-desktop-build.sock";
const wslSockets = "/mnt/wsl/docker-desktop/shared-sockets/host-services";

/** Longest answer of Docker Desktop that is read, in bytes. */
const largestAnswer = 1 << 20;

/** Socket, or pipe, of Docker Desktop's build server. */
export function desktopSocket(env: Environment, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return "//./pipe/dockerDesktopBuildServer";
  if (platform === "darwin")
    return join(homeDir(env), "Library/Containers/com.docker.docker/Data", socketName);
  return env["WSL_DISTRO_NAME"]
    ? join(wslSockets, socketName)
    : join(homeDir(env), ".docker/desktop", socketName);
}

/** Options of {@link importBundle}. */
export interface ImportBundleOptions {
  env: Environment;
  signal?: AbortSignal | undefined;
}

/**
 * Hands a bundle of `history export` to Docker Desktop, and gives the addresses at which it shows the builds.
 *
 * @throws HistoryError `HISTORY_DESKTOP` when it is not there or refuses; what the bundle fails with
 */
export async function importBundle(
  bundle: Readable,
  { env, signal }: ImportBundleOptions,
): Promise<string[]> {
  const socket = desktopSocket(env);
  let answer: { status: number; body: string };
  try {
    answer = await post(socket, bundle, signal);
  } catch (error) {
    throwIfAborted(signal);
    if (bundle.errored) throw bundle.errored;
    throw new HistoryError(
      "HISTORY_DESKTOP",
      `history import hands bundles to Docker Desktop, which does not answer at ${socket}: ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    // Who refuses it need not have read it.
    bundle.destroy();
  }
  if (answer.status !== 200)
    throw new HistoryError(
      "HISTORY_DESKTOP",
      `failed to import build: ${answer.body.trim() || answer.status}`,
    );
  return refsOf(answer.body).map((ref) => desktopUrl(`.imported/_/${ref}`));
}

function refsOf(body: string): string[] {
  let refs: unknown;
  try {
    refs = parseJson(body);
  } catch (error) {
    throw new HistoryError("HISTORY_DESKTOP", `Docker Desktop's answer is not JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return Array.isArray(refs) ? refs.filter((ref) => typeof ref === "string") : [];
}

async function post(
  socketPath: string,
  bundle: Readable,
  signal: AbortSignal | undefined,
): Promise<{ status: number; body: string }> {
  const call = request({
    socketPath,
    method: "POST",
    path: "/upload",
    host: "docker-desktop",
    ...(signal && { signal }),
  });
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      call.on("response", resolve);
      call.on("error", reject);
      // Also of one that has ended before.
      finished(bundle, { writable: false }, (error) => void (error && call.destroy(error)));
      bundle.pipe(call);
    });
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) {
      body += chunk as string;
      if (body.length > largestAnswer) throw new Error("the answer is too long");
    }
    return { status: response.statusCode ?? 0, body };
  } finally {
    // Whoever answers before all was sent would keep the connection, and with it the program.
    call.destroy();
  }
}

/** Opens an address with the desktop's own program for it. Not waited for. */
export async function openInDesktop(url: string): Promise<void> {
  const [name, args] = opener(process.platform);
  const file = await findProgram(name);
  if (file === undefined)
    throw new HistoryError("HISTORY_DESKTOP", `cannot open ${url}: there is no ${name} on PATH`);
  const env = programEnvironment(process.env);
  await new Promise<void>((resolve, reject) => {
    const child = spawn(file, [...args, url], { stdio: "ignore", detached: true, env });
    child.once("spawn", () => {
      child.unref();
      resolve();
    });
    child.once("error", (error) =>
      reject(
        new HistoryError("HISTORY_DESKTOP", `cannot open ${url}: ${messageOf(error)}`, { cause: error }),
      ),
    );
  });
}

function opener(platform: NodeJS.Platform): [file: string, args: string[]] {
  if (platform === "darwin") return ["open", []];
  return platform === "win32" ? ["rundll32", ["url.dll,FileProtocolHandler"]] : ["xdg-open", []];
}
