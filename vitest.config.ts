import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // Pages need a browser, and the time to start it: `npm run test:pages`.
    include: process.env["PAGES"] === "1" ? ["test/**/*.page.test.ts"] : ["test/**/*.test.ts"],
    exclude: process.env["PAGES"] === "1" ? [] : ["test/**/*.page.test.ts"],
    setupFiles: ["test/seed.ts", "test/loaded.ts"],
    // One process per core: the default leaves a core idle, which on two cores is half of them.
    pool: "forks",
    maxWorkers: "100%",
    // What files import is loaded once per process, not once per file, which is more than half of the time. A test that needs its
    // own state makes it (as `Metric.MetricRegistry`); a module of the library that kept some would show here.
    isolate: false,
    // A loaded CI machine is slow, not wrong: these end what hangs, and judge nothing that runs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000
  }
})
