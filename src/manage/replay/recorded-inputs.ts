import { type RecordedInput, parseRecordedInput, recordedInputKey } from "../../build/index.js";
import type { Provenance } from "./provenance.js";

/** What a build recorded of the directories that it sent, by their names. */
export function recordedInputs({ attrs }: Provenance): Map<string, RecordedInput> {
  const found = new Map<string, RecordedInput>();
  for (const [key, value] of attrs) {
    const name = recordedInputKey(key);
    const input = name === undefined ? undefined : parseRecordedInput(value);
    if (name !== undefined && input) found.set(name, input);
  }
  return found;
}
