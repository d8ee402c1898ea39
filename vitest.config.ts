import { defineConfig } from 'vitest/config';

const shared = { testTimeout: 120_000, hookTimeout: 120_000 };

/**
 * `unit` needs nothing; every end-to-end test runs on both ways to run the program, `embedded` and `cluster`. `faults` breaks things, and
 * takes its time: `npm run test:faults`.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/**/*.spec.ts'] } },
      ...['embedded', 'cluster'].map((way) => ({
        test: { ...shared, name: way, include: ['test/**/*.e2e-spec.ts'], env: { SCFM_TEST_WAY: way } },
      })),
      {
        test: {
          testTimeout: 1_200_000,
          hookTimeout: 120_000,
          name: 'faults',
          include: ['test/faults/*.faults-spec.ts'],
        },
      },
    ],
  },
});
