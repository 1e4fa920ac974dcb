import { expect, test } from "vitest";
import { addMounts } from "./add-mounts.js";

const rewritten = (text: string) => addMounts(text, "--mount=M");

test.each([
  ["FROM x\nRUN a\n", "FROM x\nRUN --mount=M a\n"],
  ["  run   a", "  run --mount=M   a"],
  ["RUN --network=none a", "RUN --mount=M --network=none a"],
  ['RUN ["a", "b"]', 'RUN --mount=M ["a", "b"]'],
  ["RUN \\\n  RUN a\nRUN b", "RUN --mount=M \\\n  RUN a\nRUN --mount=M b"],
  ["RUN a \\\n# RUN x\n\n  RUN b\nRUN c", "RUN --mount=M a \\\n# RUN x\n\n  RUN b\nRUN --mount=M c"],
  ["RUN a \\\r\n RUN b\r\nRUN c\r\n", "RUN --mount=M a \\\r\n RUN b\r\nRUN --mount=M c\r\n"],
  [
    "# escape=`\nRUN a `\nRUN b\nRUN c \\\nRUN d",
    "# escape=`\nRUN --mount=M a `\nRUN b\nRUN --mount=M c \\\nRUN --mount=M d",
  ],
  ["# syntax=x\n# Escape = `\nRUN a `\nRUN b", "# syntax=x\n# Escape = `\nRUN --mount=M a `\nRUN b"],
  ["# a comment\n# escape=`\nRUN a `\nRUN b", "# a comment\n# escape=`\nRUN --mount=M a `\nRUN --mount=M b"],
  ["RUN <<EOF\nRUN x\nEOF\nRUN b", "RUN --mount=M <<EOF\nRUN x\nEOF\nRUN --mount=M b"],
  [
    "COPY <<-'E' <<F /a/\nRUN x\n\tE\nRUN y\nF\nRUN b",
    "COPY <<-'E' <<F /a/\nRUN x\n\tE\nRUN y\nF\nRUN --mount=M b",
  ],
  ["RUN a \\\n <<EOF\nRUN x\nEOF\r\nRUN b", "RUN --mount=M a \\\n <<EOF\nRUN x\nEOF\r\nRUN --mount=M b"],
  ['RUN echo "a <<EOF" $((1<<2))\nRUN b', 'RUN --mount=M echo "a <<EOF" $((1<<2))\nRUN --mount=M b'],
  ["RUN cat <<< x\nRUN b", "RUN --mount=M cat <<< x\nRUN --mount=M b"],
  [
    "ONBUILD RUN a\nONBUILD COPY <<E /\nRUN x\nE\nRUN b",
    "ONBUILD RUN a\nONBUILD COPY <<E /\nRUN x\nE\nRUN --mount=M b",
  ],
  ["LABEL a=<<EOF\nRUN b", "LABEL a=<<EOF\nRUN --mount=M b"],
  ["RUNNER x\nENV RUN=1\n", "RUNNER x\nENV RUN=1\n"],
  ["RUN\\\n  a", "RUN --mount=M\\\n  a"],
  ["\\\n RUN a", "\\\n RUN --mount=M a"],
  ["RUN a \\\\\nRUN b", "RUN --mount=M a \\\\\nRUN --mount=M b"],
  ["RUN cat << EOF\nRUN x\nEOF\nRUN b", "RUN --mount=M cat << EOF\nRUN x\nEOF\nRUN --mount=M b"],
  ["\xef\xbb\xbfRUN a", "\xef\xbb\xbfRUN --mount=M a"],
  ["", ""],
])("%j becomes %j", (given, expected) => expect(rewritten(given)).toBe(expected));
