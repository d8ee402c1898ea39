import { defineConfig } from 'vitest/config';

const shared = { testTimeout: 120_000, hookTimeout: 120_000 };

/** These tests depend on neither the database nor the queue, so they run on one way only. */
const EMBEDDED_ONLY = [
  'access',
  'docs',
  'env-file',
  'simulator',
  'simulator-access',
  'simulator-input',
  'unauthenticated-cost',
];
const CLUSTER_ONLY = ['tls-postgres', 'tls-redis'];

/** By way to run the program, the tests of the other way. */
const excluded = {
  embedded: CLUSTER_ONLY,
  cluster: EMBEDDED_ONLY,
};

/**
 * `unit` tests need no servers. End-to-end tests run on both ways to run the program, `embedded` and `cluster`. The
 * `faults` tests take long, and have their own command: `npm run test:faults`.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/**/*.spec.ts'] } },
      ...(['embedded', 'cluster'] as const).map((way) => ({
        test: {
          ...shared,
          name: way,
          include: ['test/**/*.e2e-spec.ts'],
          exclude: excluded[way].map((name) => `test/${name}.e2e-spec.ts`),
          env: { SCFM_TEST_WAY: way },
        },
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
