// A reporter of vitest's: writes the errors that no test has handled into the file SLIPWAY_TEST_UNHANDLED, as JSON. The JSON
// reporter has none of them, so that a file that passes again would hide what happened beside it.
import fs from "node:fs";

export default class UnhandledReporter {
  onTestRunEnd(_modules, errors) {
    const file = process.env.SLIPWAY_TEST_UNHANDLED;
    if (!file || errors.length === 0) return;
    const texts = errors.map(({ name, message, stack }) => stack ?? `${name}: ${message}`);
    fs.writeFileSync(file, JSON.stringify(texts));
  }
}
