/** Go's `os.FileMode` bits, as fsutil's Stat.mode carries them (fsutil stat.go, types/stat.proto). Not POSIX `st_mode`. */
export const goMode = {
  dir: 0x8000_0000,
  symlink: 0x0800_0000,
  device: 0x0400_0000,
  fifo: 0x0200_0000,
  socket: 0x0100_0000,
  setuid: 0x0080_0000,
  setgid: 0x0040_0000,
  charDevice: 0x0020_0000,
  sticky: 0x0010_0000,
  irregular: 0x0008_0000,
  /** Every bit that says what kind of thing it is: none of them set means a regular file. */
  type: 0x8f28_0000,
  permissions: 0o777,
} as const;

const format = 0o170000;
/** The file type of POSIX `st_mode`, masked with S_IFMT. */
export const posixType = {
  fifo: 0o010000,
  charDevice: 0o020000,
  dir: 0o040000,
  blockDevice: 0o060000,
  regular: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

/** Go's mode for a POSIX `st_mode`, as Go's `os.Lstat` gives it on Linux. Always a non-negative number. */
export function goModeOf(stMode: number): number {
  let mode = stMode & goMode.permissions;
  switch (stMode & format) {
    case posixType.fifo:
      mode += goMode.fifo;
      break;
    case posixType.charDevice:
      mode += goMode.device + goMode.charDevice;
      break;
    case posixType.dir:
      mode += goMode.dir;
      break;
    case posixType.blockDevice:
      mode += goMode.device;
      break;
    case posixType.symlink:
      mode += goMode.symlink;
      break;
    case posixType.socket:
      mode += goMode.socket;
      break;
  }
  if (stMode & 0o4000) mode += goMode.setuid;
  if (stMode & 0o2000) mode += goMode.setgid;
  if (stMode & 0o1000) mode += goMode.sticky;
  return mode;
}

/** The permission bits of a Go mode for chmod(2), set-id and sticky bits included. */
export function posixPermissions(mode: number): number {
  let bits = mode & goMode.permissions;
  if (mode & goMode.setuid) bits |= 0o4000;
  if (mode & goMode.setgid) bits |= 0o2000;
  if (mode & goMode.sticky) bits |= 0o1000;
  return bits;
}

/** True for a regular file, the only kind whose data may be requested (fsutil send.go, fileCanRequestData). */
export function isRegular(mode: number): boolean {
  return (mode & goMode.type) === 0;
}

/** True for a directory. */
export function isDirectory(mode: number): boolean {
  return (mode & goMode.dir) !== 0;
}

/** True for a symbolic link. */
export function isSymlink(mode: number): boolean {
  return (mode & goMode.symlink) !== 0;
}

/** Major and minor number of a device, cut as fsutil cuts them (stat_unix.go): 12 and 20 bits. */
export function deviceNumbers(rdev: bigint): { major: bigint; minor: bigint } {
  return { major: (rdev >> 8n) & 0xfffn, minor: (rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n) };
}
