import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    experimental: { fsModuleCache: true },
    // For scripts/coverage.mjs only: the floors in which most faults lay.
    coverage: {
      provider: "v8",
      include: ["build", "builder", "driver", "manage", "testcontainers"].map(
        (name) => `src/${name}/**/*.ts`,
      ),
      exclude: ["**/*.test.ts"],
      reportsDirectory: "build/coverage",
    },
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/unit/**/*.test.ts"],
          testTimeout: 60_000,
          // Files share the modules of a process: loading them anew for each took more than half of the time. Unless told,
          // vitest leaves one core out.
          isolate: false,
          maxWorkers: "100%",
          setupFiles: ["test/support/no-warnings.ts", "test/support/no-leaks.ts"],
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          isolate: false,
        },
      },
      {
        // On other versions of BuildKit: npm run test:versions.
        test: {
          name: "versions",
          include: ["test/versions/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
