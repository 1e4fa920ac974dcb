import { expect, test } from "vitest";
import { contextSources } from "./context-sources.js";

const dockerfile = `
FROM busybox AS base
ARG DIR=x
COPY --chown=1:1 a ./b /dest/
ADD https://example.com/file $DIR /dest/
FROM base AS tools
RUN --mount=type=bind,source=scripts,target=/s --mount=type=cache,target=/c true
COPY ["with space", "/dest"]
COPY <<EOF /file
COPY nothing /here
EOF
FROM busybox AS other
COPY c /
FROM other AS all
COPY . /
COPY --from=base /dest /
`;

test.each([
  ["base", ["a", "b", "sub"]],
  ["tools", ["a", "b", "scripts", "sub", "with space"]],
  ["other", ["c"]],
  ["2", ["c"]],
  [undefined, ["."]],
  ["none", []],
])("of the stage %s", (target, sources) => {
  expect(contextSources(dockerfile, { target, args: new Map([["DIR", "sub"]]) })).toEqual(sources);
});

test("FROM scratch wants nothing", () => {
  expect(contextSources("FROM scratch\n")).toEqual([]);
});
