import { defineConfig } from 'vitest/config';

const shared = { testTimeout: 120_000, hookTimeout: 120_000 };

/** `unit` needs nothing; every end-to-end test runs on both ways to run the program, `embedded` and `cluster`. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/**/*.spec.ts'] } },
      ...['embedded', 'cluster'].map((way) => ({
        test: { ...shared, name: way, include: ['test/**/*.e2e-spec.ts'], env: { SCFM_TEST_WAY: way } },
      })),
    ],
  },
});
