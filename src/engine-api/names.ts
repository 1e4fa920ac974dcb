import { InvalidArgumentError } from "../core/index.js";

// Every value that becomes part of a request target passes here first, so that none can change which call is made
// (SEC-23; CVE-2026-1527 of undici).

const plainName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

/** A container's name or id as a path segment (moby daemon/names: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`). */
export function containerSegment(name: string): string {
  return checked("container name", name, plainName);
}

/** A volume's name as a path segment (moby volume/local). */
export function volumeSegment(name: string): string {
  return checked("volume name", name, plainName);
}

/** An exec's id as a path segment. */
export function execSegment(id: string): string {
  return checked("exec id", id, plainName);
}

/** A network's name or id as a path segment. Older engines allow nearly any text; what could leave the segment is refused. */
export function networkSegment(name: string): string {
  if (
    typeof name !== "string" ||
    name === "" ||
    name === "." ||
    name === ".." ||
    /[\0-\x1f\x7f/\\%?#]/.test(name)
  ) {
    throw new InvalidArgumentError(`invalid network name ${JSON.stringify(name)}`);
  }
  return encodeURIComponent(name);
}

/** An image's reference or id as the middle of a path; its slashes stay. */
export function imagePath(reference: string): string {
  checked("image reference", reference, /^[a-zA-Z0-9[][a-zA-Z0-9_.:@/[\]-]{0,1023}$/);
  if (reference.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw new InvalidArgumentError(`invalid image reference ${JSON.stringify(reference)}`);
  }
  return reference;
}

/** An image's reference as `POST /images/create` and `/tag` want it: the name, and the digest or tag (default `latest`). */
export function splitReference(reference: string): { name: string; tag: string } {
  imagePath(reference);
  const [named = "", digest] = reference.split("@", 2);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  const name = tagged ? named.slice(0, colon) : named;
  const tag = digest ?? (tagged ? named.slice(colon + 1) : "latest");
  if (name === "" || tag === "") {
    throw new InvalidArgumentError(`invalid image reference ${JSON.stringify(reference)}`);
  }
  return { name, tag };
}

function checked(what: string, value: string, pattern: RegExp): string {
  if (typeof value !== "string" || !pattern.test(value))
    throw new InvalidArgumentError(`invalid ${what} ${JSON.stringify(value)}`);
  return value;
}
