// What is loaded when it is first asked for, in one piece: every piece of its own would split what they share into more files.
export { makeBundle } from "./history/build-bundle.js";
export { readDetails } from "./history/build-details.js";
export { openHistory } from "./history/build-history.js";
export { readSpans } from "./history/build-trace.js";
export { makeImage } from "./image-tools/create-image.js";
export { readImage } from "./image-tools/inspect-image.js";
export { describeSubject, planSubject, replaySubject } from "./replay/replay-subject.js";
export { snapshotSubject } from "./replay/snapshot.js";
export { verifySubject } from "./replay/verify.js";
