import { messageOf } from "../../core/index.js";
import { goMode, posixPermissions } from "../../fs/index.js";
import { type ServerCall, frameMessage } from "../../http2/index.js";
import { ExpectedFiles } from "./expected-files.js";
import { ByteQueue } from "./byte-queue.js";
import { EntryOrder, splitPath } from "./entry-order.js";
import { ExportError, protocolError, quotePath } from "./export-error.js";
import type { DirectoryTarget } from "./export-target.js";
import { ExportTree } from "./export-tree.js";
import { FileRequests } from "./file-requests.js";
import { NameCollisions } from "./name-collisions.js";
import { PacketDecoder } from "../fsutil/packet-decoder.js";
import { errorPacket, finPacket, packetTypes } from "../fsutil/packet.js";

/** Limits to what a hostile daemon can make us do. */
export interface ExportLimits {
  /** Entries in one listing; 5 million when not given. */
  maxEntries?: number;
  /** Bytes announced in one listing; no limit when not given. */
  maxBytes?: number;
  /** Directories nested; 512 when not given. */
  maxDepth?: number;
}

/** Memory for hard links, which wait until their targets are complete, in bytes. */
const maxLinkBytes = 128 * 1024 * 1024;

/**
 * Receives a tree of files as fsutil's receiver does (receive.go) and writes it to a directory. The daemon is not
 * trusted: whatever it sends, nothing is written outside the directory, and no entry is anything but a directory, a
 * regular file, a symbolic link, or a hard link to a file of this transfer. Owners and extended attributes are ignored.
 *
 * Resolves when all is in place and the daemon has answered our FIN or ended the call: it does not half-close after
 * that (buildkit session/filesync/filesync.go), so the end of its stream is not waited for.
 *
 * @throws ExportError; the daemon has then been told by an ERR packet, and files that were not complete are removed
 */
export async function receiveDirectory(
  call: ServerCall,
  target: DirectoryTarget,
  limits: ExportLimits = {},
): Promise<void> {
  let receiver: DirectoryReceiver | undefined;
  try {
    receiver = new DirectoryReceiver(call, target, limits);
    for await (const message of call.messages()) {
      const wait = receiver.take(message);
      if (wait) await wait;
      if (receiver.done) return;
    }
    if (receiver.complete) return;
    throw new ExportError(
      "SESSION_EXPORT_INCOMPLETE",
      `incomplete export to ${target.path}: the builder's stream ended early`,
    );
  } catch (error) {
    if (receiver?.complete && call.signal.aborted) return;
    // An abort that follows a failure of our own is its consequence.
    const failure = receiver?.failure ?? error;
    if (failure === error) tell(call, error);
    await receiver?.abandon();
    throw failure;
  } finally {
    receiver?.close();
  }
}

function tell(call: ServerCall, error: unknown): void {
  if (error instanceof ExportError && error.code === "SESSION_EXPORT_REMOTE") return;
  call.write(frameMessage(errorPacket(messageOf(error))));
}

/** The state of one transfer: takes packets one by one. */
class DirectoryReceiver {
  /** True when the daemon has answered our FIN. */
  done = false;
  /** True when everything is in place and our FIN is out. */
  complete = false;

  readonly #call: ServerCall;
  readonly #tree: ExportTree;
  readonly #files: FileRequests;
  readonly #order: EntryOrder;
  readonly #limits: Required<ExportLimits>;
  readonly #packet = new PacketDecoder(protocolError);
  readonly #announced = new ExpectedFiles();
  /** Hard links: parent, length of name, name, target. */
  readonly #links = new ByteQueue();
  /** In delete mode: names in the directories that the listing is in and has not passed yet, last first. */
  readonly #leftovers: Map<number, Buffer[]> | undefined;
  /** Where the file system takes different names for one. */
  readonly #collisions: NameCollisions | undefined;
  readonly #extras: { parent: number; name: Buffer }[] = [];
  #entries = 0;
  #bytes = 0;
  #listed = false;

  constructor(call: ServerCall, target: DirectoryTarget, limits: ExportLimits) {
    this.#call = call;
    this.#limits = {
      maxEntries: limits.maxEntries ?? 5_000_000,
      maxBytes: limits.maxBytes ?? Number.POSITIVE_INFINITY,
      maxDepth: limits.maxDepth ?? 512,
    };
    this.#tree = new ExportTree(target.path);
    this.#files = new FileRequests(
      this.#tree,
      (framed) => void call.write(framed),
      (error) => tell(call, error),
    );
    this.#order = new EntryOrder(0, {
      maxDepth: this.#limits.maxDepth,
      onLeave: (index) => this.#leave(index),
    });
    const folding = this.#tree.probeFolding();
    if (folding) this.#collisions = new NameCollisions(folding);
    if (target.mode === "delete") this.#leftovers = new Map([[0, this.#listRoot()]]);
  }

  /** What writing failed with, whatever ended the call. */
  get failure(): Error | undefined {
    return this.#files.failure;
  }

  /** Takes a packet. A promise returned is to be awaited before the next one. @throws ExportError */
  take(message: Buffer): Promise<void> | undefined {
    const packet = this.#packet;
    packet.decode(message);
    switch (packet.type) {
      case packetTypes.data:
        return this.#proceed(this.#files.data(packet.id, packet.data));
      case packetTypes.stat:
        if (this.#listed) throw protocolError("an entry came after the end of the listing");
        if (packet.hasStat) return this.#proceed(this.#entry());
        this.#listed = true;
        this.#order.finish();
        return this.#proceed(undefined);
      case packetTypes.fin:
        if (!this.complete) throw protocolError("the builder ended the transfer before it was complete");
        this.done = true;
        return undefined;
      case packetTypes.error:
        throw new ExportError(
          "SESSION_EXPORT_REMOTE",
          `error from sender: ${packet.data.toString("utf8", 0, 4096)}`,
        );
      default:
        throw protocolError(`unexpected packet of type ${packet.type}`);
    }
  }

  /** After a failure: removes what is not complete. Directories that were made stay, with the mode that was announced. */
  async abandon(): Promise<void> {
    await this.#files.abandon();
    await this.#tree.finish({ onError: () => {} });
  }

  close(): void {
    this.#tree.close();
  }

  #listRoot(): Buffer[] {
    try {
      return this.#tree.list(0).reverse();
    } catch (error) {
      this.#tree.close();
      throw error;
    }
  }

  /** Work that is due before the next packet, besides waiting for what this one asked for. */
  #proceed(wait: Promise<void> | undefined): Promise<void> | undefined {
    const last = this.#listed && !this.complete && this.#files.missing === 0;
    if (wait || last || this.#extras.length > 0) return this.#catchUp(wait, last);
    return this.#tree.slice.spent() ? this.#tree.slice.pause() : undefined;
  }

  async #catchUp(wait: Promise<void> | undefined, last: boolean): Promise<void> {
    await wait;
    for (let extra = this.#extras.pop(); extra; extra = this.#extras.pop()) {
      await this.#tree.remove(extra.parent, extra.name);
    }
    if (!last) return;
    await this.#files.settle();
    await this.#makeLinks();
    await this.#tree.finish();
    this.complete = true;
    this.#call.write(frameMessage(finPacket()));
  }

  #entry(): Promise<void> | undefined {
    const { path, mode, size, mtime, linkname } = this.#packet;
    const id = this.#entries++;
    if (id >= this.#limits.maxEntries) {
      throw protocolError(`the export has more than ${this.#limits.maxEntries} entries`);
    }
    this.#order.check(path);
    const { parent, name } = this.#order;
    this.#pass(parent, name);
    this.#collisions?.add(parent, name, (one) => this.#tree.pathOf(parent, one));
    if (!Number.isSafeInteger(size) || size < 0) throw protocolError(`size ${size} of ${quotePath(path)}`);
    switch ((mode & goMode.type) >>> 0) {
      case goMode.dir: {
        const made = this.#tree.makeDirectory(parent, name, posixPermissions(mode), mtime);
        this.#order.enter(path, made.index);
        this.#leftovers?.set(made.index, made.existed ? this.#tree.list(made.index).reverse() : []);
        return undefined;
      }
      case goMode.symlink:
        if (linkname.length === 0 || linkname.length > 4095 || linkname.includes(0)) {
          throw protocolError(`symbolic link ${quotePath(path)} has no usable target`);
        }
        return this.#tree.makeSymlink(parent, name, Buffer.from(linkname), mtime);
      case 0:
        // setuid, setgid and sticky are kept, as buildx keeps them (SEC-6): root file systems are exported too.
        if (linkname.length > 0) {
          this.#link(path, parent, name, linkname);
          return undefined;
        }
        this.#bytes += size;
        if (this.#bytes > this.#limits.maxBytes) {
          throw protocolError(`the export has more than ${this.#limits.maxBytes} bytes`);
        }
        this.#announced.add(path);
        this.#files.announce(id, { parent, name, mode: posixPermissions(mode), size, mtime });
        return undefined;
      default:
        throw protocolError(`refusing to create ${kindOf(mode)} ${quotePath(path)}`);
    }
  }

  #link(path: Buffer, parent: number, name: Buffer, target: Buffer): void {
    splitPath(target);
    if (!this.#announced.has(target)) {
      throw protocolError(`invalid link ${quotePath(path)} to unknown path: ${quotePath(target)}`);
    }
    const record = this.#links.push(5 + name.length + target.length);
    record.writeUInt32LE(parent, 0);
    record.writeUInt8(name.length, 4);
    name.copy(record, 5);
    target.copy(record, 5 + name.length);
    if (this.#links.bytes > maxLinkBytes) throw protocolError("the export has too many hard links");
  }

  async #makeLinks(): Promise<void> {
    for (let record = this.#links.peek(); record; record = this.#links.peek()) {
      const end = 5 + record.readUInt8(4);
      const name = Buffer.from(record.subarray(5, end));
      const target = splitPath(record.subarray(end));
      await this.#tree.makeHardlink(record.readUInt32LE(0), name, target);
      this.#links.drop();
      if (this.#tree.slice.spent()) await this.#tree.slice.pause();
    }
  }

  /** In delete mode: names before the one announced are not in the export, since both come in byte order. */
  #pass(parent: number, name: Buffer): void {
    const names = this.#leftovers?.get(parent);
    if (!names) return;
    for (let last = names.at(-1); last; last = names.at(-1)) {
      const order = last.compare(name);
      if (order > 0) return;
      names.pop();
      if (order < 0) this.#extras.push({ parent, name: last });
    }
  }

  #leave(index: number): void {
    this.#collisions?.leave(index);
    for (const name of this.#leftovers?.get(index) ?? []) this.#extras.push({ parent: index, name });
    this.#leftovers?.delete(index);
  }
}

function kindOf(mode: number): string {
  if (mode & goMode.device) return "device";
  if (mode & goMode.fifo) return "named pipe";
  return "special file";
}
