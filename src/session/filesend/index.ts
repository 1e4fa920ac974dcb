export type { ExportLimits } from "./directory-receiver.js";
export { ExportError, type ExportErrorCode, type ExportErrorOptions } from "./export-error.js";
export type { DirectoryTarget, ExportTarget, StreamTarget } from "./export-target.js";
export { type FileSendOptions, fileSend } from "./file-send.js";
export { fileTarget, openOutputFile } from "./file-target.js";
export { type TreeEntry, writeTree } from "./write-tree.js";
