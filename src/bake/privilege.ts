/** Something that a build does beyond its directory, and that must be allowed by name. */
export interface Privilege {
  readonly kind:
    | "network.host"
    | "security.insecure"
    | "device"
    | "ssh"
    | "buildx.local.delete"
    | "fs.read"
    | "fs.write"
    | "fs";
  /** A path, or a device's name; no name means all devices. */
  readonly value?: string;
}

/** As `--allow` takes it. */
export function privilegeText({ kind, value }: Privilege): string {
  return value === undefined ? kind : `${kind}=${value}`;
}
